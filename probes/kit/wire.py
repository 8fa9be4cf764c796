"""What httpx's connections are made of here: sockets and TLS that hold to a total deadline and tell how they failed.

It goes under httpx through httpcore's public NetworkBackend and NetworkStream.
"""

import errno
import threading

from probes.kit.dial import connect
from probes.kit.exchange import reason
from probes.kit.faults import HttpExchange
from probes.kit.result import ProbeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    import ssl
    from typing import Any

    from httpcore import NetworkBackend, NetworkStream
else:
    NetworkBackend = NetworkStream = object  # their shape is all that httpcore asks for


class Backend(NetworkBackend):
    """Connections that hold to the deadline of the exchange under way in this thread."""

    def __init__(self) -> None:
        self.here = threading.local()

    def connect_tcp(self, host: str, port: int, *_: "Any", **__: "Any") -> NetworkStream:
        import socket

        exchange, url, proxy = self.here.exchange, self.here.url, ""
        if (host, port) != (url.raw_host.decode("ascii"), url.port or {"http": 80, "https": 443}.get(url.scheme)):
            proxy = f"through the proxy {host}:{port}"
            exchange.by_way_of(proxy)
        cold = connect(exchange, host.encode("ascii"), port)
        return Stream(self, socket.socket(fileno=cold.detach()), exchange, proxy)


class Stream(NetworkStream):
    """One connection, opened for one exchange and kept for others."""

    def __init__(self, backend: Backend, sock: "socket.socket", exchange: HttpExchange, proxy: str) -> None:
        self._backend, self._sock, self._exchange, self._proxy = backend, sock, exchange, proxy

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the exchange knows
        exchange: HttpExchange = self._backend.here.exchange
        data = exchange.receive(self._sock, max_bytes)
        if not data and not exchange.headed:
            raise exchange.cut()
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - the exchange knows
        exchange: HttpExchange = self._backend.here.exchange
        if exchange is not self._exchange:
            self._exchange, exchange.reused = exchange, True
            exchange.by_way_of(self._proxy)
        exchange.send(self._sock, buffer)

    def close(self) -> None:
        self._sock.close()

    def start_tls(
        self, ssl_context: "ssl.SSLContext", server_hostname: str | None = None, *_: "Any", **__: "Any"
    ) -> NetworkStream:
        import ssl

        exchange: HttpExchange = self._backend.here.exchange
        if isinstance(self._sock, ssl.SSLSocket):
            self.close()
            raise exchange.error("https through an https proxy is not supported; name an http one")
        tls = _handshake(exchange, self._sock, ssl_context, server_hostname)
        return Stream(self._backend, tls, exchange, self._proxy)

    def get_extra_info(self, info: str) -> "Any":
        if info == "ssl_object":
            return self._sock if hasattr(self._sock, "selected_alpn_protocol") else None
        if info == "is_readable":  # how httpcore tells that the server has closed an idle connection
            return self._is_readable()
        return None

    def _is_readable(self) -> bool:
        import select

        number, before = self._sock.fileno(), self._exchange
        if number < 0:
            return True
        poll = select.poll()
        poll.register(number, select.POLLIN)
        # httpcore may ask just as another thread takes the connection up, and would close it under that thread.
        return bool(poll.poll(0)) and before.done and self._exchange is before


def _handshake(
    exchange: HttpExchange, sock: "socket.socket", context: "ssl.SSLContext", name: str | None
) -> "ssl.SSLSocket":
    """TLS over a connected socket by the deadline; closed if it fails."""
    import socket
    import ssl
    from contextlib import suppress

    begun, ours = False, sock
    try:
        if name:
            name.encode("idna")  # of a name that is none, wrap_socket would lose the open socket
        ours = tls = context.wrap_socket(
            sock, server_hostname=name, do_handshake_on_connect=False, suppress_ragged_eofs=False
        )
        tls.settimeout(0)
        with suppress(ssl.SSLWantReadError):
            tls.do_handshake()
        # Only a look at the bytes beneath tells a server that is silent from one whose TLS is in trouble.
        tls.settimeout(max(exchange.left(), 0.001))
        begun = bool(socket.socket.recv(tls, 1, socket.MSG_PEEK))
        if not begun:
            raise exchange.cut()
        tls.settimeout(max(exchange.left(), 0.001))
        tls.do_handshake()
        return tls
    except BaseException as error:
        ours.close()
        if not isinstance(error, (OSError, ValueError)):  # ValueError: a host name that TLS cannot use
            raise
        raise _tls_fault(exchange, error, begun) from None


def _tls_fault(exchange: HttpExchange, error: OSError | ValueError, begun: bool) -> ProbeError:
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        return exchange.error(f"certificate verify failed: {error.verify_message.rstrip('.')}")
    if isinstance(error, TimeoutError):
        return exchange.error("the TLS handshake was not complete in time") if begun else exchange.late()
    if not begun and isinstance(error, ssl.SSLEOFError):
        return exchange.cut()
    if not begun and (isinstance(error, ConnectionError) or getattr(error, "errno", None) == errno.ENOTCONN):
        return exchange.cut("reset")
    return exchange.error(f"the TLS handshake failed: {reason(error)}")
