"""One question under way over sockets: held to its deadline, and the error for each way it can fail.

What HTTP adds is in faults.py, what JMX adds in jmx/. Part of the cold path.
"""

import errno
from time import monotonic

from probes.kit.result import ProbeError, Unreachable, Unrouted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol, TypeVar

    from probes.kit.witness import Witness

    class Socket(Protocol):
        """What knows its own address, and that of its peer."""

        def getsockname(self) -> Any: ...
        def getpeername(self) -> Any: ...

    class Wire(Socket, Protocol):
        """What an exchange needs of a connection: a plain socket has it, and one with TLS."""

        def settimeout(self, seconds: float, /) -> None: ...
        def recv(self, size: int, /) -> bytes: ...
        def send(self, data: memoryview, /) -> int: ...

    T = TypeVar("T")


PIECE = 64 << 10  # bytes asked of the kernel at a time
# Seconds of silence that say anything of the other side: a probe that is throttled may have come to ask only just
# before its deadline, and then it is the slow one.
TELLING = 0.15


class Exchange:
    """One question under way: the moment it must end, how much of its answer came, and the error for how it failed.

    `asked` says, as text, what was asked of whom. `end` is on time.monotonic. `way` names what stands between the
    address that was asked and the one that fails (a redirect, a proxy, a registry that answered): what fails behind
    it says nothing about the address that was asked, so it is never Unreachable. Raises ProbeError when there is no
    time to ask.
    """

    __slots__ = ("asked", "end", "lost", "plain", "received", "sent", "start", "way", "witness")
    TRY_PLAIN, TRY_TLS = "", "it speaks TLS"  # advice where TLS was spoken to one that speaks none, and the reverse

    def __init__(self, asked: object, end: float, way: str = "") -> None:
        self.asked, self.end, self.way = asked, end, way
        self.start = self.sent = monotonic()  # since when it could be answered
        self.received = 0  # bytes of the answer, all its framing included
        self.lost = False  # the peer closed or reset the connection
        self.plain: tuple[bytes, int] | None = None  # the host and port to which it has a connection without TLS
        self.witness: Witness | None = None  # of what the server does while it is silent
        if end <= self.start:
            raise self.error("no time left to ask")

    def left(self) -> float:
        """Seconds to the deadline, negative after it."""
        return self.end - monotonic()

    def receive(self, wire: "Wire", size: int = PIECE) -> bytes:
        """The next bytes of the answer, b"" when the peer closed. Raises at the deadline or a lost connection."""
        left = self.left()
        if left <= 0:
            raise self._late_but_look(wire)
        try:
            data = self.wait_for(wire, lambda: wire.recv(size))
        except TimeoutError:
            raise self.late() from None
        except OSError as error:
            if _unsaid_end(error):
                raise self.cut() from None
            raise (self.cut("reset") if _gone(error) else self.failed(error)) from None
        self.lost = not data
        self.arrived(data)
        return data

    def wait_for(self, wire: "Wire", work: "Callable[[], T]") -> "T":
        """What `work` has from the wire by the deadline, else TimeoutError; silence is looked into meanwhile."""
        left = self.left()
        if not self.received and self.witness is None and left > 0:
            try:
                wire.settimeout(min(TELLING, left / 2))
                return work()
            except TimeoutError:
                self.suspect(wire)
        wire.settimeout(max(self.left(), 0.0))
        try:
            return work()
        except BlockingIOError:  # no time is left
            raise TimeoutError from None

    def suspect(self, wire: "Socket", place: "Any" = None) -> None:
        """Have somebody look at what it does who has been silent on this wire, or at its `place`, for a while."""
        if self.witness is None:
            from probes.kit.witness import Witness, port_here  # whoever is answered does without it

            self.witness = Witness(port_here(wire, place), self.end)

    def send(self, wire: "Wire", data: bytes) -> None:
        """Send it all. A connection lost meanwhile is no error yet: the peer may have answered before it closed."""
        rest = memoryview(data)
        while rest:
            left = self.left()
            if left <= 0:
                raise self.late() if len(rest) < len(data) else self.unasked()
            try:
                wire.settimeout(left)
                rest = rest[wire.send(rest) :]
            except TimeoutError:
                raise self.late() from None
            except OSError as error:
                if _gone(error):
                    return
                raise self.failed(error) from None
        self.sent = monotonic()

    def arrived(self, data: bytes) -> None:
        """Note bytes of the answer; a protocol may refuse them here."""
        self.received += len(data)

    def progress(self) -> str:
        """How far the answer has come, for people."""
        return f"{self.received} bytes"

    def error(self, what: str) -> ProbeError:
        """We cannot learn the state."""
        return ProbeError(self._text(what))

    def unrouted(self, what: str) -> ProbeError:
        """There is no way to the address that was asked."""
        return self.error(what) if self.way else Unrouted(self._text(what))

    def dead(self, what: str) -> ProbeError:
        """Nobody answers at the address that was asked."""
        return self.error(what) if self.way else Unreachable(self._text(what))

    def late(self) -> ProbeError:
        """The deadline has passed, or the kernel gave up waiting."""
        now = min(monotonic(), self.end)
        waited = seconds(now - self.start)
        if self.received:
            return self.error(f"the answer was not complete in {waited} ({self.progress()})")
        if self.witness and (process := self.witness.stopped()):
            return self.dead(f"not a byte in {waited}: process {process}, which listens there, is stopped")
        if now - self.sent < TELLING:
            return self.error(f"not a byte in {waited}, too short a time to tell")
        had = self.witness.starved() if self.witness else None
        if had is not None:
            return self.error(f"not a byte in {waited}, but the CPU limit is used up, of which it had {seconds(had)}")
        return self.dead(f"not a byte in {waited}")

    def unasked(self) -> ProbeError:
        """The deadline has passed before this question was asked; another one may have been answered."""
        return self.late() if self.received else self.error("no time left to ask")

    def cut(self, how: str = "closed") -> ProbeError:
        """The connection was lost before the answer was complete."""
        self.lost = True
        if self.received:
            return self.error(self.broken())
        if self.plain and not self.way:
            from probes.kit.hello import speaks_tls  # whoever is answered does without it

            if speaks_tls(*self.plain, self.end):
                return self.error(self.TRY_TLS)
        return self.dead(f"connection {how} before a byte came")

    def broken(self) -> str:
        """What is said of an answer that was begun and not finished."""
        return f"the answer broke off after {self.progress()}"

    def failed(self, error: OSError) -> ProbeError:
        """The system or TLS refused: no route, no file descriptors, a bad record."""
        return self.error(reason(error))

    def _late_but_look(self, wire: "Wire") -> ProbeError:
        # A throttled process can wake after its deadline with the answer already there; that server is not silent.
        try:
            wire.settimeout(0)
            self.received += len(wire.recv(1))
        except OSError:
            pass
        return self.late()

    def _text(self, what: str) -> str:
        return f"{self.asked}: {self.way}{': ' if self.way else ''}{what}"


def reason(error: Exception) -> str:
    """The system's own words, or those of TLS without the numbers and source lines around them."""
    words = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    return str(words).lower().replace("_", " ")


def seconds(span: float) -> str:
    """A span of seconds for people: 5s, 0.8s, 40ms."""
    return f"{span * 1000:.0f}ms" if span < 0.1 else f"{span:.1f}".removesuffix(".0") + "s"


def _gone(error: OSError) -> bool:
    # EBADF: httpcore found this kept connection closed by the server and closed it as we took it up.
    return isinstance(error, ConnectionError) or error.errno == errno.EBADF or _unsaid_end(error)


def _unsaid_end(error: OSError) -> bool:
    """A TLS peer closed without saying by TLS that it has no more; who asks without TLS never loads `_ssl`."""
    return type(error).__name__ == "SSLEOFError"
