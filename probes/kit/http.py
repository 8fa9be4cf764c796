"""The cold HTTP/1.1 client: one plain question on one connection. What is beyond it, it declines, and httpx is asked.

Part of the cold path: no `re`, `json`, `http`, `email`, `urllib`, `socket`, `ssl`, `enum` or `typing`.
"""

import os
from io import BytesIO

from probes.kit.dial import connect
from probes.kit.faults import HEADERS, MAX_BODY, MAX_HEAD, HttpExchange, check
from probes.kit.net import Reply

try:
    import _socket
except ImportError:  # another interpreter's
    import socket as _socket  # type: ignore[no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probes.kit.exchange import Wire
    from probes.kit.net import Request
    from probes.kit.tls import TlsSocket

ALPN = b"\x08http/1.1"  # what httpx offers too: a server may choose by it
PORTS = {"http": 80, "https": 443}
REDIRECTS = (301, 302, 303, 307, 308)
MAX_URL = 64 << 10  # httpx takes no longer one

# httpx would quote any other letter, so the two would ask different things.
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?[]@!$&'()*+,;=%")
_DIGITS = "0123456789"
_HEX = f"{_DIGITS}abcdefABCDEF"
_TOKEN = f"{_DIGITS}abcdefghijklmnopqrstuvwxyz!#$%&'*+-.^_`|~"  # a header's name, in lower case (RFC 9110)
_CONTROLS = bytes({*range(32), 127} - {9})


class Declined(Exception):
    """The form of the question or of its answer is beyond the cold client: ask httpx. Never a failure of the server.

    `begun`: some of the answer had come.
    """

    begun = False


def fetch(request: "Request", end: float) -> Reply:
    """Ask, and give the whole answer by `end` (on time.monotonic). Raises Unreachable, ProbeError or Declined."""
    check(request)
    if request.method not in ("GET", "POST"):
        raise Declined("method")
    scheme, host, port, authority, target = _parts(request.url)
    if proxied(scheme, host):
        raise Declined("proxy")
    if scheme == "https" and request.trust.ca_file is None:
        raise Declined("the system's trust")  # 17 ms to read, and httpx does it
    exchange = HttpExchange(request, end)
    wire = (_open_tls if scheme == "https" else connect)(exchange, host.encode(), port)
    try:
        exchange.send(wire, _message(request, authority, target))
        return _Answer(exchange, wire).read()
    except Declined as declined:
        declined.begun = exchange.received > 0
        raise
    finally:
        wire.close()


def _open_tls(exchange: HttpExchange, host: bytes, port: int) -> "TlsSocket":
    from probes.kit import tls  # brings `_ssl`, 2 ms

    if not tls.AVAILABLE:
        raise Declined("TLS")
    context = tls.new_context(exchange, exchange.request.trust, ALPN)
    return tls.wrap(exchange, connect(exchange, host, port), host.decode(), context)


def _parts(url: str) -> tuple[str, str, int, str, str]:
    """Scheme, host, port, Host header and request target of a plain URL."""
    if len(url) > MAX_URL or not _PLAIN.issuperset(url):
        raise Declined("URL")
    scheme, _, rest = url.partition("://")
    authority = rest.partition("/")[0].partition("?")[0]
    target = rest[len(authority) :]
    name, colon, port = authority.rpartition(":")
    if not colon or "]" in port:
        name, port = authority, ""
    host = _host(name.lower())
    odd_host = not host or "@" in authority or "%" in authority
    odd_port = port.strip(_DIGITS) or len(port) > 5 or int(port or 80) > 65535
    odd_escape = any(len(part) < 2 or part[:2].strip(_HEX) for part in target.split("%")[1:])
    odd_path = {".", ".."}.intersection(target.partition("?")[0].split("/"))
    if scheme not in PORTS or odd_host or odd_port or odd_escape or odd_path:
        raise Declined("URL")
    number = int(port or PORTS[scheme])
    shown = name.lower() if number == PORTS[scheme] else f"{name.lower()}:{number}"
    return scheme, host, number, shown, target if target.startswith("/") else f"/{target}"


def _host(name: str) -> str:
    """A host as it is dialled, without brackets; empty if httpx would not take it, or not as it stands."""
    bracketed = name.startswith("[") and name.endswith("]")
    host = name[1:-1] if bracketed else name
    if bracketed or not host.strip(f"{_DIGITS}."):
        try:
            _socket.inet_pton(_socket.AF_INET6 if bracketed else _socket.AF_INET, host)
        except OSError:
            return ""
        return host
    return "" if ".xn--" in f".{host}" or set("[]:").intersection(host) else host


def proxied(scheme: str, host: str) -> bool:
    """Whether the environment names a proxy for `host`; where no_proxy needs thought, yes. See also wire.proxy_for."""
    if not any(value and name.lower() in (f"{scheme}_proxy", "all_proxy") for name, value in os.environ.items()):
        return False
    exempt = os.environ.get("no_proxy", os.environ.get("NO_PROXY", "")).split(",")
    return not any(
        entry in ("*", host) or (entry.startswith(".") and host.endswith(entry)) for entry in map(str.strip, exempt)
    )


def _message(request: "Request", authority: str, target: str) -> bytes:
    given = {name.lower() for name, _ in request.headers}
    ours = [("host", authority), *HEADERS, ("accept-encoding", "identity"), ("connection", "close")]
    if request.method == "POST":
        ours.append(("content-length", str(len(request.body))))
    lines = [f"{request.method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in ours if name not in given]
    lines += [f"{name}: {value}" for name, value in request.headers]
    return "\r\n".join([*lines, "", ""]).encode() + request.body


class _Answer:
    """Reads one answer. What is not plainly well-formed is declined, so that one parser judges the malformed."""

    def __init__(self, exchange: HttpExchange, wire: "Wire") -> None:
        self.exchange, self.wire, self.buffer = exchange, wire, bytearray()
        self.body = BytesIO()  # gives up its bytes without a copy: a pod has to have room for them

    def read(self) -> Reply:
        exchange = self.exchange
        status, headers = self._head()
        while status < 200:
            status, headers = self._head()
        if status in REDIRECTS and "location" in headers:
            raise Declined("redirect")
        if headers.get("content-encoding", "").lower() not in ("", "identity"):
            raise Declined("content-encoding")
        exchange.headed = True
        if status in (204, 304):
            return Reply(status, headers, b"")
        if "content-length" in headers:
            exchange.expected = int(headers["content-length"])
            if exchange.expected > MAX_BODY:
                raise exchange.too_big()
        if "transfer-encoding" in headers:
            self._chunks()
        else:
            self._take(exchange.expected)
        return Reply(status, headers, self.body.getvalue())

    def _head(self) -> tuple[int, dict[str, str]]:
        if not self.buffer:
            self._more()
        if not self.buffer.startswith(b"H"):  # after a 1xx answer
            raise Declined("status line")
        line = self._line()
        code = line[9:12]
        well_formed = line[:9] in ("HTTP/1.1 ", "HTTP/1.0 ") and len(code) == 3 and code.isdecimal() and code >= "100"
        if not well_formed or line[12:13] not in ("", " ") or code == "101":
            raise Declined("status line")
        return int(code), self._headers(MAX_HEAD - len(line))

    def _headers(self, room: int) -> dict[str, str]:
        """The header lines up to an empty one, `room` bytes of them at most."""
        headers: dict[str, str] = {}
        while line := self._line(room):
            room -= len(line) + 2
            name, colon, value = line.partition(":")
            name, value = name.lower(), value.strip(" \t")
            if not colon or not name or name.strip(_TOKEN):
                raise Declined("header")
            if name in ("content-length", "transfer-encoding"):
                value = value.lower()
                if name == "content-length" and headers.get(name) == value:
                    continue
                fits = value == "chunked" if name[0] == "t" else value.isdecimal() and len(value) <= 20
                if not fits or "content-length" in headers or "transfer-encoding" in headers:
                    raise Declined("framing")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return headers if "".join(headers.values()).isascii() else _decoded(headers)

    def _line(self, room: int = MAX_HEAD) -> str:
        """One line without its CRLF, each byte a letter."""
        seen = 0
        while (at := self.buffer.find(b"\n", seen)) < 0 and len(self.buffer) <= room:
            seen = len(self.buffer)
            self._more()
        if at < 0 or at > room:
            raise Declined("long line")
        line = self.buffer[: at + 1]
        del self.buffer[: at + 1]
        if not line.endswith(b"\r\n") or len(line.translate(None, _CONTROLS)) != len(line) - 2:
            raise Declined("line")
        return line[:-2].decode("latin-1")

    def _more(self, *, may_end: bool = False) -> bool:
        """Take in what comes next; False at the end of the connection, where that may be the answer's too."""
        data = self.exchange.receive(self.wire)
        if not data and not may_end:
            raise self.exchange.cut()
        self.buffer += data
        return bool(data)

    def _take(self, length: int | None) -> None:
        """Take `length` bytes of body, or all up to the end of the connection."""
        rest = length
        while rest is None or rest > 0:
            if not self.buffer and not self._more(may_end=rest is None):
                break
            piece = self.buffer if rest is None else self.buffer[:rest]
            self.exchange.body += self.body.write(piece)
            rest = None if rest is None else rest - len(piece)
            del self.buffer[: len(piece)]
            if self.exchange.body > MAX_BODY:
                raise self.exchange.too_big()

    def _chunks(self) -> None:
        while size := self._chunk_size():
            self._take(size)
            while len(self.buffer) < 2:
                self._more()
            if self.buffer[:2] != b"\r\n":
                raise Declined("chunk")
            del self.buffer[:2]
        self._headers(MAX_HEAD)

    def _chunk_size(self) -> int:
        digits = self._line().partition(";")[0]
        if not digits or digits.strip(_HEX) or len(digits) > 16:
            raise Declined("chunk")
        return int(digits, 16)


def _decoded(headers: dict[str, str]) -> dict[str, str]:
    """UTF-8 if all of them are, else Latin-1, as httpx takes them."""
    try:
        return {name: value.encode("latin-1").decode() for name, value in headers.items()}
    except UnicodeDecodeError:
        return headers
