"""What both HTTP clients owe their callers: the same answers, the same errors in the same words, by the deadline."""

import contextlib
import os
import re
import resource
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpcore
import httpx
import pytest

from probes.kit import dial, http
from probes.kit.exchange import PIECE, Exchange
from probes.kit.faults import HttpExchange
from probes.kit.net import SYSTEM_TRUST, Reply, Request, Trust
from probes.kit.pooled import Pool
from probes.kit.result import ProbeError, Unreachable, Unrouted
from tests.probes.kit.rawserver import RawServer, Refuser, Script, Serve, Talk, Tls, Unaccepting, answer, saying

Fetch = Callable[[Request, float], Reply]

DEADLINE, SLACK = 0.5, 3.0  # seconds; the slack is for a busy machine
AMPLE = 10.0  # for what ends by itself, however busy the machine
assert httpx  # their import would come out of the first test's deadline
assert httpcore


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return Tls(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=["http", "https"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["cold", "pooled"])
def fetch(request: pytest.FixtureRequest, tls: Tls) -> Iterator[Fetch]:
    """A client; to https it goes with the authority of our servers."""
    pool = Pool()
    client = http.fetch if request.param == "cold" else pool.fetch

    def trusting(request: Request, end: float) -> Reply:
        if request.trust is SYSTEM_TRUST:
            request.trust = Trust(tls.ca_file)
        return client(request, end)

    yield trusting
    pool.close()


@pytest.fixture
def serve(scheme: str, serve: Serve, tls: Tls) -> Serve:
    """Servers that speak the scheme."""

    def start(script: Script, host: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> RawServer:
        return serve(script, host, (context or tls.server) if scheme == "https" else None)

    return start


def ask(fetch: Fetch, url: str, seconds: float = 5.0, body: bytes | None = None, **headers: str) -> Reply:
    method = "GET" if body is None else "POST"
    request = Request(url, url.partition("?")[0], tuple(headers.items()), method=method, body=body or b"")
    return fetch(request, time.monotonic() + seconds)


def fault(fetch: Fetch, url: str, seconds: float = AMPLE) -> tuple[type, str]:
    """The class of the error and its text after the request's name, times as X; it must come by the deadline."""
    began = time.monotonic()
    with pytest.raises(ProbeError) as caught:
        ask(fetch, f"{url}/status?secret=x", seconds)
    assert time.monotonic() - began < seconds + SLACK
    named, _, what = str(caught.value).partition("/status: ")
    assert named == f"GET {url}"
    return caught.type, re.sub(r"in [0-9.]+m?s\b", "in Xs", what)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deadline comes soon after the first bytes of an answer, however late a busy machine brings them."""
    arrived = HttpExchange.arrived

    def first(exchange: HttpExchange, data: bytes) -> None:
        if not exchange.received:
            exchange.end = time.monotonic() + DEADLINE
        arrived(exchange, data)

    monkeypatch.setattr(HttpExchange, "arrived", first)


HURRIED = pytest.mark.usefixtures("hurried")


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


KEPT = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n"


@pytest.mark.parametrize("then", [Talk.hang, Talk.finish], ids=["and never closes", "and closes"])
@pytest.mark.parametrize(
    "sent",
    [
        KEPT + b"Content-Length: 2\r\n\r\n{}",
        KEPT + b"Keep-Alive: timeout=60\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        KEPT.replace(b"1.1", b"1.0") + b"Content-Length: 2\r\n\r\n{}",
        KEPT.replace(b"keep-alive", b"close") + b"Content-Length: 2\r\n\r\n{}",
        KEPT.replace(b"200 OK", b"204 No Content") + b"\r\n",
    ],
    ids=["length", "chunked", "HTTP/1.0", "close", "no body"],
)
def test_an_answer_ends_where_it_says_whatever_its_connection_does(
    fetch: Fetch, serve: Serve, sent: bytes, then: Script
) -> None:
    def script(talk: Talk) -> None:
        while talk.hear():
            talk.say(sent)
            if then is Talk.finish:
                talk.finish()
                break

    server = serve(script)
    for _ in range(2):
        assert ask(fetch, server.url, seconds=20).body == (b"" if b"204" in sent else b"{}")
    assert len(server.requests) == 2


def test_an_answer_without_a_length_ends_with_its_connection_whatever_it_says(fetch: Fetch, serve: Serve) -> None:
    assert ask(fetch, serve(saying(KEPT + b"\r\n{}")).url).body == b"{}"


@HURRIED
def test_an_answer_without_a_length_that_never_ends_is_a_probe_error(fetch: Fetch, serve: Serve) -> None:
    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(KEPT + b"\r\n{}")
        talk.hang()

    assert fault(fetch, serve(script).url) == (ProbeError, "the answer was not complete in Xs (2 bytes)")


def test_header_names_are_lower_case_and_repeated_ones_are_joined(fetch: Fetch, serve: Serve) -> None:
    reply = ask(fetch, serve(saying(answer(b"", "200 OK", "X-One: a", "Empty:", "x-one:  b "))).url)
    assert reply.headers == {"x-one": "a, b", "empty": "", "content-length": "0"}


@pytest.mark.parametrize(
    ("head", "headers"),
    [
        (b"X.Y!: a", {"x.y!": "a"}),
        (b"X:\ta\tb\t ", {"x": "a\tb"}),
        ("X: caf\u00e9".encode(), {"x": "caf\u00e9"}),
        (b"X: caf\xe9", {"x": "caf\u00e9"}),
        (b"X: \xc3\xa9\r\nY: \xe9", {"x": "\u00c3\u00a9", "y": "\u00e9"}),  # one encoding for all
        (b"Content-Length: 2", {}),
    ],
)
def test_headers_of_an_unusual_form_are_taken(fetch: Fetch, serve: Serve, head: bytes, headers: dict[str, str]) -> None:
    server = serve(saying(b"HTTP/1.1 200 Tr\xc3\xa8s bien\r\nContent-Length: 2\r\n" + head + b"\r\n\r\n{}"))
    reply = ask(fetch, server.url)
    assert (reply.headers, reply.body) == ({"content-length": "2", **headers}, b"{}")


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


def test_every_address_of_a_name_is_tried(
    fetch: Fetch, serve: Serve, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, refuser, full = serve(saying(answer())), Refuser(), Unaccepting()
    ports = [refuser.port, full.port, *[server.port] * 9]  # the full one has a tenth of the time
    places = [("127.0.0.1", port) for port in ports]
    monkeypatch.setattr(dial, "resolve", lambda host, port: [(socket.AF_INET, 1, 6, "", place) for place in places])
    try:
        assert ask(fetch, f"{scheme}://localhost:8083", seconds=AMPLE).body == b"{}"
    finally:
        refuser.close()
        full.close()


# Nobody answers: Unreachable


def test_a_refused_connection_is_unreachable(fetch: Fetch, scheme: str) -> None:
    refuser = Refuser()
    assert fault(fetch, f"{scheme}://127.0.0.1:{refuser.port}") == (Unreachable, "connection refused")
    refuser.close()


def test_a_connection_that_is_never_accepted_is_unreachable(fetch: Fetch, scheme: str) -> None:
    full = Unaccepting()
    assert fault(fetch, f"{scheme}://127.0.0.1:{full.port}", DEADLINE) == (Unreachable, "not a byte in Xs")
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
def test_a_server_that_says_not_a_byte_is_unreachable(
    fetch: Fetch, serve: Serve, scheme: str, script: Script, text: str
) -> None:
    kind, said = fault(fetch, serve(script).url, DEADLINE if text.startswith("not a byte") else AMPLE)
    if scheme == "https":  # of a reset beneath TLS, Python up to 3.12.2 says that it is an end (gh-115627)
        said, text = said.replace("reset", "closed"), text.replace("reset", "closed")
    assert (kind, said) == (Unreachable, text)


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
@HURRIED
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
@HURRIED
def test_a_drip_ends_at_the_deadline(fetch: Fetch, serve: Serve, start: bytes, rest: bytes) -> None:
    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(start)
        talk.drip(rest, 0.2)

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


# Our own trouble: ProbeError


def test_an_unknown_host_is_a_probe_error(fetch: Fetch, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: bytes, port: int) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(dial, "resolve", resolve)
    assert fault(fetch, f"{scheme}://kafka-conect:8083") == (Unrouted, "no such host 'kafka-conect'")


def test_a_resolver_in_trouble_is_a_probe_error(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: bytes, port: int) -> list[object]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(dial, "resolve", resolve)
    text = "cannot resolve 'connect': temporary failure in name resolution"
    assert fault(fetch, "http://connect:8083") == (Unrouted, text)


def test_a_resolver_that_hangs_ends_at_the_deadline(fetch: Fetch, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def resolve(host: bytes, port: int) -> list[object]:
        ended.wait(30)
        return []

    monkeypatch.setattr(dial, "resolve", resolve)
    said = fault(fetch, f"{scheme}://connect:8083", DEADLINE)
    assert said == (Unrouted, "the name 'connect' was not resolved in time")
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


def test_no_file_descriptors_left_is_a_probe_error(fetch: Fetch) -> None:
    refuser, held = Refuser(), []
    fault(fetch, refuser.url)  # httpx's own files are loaded by now; of a server, a thread could close one meanwhile
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


def test_no_time_left_is_a_probe_error(fetch: Fetch, scheme: str) -> None:
    refuser = Refuser()
    assert fault(fetch, f"{scheme}://127.0.0.1:{refuser.port}", seconds=-1) == (ProbeError, "no time left to ask")
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


# TLS


HTTPS = pytest.mark.parametrize("scheme", ["https"])


@pytest.fixture
def misnamed(tls: Tls) -> ssl.SSLContext:
    return tls.serving("elsewhere.example")


def trusting(fetch: Fetch, url: str, trust: Trust, seconds: float = 5.0) -> Reply:
    return fetch(Request(f"{url}/status", f"{url}/status", trust=trust), time.monotonic() + seconds)


@HTTPS
def test_a_certificate_of_the_hosts_name_is_good(
    fetch: Fetch, serve: Serve, tls: Tls, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(saying(answer()), context=tls.serving("connect.kafka.svc"))
    monkeypatch.setattr(dial, "resolve", lambda host, port: [(socket.AF_INET, 1, 6, "", ("127.0.0.1", server.port))])
    assert ask(fetch, "https://Connect.kafka.svc/").body == b"{}"
    assert ask(fetch, "https://connect.kafka.svc./").body == b"{}"
    assert [b"host: connect.kafka.svc\r\n" in server.requests[0].lower(), len(server.requests)] == [True, 2]


@HTTPS
def test_a_server_sees_the_name_it_is_asked_by_and_http_1(fetch: Fetch, serve: Serve, tls: Tls) -> None:
    names, context = [], tls.serving("localhost")
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.sni_callback = lambda sock, name, _: names.append(name)

    def script(talk: Talk) -> None:
        assert isinstance(talk.sock, ssl.SSLSocket)
        talk.hear()
        talk.say(answer(str(talk.sock.selected_alpn_protocol()).encode()))
        talk.finish()

    assert ask(fetch, f"https://localhost:{serve(script, context=context).port}").body == b"http/1.1"
    assert names == ["localhost"]


@HTTPS
def test_a_certificate_of_another_name_is_a_probe_error(fetch: Fetch, serve: Serve, misnamed: ssl.SSLContext) -> None:
    server = serve(saying(answer()), context=misnamed)
    text = "certificate verify failed: IP address mismatch, certificate is not valid for '127.0.0.1'"
    assert fault(fetch, server.url) == (ProbeError, text)
    kind, text = fault(fetch, server.url.replace("127.0.0.1", "localhost"))
    assert (kind, text[:45]) == (ProbeError, "certificate verify failed: Hostname mismatch,")


@HTTPS
def test_a_certificate_of_a_stranger_is_a_probe_error(fetch: Fetch, serve: Serve, tmp_path: Path) -> None:
    kind, text = fault(fetch, serve(saying(answer()), context=Tls(tmp_path).server).url)
    assert (kind, text[:27]) == (ProbeError, "certificate verify failed: ")
    assert text[27:] in ("unable to get local issuer certificate", "self-signed certificate in certificate chain")


@HTTPS
def test_who_trusts_only_the_system_is_told_of_the_ca_file(serve: Serve, misnamed: ssl.SSLContext) -> None:
    """The cold client leaves the system's trust to httpx."""
    with contextlib.closing(Pool()) as pool, pytest.raises(ProbeError) as caught:
        trusting(pool.fetch, serve(saying(answer())).url, Trust())
    assert re.search(r": certificate verify failed: [a-z -]+; give --ca-file$", str(caught.value))


@HTTPS
def test_a_server_that_wants_a_client_certificate_sees_it(fetch: Fetch, serve: Serve, tls: Tls) -> None:
    server = serve(saying(answer(b"known")), context=tls.asking_who("127.0.0.1"))
    assert trusting(fetch, server.url, Trust(tls.ca_file, *tls.client())).body == b"known"


@HTTPS
def test_a_server_that_wants_a_client_certificate_and_gets_none_says_so(fetch: Fetch, serve: Serve, tls: Tls) -> None:
    old = tls.asking_who("127.0.0.1")
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    text = "the TLS handshake failed: sslv3 alert handshake failure"
    assert fault(fetch, serve(saying(answer()), context=old).url) == (ProbeError, text)


@HTTPS
@pytest.mark.parametrize("content", [None, "", "no certificate"], ids=["missing", "empty", "nonsense"])
def test_a_ca_file_of_no_use_is_a_probe_error(fetch: Fetch, scheme: str, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ProbeError, match=f": cannot read the CA file {path}: [a-zPEM ]+$") as caught:
        trusting(fetch, "https://127.0.0.1:1", Trust(str(path)))  # where nobody listens, but we have not yet asked
    assert caught.type is ProbeError


@HTTPS
def test_a_client_certificate_of_no_use_is_a_probe_error(fetch: Fetch, scheme: str, tls: Tls) -> None:
    text = f": cannot use the client certificate {tls.client()[0]} with the key /gone.key: no such file or directory$"
    with pytest.raises(ProbeError, match=text) as caught:
        trusting(fetch, "https://127.0.0.1:1", Trust(tls.ca_file, tls.client()[0], "/gone.key"))
    assert caught.type is ProbeError


def test_a_server_that_hangs_up_on_whom_speaks_no_tls_is_not_dead(fetch: Fetch, tls: Tls) -> None:
    with contextlib.closing(RawServer(Talk.hang, tls=tls.server)) as server:
        url = server.url.replace("https:", "http:")
        assert fault(fetch, url) == (ProbeError, "it speaks TLS, not HTTP; try https://")


@pytest.mark.parametrize(
    ("script", "how"),
    [
        (lambda talk: (talk.sock.recv(9999), talk.finish()), "closed"),
        (lambda talk: (talk.sock.recv(1), talk.reset()), "reset"),
        (lambda talk: (talk.sock.recv(9999), talk.reset()) if talk.server.connections < 2 else talk.hang(), "reset"),
    ],
    ids=["close", "reset", "silence then"],
)
def test_one_that_hangs_up_on_tls_too_is(fetch: Fetch, script: Script, how: str) -> None:
    with contextlib.closing(RawServer(script)) as server:
        assert fault(fetch, server.url, 1.0) == (Unreachable, f"connection {how} before a byte came")
        assert server.connections == 2


@HTTPS
@pytest.mark.parametrize(
    ("script", "kind", "text"),
    [
        (Talk.hang, Unreachable, "not a byte in Xs"),
        (lambda talk: (talk.sock.recv(9999), talk.finish()), Unreachable, "connection closed before a byte came"),
        (lambda talk: (talk.sock.recv(1), talk.reset()), Unreachable, "connection reset before a byte came"),
        (
            lambda talk: (talk.sock.recv(9999), talk.say(answer(b"plain")), talk.finish()),
            ProbeError,
            "it speaks HTTP, not TLS; try http://",
        ),
        (
            lambda talk: (talk.sock.recv(9999), talk.say(b"220 smtp\r\n"), talk.finish()),
            ProbeError,
            "the TLS handshake failed: wrong version number",
        ),
        (
            lambda talk: (talk.sock.recv(9999), talk.drip(b"\x16\x03\x03", 0.2), talk.hang()),
            ProbeError,
            "the TLS handshake was not complete in time",
        ),
        (
            lambda talk: (talk.say(b"\x16\x03\x03\x40\x00\x02\x00\x3f\x00"), talk.drip(bytes(9999))),
            ProbeError,
            "the TLS handshake was not complete in time",
        ),
    ],
    ids=["silence", "close", "reset", "plain http", "not TLS", "unfinished", "drip"],
)
def test_a_handshake_ends_by_the_deadline(fetch: Fetch, scheme: str, script: Script, kind: type, text: str) -> None:
    seconds = {"not a byte in Xs": DEADLINE, "the TLS handshake was not complete in time": 2.0}.get(text, AMPLE)
    with contextlib.closing(RawServer(script)) as server:
        assert fault(fetch, server.url.replace("http:", "https:"), seconds) == (kind, text)


@HTTPS
def test_a_host_name_that_tls_cannot_use_is_a_probe_error(
    fetch: Fetch, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, name = serve(saying(answer())), f"{'x' * 70}.example"
    monkeypatch.setattr(dial, "resolve", lambda host, port: [(socket.AF_INET, 1, 6, "", ("127.0.0.1", server.port))])
    text = f"the TLS handshake failed: {name!r} is no host name"
    assert fault(fetch, f"https://{name}") == (ProbeError, text)


@HTTPS
@pytest.mark.parametrize(
    ("sent", "kind", "text"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\nhalf of the metr", ProbeError, "the answer broke off after 16 bytes"),
        (b"HTTP/1.0 200", ProbeError, "the answer broke off in its headers"),
        (b"", Unreachable, "connection closed before a byte came"),
    ],
)
def test_an_answer_over_tls_must_be_ended_by_tls_itself(
    fetch: Fetch, serve: Serve, sent: bytes, kind: type, text: str
) -> None:
    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(sent)
        talk.drop()

    assert fault(fetch, serve(script).url) == (kind, text)
