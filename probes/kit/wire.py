"""What httpx's connections are made of here: sockets and TLS that hold to a total deadline and tell how they failed.

It goes under httpx through httpcore's public NetworkBackend and NetworkStream.
"""

import threading

from probes.kit.dial import connect
from probes.kit.faults import HttpExchange
from probes.kit.http import PORTS, proxied
from probes.kit.result import ProbeError
from probes.kit.tls import TlsSocket, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    import ssl
    from typing import Any

    import httpx
    from httpcore import NetworkBackend, NetworkStream
else:
    NetworkBackend = NetworkStream = object  # their shape is all that httpcore asks for


CONNECTIONS = 10  # to each origin; httpx slows down with a larger pool


class Backend(NetworkBackend):
    """Connections that hold to the deadline of the exchange under way in this thread."""

    def __init__(self) -> None:
        self.here = threading.local()

    def connect_tcp(self, host: str, port: int, *_: "Any", **__: "Any") -> NetworkStream:
        import socket

        exchange, url, proxy = self.here.exchange, self.here.url, ""
        if (host, port) != (url.raw_host.decode("ascii"), url.port or PORTS.get(url.scheme)):
            proxy = f"through the proxy {host}:{port}"
            exchange.by_way_of(proxy)
        cold = connect(exchange, host.encode("ascii"), port)
        return Stream(self, socket.socket(fileno=cold.detach()), exchange, proxy)

    def hear(self, response: "httpx.Response") -> None:
        """Note where it redirects to, before httpx makes an address of that, or fails to."""
        if response.has_redirect_location:
            self.here.exchange.location = response.headers["location"]

    def connect_unix_socket(self, path: str, *_: "Any", **__: "Any") -> NetworkStream:
        exchange = self.here.exchange
        return Stream(self, _connect_unix(exchange, path), exchange, "")


class Stream(NetworkStream):
    """One connection, opened for one exchange and kept for others."""

    def __init__(self, backend: Backend, sock: "socket.socket | TlsSocket", exchange: HttpExchange, proxy: str) -> None:
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
        exchange: HttpExchange = self._backend.here.exchange
        if isinstance(self._sock, TlsSocket):
            self.close()
            raise exchange.error("https through an https proxy is not supported; name an http one")
        secured = wrap(exchange, self._sock, server_hostname or "", ssl_context)
        return Stream(self._backend, secured, exchange, self._proxy)

    def get_extra_info(self, info: str) -> "Any":
        if info == "is_readable":  # how httpcore tells that the server has closed an idle connection
            return self._is_readable()
        return None

    def _is_readable(self) -> bool:
        import select

        number, before = self._sock.fileno(), self._exchange
        if number < 0 or (isinstance(self._sock, TlsSocket) and self._sock.pending()):
            return True
        poll = select.poll()
        poll.register(number, select.POLLIN)
        # httpcore may ask just as another thread takes the connection up, and would close it under that thread.
        return bool(poll.poll(0)) and before.done and self._exchange is before


def unix_socket(url: str) -> tuple[str, str]:
    """The file of the socket that a URL names, if any, and the URL as a server there is asked (curl says localhost)."""
    scheme, _, rest = url.partition("://")
    if scheme != "http+unix":
        return "", url
    from urllib.parse import unquote

    authority = rest.partition("/")[0].partition("?")[0]
    login, at, place = authority.rpartition("@")
    return unquote(place, errors="surrogateescape"), f"http://{login}{at}localhost{rest[len(authority) :]}"


def _connect_unix(exchange: HttpExchange, path: str) -> "socket.socket":
    import socket
    import struct

    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Of a socket that does not wait, connect() takes a queue that is full for a failure.
        left = max(exchange.left(), 0.001)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(left), int(left % 1 * 1e6)))
        sock.connect(path)
        return sock
    except OSError as error:
        sock.close()
        raise _unix_fault(exchange, path, error) from None


def _unix_fault(exchange: HttpExchange, path: str, error: OSError) -> ProbeError:
    if isinstance(error, BlockingIOError):
        return exchange.late()
    if isinstance(error, ConnectionRefusedError):
        return exchange.dead("connection refused")
    if isinstance(error, FileNotFoundError):  # whoever should answer there would have made it
        return exchange.dead(f"there is no socket {path}")
    return exchange.failed(error)


def proxy_for(url: "httpx.URL") -> str | None:
    """The proxy that the environment names for an origin, if any. httpx's own reading refuses IPv6 in no_proxy."""
    if not proxied(url.scheme, url.host):
        return None
    from urllib.request import getproxies

    named = getproxies()
    proxy = named.get(url.scheme) or named.get("all")
    if not proxy or any(_exempted(url, entry.strip().lower()) for entry in named.get("no", "").split(",")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _exempted(url: "httpx.URL", entry: str) -> bool:
    """Whether an entry of no_proxy names the origin: `*`, an address or network, a domain; perhaps scheme and port."""
    import ipaddress

    scheme, _, place = entry.rpartition("://")
    name, colon, port = place.rpartition(":")
    if not colon or not port.isdecimal() or (":" in name and not name.endswith("]")):  # ::1 has no port
        name, port = place, ""
    if scheme not in ("", "all", url.scheme) or (port and port != str(url.port or PORTS.get(url.scheme))):
        return False
    name = name.strip("[]")
    try:
        return ipaddress.ip_address(url.host) in ipaddress.ip_network(name, strict=False)
    except ValueError:  # one of them is a name
        return bool(name) and (name in ("*", url.host) or url.host.endswith(f".{name.removeprefix('.')}"))


def new_client(context: "ssl.SSLContext", backend: Backend, path: str, proxy: str | None) -> "httpx.Client":
    """A client whose connections are made here, to one origin, to its proxy, or to the Unix socket of that path."""
    import http.cookiejar
    import logging

    import httpx

    for name in ("httpx", "httpcore"):  # they log whole URLs, and with them passwords, at INFO
        logging.getLogger(name).setLevel(logging.WARNING)
    # No expiry: httpcore may close an expired connection just as another thread takes it up.
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=None)
    transport = httpx.HTTPTransport(verify=context, limits=limits, uds=path or None, proxy=proxy)
    # The one place that reaches into httpx (pinned in constraints.txt): a transport takes no backend otherwise.
    transport._pool._network_backend = backend
    hooks = {"response": [backend.hear]}
    client = httpx.Client(transport=transport, event_hooks=hooks, trust_env=False, timeout=None)  # noqa: S113 - Backend
    # One question's cookies are not another's.
    client.cookies.jar.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=()))
    return client
