"""One HTTP question under way, and the error for each way it can fail: one set of classes and texts for both clients.

Part of the cold path.
"""

import errno
from time import monotonic

from probes.kit.result import ProbeError, Unreachable, Unrouted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

    from probes.kit.net import Request

MAX_BODY = 32 << 20  # bytes of an answer's body, decoded
MAX_HEAD = 64 << 10  # bytes of an answer's status line and headers
PIECE = 64 << 10  # bytes asked of the kernel at a time
HEADERS = (("user-agent", "stetho"), ("accept", "*/*"))  # what both clients say unless the request says otherwise

_START = b"HTTP/"
_TLS_RECORDS = (0x15, 0x16)  # alert, handshake


class Exchange:
    """One question under way: the moment it must end, how far its answer came, and the error for how it failed.

    `end` is on time.monotonic. `way` names a redirect or proxy in between: what fails behind one says nothing
    about the address that was asked, so it is never Unreachable. Raises ProbeError when there is no time to ask.
    """

    __slots__ = (
        "body",
        "done",
        "end",
        "expected",
        "first",
        "headed",
        "lost",
        "received",
        "request",
        "reused",
        "start",
        "way",
    )

    def __init__(self, request: "Request", end: float, way: str = "") -> None:
        self.request, self.end, self.way, self.start = request, end, way, monotonic()
        self.first = b""  # the answer's first bytes, enough to tell HTTP from others
        self.received = 0  # bytes of the answer, headers included
        self.headed = False  # its headers are complete
        self.body = 0  # bytes of its body
        self.expected: int | None = None  # bytes of its body, where it says
        self.lost = False  # the peer closed or reset the connection
        self.reused = False  # it goes over a connection that served others before
        self.done = False  # its connection may serve others
        if end <= self.start:
            raise self.error("no time left to ask")

    def left(self) -> float:
        """Seconds to the deadline, negative after it."""
        return self.end - monotonic()

    def by_way_of(self, step: str) -> None:
        """Note a redirect or proxy in between, once."""
        if not self.way.endswith(step):
            self.way = f"{self.way}, {step}" if self.way else step

    def receive(self, sock: "socket", size: int = PIECE) -> bytes:
        """The next bytes of the answer, b"" when the peer closed. Raises at the deadline or a lost connection."""
        left = self.left()
        if left <= 0:
            raise self._late_but_look(sock)
        try:
            sock.settimeout(left)
            data = sock.recv(size)
        except TimeoutError:
            raise self.late() from None
        except OSError as error:
            raise (self.cut("reset") if _gone(error) else self.failed(error)) from None
        self.lost = not data
        if len(self.first) < len(_START) and data and not self.way:
            self._check_start(data)
        self.received += len(data)
        return data

    def send(self, sock: "socket", data: bytes) -> None:
        """Send it all. A connection lost meanwhile is no error yet: the peer may have answered before it closed."""
        rest = memoryview(data)
        while rest:
            left = self.left()
            if left <= 0:
                raise self.late() if len(rest) < len(data) else self.error("no time left to ask")
            try:
                sock.settimeout(left)
                rest = rest[sock.send(rest) :]
            except TimeoutError:
                raise self.late() from None
            except OSError as error:
                if _gone(error):
                    return
                raise self.failed(error) from None

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
        waited = seconds(min(monotonic(), self.end) - self.start)
        if self.received:
            return self.error(f"the answer was not complete in {waited} ({self._progress()})")
        return self.dead(f"not a byte in {waited}")

    def cut(self, how: str = "closed") -> ProbeError:
        """The connection was lost before the answer was complete."""
        self.lost = True
        if not self.received:
            return self.dead(f"connection {how} before a byte came")
        return self.error(f"the answer broke off {'after' if self.headed else 'in'} {self._progress()}")

    def failed(self, error: OSError) -> ProbeError:
        """The system or TLS refused: no route, no file descriptors, a bad record."""
        return self.error(reason(error))

    def too_big(self) -> ProbeError:
        """The answer is more than we take."""
        if self.headed:
            return self.error(f"the answer is over {MAX_BODY >> 20} MiB")
        return self.error(f"the answer's headers are over {MAX_HEAD >> 10} KiB")

    def _late_but_look(self, sock: "socket") -> ProbeError:
        # A throttled process can wake after its deadline with the answer already there; that server is not silent.
        try:
            sock.settimeout(0)
            self.received += len(sock.recv(1))
        except OSError:
            pass
        return self.late()

    def _check_start(self, data: bytes) -> None:
        self.first += data[: len(_START) - len(self.first)]
        if _START.startswith(self.first):
            return
        if data[0] in _TLS_RECORDS:
            raise self.error("it speaks TLS, not HTTP; try https://")
        raise self.error(f"the answer is not HTTP: {data[:40].decode('latin-1')!r}")

    def _progress(self) -> str:
        if not self.headed:
            return "its headers"
        return f"{self.body} bytes" if self.expected is None else f"{self.body} of {self.expected} bytes"

    def _text(self, what: str) -> str:
        return f"{self.request}: {self.way}{': ' if self.way else ''}{what}"


def check(request: "Request") -> None:
    """Refuse what could smuggle a second request or header into the first. Shows no header's value."""
    if not request.url.isprintable():
        shown = "".join(letter if letter.isprintable() else "?" for letter in str(request))
        raise ProbeError(f"{shown}: the URL has a line break or control character in it")
    for name, value in request.headers:
        if not (name + value).isascii() or not (name + value).isprintable() or value != value.strip():
            raise ProbeError(f"{request}: the header {name!r} is not plain ASCII text on one line")


def reason(error: Exception) -> str:
    """The system's own words, or those of TLS without the numbers and source lines around them."""
    words = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    return str(words).lower().replace("_", " ")


def seconds(span: float) -> str:
    """A span of seconds for people: 5s, 0.8s, 40ms."""
    return f"{span * 1000:.0f}ms" if span < 0.1 else f"{span:.1f}".removesuffix(".0") + "s"


def _gone(error: OSError) -> bool:
    # A TLS peer that closes without saying so raises ssl.SSLEOFError; ssl is too dear to import here.
    # EBADF: httpcore found this kept connection closed by the server and closed it as we took it up.
    return isinstance(error, ConnectionError) or error.errno == errno.EBADF or type(error).__name__ == "SSLEOFError"
