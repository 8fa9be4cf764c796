"""What the demo prints: its own words, the commands it runs with what they say, and mails."""

import os
import shlex
import sys
import textwrap
from collections.abc import Sequence
from typing import TextIO

from tests.stack.smtp import Mail

WIDTH = 110
BOLD, DIM, RED, GREEN, CYAN = "1", "2", "31", "32", "36"


class Screen:
    """Colour only where there is a terminal that wants it."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._colour = self._out.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"

    def heading(self, text: str) -> None:
        self._print(f"\n{self._painted(text, BOLD)}\n{self._painted('=' * len(text), DIM)}")

    def say(self, text: str) -> None:
        self._print("\n" + "\n".join(textwrap.wrap(text, WIDTH)))

    def command(self, argv: Sequence[str]) -> None:
        """A command as one types it."""
        self._print(f"\n{self._painted(f'$ {shlex.join(argv)}', BOLD, CYAN)}")

    def output(self, text: str, code: int) -> None:
        self._print(textwrap.indent(text.rstrip("\n"), "  ") if text.strip() else "  (says nothing)")
        self._print(self._painted(f"  exit code {code}", GREEN if code == 0 else RED))

    def excerpt(self, text: str) -> None:
        self._print("\n".join(f"  | {line}".rstrip() for line in text.rstrip("\n").split("\n")))

    def mail(self, mail: Mail) -> None:
        subject = self._painted(mail.subject, BOLD, GREEN if mail.subject.startswith("RESOLVED") else RED)
        head = f"From: {mail.sender}\nTo: {', '.join(mail.to)}\nSubject: {subject}\n\n"
        self._print(f"\n  {self._painted('A mail arrives:', BOLD)}")
        self.excerpt(head + mail.body.replace("\r\n", "\n").strip())

    def well(self, text: str) -> None:
        self._print(f"\n{self._painted(text, BOLD, GREEN)}")

    def wrong(self, text: str) -> None:
        self._print(f"\n{self._painted(text, BOLD, RED)}")

    def _painted(self, text: str, *codes: str) -> str:
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self._colour else text

    def _print(self, text: str) -> None:
        print(text, file=self._out, flush=True)
