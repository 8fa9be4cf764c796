"""Where the demo plays: runs real commands, waits for real mails, and checks all that it shows."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.demo.screen import Screen
from tests.demo.servers import Servers
from tests.demo.signals import Signals
from tests.stack.smtp import Smtp

RULES = Path(__file__).with_name("rules.yml")
PATIENCE = 60.0  # seconds that a command may take on a busy machine
PAUSE = 1.05  # seconds between two sweeps: more than the `for` and the `group_interval` of the rules


class Unexpected(Exception):
    """Something is not as the demo says; the text says what was expected, and what came."""


class Stage:
    """A folder, servers, a mailbox, and a screen to show them on."""

    def __init__(self, screen: Screen, folder: Path, servers: Servers, smtp: Smtp, signals: Signals) -> None:
        self.signals = signals
        self.screen, self.folder, self.servers, self.smtp = screen, folder, servers, smtp
        self.say, self.heading = screen.say, screen.heading
        self.bin = stetho().parent
        self._swept = 0.0
        self._mails = 0

    def write_rules(self) -> None:
        """The rule file beside this module, our servers' addresses in place of everyday ones; shown but for its middle.

        So the file that is read is an ordinary one, and so is the one that is written.
        """
        text = RULES.read_text()
        for name, address in {**self.servers.addresses, "mail:25": f"127.0.0.1:{self.smtp.port}"}.items():
            text = text.replace(name, address)
        (self.folder / "rules.yml").write_text(text)
        blocks = text.split("\n\n")
        self.screen.excerpt("\n\n".join([*blocks[:3], "  … and two rules more …", *blocks[-2:]]))

    def run(self, *argv: str, code: int = 0, says: Sequence[str] = ()) -> str:
        """Run `argv` as the reader would, show it, and check its exit code and what it must say."""
        self.screen.command(argv)
        said, ended = self._finished(argv)
        self.screen.output(said, ended)
        if ended != code:
            raise Unexpected(f"`{' '.join(argv)}` ended with {ended}, expected {code}")
        for words in says:
            if words not in said:
                raise Unexpected(f"`{' '.join(argv)}` does not say {words!r}")
        return said

    def _finished(self, argv: Sequence[str]) -> tuple[str, int]:
        """What the command says on both of its outputs, and its exit code; whatever happens, it has ended."""
        self.signals.hold()
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            env=environment(self.bin),
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        with child:
            try:
                self.signals.release()
                said, _ = child.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                child.kill()
                raise Unexpected(f"`{' '.join(argv)}` did not end within {PATIENCE:g} s") from None
            except BaseException:
                child.kill()
                raise
        return said, child.returncode

    def sweep(self, *subjects: str) -> str:
        """Sweep, and show the mails that came of it: with these subjects, and no others.

        What a sweep sends has arrived when it ends. A second lies between two, as a minute lies between CronJobs.
        """
        time.sleep(max(0.0, self._swept + PAUSE - time.monotonic()))
        said = self.run("stetho", "sweep", "rules.yml")
        self._swept = time.monotonic()
        came = self.mails()
        if sorted(came) != sorted(subjects):
            raise Unexpected(f"the sweep should have sent {listed(subjects)}; it sent {listed(came)}")
        return said

    def mails(self) -> list[str]:
        """Show what has come since we last looked, and give the subjects."""
        new = self.smtp.mails[self._mails :]
        self._mails += len(new)
        for mail in new:
            self.screen.mail(mail)
        return [mail.subject for mail in new]


def listed(subjects: Sequence[str]) -> str:
    return ", ".join(f"a mail {subject!r}" for subject in sorted(subjects)) or "no mail"


def stetho() -> Path:
    """The installed command: of this environment, else of the PATH."""
    beside = Path(sys.executable).with_name("stetho")
    found = str(beside) if beside.is_file() else shutil.which("stetho")
    if not found:
        raise Unexpected(f"there is no command `stetho` beside {sys.executable}; `pip install .` puts it there")
    return Path(found)


def environment(folder: Path) -> dict[str, str]:
    """The reader's, without what would change the answers; `stetho` is found first in `folder`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("STETHO_") and not name.lower().endswith("_proxy")
    }
    path = os.pathsep.join(filter(None, [str(folder), kept.get("PATH")]))
    return {**kept, "PATH": path, "STETHO_OUTPUT": "text", "PYTHONIOENCODING": "utf-8"}
