"""The full HTTP client: what only it can do, under the same deadline and with the same errors."""

import contextlib
import errno
import gzip
import logging
import os
import re
import socket
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpcore
import httpx
import pytest

from probes.kit import pooled
from probes.kit.net import Reply, Request, Trust
from probes.kit.pooled import Pool
from probes.kit.result import ProbeError, Unreachable
from probes.kit.wire import CONNECTIONS, Backend
from tests.probes.kit.rawserver import Refuser, Script, Serve, Talk, Tls, answer, saying

Ask = Callable[..., Reply]

SLACK = 3.0  # seconds, for a busy machine
assert httpcore  # what httpx imports late would come out of the first test's deadline


@pytest.fixture
def ask() -> Iterator[Ask]:
    pool = Pool()

    def fetch(
        url: str, seconds: float = 5.0, *, method: str = "GET", ca_file: str | None = None, **headers: str
    ) -> Reply:
        request = Request(url, "http://shown", tuple(headers.items()), method=method, trust=Trust(ca_file))
        return pool.fetch(request, time.monotonic() + seconds)

    yield fetch
    pool.close()


def fault(ask: Ask, url: str, seconds: float = 5.0, **more: str) -> tuple[type, str]:
    """The class of the error and its text after the request's name, times as X; it must come by the deadline."""
    began = time.monotonic()
    with pytest.raises(ProbeError) as caught:
        ask(url, seconds, **more)
    assert time.monotonic() - began < seconds + SLACK
    return caught.type, re.sub(r"in [0-9.]+m?s\b", "in Xs", str(caught.value).partition("http://shown: ")[2])


def steady(*answers: bytes) -> Script:
    """A server that keeps its connections: the answers in turn, the last one for ever."""
    left = list(answers)

    def script(talk: Talk) -> None:
        while talk.hear():
            talk.say(left.pop(0) if len(left) > 1 else left[0])

    return script


# Connections


def test_a_connection_is_kept_for_the_next_question(serve: Serve, ask: Ask) -> None:
    server = serve(steady(answer(b"1"), answer(b"2")))
    assert [ask(server.url).body, ask(f"{server.url}/x").body] == [b"1", b"2"]
    assert server.connections == 1


def closing_after_one(closed: Callable[[Talk], None]) -> Script:
    """A server that answers once on each connection, and ends it when it is asked again."""

    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(answer(b"%d" % talk.server.connections))
        talk.hear()
        closed(talk)

    return script


@pytest.mark.parametrize("closed", [Talk.finish, Talk.reset])
def test_a_kept_connection_closed_on_reuse_is_asked_afresh(
    serve: Serve, ask: Ask, closed: Callable[[Talk], None]
) -> None:
    server = serve(closing_after_one(closed))
    assert [ask(server.url).body, ask(server.url).body] == [b"1", b"2"]
    assert len(server.requests) == 3


def test_a_post_is_not_sent_twice_and_its_server_not_called_dead(serve: Serve, ask: Ask) -> None:
    server = serve(closing_after_one(Talk.finish))
    ask(server.url, method="POST")
    assert fault(ask, server.url, method="POST") == (ProbeError, "connection closed before a byte came")
    assert len(server.requests) == 2


def test_a_server_that_went_silent_after_a_good_answer_is_unreachable(serve: Serve, ask: Ask) -> None:
    server = serve(closing_after_one(Talk.hang))
    ask(server.url)
    assert fault(ask, server.url, 0.5) == (Unreachable, "not a byte in Xs")


def test_bytes_left_over_never_answer_the_next_question(serve: Serve, ask: Ask) -> None:
    server = serve(steady(answer(b"true") + answer(b"left over")))
    assert [ask(server.url).body for _ in range(3)] == [b"true"] * 3


def test_many_threads_share_a_few_connections(serve: Serve, ask: Ask) -> None:
    server = serve(steady(answer(b"x")))
    with ThreadPoolExecutor(30) as threads:
        replies = list(threads.map(lambda _: ask(server.url).body, range(300)))
    assert replies == [b"x"] * 300
    assert server.connections <= CONNECTIONS


def test_waiting_for_a_busy_connection_is_our_own_trouble(serve: Serve, ask: Ask) -> None:
    busy, over = threading.Semaphore(0), threading.Event()

    def script(talk: Talk) -> None:
        talk.hear()
        busy.release()
        over.wait(20)
        talk.finish()

    server = serve(script)
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        hung = [threads.submit(fault, ask, server.url, 20.0) for _ in range(CONNECTIONS)]
        for _ in range(CONNECTIONS):
            assert busy.acquire(timeout=10)
        kind, text = fault(ask, server.url, 0.3)
        assert (kind, text) == (ProbeError, "no time left to ask: all 10 connections to it are waiting")
        over.set()
        assert {future.result()[0] for future in hung} == {Unreachable}


def test_threads_do_not_close_each_others_connections(serve: Serve, ask: Ask) -> None:
    def script(talk: Talk) -> None:  # the server often closes a kept connection
        for _ in range(3):
            if talk.hear():
                talk.say(answer(b"x"))
        talk.finish()

    url = serve(script).url
    with ThreadPoolExecutor(30) as threads:
        assert list(threads.map(lambda _: ask(url, 20).body, range(600))) == [b"x"] * 600


@pytest.mark.parametrize("proxy", ["", "http://127.0.0.1:1"])
def test_a_client_has_one_transport_and_that_our_backend(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    pool = Pool()
    with contextlib.suppress(ProbeError):
        pool.fetch(Request("http://127.0.0.1:1/", ""), time.monotonic() + 5)
    ((client, _),) = pool._clients.values()
    assert not client._mounts
    assert isinstance(client._transport, httpx.HTTPTransport)
    assert isinstance(client._transport._pool, httpcore.HTTPProxy if proxy else httpcore.ConnectionPool)
    assert isinstance(client._transport._pool._network_backend, Backend)
    pool.close()


def test_an_answers_cookies_go_to_nobody(serve: Serve, ask: Ask) -> None:
    server = serve(steady(answer(b"", "200 OK", "Set-Cookie: session=1; Path=/")))
    ask(server.url)
    ask(server.url)
    assert b"cookie" not in server.requests[1].lower()


# Logins


def test_a_login_in_the_address_is_sent_and_never_logged(
    serve: Serve, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(steady(answer()))
    with caplog.at_level(logging.DEBUG):
        ask(server.url.replace("//", "//user:s3cret@") + "/?token=t0ken")
    assert b"authorization: basic dxnlcjpzm2nyzxq=" in server.requests[0].lower()
    assert "s3cret" not in caplog.text
    assert "t0ken" not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "http://user:s3cret@[bad/",
        "http://user:s3cret@127.0.0.1:70000/",
        "http://user:s3cret@h:port/",
        "http://user:s3cret@xn--a/",
        "http://user:s3cret@127.0.0.01/",
        "http://\u2603.\u0000/",
    ],
)
def test_an_address_that_cannot_be_asked_is_refused_without_showing_it(ask: Ask, url: str) -> None:
    with pytest.raises(ProbeError) as caught:
        ask(url)
    assert "s3cret" not in str(caught.value)


# Redirects


def test_a_redirect_of_a_get_is_followed(serve: Serve, ask: Ask) -> None:
    server = serve(steady(answer(b"", "301 Moved Permanently", "Location: /new"), answer(b"new")))
    assert ask(server.url, authorization="Bearer x").body == b"new"
    assert server.requests[1].startswith(b"GET /new ")
    assert b"Bearer x" in server.requests[1]


def test_a_reply_names_the_redirect_and_the_proxy_that_led_to_it(
    serve: Serve, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = serve(steady(answer(b"<html>Sign in")))
    server = serve(steady(answer(b"", "302 Found", f"Location: {login.url}/login?next=s3cret"), answer(b"{}")))
    assert ask(server.url).way == f"redirected to {login.url}/login"
    assert ask(server.url).way == ""
    proxy = serve(steady(answer(b"denied", "403 Forbidden")))
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    assert [ask("http://connect:8083").way for _ in range(2)] == [f"through the proxy 127.0.0.1:{proxy.port}"] * 2


def test_a_login_does_not_follow_to_another_origin(serve: Serve, ask: Ask) -> None:
    other = serve(steady(answer(b"other")))
    server = serve(steady(answer(b"", "302 Found", f"Location: {other.url}/x")))
    assert ask(server.url.replace("//", "//user:s3cret@")).body == b"other"
    assert ask(server.url, authorization="Bearer s3cret").body == b"other"
    assert b"Basic" in server.requests[0]
    assert b"Bearer" in server.requests[1]
    assert not any(b"authorization" in request.lower() for request in other.requests)


def test_a_redirect_of_a_post_is_the_reply(serve: Serve, ask: Ask) -> None:
    server = serve(steady(answer(b"", "302 Found", "Location: /login")))
    assert ask(server.url, method="POST").status == 302


def test_redirects_without_end_are_a_probe_error(serve: Serve, ask: Ask) -> None:
    server = serve(steady(answer(b"", "302 Found", "Location: /again")))
    assert fault(ask, server.url) == (
        ProbeError,
        f"redirected more than 5 times, at last to {server.url}/again",
    )
    assert len(server.requests) == 6


def test_a_refusal_behind_a_redirect_does_not_make_the_server_unreachable(serve: Serve, ask: Ask) -> None:
    refuser = Refuser()
    server = serve(steady(answer(b"", "302 Found", f"Location: {refuser.url.replace('//', '//u:s3cret@')}/x?s3cret")))
    assert fault(ask, server.url) == (ProbeError, f"redirected to {refuser.url}/x: connection refused")
    refuser.close()


@pytest.mark.parametrize("location", ["ftp://127.0.0.1/x", "http://[", "file:///etc/passwd"])
def test_a_redirect_to_nowhere_is_a_probe_error(serve: Serve, ask: Ask, location: str) -> None:
    server = serve(steady(answer(b"", "302 Found", f"Location: {location}")))
    assert fault(ask, server.url)[0] is ProbeError


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("http://xn--a/", "http://xn--a/"),
        ("http://h:port/x?s3cret#s3cret", "http://h:port/x"),
        ("http://u:s3cret@h:port/", "\u2026"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("mailto:a", "mailto:a"),
        ("mailto:\u202e", "mailto:\\u202e"),
        (f"mailto:{'a' * 9999}", f"mailto:{'a' * 232}\u2026"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_to_what_is_no_address_says_so(
    serve: Serve, ask: Ask, method: str, location: str, shown: str
) -> None:
    server = serve(steady(answer(b"", "302 Found", f"Location: {location}")))
    text = f"it redirects to what is no address: '{shown}'"
    assert fault(ask, server.url, method=method) == (ProbeError, text)


def test_an_answer_that_breaks_off_is_not_blamed_on_its_location(serve: Serve, ask: Ask) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: /x\r\nTransfer-Encoding: chunked\r\n\r\n"
    kind, text = fault(ask, serve(saying(head + b"nonsense\r\n")).url, method="POST")
    assert (kind, text[:29]) == (ProbeError, "the answer is not proper HTTP")


def test_a_redirect_to_a_port_that_cannot_be_goes_nowhere(serve: Serve, ask: Ask) -> None:
    other = serve(steady(answer(b"other")))
    place = f"http://127.0.0.1:{other.port + 65536}"
    server = serve(steady(answer(b"", "302 Found", f"Location: {place}/x")))
    assert fault(ask, server.url) == (ProbeError, f"redirected to {place}/x: {other.port + 65536} is no port")
    assert not other.connections


# Heads


@pytest.mark.parametrize("count", [66, 500])
def test_huge_headers_are_refused(serve: Serve, ask: Ask, count: int) -> None:
    server = serve(saying(answer(b"", "200 OK", *(f"X-{number}: {'x' * 1000}" for number in range(count)))))
    assert fault(ask, server.url) == (ProbeError, "the answer's headers are over 64 KiB")


# Compression


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b"hello ") + gzip.compress(b"world")),
        ("GZIP", gzip.compress(b"hello world")),
        ("deflate", zlib.compress(b"hello world")),
        ("deflate", zlib.compress(b"hello world", wbits=-15)),
        ("identity", b"hello world"),
    ],
    ids=["gzip in two members", "gzip", "zlib", "raw deflate", "identity"],
)
def test_compressed_answers_are_decoded(serve: Serve, ask: Ask, coding: str, body: bytes) -> None:
    whole = answer(body, "200 OK", f"Content-Encoding: {coding}")
    assert ask(serve(steady(whole)).url).body == b"hello world"
    dripped = serve(saying(*(bytes([byte]) for byte in whole)))
    assert ask(dripped.url).body == b"hello world"


@pytest.mark.parametrize(
    ("coding", "body", "text"),
    [
        ("gzip", lambda: gzip.compress(b"hello world")[:-9], "the answer's gzip broke off"),
        ("gzip", lambda: b"plain text", "the answer's gzip is damaged"),
        ("br", lambda: b"x", "the answer's content-encoding 'br' is not one that was asked for"),
        ("gzip", lambda: gzip.compress(bytes(300 << 20)), "the answer is over 32 MiB"),
        ("gzip", lambda: gzip.compress(bytes(20 << 20)) * 2, "the answer is over 32 MiB"),
    ],
    ids=["cut", "damaged", "unknown", "bomb", "bomb in two members"],
)
def test_compression_gone_wrong_is_a_probe_error(
    serve: Serve, ask: Ask, coding: str, body: Callable[[], bytes], text: str
) -> None:
    server = serve(steady(answer(body(), "200 OK", f"Content-Encoding: {coding}")))
    assert fault(ask, server.url) == (ProbeError, text)


def test_a_compressed_answer_without_a_body_is_empty(serve: Serve, ask: Ask) -> None:
    server = serve(steady(answer(b"", "200 OK", "Content-Encoding: gzip")))
    assert ask(server.url).body == b""


# Proxies


def test_the_environments_proxy_is_asked(serve: Serve, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(steady(answer(b"by proxy")))
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    assert ask("http://connect:8083/x").body == b"by proxy"
    assert proxy.requests[0].startswith(b"GET http://connect:8083/x ")


def test_a_proxy_that_fails_says_nothing_about_the_server(
    serve: Serve, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuser, silent = Refuser(), serve(Talk.hang)
    monkeypatch.setenv("HTTP_PROXY", refuser.url)
    monkeypatch.setenv("HTTPS_PROXY", silent.url)
    way = "through the proxy 127.0.0.1:"
    assert fault(ask, "http://connect:8083") == (ProbeError, f"{way}{refuser.port}: connection refused")
    assert fault(ask, "https://connect:8083", 0.5) == (ProbeError, f"{way}{silent.port}: not a byte in Xs")
    refuser.close()


def test_a_kept_connection_to_a_proxy_that_falls_silent_says_so_too(
    serve: Serve, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(closing_after_one(Talk.hang))
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    ask("http://connect:8083/x")
    text = f"through the proxy 127.0.0.1:{proxy.port}: not a byte in Xs"
    assert fault(ask, "http://connect:8083/x", 0.5) == (ProbeError, text)


def test_a_proxy_that_refuses_to_connect_is_a_probe_error(
    serve: Serve, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(steady(answer(b"", "407 Proxy Authentication Required")))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    text = f"through the proxy 127.0.0.1:{proxy.port}: it refused: 407 Proxy Authentication Required"
    assert fault(ask, "https://connect:8083") == (ProbeError, text)


@pytest.mark.parametrize(
    ("proxy", "why"),
    [
        ("socks5://u:s3cret@127.0.0.1:1", ": it speaks SOCKS, name an http one"),
        ("nonsense://127.0.0.1:1", ""),
        ("http://proxy:s3cret", ""),
    ],
)
def test_a_proxy_that_cannot_be_used_is_a_probe_error(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, proxy: str, why: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    text = f"the proxy that the environment names cannot be used{why}"
    assert fault(ask, "http://connect:8083") == (ProbeError, text)


def test_a_proxy_at_a_port_that_cannot_be_is_not_asked(serve: Serve, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(steady(answer(b"by proxy")))
    port = proxy.port + 65536
    monkeypatch.setenv("HTTP_PROXY", f"http://u:s3cret@127.0.0.1:{port}")
    text = f"through the proxy 127.0.0.1:{port}: {port} is no port"
    assert fault(ask, "http://connect:8083") == (ProbeError, text)
    assert not proxy.connections


# TLS


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return Tls(tmp_path_factory.mktemp("tls"))


def test_https_with_a_trusted_authority_is_asked_and_kept(serve: Serve, ask: Ask, tls: Tls) -> None:
    server = serve(steady(answer(b"safe")), tls=tls.server)
    assert [ask(server.url, ca_file=tls.ca_file).body for _ in range(2)] == [b"safe"] * 2
    assert server.connections == 1


def test_https_through_a_proxy_is_asked(serve: Serve, ask: Ask, tls: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    def tunnel(talk: Talk) -> None:
        assert talk.hear().startswith(b"CONNECT 127.0.0.1:8443 ")
        talk.say(b"HTTP/1.1 200 Connection established\r\n\r\n")
        inner = Talk(tls.server.wrap_socket(talk.sock, server_side=True), talk.server)
        while inner.hear():
            inner.say(answer(b"tunnelled"))
        inner.sock.close()

    monkeypatch.setenv("HTTPS_PROXY", serve(tunnel).url)
    assert [ask("https://127.0.0.1:8443/", ca_file=tls.ca_file).body for _ in range(2)] == [b"tunnelled"] * 2


def test_a_python_without_tls_says_so(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ssl", None)
    assert fault(ask, "https://127.0.0.1:1/") == (ProbeError, "this Python has no TLS")


# Unix sockets


def socket_url(path: Path) -> str:
    return f"http+unix://{str(path).replace('/', '%2F')}"


@pytest.fixture
def serve_at(serve: Serve) -> Iterator[Serve]:
    """Servers at a Unix socket; pytest's own folders may be too deep for one."""
    with tempfile.TemporaryDirectory() as folder:
        yield lambda script: serve(script, f"{folder}/Connect.sock")


def test_a_unix_socket_is_asked_and_its_connection_kept(
    serve_at: Serve, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    server = serve_at(steady(answer(b"1"), answer(b"2")))
    assert [ask(f"{server.url}/a?b=c").body, ask(server.url).body] == [b"1", b"2"]
    head = server.requests[0].lower().split(b"\r\n")
    assert head[0] == b"get /a?b=c http/1.1"
    assert b"host: localhost" in head
    assert server.connections == 1


def test_a_login_in_a_unix_sockets_address_is_sent(serve_at: Serve, ask: Ask) -> None:
    server = serve_at(steady(answer()))
    ask(server.url.replace("//", "//user:s3cret@"))
    assert b"authorization: basic dxnlcjpzm2nyzxq=" in server.requests[0].lower()


def test_a_redirect_of_a_unix_socket_stays_there_or_leaves_it(serve: Serve, serve_at: Serve, ask: Ask) -> None:
    other = serve(steady(answer(b"other")))
    away = answer(b"", "302 Found", f"Location: {other.url.replace('127.0.0.1', 'localhost')}/x")
    server = serve_at(steady(answer(b"", "302 Found", "Location: /y"), answer(b"here"), away))
    assert ask(server.url).body == b"here"
    assert ask(server.url).body == b"other"


def test_no_redirect_leads_to_a_unix_socket(serve: Serve, serve_at: Serve, ask: Ask) -> None:
    inner = serve_at(steady(answer(b"secret")))
    server = serve(steady(answer(b"", "302 Found", f"Location: {inner.url}/x")))
    assert fault(ask, server.url)[0] is ProbeError
    assert not inner.connections


def test_two_unix_sockets_are_two_servers(serve_at: Serve, ask: Ask) -> None:
    server = serve_at(steady(answer(b"1")))
    assert ask(server.url).body == b"1"
    assert fault(ask, server.url + "x")[0] is Unreachable


def test_a_unix_socket_that_nobody_made_is_unreachable(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "x.sock"
    assert fault(ask, socket_url(path)) == (Unreachable, f"there is no socket {path}")


def test_a_unix_socket_that_nobody_listens_at_is_unreachable(ask: Ask) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with socket.socket(socket.AF_UNIX) as left_behind:
            left_behind.bind(f"{folder}/x.sock")
        assert fault(ask, socket_url(Path(folder, "x.sock"))) == (Unreachable, "connection refused")


def test_a_unix_socket_whose_queue_is_full_is_unreachable_at_the_deadline(ask: Ask) -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as full, contextlib.ExitStack() as held:
        full.bind(f"{folder}/x.sock")
        full.listen(0)
        held.enter_context(socket.socket(socket.AF_UNIX)).connect(f"{folder}/x.sock")  # a queue of 0 holds one
        assert fault(ask, socket_url(Path(folder, "x.sock")), 0.3) == (Unreachable, "not a byte in Xs")


def test_a_silent_unix_socket_is_unreachable(serve_at: Serve, ask: Ask) -> None:
    assert fault(ask, serve_at(Talk.hang).url, 0.3) == (Unreachable, "not a byte in Xs")


def test_a_unix_socket_that_is_not_ours_to_open_is_a_probe_error(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(sock: socket.socket, path: str) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))  # root, as who tests may run, is let in

    monkeypatch.setattr(socket.socket, "connect", connect)
    assert fault(ask, socket_url(tmp_path / "x.sock")) == (ProbeError, "permission denied")


def test_a_unix_sockets_path_that_is_too_long_is_a_probe_error(ask: Ask) -> None:
    assert fault(ask, socket_url(Path("/" + "x" * 200))) == (ProbeError, "af unix path too long")


# Headers of the user's


def test_headers_of_the_users_do_not_follow_to_another_origin(serve: Serve, ask: Ask) -> None:
    other = serve(steady(answer(b"other")))
    server = serve(steady(answer(b"", "302 Found", "Location: /y"), answer(b"", "302 Found", f"Location: {other.url}")))
    headers = {"X-Vault-Token": "s3cret", "accept": "text/plain", "user-agent": "me"}
    assert ask(server.url, **headers).body == b"other"
    assert all(b"X-Vault-Token: s3cret" in request for request in server.requests)
    assert len(server.requests) == 2
    assert b"s3cret" not in other.requests[0]
    assert b"accept: text/plain\r\n" in other.requests[0].lower()
    assert b"user-agent: me\r\n" in other.requests[0].lower()


@pytest.mark.parametrize(
    ("old", "new", "elsewhere"),
    [
        ("http://h", "http://h:80/x", False),
        ("http://h:8080", "http://h:8080/x", False),
        ("http://h", "https://h/x", False),
        ("http://h:8080", "https://h:8443", True),
        ("https://h", "http://h", True),
        ("http://h", "http://i", True),
        ("http://h", "https://i", True),
        ("http://h", "http://h:81", True),
    ],
)
def test_a_servers_own_https_is_not_elsewhere(old: str, new: str, elsewhere: bool) -> None:
    assert pooled._elsewhere(httpx.URL(old), httpx.URL(new)) is elsewhere
