"""A question that the cold client declines late is asked anew: a server that began to answer is not declared dead."""

import time

import httpcore
import httpx
import pytest

from probes.kit.cold import OneShot
from probes.kit.net import Answered, Reply, Request
from probes.kit.pooled import Pool
from probes.kit.result import ProbeError, Unreachable, Unrouted
from tests.probes.kit.command import stetho
from tests.probes.kit.rawserver import Script, Serve, Talk, answer

REDIRECT = answer(b"", "302 Found", "Location: /login")
BEGUN = ", though it had begun to answer just before"
assert httpcore  # their import would come out of the deadline
assert httpx


def once(said: bytes, then: Script, wait: float = 0.0) -> Script:
    """A server that says this to the first who asks, and does otherwise with the next."""

    def script(talk: Talk) -> None:
        talk.hear()
        if talk.server.connections > 1:
            then(talk)
            return
        talk.server.ended.wait(wait)
        talk.say(said)
        talk.finish()

    return script


def fault(url: str, seconds: float = 5.0) -> tuple[type, str]:
    with pytest.raises(ProbeError) as caught:
        OneShot(time.monotonic() + seconds, seconds).request(Request(url, "http://shown"))
    return caught.type, str(caught.value).partition("http://shown: ")[2]


@pytest.mark.parametrize(
    "said",
    [
        REDIRECT,
        answer(b"x", "200 OK", "Content-Encoding: gzip"),
        b"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    ],
)
@pytest.mark.parametrize(
    ("then", "text"),
    [(Talk.hang, "not a byte in "), (Talk.reset, "connection reset before a byte came" + BEGUN)],
    ids=["silence", "reset"],
)
def test_who_began_to_answer_is_not_dead(serve: Serve, said: bytes, then: Script, text: str) -> None:
    kind, found = fault(serve(once(said, then)).url, 1.0 if then is Talk.hang else 10.0)
    assert kind is ProbeError
    assert found.startswith(text)
    assert found.endswith(BEGUN)


@pytest.mark.parametrize("error", [Unreachable, Unrouted])
@pytest.mark.parametrize("begun", [True, False])
def test_only_who_began_to_answer_is_spared(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, error: type[ProbeError], begun: bool
) -> None:
    def fetch(pool: Pool, request: Request, end: float) -> Reply:
        raise error(f"{request}: gone")

    monkeypatch.setattr(Pool, "fetch", fetch)
    server = serve(once(REDIRECT, Talk.hang))
    # Of an address with a login, not one byte is asked.
    kind, text = fault(server.url if begun else server.url.replace("//", "//u:p@"))
    assert (kind, text) == ((ProbeError, f"gone{BEGUN}") if begun else (error, "gone"))


def test_how_many_questions_it_answered_before_is_told() -> None:
    answered, request = Answered(), Request("http://one:1/x", "http://one:1/x")

    def gone(request: Request) -> Reply:
        raise Unreachable(f"{request}: not a byte in 57ms")

    told = []
    for _ in range(3):
        answered.ask(request, lambda _: Reply(200, {}, b""))
        with pytest.raises(ProbeError) as caught:
            answered.ask(request, gone)
        told.append(str(caught.value).partition("57ms, though it ")[2])
    assert told == [
        "answered another question just before",
        "answered 2 others just before",
        "answered 3 others just before",
    ]


@pytest.mark.parametrize("purpose", ["liveness", "alert"])
def test_a_slow_redirect_kills_nobody(serve: Serve, purpose: str) -> None:
    server = serve(once(REDIRECT, Talk.hang, wait=0.7))
    done = stetho("probe", "connect", "--url", server.url, "--as", purpose, "--timeout", "1500ms")
    assert done.returncode == (0 if purpose == "liveness" else 3), done.stdout
