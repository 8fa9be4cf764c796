"""Where the demo plays: runs real commands, waits for real mails, and checks all that it shows."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.demo.servers import Servers
from tests.demo.screen import Screen
from tests.stack.smtp import Smtp

RULES = Path(__file__).with_name("rules.yml")


class Unexpected(Exception):
    """Something is not as the demo says; the text says what was expected, and what came."""


class Stage:
    """A folder, servers, a mailbox, and a screen to show them on."""

    def __init__(self, screen: Screen, folder: Path, servers: Servers, smtp: Smtp) -> None:
        self.screen, self.folder, self.servers, self.smtp = screen, folder, servers, smtp
        self.say, self.heading = screen.say, screen.heading
        self.bin = stetho().parent
        self._swept = 0.0
        self._mails = 0

    def write_rules(self) -> None:
        """The rule file of this folder, with our servers' addresses in place of their everyday names."""
        text = RULES.read_text()
        for name, address in {**self.servers.addresses, "mail:25": f"127.0.0.1:{self.smtp.port}"}.items():
            text = text.replace(name, address)
        (self.folder / "rules.yml").write_text(text)
        self.screen.excerpt(text)

    def run(self, *argv: str, code: int = 0, says: Sequence[str] = ()) -> str:
        """Run `argv` as the reader would, show it, and check its exit code and what it must say."""
        self.screen.command(argv)
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            env=environment(self.bin),
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=60,
            check=False,
        )
        self.screen.output(done.stdout, done.returncode)
        if done.returncode != code:
            raise Unexpected(f"`{' '.join(argv)}` ended with {done.returncode}, expected {code}")
        for words in says:
            if words not in done.stdout:
                raise Unexpected(f"`{' '.join(argv)}` does not say {words!r}")
        return done.stdout

    def sweep(self, *subjects: str) -> str:
        """Sweep, and show the mails it sent: one that begins with each of `subjects`, and no others.

        A sweep has sent all it sends when it ends. One second lies between two, as a minute lies between CronJobs.
        """
        time.sleep(max(0.0, self._swept + 1.1 - time.monotonic()))
        self._swept = time.monotonic()
        said = self.run("stetho", "sweep", "rules.yml")
        came = self.mails()
        if len(came) != len(subjects) or not all(
            mail.startswith(start) for mail, start in zip(sorted(came), sorted(subjects), strict=True)
        ):
            raise Unexpected(f"expected mails beginning {sorted(subjects)}, got {sorted(came)}")
        return said

    def mails(self) -> list[str]:
        """Show what has come since we last looked, and give the subjects."""
        new = self.smtp.mails[self._mails :]
        self._mails += len(new)
        for mail in new:
            self.screen.mail(mail)
        return [mail.subject for mail in new]


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
