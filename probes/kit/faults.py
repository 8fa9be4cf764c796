"""One HTTP question under way, and what only HTTP can fail in: one set of classes and texts for both clients.

Part of the cold path.
"""

from probes.kit.exchange import Exchange
from probes.kit.result import ProbeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probes.kit.net import Request

MAX_BODY = 32 << 20  # bytes of an answer's body, decoded
MAX_HEAD = 64 << 10  # bytes of an answer's status line and headers
HEADERS = (("user-agent", "stetho"), ("accept", "*/*"))  # what both clients say unless the request says otherwise

_START = b"HTTP/"
_TLS_RECORDS = (0x15, 0x16)  # alert, handshake


class HttpExchange(Exchange):
    """One request and its answer."""

    __slots__ = ("body", "done", "expected", "first", "headed", "location", "request", "reused")
    TRY_PLAIN, TRY_TLS = "; try http://", "it speaks TLS, not HTTP; try https://"

    def __init__(self, request: "Request", end: float, way: str = "") -> None:
        super().__init__(request, end, way)
        self.request = request
        self.first = b""  # the answer's first bytes, enough to tell HTTP from others
        self.headed = False  # its headers are complete
        self.location = ""  # where it redirects to, if anywhere
        self.body = 0  # bytes of its body
        self.expected: int | None = None  # bytes of its body, where it says
        self.reused = False  # it goes over a connection that served others before
        self.done = False  # its connection may serve others

    def by_way_of(self, step: str) -> None:
        """Note a redirect or proxy in between, once."""
        if not self.way.endswith(step):
            self.way = f"{self.way}, {step}" if self.way else step

    def arrived(self, data: bytes) -> None:
        if len(self.first) < len(_START) and data and not self.way:
            self._check_start(data)
        super().arrived(data)

    def progress(self) -> str:
        if not self.headed:
            return "its headers"
        return f"{self.body} bytes" if self.expected is None else f"{self.body} of {self.expected} bytes"

    def broken(self) -> str:
        return f"the answer broke off {'after' if self.headed else 'in'} {self.progress()}"

    def too_big(self) -> ProbeError:
        """The answer is more than we take."""
        if self.headed:
            return self.error(f"the answer is over {MAX_BODY >> 20} MiB")
        return self.error(f"the answer's headers are over {MAX_HEAD >> 10} KiB")

    def _check_start(self, data: bytes) -> None:
        self.first += data[: len(_START) - len(self.first)]
        if _START.startswith(self.first):
            return
        if data[0] in _TLS_RECORDS:
            raise self.error(self.TRY_TLS)
        raise self.error(f"the answer is not HTTP: {data[:40].decode('latin-1')!r}")


def check(request: "Request") -> None:
    """Refuse what could smuggle a second request or header into the first. Shows no header's value."""
    if not request.url.isprintable():
        shown = "".join(letter if letter.isprintable() else "?" for letter in str(request))
        raise ProbeError(f"{shown}: the URL has a line break or control character in it")
    for name, value in request.headers:
        if not (name + value).isascii() or not (name + value).isprintable() or value != value.strip():
            raise ProbeError(f"{request}: the header {name!r} is not plain ASCII text on one line")
