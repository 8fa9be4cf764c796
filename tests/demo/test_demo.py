import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.demo import servers
from tests.demo.screen import Screen
from tests.demo.servers import Servers
from tests.demo.signals import Signals
from tests.demo.stage import Stage, Unexpected, environment
from tests.demo.story import STREAMS, TASK, stay, tell
from tests.stack.smtp import Smtp

ROOT = Path(__file__).parents[2]
COMMANDS = (
    "stetho probe connect --url http://127.0.0.1:",
    "stetho probe streams --exporter http://127.0.0.1:",
    "stetho probe burrow --url http://127.0.0.1:",
    "stetho probe targets --url http://127.0.0.1:",
    "stetho rules check rules.yml",
    "stetho sweep rules.yml",
    "stetho alerts",
)


def start(tmp_path: Path) -> "subprocess.Popen[str]":
    """The demo in a session of its own, with `tmp_path` for its temporary files."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.demo"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path), "STETHO_STATE": "/nowhere", "STETHO_OUTPUT": "json"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )


def assert_nothing_is_left(demo: "subprocess.Popen[str]", tmp_path: Path) -> None:
    with pytest.raises(ProcessLookupError):
        os.killpg(demo.pid, 0)  # the group of the demo and all that it started
    assert list(tmp_path.iterdir()) == []


def test_the_demo_shows_commands_and_mails_and_leaves_nothing_behind(tmp_path: Path) -> None:
    demo = start(tmp_path)

    said, _ = demo.communicate(timeout=120)

    assert demo.returncode == 0, said
    assert [command for command in COMMANDS if f"\n$ {command}" not in said] == []
    subjects = re.findall(r"^  \| Subject: (.*)$", said, re.MULTILINE)
    assert subjects[:2] == [f"FIRING {TASK}", f"FIRING {STREAMS}"]
    assert sorted(subjects[2:]) == [f"RESOLVED {TASK}", f"RESOLVED {STREAMS}"]
    assert "\x1b" not in said
    assert_nothing_is_left(demo, tmp_path)


@pytest.mark.parametrize(("end", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_demo_leaves_nothing_behind(end: signal.Signals, code: int, tmp_path: Path) -> None:
    demo = start(tmp_path)
    assert demo.stdout is not None
    for line in demo.stdout:
        if line.startswith("$ stetho sweep"):
            break

    os.killpg(demo.pid, end)  # as a terminal does: to the demo and to the command it runs
    said = demo.stdout.read()

    assert demo.wait(30) == code
    assert "Traceback" not in said
    demo.stdout.close()
    assert_nothing_is_left(demo, tmp_path)


def test_a_demo_that_does_not_go_as_told_says_what_was_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    never_ill = {name: (healthy, healthy) for name, (healthy, _) in servers.CASSETTES.items()}
    monkeypatch.setattr(servers, "CASSETTES", never_ill)

    with (
        Servers() as well,
        Smtp() as smtp,
        pytest.raises(Unexpected, match=r"`stetho probe connect --url \S+` ended with 0, expected 2"),
    ):
        tell(Stage(Screen(), tmp_path, well, smtp, Signals()))


def test_a_mail_too_few_is_told(tmp_path: Path) -> None:
    with Servers() as well, Smtp() as smtp:
        stage = Stage(Screen(), tmp_path, well, smtp, Signals())
        stage.write_rules()

        with pytest.raises(Unexpected, match=r"should have sent a mail 'FIRING X'; it sent no mail"):
            stage.sweep("FIRING X")


def test_who_stays_breaks_and_mends_by_pressing_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = iter(["", ""])

    def pressed() -> str:
        for key in keys:
            return key
        raise EOFError

    monkeypatch.setattr("builtins.input", pressed)
    with Servers() as well, Smtp() as smtp:
        stay(Stage(Screen(), tmp_path, well, smtp, Signals()))

    said = capsys.readouterr().out
    assert said.index("The task has failed and the application is dead.") < said.index("Both are mended.")


def test_the_readers_own_settings_do_not_change_the_demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STETHO_TIMEOUT", "1ms")
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy")

    found = environment(tmp_path)

    assert found["PATH"].startswith(f"{tmp_path}{os.pathsep}")
    assert {name for name in found if "proxy" in name.lower() or name.startswith("STETHO_")} == {"STETHO_OUTPUT"}
