"""The command line of the probes as a user meets it: help, mistakes, exit codes, what goes where."""

import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest
import typer

from probes.kit import catalog, cli
from probes.kit.run import RunOptions
from probes.kit.version import __version__
from tests.probes.kit.command import COMMAND, ROOT, Done, environment, stetho
from tests.probes.kit.rawserver import RawServer, Refuser, Talk, answer

STATUS = {"connector": {"state": "RUNNING", "worker_id": "w:1"}, "tasks": [{"id": 0, "state": "RUNNING"}]}
RUNNING = {"s": {"status": STATUS}}
FAILED = {"s": {"status": {**STATUS, "tasks": [{"id": 0, "state": "FAILED", "trace": "Ключ \x1b[2J\nat x"}]}}}


def worker(body: object) -> RawServer:
    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(answer(json.dumps(body).encode()))
        talk.finish()

    return RawServer(script)


@pytest.fixture
def running() -> Iterator[str]:
    server = worker(RUNNING)
    yield server.url
    server.close()


@pytest.fixture
def failed() -> Iterator[str]:
    server = worker(FAILED)
    yield server.url
    server.close()


@pytest.fixture
def refused() -> Iterator[str]:
    refuser = Refuser()
    yield refuser.url
    refuser.close()


Call = Callable[..., Done]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """The full command line of the probes within this process, which is cheaper by the start of one."""

    def run(*arguments: str, env: dict[str, str] | None = None) -> Done:
        app = typer.Typer(no_args_is_help=True, context_settings=cli.HELP, add_completion=False)
        app.add_typer(cli.probe_app(), name="probe")
        app.command("probes")(cli.list_probes)
        with mock.patch.dict(os.environ, environment(env), clear=True), mock.patch.object(sys, "excepthook"):
            code = cli.run_app(app, arguments)
        said = capsys.readouterr()
        return Done(arguments, code, said.out, said.err)

    return run


def well_told(done: Done, code: int) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == "" or code == 0 or done.stdout.startswith("{")


# Help


@pytest.mark.parametrize("probe", catalog.names())
def test_the_help_of_a_probe_tells_all_of_its_options_exit_codes_and_an_example(probe: str, call: Call) -> None:
    done = call("probe", probe, "--help")
    well_told(done, 0)
    module = catalog.load(probe)
    assert catalog.summary(module) in " ".join(done.stdout.split())
    for field in (*module.Options.fields, *RunOptions.fields):
        assert f"  {field.flag} " in done.stdout
        assert field.help in " ".join(done.stdout.split())
    assert f"stetho probe {probe} --" in done.stdout
    assert "0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN" in done.stdout
    assert "<bool>" not in done.stdout


@pytest.mark.parametrize("probe", catalog.names())
def test_the_first_example_of_the_help_can_be_typed_as_it_is(probe: str, call: Call) -> None:
    help_text = call("probe", probe, "--help").stdout
    example = help_text.partition("Examples:")[2].strip().partition("\n")[0].replace("HOST:PORT", "127.0.0.1:1")
    words = shlex.split(re.sub("http://[a-z]+:", "http://127.0.0.1:", example))

    assert words[:3] == ["stetho", "probe", probe]
    assert "refused" in json.loads(call(*words[1:], "--output", "json").stdout)["message"]


def test_the_help_of_probe_lists_each_with_what_it_asks(call: Call) -> None:
    done = call("probe", "--help")
    well_told(done, 0)
    for probe in catalog.names():
        assert f"{probe} " in done.stdout
        assert catalog.summary(catalog.load(probe)) in " ".join(done.stdout.split())
    assert "64 a mistake in the call" in done.stdout


def test_the_short_flag_helps_as_well(call: Call) -> None:
    assert call("probe", "connect", "-h").stdout == call("probe", "connect", "--help").stdout


def test_probes_lists_the_folder(call: Call) -> None:
    done = call("probes")
    assert [line.split()[0] for line in done.stdout.splitlines()] == catalog.names()


def test_version_is_the_distributions() -> None:
    assert stetho("--version").stdout == f"stetho {__version__}\n"


# Mistakes in the call


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Usage: stetho"),
        (["probe"], "Usage: stetho probe"),
        (["probe", "nosuch"], "No such command 'nosuch'"),
        (["probe", "connect"], "--url is missing"),
        (["probe", "connect", "--url"], "--url"),
        (["probe", "connect", "--url", "x"], "--url 'x' is not an address; write it like http://host:8083"),
        (["probe", "connect", "--url", "http://h", "--timeout", "5"], "--timeout '5' has no unit; write 5s"),
        (["probe", "connect", "--url", "http://h", "--timeout", "0s"], "--timeout must be longer than 0s"),
        (["probe", "connect", "--url", "http://h", "--nosuch"], "No such option: --nosuch"),
        (["probe", "connect", "--url", "http://h", "extra"], "unexpected extra argument"),
        (["probe", "connect", "--url", "http://h", "--as", "x"], "--as 'x' is none of alert, liveness, readiness"),
        (["probe", "connect", "--url", "http://h", "--output", "xml"], "--output 'xml' is none of"),
        (["probe", "connect", "--url", "http://h", "--password", "p"], "--password"),
        (["probe", "connect", "--url", "http://h", "--connector", ""], "--connector is empty"),
        (["probe", "targets", "--url", "http://h", "--job", ""], "--job is empty"),
        (["probe", "targets", "--url", "http://h", "--min-up", "9" * 5000], "is neither a count like 2 nor"),
        (["probe", "targets", "--url", "http://h", "--expect", "j=" + "9" * 5000], "is not job=count"),
        (["probe", "streams", "--exporter", "http://h", "--min-threads", "-1"], "--min-threads '-1' is not a whole"),
        (["probe", "connect", "--url", "HTTP+UNIX://h"], "names no socket"),
        (["probe", "streams"], "--jmx is missing: give --jmx, --jolokia, --exporter, or --prometheus and --app"),
        (["probe", "connect", "--when", "1", "--as", "liveness", "--url", "http://h"], "--when cannot be combined"),
    ],
)
def test_a_mistake_in_the_call_is_64_with_what_would_be_right(arguments: list[str], said: str, call: Call) -> None:
    done = call(*arguments)
    assert done.returncode == 64
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("purpose", ["liveness", "readiness"])
def test_a_mistake_is_64_for_a_kubelet_too(purpose: str, call: Call) -> None:
    assert call("probe", "connect", "--url", "x", "--as", purpose).returncode == 64


def test_all_mistakes_are_told_at_once_those_of_the_common_options_too(call: Call) -> None:
    done = call("probe", "connect", "--timeout", "5", "--as", "x")
    assert done.returncode == 64
    for said in ("--url is missing", "--timeout '5' has no unit", "--as 'x' is none of", "stetho probe connect --help"):
        assert said in done.stderr


def test_a_mistake_in_the_environment_names_the_variable(call: Call) -> None:
    variables = {"STETHO_TIMEOUT": "5", "STETHO_CONNECT_TOKEN_FILE": "/no"}
    done = call("probe", "connect", "--url", "http://h", env=variables)
    assert done.returncode == 64
    assert "STETHO_TIMEOUT '5' has no unit" in done.stderr
    assert "STETHO_CONNECT_TOKEN_FILE cannot read" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "variable", "code"),
    [
        (["--exit-style", "nagios"], "", 3),
        (["--exit-style=nagios"], "", 3),
        ([], "nagios", 3),
        (["--exit-style", "stetho"], "nagios", 64),
        (["--exit-style", "bogus"], "", 64),
        (["--exit-style"], "", 64),
        (["--exit-styles=nagios"], "", 64),
        ([], "", 64),
    ],
)
def test_nagios_has_a_mistake_as_unknown(arguments: list[str], variable: str, code: int, call: Call) -> None:
    done = call("probe", "connect", *arguments, env={"STETHO_EXIT_STYLE": variable})
    assert done.returncode == code


def test_unknown_variables_are_ignored(running: str) -> None:
    well_told(stetho("probe", "connect", "--url", running, env={"STETHO_CONNECT_NOSUCH": "x", "STETHO_X": "y"}), 0)


def test_everything_can_come_from_the_environment(running: str) -> None:
    done = stetho("probe", "connect", env={"STETHO_CONNECT_URL": running, "STETHO_OUTPUT": "text"})
    assert done.stdout.startswith("OK  connect ")


# What comes out


def test_the_slow_way_answers_as_the_cold_one(failed: str) -> None:
    cold, slow = stetho("probe", "connect", "--url", failed), stetho("probe", "connect", f"--url={failed}")
    assert cold.returncode == slow.returncode == 2
    one, other = json.loads(cold.stdout), json.loads(slow.stdout)
    assert {**one, "time": 0, "duration_ms": 0} == {**other, "time": 0, "duration_ms": 0}


def test_liveness_says_on_stderr_why_it_is_well_of_what_is_not(failed: str) -> None:
    done = stetho("probe", "streams", "--exporter", failed, "--as", "liveness", "--timeout", "5s")
    assert (done.returncode, json.loads(done.stdout)["code"]) == (0, 0)
    assert "this is no jmx_exporter" in done.stderr or "is not" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_well_answer_leaves_stderr_empty(running: str) -> None:
    for purpose in ("alert", "liveness"):
        assert stetho("probe", "connect", "--url", running, "--as", purpose, "--timeout", "5s").stderr == ""


def test_a_dead_process_is_told_in_the_json(refused: str) -> None:
    done = stetho("probe", "connect", "--url", refused, "--as", "liveness")
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["status"] == "CRITICAL"
    assert "connection refused" in done.stdout


@pytest.mark.parametrize(
    ("condition", "code", "said"),
    [
        ("data.tasks[0].state == 'FAILED'", 2, "MET: data.tasks[0].state == 'FAILED'; 1 of 1 tasks FAILED"),
        ("data.tasks[0].state == 'RUNNING'", 0, "NOT MET: data.tasks[0].state == 'RUNNING'; "),
        ("data.tasks[0].nosuch == 'x'", 3, "UNKNOWN ("),
        ("length(data.tasks)", 3, "UNKNOWN ("),
    ],
)
def test_when_judges_as_a_rule_does(failed: str, condition: str, code: int, said: str) -> None:
    done = stetho("probe", "connect", "--url", failed, "--when", condition)
    assert done.returncode == code
    document = json.loads(done.stdout)
    assert document["code"] == code
    assert document["message"].startswith(said)


@pytest.mark.parametrize(
    ("condition", "column"), [("data.tasks[", "at column 12"), ("a ==", "at column 5"), ("", "is empty")]
)
def test_a_condition_that_is_none_is_a_mistake_with_its_place(
    refused: str, condition: str, column: str, call: Call
) -> None:
    done = call("probe", "connect", "--url", refused, "--when", condition)
    assert done.returncode == 64
    assert "Error: --when " in done.stderr
    assert column in done.stderr


def test_unicode_is_printed_whatever_the_locale(failed: str) -> None:
    for locale in ({"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0"}, {"PYTHONIOENCODING": "ascii"}):
        done = stetho("probe", "connect", "--url", failed, env=locale)
        assert done.returncode == 2
        assert "Ключ" in json.loads(done.stdout)["message"]


def test_help_and_mistakes_are_printed_whatever_the_locale() -> None:
    for arguments, code in ((["--help"], 0), (["--timeout", "ü"], 64), (["--url", "http://\udcff"], 64)):
        done = subprocess.run(
            [sys.executable, COMMAND, "probe", "connect", *arguments],
            capture_output=True,
            env=environment({"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0"}),
            timeout=30,
        )
        assert done.returncode == code, done.stderr
        assert b"Traceback" not in done.stderr


def test_at_a_terminal_the_answer_is_text_for_people(failed: str) -> None:
    text = at_a_terminal("probe", "connect", "--url", failed)
    assert text.startswith("\x1b[1;31mCRITICAL\x1b[0m  connect http://127.0.0.1")
    assert "1 of 1 tasks FAILED: s/0 (Ключ" in text
    assert "\x1b[2J" not in text  # what a trace holds must not drive a terminal
    assert "  tasks\r\n" in text


def test_at_a_terminal_json_can_be_had_and_colour_refused(running: str) -> None:
    assert json.loads(at_a_terminal("probe", "connect", "--url", running, "--output", "json"))["code"] == 0
    assert at_a_terminal("probe", "connect", "--url", running, env={"NO_COLOR": "1"}).startswith("OK  connect")


def at_a_terminal(*arguments: str, env: dict[str, str] | None = None) -> str:
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, COMMAND, *arguments], stdout=theirs, env=environment(env)) as process:
        os.close(theirs)
        said = b""
        try:
            while piece := os.read(ours, 65536):
                said += piece
        except OSError:
            pass  # Linux says EIO when the last writer has gone
        os.close(ours)
        process.wait(30)
    return said.decode()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The command in a copy of the packages, to be broken."""
    for package in ("probes", "rules"):
        shutil.copytree(ROOT / package, tmp_path / package)
    shutil.copy(COMMAND, tmp_path / "stetho")
    return tmp_path / "stetho"


# Nobody reads


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("probe connect --url {failed}", 2),
        ("probe connect --url={failed}", 2),
        ("probe connect --url {failed} --as liveness --timeout 5s", 0),
        ("probe streams --exporter {failed} --as liveness --timeout 5s", 0),
        ("probe connect --as liveness", 64),
        ("probe connect --nosuch", 64),
    ],
)
@pytest.mark.parametrize(
    "closed", [">&-", ">/dev/full", "2>&-", ">&- 2>&-", "2>/dev/full", "2> >(true)", "| head -0", "2>&1 | head -0"]
)
def test_an_output_that_nobody_takes_changes_no_exit_code(failed: str, arguments: str, code: int, closed: str) -> None:
    line = f"{sys.executable} {COMMAND} {arguments.format(failed=failed)}"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line} {closed}"],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=30,
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("buffered", ["", "1"])
@pytest.mark.parametrize("arguments", ["--help", "probe connect --help", "probes", "--version"])
def test_help_into_a_closed_pipe_is_no_failure(arguments: str, buffered: str) -> None:
    call = f"set -o pipefail; {sys.executable} {COMMAND} {arguments} | true"
    env = environment({"PYTHONUNBUFFERED": buffered})
    done = subprocess.run(["bash", "-c", call], capture_output=True, text=True, env=env, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("purpose", "code"), [("alert", 3), ("liveness", 0), ("readiness", 1)])
@pytest.mark.parametrize("path", ["probes/broken.py", "probes/kit/run.py"])
def test_a_fault_that_nobody_hears_of_changes_no_exit_code(copy: Path, path: str, purpose: str, code: int) -> None:
    (copy.parent / path).write_text("1 / 0")
    line = f"{sys.executable} {copy} probe broken --as {purpose} 2>/dev/full"
    done = subprocess.run(["bash", "-c", line], capture_output=True, env=environment(), timeout=30)
    assert done.returncode == (min(code, 1) * 3 if "run" in path else code)  # then 3 is all that is left


# Secrets out of pipes


def test_a_mistake_in_what_comes_out_of_a_pipe_is_one_as_in_a_file(running: str) -> None:
    for source in ("--headers-file <(echo no header)", "--headers-file /dev/stdin < <(echo no header)"):
        line = f"{sys.executable} {COMMAND} probe connect --url {running} {source}"
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=environment(), timeout=30)
        assert (done.returncode, done.stdout) == (64, "")
        assert "--headers-file " in done.stderr


def test_a_secret_may_come_out_of_a_pipe(running: str) -> None:
    for source in ("<(echo s3cret)", "<(sleep 0.7; echo s3cret)", "/dev/stdin < <(echo s3cret)"):
        line = f"{sys.executable} {COMMAND} probe connect --url {running} --token-file {source}"
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=environment(), timeout=30)
        well_told(done, 0)


@pytest.mark.parametrize(("purpose", "code"), [("alert", 3), ("liveness", 0), ("readiness", 1)])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot read {}: No such file or directory"),
        (b"", "{} is empty"),
        (b"\r\n", "{} is empty"),
        (b"s3cr\xff", "{} is not UTF-8 text"),
    ],
)
@pytest.mark.parametrize("name", ["password", "token", "headers"])
def test_a_secret_that_is_not_there_is_no_mistake_in_the_call(
    running: str, tmp_path: Path, name: str, content: bytes | None, said: str, purpose: str, code: int
) -> None:
    """A Secret may come late, or under another name; that must not restart a pod."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    user = ["--username", "u"] if name == "password" else []
    done = stetho("probe", "connect", "--url", running, *user, f"--{name}-file", str(path), "--as", purpose)
    well_told(done, code)
    told = json.loads(done.stdout)
    assert (told["target"], told["message"]) == (running, f"{name}: {said.format(path)}")


def test_beside_a_mistake_it_is_told_too(call: Call) -> None:
    done = call("probe", "connect", "--url", "h", "--token-file", "/no", "--as", "liveness")
    assert (done.returncode, done.stdout) == (64, "")
    assert "--token-file cannot read /no: No such file or directory" in done.stderr
    assert "--url 'h' is not an address" in done.stderr


# Faults of our own


BROKEN = {
    "syntax": "def probe(:\n",
    "import": "import no_such_module_at_all\n",
    "error": "raise ValueError('hunter2')\n",
    "memory": "raise MemoryError\n",
    "recursion": "def f(): f()\nf()\n",
    "empty": "",
}


@pytest.mark.parametrize("text", [BROKEN["syntax"], BROKEN["error"], BROKEN["empty"]])
def test_a_broken_probe_file_breaks_neither_the_others_nor_the_help(copy: Path, text: str, running: str) -> None:
    (copy.parent / "probes" / "broken.py").write_text(text)
    (copy.parent / "probes" / ".#connect.py").write_text("left by an editor")
    well_told(stetho("probe", "connect", "--url", running, command=copy), 0)
    well_told(stetho("probe", "connect", f"--url={running}", command=copy), 0)
    for arguments in (["probes"], ["probe", "--help"], ["--help"]):
        done = stetho(*arguments, command=copy)
        well_told(done, 0)
        if arguments != ["--help"] and text:
            assert "(cannot be loaded: " in done.stdout
        assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize(("purpose", "code"), [("alert", 3), ("liveness", 0), ("readiness", 1)])
def test_a_broken_probe_is_no_evidence_that_anything_is_dead(copy: Path, text: str, purpose: str, code: int) -> None:
    (copy.parent / "probes" / "broken.py").write_text(text)
    done = stetho("probe", "broken", "--url", "http://h", "--as", purpose, command=copy)
    assert done.returncode == code, done.stderr
    assert "a fault inside stetho: " in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "variable", "code"),
    [
        (["--as=liveness"], "", 0),
        ([], "liveness", 0),
        ([], "readiness", 1),
        ([], "", 3),
        (["--as", "alert"], "liveness", 3),
        (["--as"], "", 3),
        (["--as=liveness", "--nosuch", "--as"], "alert", 3),
        (["--as", "readiness", "--as", "liveness"], "", 0),
    ],
)
def test_who_asks_is_found_in_a_call_that_nobody_could_read(
    copy: Path, arguments: list[str], variable: str, code: int
) -> None:
    (copy.parent / "probes" / "broken.py").write_text("1 / 0")
    assert stetho("probe", "broken", *arguments, command=copy, env={"STETHO_AS": variable}).returncode == code


# Where a fault is put, and what it is: whatever goes wrong outside run() must not restart a pod.
FAULTS = {
    "the output": ("probes/kit/outputs/text.py", "def render(answer, colour):\n    raise MemoryError\n"),
    "the import of the output": ("probes/kit/outputs/text.py", "import nosuch\n"),
    "the options": ("probes/kit/options.py", "raise RecursionError\n"),
    "the cold path": ("probes/kit/cold.py", "raise MemoryError\n"),
    "run": ("probes/kit/run.py", "1 / 0\n"),
    "the package": ("probes/__init__.py", "raise MemoryError\n"),
    "the parser": ("probes/kit/argv.py", "def read(argv, fields):\n    return read(argv, fields)\n"),
    "the full command line": ("rules/cli.py", "raise MemoryError\n"),
    "the commands": ("probes/kit/catalog.py", "{}\nnames, count = lambda: [1 / 0], 0\n"),
    "typer": ("typer.py", "import nosuch\n"),
}
SLOW = ("the full command line", "the commands", "typer")


@pytest.mark.parametrize("where", FAULTS)
@pytest.mark.parametrize(("purpose", "code"), [("alert", 3), ("liveness", 0), ("readiness", 1)])
def test_a_fault_anywhere_in_stetho_is_no_evidence(
    copy: Path, where: str, purpose: str, code: int, failed: str
) -> None:
    path, text = FAULTS[where]
    broken = copy.parent / path
    broken.write_text(text.format(broken.read_text() if broken.exists() else ""))
    call = [f"--url={failed}"] if where in SLOW else ["--url", failed]
    call += ["--output", "text"] if "output" in where else []
    done = stetho("probe", "connect", *call, "--as", purpose, command=copy)
    assert (done.returncode != 0) == (code != 0), done.stderr
    assert done.returncode == code or where in ("run", "the options", "the package")  # then 3 is all that is left
    assert "a fault inside stetho: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_bigger_than_the_memory_limit_is_no_evidence() -> None:
    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(answer(b"[" + b"[1],[2]," * 3_000_000 + b"0]"))
        talk.finish()

    server = RawServer(script)
    limited = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_AS, (150 << 20,) * 2); "
    limited += "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    call = [sys.executable, "-c", limited, str(COMMAND), "probe", "connect", "--url", server.url, "--timeout", "20s"]
    for purpose, code in (("alert", 3), ("liveness", 0)):
        done = subprocess.run([*call, "--as", purpose], capture_output=True, text=True, env=environment(), cwd=ROOT)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
    server.close()


@pytest.mark.parametrize(("package", "call"), [("probes", ["probe", "connect", "--url", "x"]), ("rules", ["probes"])])
def test_another_package_in_the_way_is_named(tmp_path: Path, package: str, call: list[str], copy: Path) -> None:
    shutil.rmtree(copy.parent / package)
    (tmp_path / f"{package}.py").write_text("")
    done = stetho(*call, command=copy)
    assert f"'{package}' is not a package" in done.stderr
    assert "is another package of that name in the way?" in done.stderr
    assert "please report it" not in done.stderr
