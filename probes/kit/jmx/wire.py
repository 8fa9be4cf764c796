"""JRMP, the protocol beneath remote JMX: one connection, its calls and replies. Part of the cold path.

Sources: "Java Remote Method Protocol" in Oracle's RMI specification; sun.rmi.transport in OpenJDK.
"""

from probes.kit.dial import connect
from probes.kit.exchange import Exchange
from probes.kit.finding import cut, printable
from probes.kit.jmx.serial import Aborted, Reader
from probes.kit.jmx.source import MAX_REPLY, Malformed, Source, TooMuch
from probes.kit.jmx.thrown import Thrown
from probes.kit.result import ProbeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket

    from probes.kit.net import JmxRequest
    from probes.kit.tls import TlsSocket

    Socket = _socket.socket | TlsSocket

SWEEP = 4 << 20  # bytes of answers after which what they held is freed, even where it holds itself
MAX_TOTAL = 64 << 20  # bytes of all that one question is answered

SHOWN = 40  # bytes of what is no RMI

# Version 2, the stream protocol; then where we could be called back, which nobody does.
_HELLO = b"JRMI\x00\x02\x4b" + b"\x00\x09127.0.0.1\x00\x00\x00\x00"
_WELCOME, _RETURN, _ACK = 0x4E, 0x51, b"\x54"
_VALUE, _THROWN = 1, 2
_TLS_ALERT = 0x15


class Broken(ProbeError):
    """This reply is lost, and its connection with it; what else was asked may be asked again over another one.

    `what` is the text without who was asked.
    """

    def __init__(self, text: str, what: str) -> None:
        super().__init__(text)
        self.what = what


class JmxExchange(Exchange):
    """One reading of a JVM's MBeans. `step` says what it is at, for errors."""

    __slots__ = ("request", "shaken", "shaking", "step", "swept")
    TRY_TLS = "the registry speaks TLS; say --registry-tls"

    def __init__(self, request: "JmxRequest", end: float) -> None:
        self.request, self.step = request, "connecting"
        self.shaking = False  # a TLS handshake is under way
        self.swept = 0  # bytes that had been received when memory was last freed
        self.shaken = 0  # bytes that had come when the last one was done
        super().__init__(request, end)

    def arrived(self, data: bytes) -> None:
        super().arrived(data)
        if self.received > MAX_TOTAL:
            raise self.error(f"the answers are over {MAX_TOTAL >> 20} MiB ({self.step})")

    def thrown(self, value: object) -> Thrown:
        """The exception that an answer is."""
        return Thrown(value, self.request.password or "")

    def sweep(self) -> None:
        """Free what earlier answers held: Python would do so after many objects, however large each of them is."""
        if self.received > self.swept + SWEEP:
            import gc

            gc.collect()
            self.swept = self.received

    def progress(self) -> str:
        return self.step

    def broken(self) -> str:
        return "the answer broke off"

    def cut(self, how: str = "closed") -> ProbeError:
        if self.shaking:
            self.lost = True
            plain = "" if self.way else "; if the registry is plain, leave out --registry-tls"
            return self.error(f"connection {how} at the TLS handshake{plain}")
        if self.received == self.shaken > 0:
            # Its reset may have overtaken the alert that it sent.
            return self.ruined(f"connection {how} after the TLS handshake; {self._certificate()}")
        return self.ruined(self.broken()) if self.received else super().cut(how)

    def error(self, what: str) -> ProbeError:
        return super().error(what + self._advice(what))

    def ruined(self, what: str) -> Broken:
        """The reply is none, or not one that we take."""
        self.lost = True
        shown = printable(cut(what))
        return Broken(self._text(f"{shown} ({self.step})"), shown)

    def foreign(self, first: bytes) -> Broken:
        """Whoever speaks so is no JVM's RMI."""
        what = f"it does not speak RMI: {first.decode('latin-1')!r}"
        if first[0] == _TLS_ALERT:
            what = "it speaks TLS, though its stub does not say so" if self.way else self.TRY_TLS
        return Broken(self._text(what), what)

    def _advice(self, what: str) -> str:
        # Java's own clients take a certificate of any name, so many bear none that is dialed.
        if "is not valid for" in what:
            return "; say with --tls-name what name it bears"
        # With TLS 1.3 a server tells only after the handshake that it misses the client's certificate.
        if "alert" not in what or "certificate" not in what or "authority" in what:
            return ""
        return f"; {self._certificate()}"

    def _certificate(self) -> str:
        if self.request.trust.cert_file is None:
            return "it wants a client certificate: give --cert-file"
        return f"it does not take the client certificate {self.request.trust.cert_file}"


class Reply:
    """What a call came back with. `uid` is what its acknowledgement names."""

    __slots__ = ("thrown", "uid", "value")

    def __init__(self, value: object, thrown: bool, uid: bytes) -> None:
        self.value, self.thrown, self.uid = value, thrown, uid


class Hop(Exchange):
    """Connecting to one of several places, each with its share of the time. Its errors name nobody."""

    def _text(self, what: str) -> str:
        return what


class Link:
    """One connection to a JVM. The first bytes go out with the first call: a round trip less."""

    __slots__ = ("_exchange", "_hello", "_source", "_wire", "host", "port", "served", "tls")

    def __init__(self, exchange: JmxExchange, wire: "Socket", host: str, port: int, tls: bool) -> None:
        self._exchange, self._wire, self._source = exchange, wire, Source(exchange, wire)
        self._hello = _HELLO
        self.host, self.port, self.tls = host, port, tls
        self.served = 0  # replies that came over it

    def send(self, *calls: bytes) -> None:
        """Make these calls, in one buffer: split, they would wait for the JVM's delayed acknowledgement."""
        self._exchange.send(self._wire, b"".join((self._hello, *calls)))
        self._hello = b""

    def reply(self, *, void: bool = False) -> Reply:
        """The reply to the earliest call that has none yet. Raises ProbeError, Broken when only this one is lost.

        `void`: it was a call that gives nothing.
        """
        try:
            self._exchange.sweep()
            self._source.room = MAX_REPLY
            if not self.served:
                self._welcome()
            reply = self._reply(void)
        except Aborted as error:
            raise self._exchange.ruined(f"the JVM gave up its answer: {self._exchange.thrown(error.thrown)}") from None
        except TooMuch as error:
            raise self._exchange.ruined(f"{error}; ask for less") from None
        except Malformed as error:
            raise self._exchange.ruined(f"an answer that cannot be understood: {error}") from None
        self.served += 1
        return reply

    def leave(self, *calls: bytes) -> None:
        """Make last calls, wait for nothing, and close."""
        try:
            self._wire.settimeout(0)
            self._wire.send(memoryview(b"".join(calls)))
        except OSError:
            pass  # it is gone already, or its buffer is full
        self._wire.close()

    def close(self) -> None:
        self._wire.close()

    def _welcome(self) -> None:
        first = self._source.take(1)
        if first[0] != _WELCOME:
            raise self._exchange.foreign(first + self._source.peek(SHOWN - 1))
        size = int.from_bytes(self._source.take(2), "big")
        self._source.take(size + 4)  # where it sees us

    def _reply(self, void: bool) -> Reply:
        first = self._source.take(1)
        if first[0] != _RETURN:
            raise Malformed(f"0x{first[0]:02x} where a reply should be")
        reader = Reader(self._source)
        head = reader.block()
        if len(head) != 15 or head[0] not in (_VALUE, _THROWN):
            raise Malformed("a reply of a kind not known")
        thrown = head[0] == _THROWN
        # Nothing is sent as nothing at all, not even a null.
        return Reply(None if void and not thrown else reader.content(), thrown, head[1:])


def dial(exchange: JmxExchange, host: str, port: int, tls: bool) -> Link:
    """Connect, and speak TLS if so wanted."""
    return link_over(connect(exchange, host.encode(), port), exchange, host, port, tls)


def link_over(sock: "_socket.socket", exchange: JmxExchange, host: str, port: int, tls: bool) -> Link:
    """A link over what is connected already."""
    if not tls:
        return Link(exchange, sock, host, port, tls)
    from probes.kit.tls import secure  # brings `_ssl`, 2 ms

    request = exchange.request
    exchange.shaking = True
    secured = secure(exchange, sock, request.tls_name or request.address.host, request.trust)
    exchange.shaking = False
    exchange.received += 1  # its handshake
    exchange.shaken = exchange.received
    return Link(exchange, secured, host, port, tls)


def acknowledge(reply: Reply) -> bytes:
    """That a remote object has arrived here: until then, or for five minutes, the JVM keeps it."""
    return _ACK + reply.uid
