"""What both HTTP clients owe their callers: the same answers, the same errors in the same words, by the deadline."""

import contextlib
import os
import re
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator

import httpcore
import httpx
import pytest

from probes.kit import dial, http
from probes.kit.exchange import PIECE, Exchange
from probes.kit.net import Reply, Request
from probes.kit.pooled import Pool
from probes.kit.result import ProbeError, Unreachable, Unrouted
from tests.probes.kit.rawserver import RawServer, Refuser, Script, Talk, Unaccepting, answer, saying

Fetch = Callable[[Request, float], Reply]
Serve = Callable[..., RawServer]

DEADLINE, SLACK = 0.5, 3.0  # seconds; the slack is for a busy machine
assert httpx  # their import would come out of the first test's deadline
assert httpcore


@pytest.fixture(params=["cold", "pooled"])
def fetch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fetch]:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    if request.param == "cold":
        yield http.fetch
    else:
        pool = Pool()
        yield pool.fetch
        pool.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    with contextlib.ExitStack() as stack:

        def start(script: Script, host: str = "127.0.0.1") -> RawServer:
            server = RawServer(script, host)
            stack.callback(server.close)
            return server

        yield start


def ask(fetch: Fetch, url: str, seconds: float = 5.0, body: bytes | None = None, **headers: str) -> Reply:
    method = "GET" if body is None else "POST"
    request = Request(url, url.partition("?")[0], tuple(headers.items()), method=method, body=body or b"")
    return fetch(request, time.monotonic() + seconds)


def fault(fetch: Fetch, url: str, seconds: float = DEADLINE) -> tuple[type, str]:
    """The class of the error and its text after the request's name, times as X; it must come by the deadline."""
    began = time.monotonic()
    with pytest.raises(ProbeError) as caught:
        ask(fetch, f"{url}/status?secret=x", seconds)
    assert time.monotonic() - began < seconds + SLACK
    named, _, what = str(caught.value).partition("/status: ")
    assert named == f"GET {url}"
    return caught.type, re.sub(r"in [0-9.]+m?s\b", "in Xs", what)


# Answers


@pytest.mark.parametrize(
    ("pieces", "status", "body"),
    [
        ([answer(b'{"a": 1}')], 200, b'{"a": 1}'),
        ([b"HTTP/1.1 200 OK\r\nContent-Len", b"gth: 2\r\n\r", b"\n{", b"}"], 200, b"{}"),
        ([b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"], 200, b""),
        ([answer(b"short") + b"left over"], 200, b"short"),
        ([b"HTTP/1.0 200 OK\r\n\r\n", b"to the ", b"end"], 200, b"to the end"),
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], 204, b""),
        ([b"HTTP/1.1 304 Not Modified\r\nContent-Length: 12\r\n\r\n"], 304, b""),
        ([b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", answer()], 200, b"{}"),
        (
            [
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
                b"lo\r\n6;a=b\r\n world\r",
                b"\n0\r\n\r\n",
            ],
            200,
            b"hello world",
        ),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\nSum: 1\r\n\r\n"], 200, b"{}"),
        ([answer(b"<html>login</html>", "200 OK", "Content-Type: text/html")], 200, b"<html>login</html>"),
        ([answer(b"who are you?", "401 Unauthorized")], 401, b"who are you?"),
        ([answer(b"no such connector", "404 Not Found")], 404, b"no such connector"),
        ([answer(b"rebalancing", "409 Conflict")], 409, b"rebalancing"),
        ([answer(b"oops", "500 Internal Server Error")], 500, b"oops"),
        ([answer(b"try later", "503 Service Unavailable")], 503, b"try later"),
    ],
)
def test_any_status_is_a_reply(fetch: Fetch, serve: Serve, pieces: list[bytes], status: int, body: bytes) -> None:
    reply = ask(fetch, serve(saying(*pieces)).url)
    assert (reply.status, reply.body) == (status, body)


def test_header_names_are_lower_case_and_repeated_ones_are_joined(fetch: Fetch, serve: Serve) -> None:
    reply = ask(fetch, serve(saying(answer(b"", "200 OK", "X-One: a", "Empty:", "x-one:  b "))).url)
    assert reply.headers == {"x-one": "a, b", "empty": "", "content-length": "0"}


def test_the_request_carries_its_headers_and_query(fetch: Fetch, serve: Serve) -> None:
    server = serve(saying(answer()))
    ask(fetch, f"{server.url}/a%20b/c?match[]=up&x=1", authorization="Bearer t0ken")
    head = server.requests[0].decode().lower().split("\r\n")
    assert head[0] == "get /a%20b/c?match[]=up&x=1 http/1.1"
    assert {"authorization: bearer t0ken", f"host: 127.0.0.1:{server.port}", "user-agent: stetho"} <= set(head)


def test_a_post_carries_its_body(fetch: Fetch, serve: Serve) -> None:
    server = serve(saying(answer()))
    assert ask(fetch, server.url, body=b"query=up").body == b"{}"
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert (head[:15], body) == (b"POST / HTTP/1.1", b"query=up")


def test_an_answer_given_before_the_request_was_read_counts(fetch: Fetch, serve: Serve) -> None:
    def refuse_early(talk: Talk) -> None:
        talk.sock.recv(100)
        talk.say(answer(b"too long", "413 Content Too Large"))
        talk.finish()

    assert ask(fetch, serve(refuse_early).url, body=b"x" * 5_000_000).status == 413


def test_ipv6_literals_are_asked(fetch: Fetch, serve: Serve) -> None:
    if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"):
        pytest.skip("this machine has no IPv6")
    server = serve(saying(answer()), "::1")
    assert ask(fetch, server.url).body == b"{}"
    assert f"[::1]:{server.port}".encode() in server.requests[0]


def test_every_address_of_a_name_is_tried(fetch: Fetch, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server, refuser, full = serve(saying(answer())), Refuser(), Unaccepting()
    places = [("127.0.0.1", place.port) for place in (refuser, full, server)]
    monkeypatch.setattr(dial, "resolve", lambda host, port: [(socket.AF_INET, 1, 6, "", place) for place in places])
    try:
        assert ask(fetch, "http://kafka-connect:8083", seconds=2).body == b"{}"
    finally:
        refuser.close()
        full.close()


# Nobody answers: Unreachable


def test_a_refused_connection_is_unreachable(fetch: Fetch) -> None:
    refuser = Refuser()
    assert fault(fetch, refuser.url) == (Unreachable, "connection refused")
    refuser.close()


def test_a_connection_that_is_never_accepted_is_unreachable(fetch: Fetch) -> None:
    full = Unaccepting()
    assert fault(fetch, full.url) == (Unreachable, "not a byte in Xs")
    full.close()


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (lambda talk: (talk.hear(), talk.hang()), "not a byte in Xs"),
        (lambda talk: (talk.hear(), talk.reset()), "connection reset before a byte came"),
        (lambda talk: (talk.hear(), talk.finish()), "connection closed before a byte came"),
    ],
    ids=["silence", "reset", "close"],
)
def test_a_server_that_says_not_a_byte_is_unreachable(fetch: Fetch, serve: Serve, script: Script, text: str) -> None:
    assert fault(fetch, serve(script).url) == (Unreachable, text)


# Somebody answers, but not with something of use: ProbeError


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b"H", "in its headers"),
        (b"HTTP/1.1 200 OK\r\nContent-", "in its headers"),
        (HEAD, "after 0 of 300 bytes"),
        (HEAD + b"twelve bytes", "after 12 of 300 bytes"),
        (CHUNKED + b"c\r\ntwelve ", "after 7 bytes"),
        (CHUNKED + b"c\r\ntwelve bytes", "after 12 bytes"),
        (CHUNKED + b"c\r\ntwelve bytes\r\n0\r\n", "after 12 bytes"),
    ],
)
def test_an_answer_that_breaks_off_is_a_probe_error(fetch: Fetch, serve: Serve, sent: bytes, text: str) -> None:
    assert fault(fetch, serve(saying(sent)).url) == (ProbeError, f"the answer broke off {text}")


def test_an_answer_cut_by_a_reset_is_a_probe_error(fetch: Fetch, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    sent, arrived = HEAD + b"twelve bytes", threading.Event()

    def receive(exchange: Exchange, sock: socket.socket, size: int = PIECE) -> bytes:
        data = heard(exchange, sock, size)
        if exchange.received == len(sent):
            arrived.set()
        return data

    heard = Exchange.receive
    monkeypatch.setattr(Exchange, "receive", receive)

    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(sent)
        arrived.wait(10)  # a reset discards what the client has not yet read
        talk.reset()

    text = "the answer broke off after 12 of 300 bytes"
    assert fault(fetch, serve(script).url, seconds=5) == (ProbeError, text)


@pytest.mark.parametrize(
    ("begun", "text"),
    [
        (b"HTTP/1.1 200 OK\r\n", "its headers"),
        (HEAD + b"twelve bytes", "12 of 300 bytes"),
        (CHUNKED + b"c\r\ntwelve bytes\r\n", "12 bytes"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "its headers"),
    ],
)
def test_an_answer_unfinished_at_the_deadline_is_a_probe_error(
    fetch: Fetch, serve: Serve, begun: bytes, text: str
) -> None:
    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(begun)
        talk.hang()

    assert fault(fetch, serve(script).url) == (ProbeError, f"the answer was not complete in Xs ({text})")


@pytest.mark.parametrize(
    ("start", "rest"),
    [(b"HTTP/1.1 200 OK\r\n", b"X-Y: " + b"x" * 300), (HEAD, b"x" * 300), (CHUNKED, b"1\r\nx\r\n" * 99)],
    ids=["headers", "body", "chunks"],
)
def test_a_drip_ends_at_the_deadline(fetch: Fetch, serve: Serve, start: bytes, rest: bytes) -> None:
    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(start)
        talk.drip(rest)

    kind, text = fault(fetch, serve(script).url)
    assert (kind, text[:35]) == (ProbeError, "the answer was not complete in Xs (")


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the answer is not HTTP: 'SSH-2.0-OpenSSH_9.2\\r\\n'"),
        (b"<html>no head</html>", "the answer is not HTTP: '<html>no head</html>'"),
        (b"\r\n\r\n", "the answer is not HTTP: '\\r\\n\\r\\n'"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "it speaks TLS, not HTTP; try https://"),
    ],
)
def test_what_is_not_http_at_all_is_a_probe_error(fetch: Fetch, serve: Serve, sent: bytes, text: str) -> None:
    assert fault(fetch, serve(saying(sent)).url) == (ProbeError, text)


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 314572800\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", CHUNKED + b"12C00000\r\n"],
    ids=["length", "until close", "chunked"],
)
def test_300_mb_are_refused(fetch: Fetch, serve: Serve, head: bytes) -> None:
    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(head)
        for _ in range(300):
            talk.say(bytes(1 << 20))

    assert fault(fetch, serve(script).url, seconds=20) == (ProbeError, "the answer is over 32 MiB")


def test_huge_headers_are_refused(fetch: Fetch, serve: Serve) -> None:
    server = serve(saying(answer(b"", "200 OK", *(f"X-{number}: {'x' * 1000}" for number in range(500)))))
    assert fault(fetch, server.url, seconds=5) == (ProbeError, "the answer's headers are over 64 KiB")


# Our own trouble: ProbeError


def test_an_unknown_host_is_a_probe_error(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: bytes, port: int) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(dial, "resolve", resolve)
    assert fault(fetch, "http://kafka-conect:8083") == (Unrouted, "no such host 'kafka-conect'")


def test_a_resolver_in_trouble_is_a_probe_error(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: bytes, port: int) -> list[object]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(dial, "resolve", resolve)
    text = "cannot resolve 'connect': temporary failure in name resolution"
    assert fault(fetch, "http://connect:8083") == (Unrouted, text)


def test_a_resolver_that_hangs_ends_at_the_deadline(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def resolve(host: bytes, port: int) -> list[object]:
        ended.wait(30)
        return []

    monkeypatch.setattr(dial, "resolve", resolve)
    assert fault(fetch, "http://connect:8083") == (Unrouted, "the name 'connect' was not resolved in time")
    ended.set()


def test_no_route_is_a_probe_error(fetch: Fetch) -> None:
    with socket.socket() as sock, pytest.raises(OSError, match=r"unreachable|route|denied") as caught:
        sock.connect(("255.255.255.255", 9))  # nobody can route a stream to everybody
    assert fault(fetch, "http://255.255.255.255:9") == (Unrouted, str(caught.value.strerror).lower())


def test_a_refusal_says_more_than_a_family_that_is_not_routed(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    refuser = Refuser()
    places = [(socket.AF_INET, 1, 6, "", ("127.0.0.1", refuser.port)), (12345, 1, 6, "", ("::1", 80))]
    for order in (places, places[::-1]):
        monkeypatch.setattr(dial, "resolve", lambda host, port, order=order: order)
        assert fault(fetch, "http://connect:8083") == (Unreachable, "connection refused")
    refuser.close()


def test_no_file_descriptors_left_is_a_probe_error(fetch: Fetch, serve: Serve) -> None:
    server = serve(saying(answer()))
    ask(fetch, server.url)  # httpx's own files are loaded by now
    refuser, held = Refuser(), []
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, limits[1]), limits[1]))
    try:
        with contextlib.suppress(OSError):
            while True:
                held.append(os.dup(0))
        found = fault(fetch, refuser.url)
    finally:
        for number in held:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        refuser.close()
    assert found == (ProbeError, "too many open files")


def test_no_time_left_is_a_probe_error(fetch: Fetch) -> None:
    refuser = Refuser()
    assert fault(fetch, refuser.url, seconds=-1) == (ProbeError, "no time left to ask")
    refuser.close()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/a\r\nX: y", "http://127.0.0.1:1/a\x00", "http://127.0.0.1:1/\n"])
def test_a_url_with_a_line_break_is_refused(fetch: Fetch, url: str) -> None:
    with pytest.raises(ProbeError, match="line break or control character"):
        ask(fetch, url)


@pytest.mark.parametrize("value", ["Bearer s3cret\r\nX: y", "Bearer s3cret\n", "Bearer s3cret\u00e9", " s3cret"])
def test_a_header_with_a_line_break_is_refused_and_not_shown(fetch: Fetch, value: str) -> None:
    with pytest.raises(ProbeError, match="header 'authorization' is not plain ASCII") as caught:
        ask(fetch, "http://127.0.0.1:1/", authorization=value)
    assert "s3cret" not in str(caught.value)
