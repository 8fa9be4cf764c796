"""The rule runner's command line: what it says, and its exit codes."""

import base64
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import rules.cli
from rules.cli import main
from rules.lock import held
from tests.rules.worker import Worker
from tests.rules.world import CONNECT, TASKS, World
from tests.stack.capture import BROKEN, OK, SLACK_WEBHOOK_GONE, Capture
from tests.stack.process import free_port, wait_for

# Apprise, up to Python 3.12, imports a module that 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

STETHO = Path(sys.executable).with_name("stetho")
FIRING, RESOLVED = "FIRING TaskFailed: task sink/1 has failed", "RESOLVED TaskFailed: task sink/1 has failed"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Worker() as worker, Capture(tmp_path) as capture:
        yield World(tmp_path, worker, capture)


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def stetho(*argv: str | Path) -> Done:
    """The command line in this process, which saves a second for each."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    before = signal.getsignal(signal.SIGTERM)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = main([str(word) for word in argv])
    finally:
        signal.signal(signal.SIGTERM, before)
    out.seek(0)
    return Done(code, out.read(), err.getvalue())


def installed(*argv: str | Path, **environment: str) -> Done:
    """The installed command as a process."""
    whole = {**os.environ, **environment}
    done = subprocess.run([STETHO, *argv], capture_output=True, text=True, env=whole, timeout=120, check=False)
    return Done(done.returncode, done.stdout, done.stderr)


def swept(world: World, *argv: str, code: int = 0, said: str = "", run: Callable[..., Done] = stetho) -> dict[str, Any]:
    """The summary of a sweep, which ends with this code and says nothing else."""
    done = run("sweep", world.write(), "--state", world.state, *argv)
    assert (done.returncode, done.stderr) == (code, said)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# --- sweep ------------------------------------------------------------------------------------------------------------


def test_the_installed_command_sweeps_as_acceptance_4_has_it(world: World) -> None:
    """pending, firing, one message, nothing new, resolved, one all-clear."""
    world.rules = f"{TASKS}    for: 1s\n"
    world.worker.fail(1)
    assert swept(world, run=installed)["pending"] == 1
    time.sleep(1)
    assert swept(world, run=installed)["firing"] == 1
    assert world.heard() == [FIRING]
    for _ in range(2):
        time.sleep(1)
        assert swept(world, run=installed)["sent"] == 0
    world.worker.fail()
    assert swept(world, run=installed)["resolved"] == 1
    assert world.heard() == [RESOLVED]
    time.sleep(1)
    assert swept(world, run=installed)["sent"] == 0


def test_what_could_not_be_delivered_is_exit_1_and_says_why(world: World) -> None:
    world.capture.answer("127.0.0.1/ops", BROKEN)
    world.worker.fail(1)
    why = "stetho: receiver ops (json) cannot be told: JSON: answered HTTP 500 Internal Server Error (server_error)\n"
    for _ in range(5):
        assert swept(world, code=1, said=why)["failed"] == 1
    assert swept(world, code=1, said=why)["failed"] == 0, "it waits"
    world.capture.answer("127.0.0.1/ops", OK)
    assert swept(world)["sent"] == 1


def test_a_destination_whose_variable_is_not_set_is_pointed_out_before_anything_is_owed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.receivers["sms"] = ["${SMS_URL}", "json://h/${file:/no/such}"]
    monkeypatch.delenv("SMS_URL", raising=False)
    swept(
        world,
        said="stetho: receiver sms (json) cannot be told: cannot read /no/such: No such file or directory\n"
        "stetho: receiver sms cannot be told: the environment variable SMS_URL is not set\n",
    )
    world.receivers["sms"].pop()
    monkeypatch.setenv("SMS_URL", world.capture.url("/sms"))
    swept(world)


def test_of_two_at_once_one_is_skipped_or_waits(world: World) -> None:
    with held(world.state, "default"):
        assert swept(world)["skipped"] is True
        done = stetho("sweep", world.path, "--state", world.state, "--output", "text")
        assert done.stdout == "sweep default: skipped, for another sweep of that name is running\n"
    world.rules = CONNECT + "    with: {timeout: 5m}\n"
    world.worker.silent()
    argv: list[str | Path] = [STETHO, "sweep", world.write(), "--state", world.state, "--deadline", "10m"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as first:
        wait_for("its question", lambda: bool(world.worker.asked), 60)
        assert swept(world)["skipped"] is True
        with subprocess.Popen([*argv, "--wait-lock", "5m"], stdout=subprocess.PIPE, text=True) as waiting:
            world.worker.speak()
            both = [json.loads(one.communicate(timeout=60)[0]) for one in (first, waiting)]
    assert [one["skipped"] for one in both] == [False, False]


def test_a_sweep_says_what_it_did(world: World) -> None:
    world.worker.fail(1)
    done = stetho("sweep", world.write(), "--state", world.state, "--output", "text", "--name", "blue")
    assert done.stdout == (
        "sweep blue: 1 rule, 1 question, 0 unknown\n"
        "  alerts:   1 firing, 0 pending, 0 ended now\n"
        "  messages: 1 sent, 0 failed, 0 owed still\n"
    )


def test_rules_that_tell_nobody_are_pointed_out(world: World) -> None:
    world.receivers = {"ops": []}
    done = stetho("sweep", world.write(), "--state", world.state)
    assert done.returncode == 0
    assert done.stderr == "stetho: these files have no receiver with a destination: nobody is told of anything\n"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--deadline", "5"], "--deadline: '5' has no unit; write 5s for seconds, 5m for minutes"),
        (["--deadline", "5s"], "--deadline must be at least 10s: a third of it is for sending"),
        (["--wait-lock", "long"], "--wait-lock: 'long' is not a duration"),
        (["--output", "xml"], "'xml' is not one of 'text', 'json'"),
        (["--name", ""], "--name must be printable text"),
        (["--name", "a\nb"], "--name must be printable text"),
        (["--state", "postgresql://u:hunter2@h/db"], "--state postgresql://… is not supported by this version"),
        (["--what"], "No such option: --what"),
    ],
)
def test_a_mistake_in_the_call_is_64_and_nothing_is_asked(world: World, argv: list[str], said: str) -> None:
    done = stetho("sweep", world.write(), "--state", world.state, *argv)
    assert (done.returncode, done.stdout) == (64, "")
    assert said in " ".join(done.stderr.split())
    assert "hunter2" not in done.stderr
    assert not world.state.exists()
    assert not world.worker.asked


def test_the_version_is_an_option_that_the_help_shows() -> None:
    assert "--version" in stetho("--help").stdout
    assert stetho("--version", "probes") == Done(0, stetho("--version").stdout, "")


@pytest.mark.parametrize("argv", [["sweep"], ["rules"], ["rules", "check"], ["swep"], []])
def test_an_incomplete_call_is_64_with_the_help_of_what_is_incomplete(argv: list[str]) -> None:
    done = stetho(*argv)
    assert done.returncode == 64
    assert "Usage: stetho" in done.stdout + done.stderr


def test_files_with_mistakes_are_64_and_nothing_is_asked(world: World) -> None:
    world.rules = CONNECT.replace("connect", "conect")
    done = stetho("sweep", world.write(), "--state", world.state)
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr == f"{world.path}:6:12: there is no probe `conect`; did you mean `connect`?\n1 mistake\n"
    assert not world.state.exists()
    assert stetho("sweep", world.folder / "missing.yml", "--state", world.state).returncode == 64


def test_removed_rules_are_64_and_said_to_be_meant_0(world: World) -> None:
    world.worker.tasks = {"sink": ["FAILED"] * 4}
    swept(world)
    world.rules = CONNECT + "    when: status == 'UNKNOWN'\n"
    done = stetho("sweep", world.write(), "--state", world.state)
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.startswith("stetho: the rules of 4 of 4 firing alerts are gone: TaskFailed; ")
    assert swept(world, "--allow-removal")["firing"] == 4


def test_a_sweep_of_a_folder_without_rule_files_says_what_it_looked_for(world: World) -> None:
    done = stetho("sweep", world.folder, "--state", world.state)
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.startswith("stetho: no rule files found; in a folder they end in .yml or .yaml\n")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("missing/s.db", "the folder .* does not exist"),
        (".", "a folder, not a file"),
        ("text", "not a SQLite database"),
    ],
)
def test_a_store_that_cannot_be_used_is_1(world: World, state: str, said: str) -> None:
    (world.folder / "text").write_text("this is no database, but long enough to be taken for one " * 20)
    done = stetho("sweep", world.write(), "--state", world.folder / state)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(f"stetho: state {world.folder}.*: {said}\n", done.stderr)


# --- whatever happens -------------------------------------------------------------------------------------------------


def test_a_fault_of_ours_is_one_line_and_1(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: object) -> None:
        raise TypeError("a secret")

    monkeypatch.setattr(rules.cli, "sweep", stumble)
    done = stetho("sweep", world.write())
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(
        r"a fault inside stetho: TypeError at tests\.rules\.test_cli:\d+; please report it\n", done.stderr
    )


@pytest.mark.parametrize(("where", "said"), [(">&-", "it is closed"), (">/dev/full", "No space left on device")])
def test_a_sweep_has_done_its_work_even_if_nobody_takes_its_summary(world: World, where: str, said: str) -> None:
    command = f"'{STETHO}' sweep '{world.write()}' --state '{world.state}' {where}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, f"stetho: cannot write to standard output: {said}\n")
    command = f"'{STETHO}' rules schema {where}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, "its text was all there was to it"


def test_a_reader_who_has_seen_enough_is_no_failure(world: World) -> None:
    world.write()
    with subprocess.Popen([STETHO, "rules", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as schema:
        assert schema.stdout
        assert schema.stderr
        schema.stdout.close()
        assert schema.stderr.read() == b""
    assert schema.returncode == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("moment", ["asking", "sending"])
def test_a_sweep_that_is_stopped_ends_at_once_and_loses_nothing(
    world: World, number: signal.Signals, code: int, moment: str
) -> None:
    if moment == "asking":
        world.rules += "    with: {timeout: 5m}\n"
        world.worker.silent()
    else:
        world.capture.answer("127.0.0.1/ops", replace(OK, delay=30.0))
    world.worker.fail(1)
    argv: list[str | Path] = [STETHO, "sweep", world.write(), "--state", world.state]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as stopped:
        if moment == "asking":
            wait_for("its question", lambda: bool(world.worker.asked), 60)
        else:
            wait_for("its message", lambda: bool(world.capture.requests("127.0.0.1/ops")), 60)
        stopped.send_signal(number)
        out, err = stopped.communicate(timeout=60)
    assert (stopped.returncode, out, err) == (code, "", "")
    world.worker.speak()
    world.capture.answer("127.0.0.1/ops", OK)
    assert swept(world)["firing"] == 1
    assert set(world.heard()) == {FIRING}


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_no_secret_shows_anywhere(world: World) -> None:
    """Through success, refusal, UNKNOWN, a deleted webhook, a missing server: in no output, message or byte stored."""
    secrets = {"TOKEN": "xoxb-t0k3n", "QUERY": "api-k3y", "LOGIN": "url-p4ss", "HOOK": "h00k-p4th"}
    password = world.folder / "password"
    password.write_text("hunter2-pw")
    asked = [
        f'{{url: "{world.worker.url}", username: u, password_file: "{password}"}}',
        f'{{url: "http://v:${{LOGIN}}@127.0.0.1:{world.worker.port}/?key=${{QUERY}}"}}',
        f'{{url: "http://v:${{LOGIN}}@127.0.0.1:{free_port()}/?key=${{QUERY}}"}}',
        '{url: "http://h", username: u, password_file: "${LOGIN}"}',
    ]
    world.rules = "".join(f"{CONNECT.replace('Ill', str(n))}    with: {given}\n" for n, given in enumerate(asked))
    hook = world.capture.url("/${HOOK}?token=${TOKEN}").replace("json://", "json://w:${LOGIN}@")
    gone = f"json://x:${{TOKEN}}@127.0.0.1:{free_port()}/${{HOOK}}"
    world.receivers = {"ops": [hook, gone], "boss": [world.capture.url("/boss")]}
    world.more = "fallback: boss\n"
    said = []
    for answer, status in ((SLACK_WEBHOOK_GONE, 200), (BROKEN, 500), (OK, 200)):
        world.capture.answer(f"127.0.0.1/{secrets['HOOK']}", replace(answer, body="w url-p4ss xoxb-t0k3n"))
        world.worker.fail(1)
        world.worker.says = None if status == 200 else (status, "broken")
        done = installed("sweep", world.write(), "--state", world.state, "--output", "text", **secrets)
        assert done.returncode == 1, done.stderr
        said += [done.stdout, done.stderr]
    said += [stetho("alerts", "--state", world.state, "--output", form).stdout for form in ("text", "json")]
    login = base64.b64encode(b"u:hunter2-pw").decode()
    assert f"Basic {login}" in world.worker.logins, "the password was used"
    assert world.heard("/boss")[0].startswith("FIRING StethoUndelivered: receiver ops (json) cannot be told: ")
    assert world.heard(f"/{secrets['HOOK']}"), "and so was the token"
    bodies = [request.body.decode() for request in world.capture.requests()]
    everything = [*said, *bodies, world.stored().decode("utf-8", "replace")]
    leaked = [secret for secret in (*secrets.values(), "hunter2-pw", login) if any(secret in one for one in everything)]
    assert leaked == []
    assert any("refused" in one for one in said), "the trouble itself is told"


# --- alerts -----------------------------------------------------------------------------------------------------------


def listed(world: World, *argv: str) -> Any:
    done = stetho("alerts", "--state", world.state, *argv)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout if "text" in argv else json.loads(done.stdout)


def test_alerts_lists_what_fires_is_pending_and_held(world: World) -> None:
    pending = CONNECT.replace("ConnectIll", "Slow") + "    for: 1h\n"
    other = CONNECT.replace("ConnectIll", "Other") + '    with: {url: "${OTHER}"}\n'
    world.rules = TASKS + pending + other
    world.worker.fail(1)
    world.environment["OTHER"] = world.worker.url
    world.sweep()
    del world.environment["OTHER"]
    world.sweep()
    found = listed(world)
    assert {key: found[key] for key in ("schema", "name", "swept")} == {
        "schema": 1, "name": "default", "swept": "2026-01-01T00:02:00Z",
    }  # fmt: skip
    assert [(one["alertname"], one["state"], one["held"]) for one in found["alerts"]] == [
        ("Other", "firing", True), ("TaskFailed", "firing", False), ("Slow", "pending", False),
        ("StethoUnknown", "pending", False),
    ]  # fmt: skip
    first, second, *_ = found["alerts"]
    assert first["not_verified_since"] == "2026-01-01T00:01:00Z"
    assert first["not_verified_because"].startswith("url: the environment variable OTHER is not set (")
    assert second["labels"] == {
        "alertname": "TaskFailed", "target": world.worker.url, "connector": "sink", "task": "1", "severity": "critical",
    }  # fmt: skip
    assert {key: second[key] for key in ("group", "message", "since", "not_verified_since")} == {
        "group": "g", "message": "1 of 3 tasks FAILED: sink/1", "since": "2026-01-01T00:01:00Z",
        "not_verified_since": None,
    }  # fmt: skip
    text = listed(world, "--output", "text")
    assert re.match(r"2 firing, 2 pending \(last sweep \S+ ago\)\n\nFIRING   Other: ", text)
    assert "FIRING   TaskFailed: task sink/1 has failed\n         connector=sink, severity=critical, " in text
    assert "held: not verified since 2026-01-01T00:01:00Z: " in text


def test_alerts_of_a_quiet_name_and_of_one_that_never_swept(world: World) -> None:
    world.sweep()
    assert listed(world)["alerts"] == []
    assert listed(world, "--output", "text").startswith("nothing is pending or firing (last sweep ")
    assert listed(world, "--name", "other")["swept"] is None
    assert (
        listed(world, "--name", "other", "--output", "text") == "no sweep of the name other has run with this store\n"
    )


def test_alerts_without_a_store_is_1_and_makes_none(world: World) -> None:
    done = stetho("alerts", "--state", world.state)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"stetho: state {world.state}: there is no such file; no sweep has run with it yet\n"
    assert not world.state.exists()


# --- rules ------------------------------------------------------------------------------------------------------------

MISTAKES = """\
defaults: {conect: {url: "http://c"}}
groups:
- name: g
  rules:
  - alert: A
    probe: streems
  - alert: B
    probe: connect
    with: {ulr: "http://c"}
  - alert: C
    probe: connect
    with: {url: "c:8083", timeout: 5}
    items: data.tasks
    when: item.state = 'FAILED'
    labels: {task: "{{ $item.id }}"}
  - alert: D
    probe: connect
    with: {url: "http://c"}
    items: data.tasks
    when: item.stat == 'FAILED'
    for: 5
    labels: {1st: x, task: "{{ $item.id "}
route: {receiver: nobody, group_by: [alertname]}
receivers:
- name: ops
  apprise: ["slak://a/b/c"]
"""
SAID = [
    (r"1:12", "there is no probe `conect`; did you mean `connect`?"),
    (r"6:12", "there is no probe `streems`; did you mean `streams`?"),
    (r"9:12", "there is no option `ulr`; did you mean `url`?"),
    (r"12:17", "'c:8083' is not an address; write it like http://host:8083"),
    (r"12:36", "'5' has no unit; write 5s for seconds, 5m for minutes"),
    (r"14:\d+", "=="),
    (r"20:\d+", "state"),
    (r"21:10", "'5' has no unit; write 5s for seconds, 5m for minutes"),
    (r"22:\d+", "no label name"),
    (r"22:\d+", "never closed; end it with }}"),
    (r"23:19", "there is no receiver `nobody`"),
    (r"26:13", "did you mean slack://?"),
]


def test_check_tells_of_every_mistake_at_once_with_its_place_and_what_would_be_right(world: World) -> None:
    world.path.write_text(MISTAKES)
    done = stetho("rules", "check", world.path)
    assert (done.returncode, done.stdout) == (64, "")
    *lines, last = done.stderr.splitlines()
    for place, said in SAID:
        assert [line for line in lines if re.match(f"{world.path}:{place}: ", line) and said in line], (
            place,
            done.stderr,
        )
    assert last == f"{len(lines)} mistakes"


def test_check_of_a_folder_without_rule_files_is_64(tmp_path: Path) -> None:
    done = stetho("rules", "check", tmp_path)

    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr == "stetho: no rule files found; in a folder they end in .yml or .yaml\n"


def test_check_of_files_without_mistakes_counts_them(world: World) -> None:
    (world.folder / "more.yml").write_text("groups: []")
    done = stetho("rules", "check", world.write(), world.folder / "more.yml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 rule in 2 files: no mistakes\n", "")


def test_the_schema_is_printed_as_one_json_document() -> None:
    done = stetho("rules", "schema")
    assert (done.returncode, done.stderr) == (0, "")
    schema = json.loads(done.stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["type"] == "object"
    assert {"groups", "route", "receivers", "defaults"} <= schema["properties"].keys()


# --- help -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ((), ("sweep", "probe", "alerts", "rules", "probes")),
        (("sweep",), ("--state", "--wait-lock", "--deadline", "--allow-removal", "exit code", "64")),
        (("alerts",), ("--state", "--name", "pending, firing or held")),
        (("rules",), ("check", "schema")),
        (("rules", "check"), ("file:line:column", "64")),
        (("rules", "schema"), ("editors",)),
    ],
)
def test_help_tells_a_newcomer_what_there_is(argv: tuple[str, ...], words: tuple[str, ...]) -> None:
    done = stetho(*argv, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    text = " ".join(done.stdout.split()).lower()
    assert [word for word in words if word not in text] == []
