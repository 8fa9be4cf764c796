"""Every effect a probe can have on the world, as one protocol; tests replace it. Part of the cold path."""

from probes.kit.result import ProbeError, Unreachable, Unrouted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol, TypeVar

    from probes.kit.types import JmxAddress

    Read = tuple[str, tuple[str, ...]]
    Q = TypeVar("Q", "Request", "JmxRequest")
    A = TypeVar("A")
else:
    Protocol = object


class Trust:
    """Whom TLS trusts, and whom it shows: PEM files. Without `ca_file`, it trusts whom the system trusts.

    Without `cert_file`, it shows nobody; `key_file` is the certificate's key where it is not in the same file.
    """

    __slots__ = ("ca_file", "cert_file", "key_file")

    def __init__(self, ca_file: str | None = None, cert_file: str | None = None, key_file: str | None = None) -> None:
        self.ca_file, self.cert_file, self.key_file = ca_file, cert_file, key_file

    @property
    def key(self) -> tuple[object, ...]:
        return (self.ca_file, self.cert_file, self.key_file)


SYSTEM_TRUST = Trust()
PUBLIC = ("accept", "content-type", "user-agent")  # headers that hold no secret, and go wherever we are redirected


class Request:
    """One HTTP question. Equal requests within a sweep are asked once, so it holds all that decides the answer.

    `shown` is the URL as people may see it: without user, password and query.
    """

    __slots__ = ("body", "headers", "method", "shown", "trust", "url")

    def __init__(
        self,
        url: str,
        shown: str,
        headers: tuple[tuple[str, str], ...] = (),
        *,
        method: str = "GET",
        body: bytes = b"",
        trust: Trust = SYSTEM_TRUST,
    ) -> None:
        self.url, self.shown, self.headers = url, shown, headers
        self.method, self.body, self.trust = method, body, trust

    @property
    def key(self) -> tuple[object, ...]:
        return (self.method, self.url, self.headers, self.body, *self.trust.key)

    @property
    def place(self) -> str:
        """Who is asked: scheme, host and port."""
        scheme, mark, rest = self.shown.partition("://")
        return f"{scheme}{mark}{rest.partition('/')[0]}"

    def __str__(self) -> str:
        return f"{self.method} {self.shown}"


class Reply:
    """A whole HTTP answer. Header names are lower case. `way` names what led to who gave it: a redirect, a proxy."""

    __slots__ = ("body", "headers", "status", "way")

    def __init__(self, status: int, headers: dict[str, str], body: bytes, way: str = "") -> None:
        self.status, self.headers, self.body, self.way = status, headers, body, way

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


NAMES = ("",)  # in place of attributes: which MBeans there are is all that is wanted


class JmxRequest:
    """Reads of one JVM's MBeans, all over one connection. Equal ones within a sweep are asked once.

    `reads` pairs an MBean's name or pattern with the attributes wanted; with none of them, all are, and with NAMES none
    is read. `tls_name` is the name that the server's certificate must bear where it is not the address's.
    """

    __slots__ = ("address", "password", "reads", "registry_tls", "tls_name", "trust", "username")

    def __init__(
        self,
        address: "JmxAddress",
        reads: "tuple[Read, ...]",
        *,
        username: str | None = None,
        password: str | None = None,
        trust: Trust = SYSTEM_TRUST,
        registry_tls: bool = False,
        tls_name: str | None = None,
    ) -> None:
        self.address, self.reads, self.trust = address, reads, trust
        self.username, self.password = username, password
        self.registry_tls, self.tls_name = registry_tls, tls_name

    @property
    def key(self) -> tuple[object, ...]:
        login = (self.username, self.password)
        return (self.address, self.reads, *login, self.registry_tls, self.tls_name, *self.trust.key)

    @property
    def place(self) -> str:
        """Who is asked: host and port."""
        return self.address.shown

    def __str__(self) -> str:
        return f"JMX read of {self.address.shown}"


class Found:
    """What one read came back with, over RMI or Jolokia.

    `mbeans` has the attributes of each MBean that the name or pattern matches, by its name; an attribute that it has
    not is absent, one that could not be read is Unreadable; of an MBean that should tell all and tells nothing, why
    stands under an empty name. `bare`: there are such MBeans, but none has any of these attributes, or they were gone
    when asked. `refused`: why the server did not answer this read at all, in its own words; else empty.
    """

    __slots__ = ("bare", "mbeans", "refused")

    def __init__(self, mbeans: "dict[str, dict[str, object]]", *, bare: bool = False, refused: str = "") -> None:
        self.mbeans, self.bare, self.refused = mbeans, bare, refused


class Unreadable(str):
    """In an attribute's place, why its value could not be had: its getter threw, its value cannot be sent."""

    __slots__ = ()


class Answered:
    """Who has answered one question of a probe, or begun to, is not dead, even if it is silent to the next."""

    __slots__ = ("_places",)

    def __init__(self) -> None:
        self._places: dict[str, int] = {}  # and how many questions each answered; 0: it began to

    def ask(self, request: "Q", ask: "Callable[[Q], A]") -> "A":
        """What `ask` answers; where its place answered before, Unreachable and Unrouted become a plain ProbeError."""
        try:
            answer = ask(request)
        except (Unreachable, Unrouted) as error:
            count = self._places.get(request.place)
            if count is None:
                raise
            did = {0: "had begun to answer", 1: "answered another question"}.get(count, f"answered {count} others")
            raise ProbeError(f"{error}, though it {did} just before") from None
        self._places[request.place] = self._places.get(request.place, 0) + 1
        return answer

    def begun(self, request: "Q") -> None:
        """Note that it began an answer, which we did not take."""
        self._places.setdefault(request.place, 0)


class Net(Protocol):
    """What a probe may do. Whatever it does ends by the deadline that run() was given."""

    def request(self, request: Request) -> Reply:
        """Ask over HTTP. Raises Unreachable or ProbeError; any status at all is a Reply."""

    def jmx(self, request: JmxRequest) -> list[Found]:
        """Read MBeans over RMI, one Found for each read. Raises Unreachable or ProbeError."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def hurried(self) -> bool:
        """Whether we are so short of CPU that a server which shares our limit has none for what costs it much."""
