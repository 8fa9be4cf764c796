"""What silence says depends on how long it lasted since the question was asked."""

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from probes.kit import http
from probes.kit.exchange import TELLING, Exchange
from probes.kit.net import Reply, Request, Trust
from probes.kit.pooled import Pool
from probes.kit.result import ProbeError, Unreachable
from tests.probes.kit.rawserver import Serve, Talk, Tls, answer

ASKED = "GET http://connect:8083/"


@pytest.mark.parametrize(
    ("silent", "kind", "text"),
    [
        (TELLING / 2, ProbeError, f"{ASKED}: not a byte in 3s, too short a time to tell"),
        (TELLING * 2, Unreachable, f"{ASKED}: not a byte in 3s"),
    ],
)
def test_who_asks_late_does_not_call_the_other_side_dead(silent: float, kind: type, text: str) -> None:
    exchange = Exchange(ASKED, time.monotonic() + 60)
    exchange.end = time.monotonic()
    exchange.start, exchange.sent = exchange.end - 3, exchange.end - silent

    error = exchange.late()

    assert (type(error), str(error)) == (kind, text)


def test_silence_counts_from_when_all_of_the_question_is_sent() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        exchange = Exchange(ASKED, time.monotonic() + 60)
        before = time.monotonic()
        exchange.send(ours, b"x" * 100)
        assert exchange.start <= before <= exchange.sent <= time.monotonic()
        assert theirs.recv(200) == b"x" * 100


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("fetch", [http.fetch, Pool().fetch], ids=["cold", "full"])
def test_who_answers_only_when_suspected_is_heard_once(
    fetch: Callable[[Request, float], Reply],
    secure: bool,
    serve: Serve,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first wait ends in silence, and the second takes up where it left."""
    suspected = threading.Event()
    monkeypatch.setattr(Exchange, "suspect", lambda *_: suspected.set())

    def slow(talk: Talk) -> None:
        talk.hear()
        suspected.wait(30)
        talk.say(answer(b"[1]"))
        talk.finish()

    authority = Tls(tmp_path)
    server = serve(slow, tls=authority.server if secure else None)
    reply = fetch(Request(server.url, server.url, trust=Trust(authority.ca_file)), time.monotonic() + 30)

    assert (reply.body, suspected.is_set(), len(server.requests), server.connections) == (b"[1]", True, 1, 1)
