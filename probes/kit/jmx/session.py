"""One visit to a JVM: find its RMI server, log in, ask, and leave nothing behind. Part of the cold path."""

from time import monotonic

from probes.kit.dial import connect
from probes.kit.finding import cut, printable
from probes.kit.jmx import calls
from probes.kit.jmx.stub import Stub, stub_of
from probes.kit.jmx.thrown import FILTERS, Thrown
from probes.kit.jmx.wire import Broken, Hop, JmxExchange, acknowledge, dial, link_over
from probes.kit.result import ProbeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TypeVar

    from probes.kit.jmx.wire import Link, Reply
    from probes.kit.net import JmxRequest

    Call = tuple[str, bytes]  # what is read; what is sent
    T = TypeVar("T")

NAME = "jmxrmi"  # what every JMX agent binds its server to
# Calls made before their replies are read, and their bytes: few enough for the buffers between, or both sides would
# wait for the other to read.
AHEAD, BYTES_AHEAD = 16, 32 << 10
LAST_WORDS = 0.2  # seconds for connecting anew only to take leave

_TLS_FACTORY = "javax.rmi.ssl.SslRMIClientSocketFactory"
_ADVICE = "set com.sun.management.jmxremote.rmi.port there, and let it through"


class Session:
    """A connection of our own to a JVM's MBeans. `close` must be called, whatever came of it."""

    def __init__(self, request: "JmxRequest", end: float) -> None:
        self.request, self.exchange = request, JmxExchange(request, end)
        self._link: Link | None = None
        self.connection = b""  # the ObjID of our RMIConnection
        self._owed = b""  # the acknowledgement of it
        self._place: tuple[str, int, bool] = ("", 0, False)  # where it is

    def open(self) -> None:
        """Look the server up and log in. Raises Unreachable or ProbeError."""
        host, port = self.request.address.host, self.request.address.port
        registry = self._link = dial(self.exchange, host, port, self.request.registry_tls)
        server, thanks = self._lookup(registry)
        try:
            reply = self._login(registry, server, thanks)
        finally:
            if self._link is not registry:
                registry.leave(thanks)
        stub = self._stub(reply, "its connection")
        self.connection, self._owed = stub.object_id, acknowledge(reply)
        link = self._link
        self._place = (link.host, stub.port if stub.port != server.port else link.port, bool(stub.factory))
        if self._place != (link.host, link.port, link.tls):
            self._drop()

    def replies(self, things: "Sequence[T]", call: "Callable[[T], Call]") -> "Iterator[Reply | Broken]":
        """The reply to the call for each, in order; Broken in the place of one that cannot be had. Raises ProbeError.

        Several calls are under way at once; their replies come in the order of the calls.
        """
        done = 0
        while done < len(things):
            link = self._link = self._link or self._dial_again()
            batch = _batch(map(call, things[done : done + AHEAD]))
            self.exchange.step = f"reading {cut(batch[0][0])}"
            link.send(*(data for _, data in batch))
            for what, _ in batch:
                self.exchange.step = f"reading {cut(what)}"
                try:
                    reply = link.reply()
                except Broken as error:
                    self._drop()
                    if link.served:  # an earlier one may have ended the connection: a JVM does so after some failures
                        break
                    done += 1
                    yield error
                    break
                done += 1
                if reply.thrown and self.exchange.thrown(reply.value).remote:
                    self._drop()  # what it did not read of the call, it takes for the next, and closes
                    yield reply
                    break
                yield reply

    def close(self) -> None:
        """Tell the JVM that we leave: it keeps what is not closed, and for five minutes what is not acknowledged."""
        if not self.connection:
            self._drop()
            return
        # The acknowledgement first: a JVM that finds us gone as it answers to the call reads no further.
        last = (self._owed, calls.close(self.connection))
        if self._link is not None:
            self._link.leave(*last)
            return
        try:
            self.exchange.end = min(self.exchange.end, monotonic() + LAST_WORDS)
            self._link = self._dial_again()
            self._link.send(*last)
            # A new connection that is left before its welcome came is reset, and nothing heard.
            self._link.reply(void=True)
        except ProbeError:
            pass  # it has gone, or is silent
        self._drop()

    def _drop(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    def _dial_again(self) -> "Link":
        host, port, tls = self._place
        self._via(host, port)
        return dial(self.exchange, host, port, tls)

    def _via(self, host: str, port: int) -> None:
        """What fails from here on says nothing about the address that was asked: that one has answered."""
        self.exchange.way = f"its RMI server at {shown(host, port)}"

    def _lookup(self, registry: "Link") -> "tuple[Stub, bytes]":
        """The server's stub, and the acknowledgement that is due for it."""
        self.exchange.step = f"looking up {NAME}"
        registry.send(calls.lookup(NAME))
        reply = registry.reply()
        if reply.thrown:
            thrown = self.exchange.thrown(reply.value)
            if "NotBoundException" in thrown.kinds:
                raise self.exchange.error(f"an RMI registry, but it has no {NAME}: no remote JMX is served there")
            raise self.exchange.error(f"the registry refuses to look up {NAME}: {thrown}")
        return self._stub(reply, "its server"), acknowledge(reply)

    def _stub(self, reply: "Reply", whose: str) -> Stub:
        stub = stub_of(reply.value)
        if stub is None:
            raise self.exchange.error(f"the stub of {whose} is of a form not known")
        if stub.factory not in ("", _TLS_FACTORY):
            factory = printable(cut(stub.factory))
            raise self.exchange.error(f"the stub of {whose} wants the socket factory {factory}, which is not known")
        return stub

    def _login(self, registry: "Link", server: Stub, thanks: bytes) -> "Reply":
        """The answer to our login, from the first place where this server is."""
        self._link = None
        faults: list[str] = []
        places = self._places(registry, server)
        self.exchange.step = "logging in"
        call = calls.new_client(server.object_id, self._login_as())
        for tried, place in enumerate(places):
            try:
                link = registry if place is None else self._hop(place, server, len(places) - tried)
                self._link = link
                link.send(thanks if link is registry else b"", call)
                reply = link.reply()
                if not reply.thrown:
                    return reply
                thrown = self.exchange.thrown(reply.value)
                if "NoSuchObjectException" not in thrown.kinds:
                    raise self._refused(thrown)
                fault = "another RMI server (NoSuchObjectException)"
            except Broken as error:
                fault = error.what
            faults.append(f"{_where(place, registry, server)}: {fault}")
            if self._link is not registry:
                self._drop()
        self.exchange.way = ""
        raise self.exchange.error(f"the registry answers, but its RMI server does not: {'; '.join(faults)}; {_ADVICE}")

    def _places(self, registry: "Link", server: Stub) -> "list[str | None]":
        """The hosts where the server may be, the likeliest first; None is the registry's own connection.

        `java.rmi.server.hostname` goes into the stub word by word, and often leads nowhere from here: what was asked is
        tried before. With a forwarded port, only the registry's own connection leads there.
        """
        asked = self.request.address.host
        same = bool(server.factory) == registry.tls
        fits = server.host.isprintable() and 0 < len(server.host) < 254 and server.host.lower() != asked.lower()
        others: list[str | None] = [server.host] if fits else []
        if same and server.port == registry.port:
            return [None, *others]
        return [asked, *([None] if same else []), *others]

    def _hop(self, host: str, server: Stub, share: int) -> "Link":
        """A connection to where the server may be, in its share of the time left."""
        self._via(host, server.port)
        try:
            hop = Hop("", monotonic() + self.exchange.left() / share)
            sock = connect(hop, host.encode(), server.port)
        except ProbeError as error:
            raise self.exchange.ruined(str(error)) from None
        return link_over(sock, self.exchange, host, server.port, bool(server.factory))

    def _login_as(self) -> tuple[str, str] | None:
        request = self.request
        if request.username is None and request.password is None:
            return None
        return (request.username or "", request.password or "")

    def _refused(self, thrown: Thrown) -> ProbeError:
        """The error for a login that failed."""
        if thrown.filtered:
            return self.exchange.error(f"its serial filter refuses the login; see {FILTERS}")
        if "SecurityException" not in thrown.kinds:
            return self.exchange.error(f"the login failed: {thrown}")
        if self._login_as() is None:
            words = f" ({thrown.message})" if thrown.message else ""
            return self.exchange.error(f"it wants a login; give --username and --password-file{words}")
        words = f": {thrown.message}" if thrown.message else ""
        without = "" if self.request.password else " without a password"
        return self.exchange.error(f"it refuses the login of {self.request.username!r}{without}{words}")


def _batch(asked: "Iterable[Call]") -> "list[Call]":
    """As many calls as can be under way at once; one at least."""
    batch: list[Call] = []
    size = 0
    for what, data in asked:
        size += len(data)
        if batch and size > BYTES_AHEAD:
            break
        batch.append((what, data))
    return batch


def _where(place: str | None, registry: "Link", server: Stub) -> str:
    """A place that was tried, for people."""
    if place is None:
        return f"the registry's own {shown(registry.host, registry.port)}"
    return f"{shown(place, server.port)}{' (as its stub advertises)' if place == server.host else ''}"


def shown(host: str, port: int) -> str:
    """A host and port as people write them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
