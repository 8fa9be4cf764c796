"""Every effect a probe can have on the world, as one protocol; tests replace it. Imports nothing at run time."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object


class Request:
    """One HTTP question. Equal requests within a sweep are asked once, so it holds all that decides the answer.

    `shown` is the URL as people may see it: without user, password and query.
    """

    __slots__ = ("body", "ca_file", "headers", "method", "shown", "url")

    def __init__(
        self,
        url: str,
        shown: str,
        headers: tuple[tuple[str, str], ...] = (),
        *,
        method: str = "GET",
        body: bytes = b"",
        ca_file: str | None = None,
    ) -> None:
        self.url, self.shown, self.headers = url, shown, headers
        self.method, self.body, self.ca_file = method, body, ca_file

    @property
    def key(self) -> tuple[object, ...]:
        return (self.method, self.url, self.headers, self.body, self.ca_file)

    def __str__(self) -> str:
        return f"{self.method} {self.shown}"


class Reply:
    """A whole HTTP answer. Header names are lower case."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


class Net(Protocol):
    """What a probe may do. Whatever it does ends by the deadline that run() was given."""

    def request(self, request: Request) -> Reply:
        """Ask over HTTP. Raises Unreachable or ProbeError; any status at all is a Reply."""

    def now(self) -> float:
        """Seconds since the epoch."""
