"""What silence says depends on how long it lasted since the question was asked."""

import socket
import time

import pytest

from probes.kit.exchange import TELLING, Exchange
from probes.kit.result import ProbeError, Unreachable

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
