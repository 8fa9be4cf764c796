"""The cold HTTP client: what it leaves to httpx, what it must not import, how little memory it takes."""

import contextlib
import os
import subprocess
import sys
import time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.kit import http, tls
from probes.kit.exchange import seconds
from probes.kit.net import Reply, Request, Trust
from probes.kit.pooled import Pool
from probes.kit.result import ProbeError
from tests.probes.kit.rawserver import Refuser, Serve, Talk, answer, saying

HEAVY = {
    "argparse", "asyncio", "base64", "dataclasses", "email", "encodings.idna", "enum", "http", "httpx", "inspect",
    "ipaddress", "json", "logging", "pathlib", "re", "selectors", "socket", "ssl", "threading", "typing", "urllib",
}  # fmt: skip


def fetch(url: str, method: str = "GET") -> Reply:
    return http.fetch(Request(url, url, method=method), time.monotonic() + 5)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secret@127.0.0.1:1/",
        "http://127.0.0.1:1/caf\u00e9",
        "http://kaf\u00e9:1/",
        "http://127.0.0.1:1/a b",
        "http://127.0.0.1:1/a#b",
        "http://127.0.0.1:1/a/../b",
        "http://127.0.0.1:1/100%",
        'http://127.0.0.1:1/?query=up{job="x"}',
        "http://127.0.0.1:x/",
        "http://[::1/",
        "http://::1/",
        "http://[127.0.0.1]:1/",
        "http://[localhost]:1/",
        "http://[1:2]:1/",
        "http://127.0.0.01:1/",
        "http://0177.0.0.1:1/",
        "http://256.0.0.1:1/",
        "http://127.1:1/",
        "http://xn--a:1/",
        "http://www.XN--a:1/",
        f"http://127.0.0.1:1/{'a' * 65536}",
        "http://",
        "ftp://127.0.0.1:1/",
        "http+unix://%2Frun%2Fx.sock/",
        "HTTP://127.0.0.1:80/",  # httpx leaves its port in the Host header
    ],
)
def test_an_address_beyond_plain_http_is_declined(url: str) -> None:
    with pytest.raises(http.Declined) as caught:
        fetch(url)
    assert not caught.value.begun


PARTS = st.sampled_from(
    ["0", "1", "01", "255", "256", "00", "f", "FFFF", "::", ":", ".", "127.0.0.1", "[", "]", "xn--a"]
)


@given(st.lists(PARTS, min_size=1, max_size=9).map("".join) | st.ip_addresses().map(str), st.booleans())
def test_a_host_it_accepts_httpx_takes_too(name: str, bracketed: bool) -> None:
    url = f"http://[{name}]/" if bracketed else f"http://{name}/"
    try:
        host = http._parts(url)[1]
    except http.Declined:
        return
    assert host == httpx.URL(url).host.lower()


def test_https_with_the_systems_trust_is_declined() -> None:
    with pytest.raises(http.Declined):
        fetch("https://127.0.0.1:1/")


def test_https_is_declined_where_python_has_no_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "AVAILABLE", False)
    with pytest.raises(http.Declined):
        http.fetch(Request("https://127.0.0.1:1/", "", trust=Trust("ca.pem")), time.monotonic() + 5)


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "get"])
def test_methods_other_than_get_and_post_are_declined(method: str) -> None:
    with pytest.raises(http.Declined):
        fetch("http://127.0.0.1:1/", method)


@pytest.mark.parametrize("letter", [chr(code) for code in range(33, 127) if chr(code) not in "#%"])
def test_an_address_it_accepts_is_asked_as_httpx_asks_it(letter: str) -> None:
    url = f"http://Host:80/a{letter}b?c{letter}d"
    try:
        scheme, host, port, authority, target = http._parts(url)
    except http.Declined:
        return
    asked = httpx.Request("GET", url)
    assert (scheme, host, port) == ("http", asked.url.host, 80)
    assert (authority, target) == (asked.headers["host"], asked.url.raw_path.decode())


@pytest.mark.parametrize(
    "url",
    [
        "http://h",
        "http://h?a=b",
        "http://h:80/x",
        "http://h:8083",
        "http://[::1]:9/a?b",
        "https://h",
        "https://h:443/x",
        "https://h:80",
        "http://h:443",
    ],
)
def test_host_and_target_are_those_of_httpx(url: str) -> None:
    scheme, host, port, authority, target = http._parts(url)
    asked = httpx.Request("GET", url)
    found = (asked.url.scheme, asked.url.host, asked.headers["host"], asked.url.raw_path.decode())
    assert (scheme, host, authority, target) == found
    assert port == (asked.url.port or {"http": 80, "https": 443}[scheme])


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "Http_Proxy", "all_proxy", "ALL_PROXY"])
def test_a_proxy_in_the_environment_is_declined(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://proxy:3128")
    with pytest.raises(http.Declined):
        fetch("http://127.0.0.1:1/")


@pytest.mark.parametrize("name", ["http_proxy", "https_proxy", "no_proxy"])
def test_no_proxy_for_http_is_no_reason_to_decline(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://proxy:3128" if name == "https_proxy" else "")
    refuser = Refuser()
    with pytest.raises(ProbeError, match="connection refused"):
        fetch(refuser.url)
    refuser.close()


@pytest.mark.parametrize(
    ("span", "text"), [(5, "5s"), (0.8, "0.8s"), (0.796, "0.8s"), (12.34, "12.3s"), (0.04, "40ms"), (120.0, "120s")]
)
def test_times_are_told_as_people_write_them(span: float, text: str) -> None:
    assert seconds(span) == text


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        answer(b"", "302 Found", "Location: /elsewhere"),
        answer(b"x", "200 OK", "Content-Encoding: gzip"),
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        OK + b"Content-Length: 2\r\nContent-Length: 02\r\n\r\n{}",
        OK + b"Content-Length: 2, 2\r\n\r\n{}",
        OK + b"Content-Length: \xb2\r\n\r\n{}",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"X: a\r\n folded\r\n\r\n",
        OK + b"no colon\r\n\r\n",
        OK + b"X : a\r\n\r\n",
        OK + b"caf\xc3\xa9: x\r\n\r\n",
        OK + b"X: a\x01b\r\n\r\n",
        OK + b"X: a\x0bb\r\n\r\n",
        OK + b"X/Y: a\r\n\r\n",
        OK + b": a\r\n\r\n",
        answer(b"", "200 OK", *(f"X-{number}: {'x' * 1000}" for number in range(66))),
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/0.9 200 OK\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 2\xb2\xb2 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n",
    ],
)
def test_an_answer_of_another_form_is_declined_and_httpx_judges_it(serve: Serve, sent: bytes) -> None:
    server = serve(saying(sent))
    with pytest.raises(http.Declined) as caught:
        fetch(server.url)
    assert caught.value.begun
    pool = Pool()
    with contextlib.suppress(ProbeError):
        assert isinstance(pool.fetch(Request(server.url, server.url), time.monotonic() + 5), Reply)
    pool.close()


CHILD = """
import sys, time
from probes.kit.http import fetch
from probes.kit.net import Request
from probes.kit.result import ProbeError
heavy = set(sys.argv[2].split())
try:
    said = fetch(Request(sys.argv[1], sys.argv[1]), time.monotonic() + 60).status
except ProbeError as error:
    said = error
# Not ru_maxrss: a child inherits that of the process it was forked from.
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(said, sorted(heavy & sys.modules.keys()), peak >> 10, sep="|")
"""


def run_cold(url: str) -> tuple[str, str, int]:
    """What a process of its own says of `url`, the heavy modules it has, its peak memory in MiB."""
    command = [sys.executable, "-c", CHILD, url, " ".join(HEAVY)]
    environment = {"PYTHONPATH": os.getcwd(), "PATH": os.environ["PATH"]}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=100)
    said, heavy, peak = done.stdout.strip().split("|")
    return said, heavy, int(peak)


def test_nothing_heavy_is_imported(serve: Serve) -> None:
    server = serve(saying(answer()))
    assert run_cold(server.url)[:2] == ("200", "[]")
    assert run_cold(server.url.replace("127.0.0.1", "localhost"))[:2] == ("200", "[]")


def test_an_answer_of_300_mb_takes_no_more_memory_than_the_limit(serve: Serve) -> None:
    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(OK + b"\r\n")
        for _ in range(300):
            talk.say(bytes(1 << 20))

    said, _, peak = run_cold(serve(script).url)
    assert said.endswith(": the answer is over 32 MiB")
    assert peak < 60


@pytest.mark.parametrize("framing", ["Content-Length: 32505856", "X: until close"])
def test_an_answer_is_held_once(serve: Serve, framing: str) -> None:
    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(OK + framing.encode() + b"\r\n\r\n", bytes(31 << 20))
        talk.finish()

    said, _, peak = run_cold(serve(script).url)
    assert (said, peak < 60) == ("200", True)
