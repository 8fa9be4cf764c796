"""Which questions go through a proxy of the environment: one rule for both clients, httpx's own but for networks."""

import time

import httpx
import pytest

from probes.kit import http
from probes.kit.net import Request
from probes.kit.pooled import Pool
from probes.kit.wire import proxy_for
from tests.probes.kit.rawserver import RawServer, answer, saying

PROXY = "http://proxy:3128"


HOSTS = ["localhost", "127.0.0.1", "connect", "connect.kafka.svc", "svc", "[::1]", "other", "other:8080", "connect."]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize(
    "exempt",
    [
        "",
        ",",
        "*",
        "localhost,127.0.0.1",
        " .svc ,::1",
        "svc",
        "SVC",
        "connect",
        "nnect",
        "other:8080",
        "127.0.0.1:81",
        "http://other,https://connect",
        "all://connect",
        "xn--",
        "a b",
        "_x",
        "%",
        "<local>",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_question_goes_through_the_proxy_that_httpx_would_take(
    monkeypatch: pytest.MonkeyPatch, scheme: str, host: str, exempt: str
) -> None:
    url = httpx.URL(f"{scheme}://{host}/")
    monkeypatch.setenv(f"{scheme}_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", exempt)
    with httpx.Client() as client:
        direct = client._transport_for_url(url) is client._transport
    assert proxy_for(url) == (None if direct else PROXY)


@pytest.mark.parametrize(
    ("exempt", "direct", "proxied"),
    [
        ("[::1]", "http://[::1]:8083", "http://[::2]"),
        ("::1/128", "http://[0:0::1]", "http://[::2]"),
        ("fd00::/8", "http://[fd12::3]", "http://[fe80::1]"),
        ("[fd00::/8]", "http://[fd12::3]", "http://[fe80::1]"),
        ("[fd00::1]:80", "http://[fd00::1]", "http://[fd00::1]:81"),
        ("10.0.0.0/8", "http://10.1.2.3", "http://11.1.2.3"),
        ("10.1.2.3/8", "http://10.9.9.9", "http://ten.svc"),
        ("other:80", "http://other", "https://other"),
    ],
)
def test_addresses_and_networks_are_asked_past_the_proxy(
    monkeypatch: pytest.MonkeyPatch, exempt: str, direct: str, proxied: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", f"localhost,{exempt}")
    assert (proxy_for(httpx.URL(direct)), proxy_for(httpx.URL(proxied))) == (None, PROXY)


@pytest.mark.parametrize(
    "exempt", ["", "*", "svc", "connect", ".kafka.svc", "::1", "[::1]", "127.0.0.0/8", "fd00::/8", "connect:80", "]"]
)
@pytest.mark.parametrize("host", ["127.0.0.1", "connect", "connect.kafka.svc", "[::1]"])
def test_where_the_cold_client_asks_directly_the_full_one_does_too(
    monkeypatch: pytest.MonkeyPatch, host: str, exempt: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", exempt)
    assert http.proxied("http", host.strip("[]")) or proxy_for(httpx.URL(f"http://{host}")) is None


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({"http_proxy": "small:1", "HTTP_PROXY": "big:1"}, "http://small:1"),
        ({"HTTP_PROXY": "big:1", "ALL_PROXY": "all:1"}, "http://big:1"),
        ({"http_proxy": "", "HTTP_PROXY": "big:1"}, None),
        ({"https_proxy": "https:1"}, None),
        ({"HTTP_PROXY": "big:1", "no_proxy": "", "NO_PROXY": "connect"}, "http://big:1"),
    ],
)
def test_the_environment_is_read_as_others_read_it(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], proxy: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(httpx.URL("http://connect")) == proxy


@pytest.mark.parametrize("exempt", ["[::1]", "::1/128", "fd00::/8", "[fd00::1]:80", "[", "://", "\u2603", "http://[x"])
@pytest.mark.parametrize("proxy", ["", "http://127.0.0.1:1"])
def test_no_entry_of_no_proxy_is_an_error(monkeypatch: pytest.MonkeyPatch, proxy: str, exempt: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("NO_PROXY", f"{exempt},127.0.0.1")
    server, pool = RawServer(saying(answer())), Pool()
    try:
        assert pool.fetch(Request(server.url, server.url), time.monotonic() + 5).body == b"{}"
    finally:
        pool.close()
        server.close()
