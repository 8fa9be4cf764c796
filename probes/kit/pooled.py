"""The full HTTP client: httpx with kept connections, TLS, proxies, redirects and compression, under a total deadline.

For sweeps, and for all that the cold client declines. httpx is imported when the first question is asked.
"""

import threading

from probes.kit import tls
from probes.kit.faults import HEADERS, MAX_BODY, MAX_HEAD, HttpExchange, check
from probes.kit.finding import cut
from probes.kit.net import PUBLIC, SYSTEM_TRUST, Reply, Trust
from probes.kit.result import ProbeError
from probes.kit.types import Url
from probes.kit.wire import CONNECTIONS, Backend, new_client, proxy_for, unix_socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    import zlib

    import httpx

    from probes.kit.net import Request

MAX_REDIRECTS = 5


class Pool:
    """Asks over HTTP from any thread, and keeps connections for the next question."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[tuple[object, ...], tuple[httpx.Client, threading.Semaphore]] = {}
        self._contexts: dict[tuple[object, ...], ssl.SSLContext] = {}
        self._backend = Backend()

    def fetch(self, request: "Request", end: float) -> Reply:
        """Ask, and give the whole answer by `end` (on time.monotonic). Raises Unreachable or ProbeError."""
        check(request)
        import httpx  # 100 ms

        headers = {"accept-encoding": "gzip, deflate", "connection": "keep-alive", **dict(HEADERS)}
        given = {name.lower() for name, _ in request.headers}
        merged = [(name, value) for name, value in headers.items() if name not in given] + list(request.headers)
        _, url = unix_socket(request.url)
        try:
            question = httpx.Request(request.method, url, headers=merged, content=request.body)
            if not question.url.host or not 0 < (question.url.port or 80) < 65536:
                raise httpx.InvalidURL("host or port")
        except (httpx.InvalidURL, UnicodeError):  # their texts quote the URL, password and all
            raise ProbeError(f"{request}: this is not an address that can be asked") from None
        way = ""
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._ask(request, question, end, way)
            if isinstance(answer, Reply):
                return answer
            if _elsewhere(question.url, answer.url):
                for name in given.difference(PUBLIC):  # a token in one, a tenant: not for another's eyes
                    answer.headers.pop(name, None)
            question = answer
            way = f"redirected to {Url(question.url).shown}"
        raise ProbeError(f"{request}: redirected more than {MAX_REDIRECTS} times, at last to {Url(question.url).shown}")

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client, _ in clients:
            client.close()

    def _ask(self, request: "Request", question: "httpx.Request", end: float, way: str) -> "Reply | httpx.Request":
        """The answer, or the question that a redirect asks instead."""
        while True:
            exchange = HttpExchange(request, end, way)
            try:
                return self._exchange(exchange, question)
            except ProbeError as error:
                # A server may close a kept connection just as it is used again; a fresh one tells what is true.
                if not exchange.reused or not exchange.lost or exchange.headed:
                    raise
                if question.method not in ("GET", "HEAD"):  # it may have acted on it
                    raise ProbeError(str(error)) from None

    def _exchange(self, exchange: HttpExchange, question: "httpx.Request") -> "Reply | httpx.Request":
        import httpx

        client, free = self._client(exchange, question.url)
        # httpcore would wait for a connection too, but anew each time another thread snatches it.
        if not free.acquire(timeout=max(exchange.left(), 0)):
            raise exchange.error(f"no time left to ask: all {CONNECTIONS} connections to it are waiting")
        self._backend.here.exchange, self._backend.here.url = exchange, question.url
        question.extensions = {"timeout": {}}
        try:
            return _send(client, exchange, question)
        except httpx.ProxyError as error:
            raise exchange.error(f"it refused: {error}") from None
        except httpx.UnsupportedProtocol:
            raise exchange.error("this is not an http or https address") from None
        except httpx.LocalProtocolError:  # its text quotes headers
            raise exchange.error("the request cannot be sent over HTTP/1.1") from None
        except httpx.HTTPError as error:
            raise _malformed(exchange, error) from None
        finally:
            exchange.done = True
            free.release()

    def _client(self, exchange: HttpExchange, url: "httpx.URL") -> "tuple[httpx.Client, threading.Semaphore]":
        """The origin's client, and its free connections."""
        import httpx

        trust = exchange.request.trust if url.scheme == "https" else SYSTEM_TRUST
        path, asked = unix_socket(exchange.request.url)
        if path and _elsewhere(httpx.URL(asked), url):
            path = ""
        key = (url.scheme, url.host, url.port, path, *trust.key)
        with self._lock:
            if key not in self._clients:
                context = self._context(exchange, url.scheme, trust)
                try:
                    client = new_client(context, self._backend, path, None if path else proxy_for(url))
                except (ImportError, ValueError, httpx.InvalidURL) as error:  # the texts may quote a proxy's password
                    why = ": it speaks SOCKS, name an http one" if isinstance(error, ImportError) else ""
                    raise exchange.error(f"the proxy that the environment names cannot be used{why}") from None
                self._clients[key] = client, threading.Semaphore(CONNECTIONS)
            return self._clients[key]

    def _context(self, exchange: HttpExchange, scheme: str, trust: Trust) -> "ssl.SSLContext":
        try:
            import ssl
        except ImportError:
            raise exchange.error("this Python has no TLS") from None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if scheme != "https":
            return context  # never used; reading the system's trust costs 17 ms
        if trust.key not in self._contexts:
            tls.load(exchange, context, trust)
            self._contexts[trust.key] = context
        return self._contexts[trust.key]


def _send(client: "httpx.Client", exchange: HttpExchange, question: "httpx.Request") -> "Reply | httpx.Request":
    import httpx

    try:
        response = client.send(question, stream=True, follow_redirects=False)
    except (httpx.InvalidURL, httpx.RemoteProtocolError, UnicodeError):
        if not exchange.location:
            raise
        # A server may have put a login or a token in it.
        place = "…" if "@" in exchange.location else exchange.location.partition("?")[0].partition("#")[0]
        raise exchange.error(f"it redirects to what is no address: {cut(place)!r}") from None
    try:
        _check_head(exchange, response)
        if response.next_request is not None and question.method == "GET":
            return response.next_request
        return Reply(response.status_code, dict(response.headers.items()), _body(exchange, response), exchange.way)
    finally:
        response.close()


def _check_head(exchange: HttpExchange, response: "httpx.Response") -> None:
    if not exchange.received:
        # Left over from the answer before: this connection's answers no longer belong to its questions.
        raise exchange.cut()
    if sum(len(name) + len(value) + 3 for name, value in response.headers.raw) > MAX_HEAD:
        raise exchange.too_big()
    exchange.headed = True


def _body(exchange: HttpExchange, response: "httpx.Response") -> bytes:
    """The whole body, decoded."""
    length = response.headers.get("content-length")
    bodyless = response.request.method == "HEAD" or response.status_code in (204, 304)
    if length is not None and not bodyless and "transfer-encoding" not in response.headers:
        exchange.expected = int(length)
        if exchange.expected > MAX_BODY:
            raise exchange.too_big()
    coding = response.headers.get("content-encoding", "").lower()
    inflater = None if coding in ("", "identity") else _Inflater(exchange, coding)
    pieces: list[bytes] = []
    size = 0
    for raw in response.iter_raw():
        exchange.body += len(raw)
        piece = inflater.feed(raw, MAX_BODY + 1 - size) if inflater else raw
        size += len(piece)
        if max(size, exchange.body) > MAX_BODY:
            raise exchange.too_big()
        pieces.append(piece)
    if inflater:
        inflater.check_end()
    return b"".join(pieces)


def _elsewhere(old: "httpx.URL", new: "httpx.URL") -> bool:
    """Whether it is another's address; a server's own https is not."""
    same = (old.scheme, old.host, old.port) == (new.scheme, new.host, new.port)
    return not same and (old.scheme, old.port, new.scheme, new.port, old.host) != (
        "http",
        None,
        "https",
        None,
        new.host,
    )


def _malformed(exchange: HttpExchange, error: Exception) -> ProbeError:
    """What httpx could not read: cut off, too big, or not proper HTTP."""
    if exchange.lost:
        return exchange.cut()
    if exchange.received > MAX_HEAD and not exchange.headed:
        return exchange.too_big()
    exchange.lost = True  # of no more use
    return exchange.error(f"the answer is not proper HTTP: {str(error)[:120]}")


class _Inflater:
    """Decodes gzip and deflate, never giving more than asked for: a few kilobytes can hold gigabytes."""

    def __init__(self, exchange: HttpExchange, coding: str) -> None:
        if coding not in ("gzip", "x-gzip", "deflate"):
            raise exchange.error(f"the answer's content-encoding {coding[:40]!r} is not one that was asked for")
        self.exchange, self.coding = exchange, coding
        self.stream: zlib._Decompress | None = None

    def feed(self, data: bytes, room: int) -> bytes:
        """What `data` decodes to, at most `room` bytes (1 or more) of it."""
        import zlib

        pieces = []
        while data and room > 0:
            if self.stream is None or self.stream.eof:  # gzip may come in several members
                self.stream = zlib.decompressobj(self._window(data[0]))
            try:
                piece = self.stream.decompress(data, room)
            except zlib.error:
                raise self.exchange.error(f"the answer's {self.coding} is damaged") from None
            pieces.append(piece)
            room -= len(piece)
            data = self.stream.unused_data
        return b"".join(pieces)

    def check_end(self) -> None:
        """An end in the middle is not the end."""
        if self.stream is not None and not self.stream.eof:
            raise self.exchange.error(f"the answer's {self.coding} broke off")

    def _window(self, first: int) -> int:
        if self.coding != "deflate":
            return 31
        return 15 if first & 0x0F == 8 else -15  # some servers send deflate without the zlib header
