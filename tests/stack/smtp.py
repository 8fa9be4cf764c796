"""A mail server on loopback that keeps what it takes and refuses what the test wants refused."""

import email
import email.policy
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Self
from urllib.parse import urlencode

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.stack.process import free_port

TAKEN = "250 OK"
TRY_LATER = "451 4.3.2 try again later"
NEVER = "554 5.7.1 not accepted"


@dataclass(frozen=True)
class Mail:
    """One message as it arrived, and what the server said to it."""

    sender: str
    to: tuple[str, ...]
    subject: str
    body: str
    reply: str
    message: EmailMessage = field(repr=False, compare=False)
    at: float = field(compare=False)


class Smtp:
    """An SMTP receiver with a thread of its own. `mails` are those it took, `refused` the others.

    `replies` is asked for each message (see answers.py), so `smtp.replies = in_turn(TAKEN, TAKEN, TRY_LATER)`
    refuses a third of them.
    """

    def __init__(self) -> None:
        self.port = 0
        self.replies: Callable[[], str] = lambda: TAKEN
        self._seen: list[Mail] = []
        self._lock = threading.Lock()
        self._controller: Controller | None = None

    def url(self, to: str = "ops@example.com", sender: str = "stetho@example.com") -> str:
        """The Apprise URL of a recipient here."""
        return f"mailto://127.0.0.1:{self.port}/?{urlencode({'from': sender, 'to': to})}"

    @property
    def seen(self) -> list[Mail]:
        with self._lock:
            return list(self._seen)

    @property
    def mails(self) -> list[Mail]:
        return [mail for mail in self.seen if mail.reply.startswith("2")]

    @property
    def refused(self) -> list[Mail]:
        return [mail for mail in self.seen if not mail.reply.startswith("2")]

    def forget(self) -> None:
        with self._lock:
            self._seen.clear()

    def start(self) -> Self:
        """Start, the second time on the same port; a sender's URL holds through a stop."""
        self.port = self.port or free_port()
        self._controller = Controller(
            self, hostname="127.0.0.1", port=self.port, server_hostname="localhost", ready_timeout=60
        )
        self._controller.start()
        return self

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """aiosmtpd's hook: a message has come in whole, its answer is what we return."""
        content = envelope.original_content or b""
        message = email.message_from_bytes(content, policy=email.policy.default)
        text = message.get_body(("plain", "html"))
        mail = Mail(
            sender=envelope.mail_from or "",
            to=tuple(envelope.rcpt_tos),
            subject=str(message["Subject"] or ""),
            body=text.get_content() if text else "",
            reply=self.replies(),
            message=message,
            at=time.time(),
        )
        with self._lock:
            self._seen.append(mail)
        return mail.reply

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
