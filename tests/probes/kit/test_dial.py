"""Who is knocked at, how often, and of whom a silence tells. That each address is tried: test_http_contract."""

import _socket
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from probes.kit import dial
from probes.kit.exchange import Exchange
from probes.kit.result import ProbeError
from tests.probes.kit.rawserver import Refuser, Serve, Unaccepting

ASKED = "GET http://connect:8083/"


@pytest.fixture
def full() -> Iterator[Unaccepting]:
    server = Unaccepting()
    yield server
    server.close()


@pytest.fixture
def knocks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The port of each address that is knocked at, in turn."""
    ports: list[int] = []

    class Noted(_socket.socket):
        def connect(self, place: Any, /) -> None:
            ports.append(place[1])
            super().connect(place)

    monkeypatch.setattr(_socket, "socket", Noted)
    return ports


def named(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    """A name with several addresses."""
    places = [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port)) for port in ports]
    monkeypatch.setattr(dial, "resolve", lambda host, port: places)


def test_only_the_last_address_is_knocked_at_twice(
    knocks: list[int], full: Unaccepting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The share of one before could be too short for a server far away."""
    refuser, exchange = Refuser(), Exchange(ASKED, time.monotonic() + 0.4)
    named(monkeypatch, full.port, refuser.port, full.port)

    with pytest.raises(ProbeError, match="not a byte in"):
        dial.connect(exchange, b"connect", 8083)

    refuser.close()
    assert knocks == [full.port, refuser.port, full.port, full.port]


def test_who_lets_us_in_or_refuses_is_knocked_at_once(knocks: list[int], serve: Serve) -> None:
    refuser, server = Refuser(), serve(lambda talk: talk.hang())

    with pytest.raises(ProbeError, match="connection refused"):
        dial.connect(Exchange(ASKED, time.monotonic() + 5), b"127.0.0.1", refuser.port)
    dial.connect(Exchange(ASKED, time.monotonic() + 5), b"127.0.0.1", server.port).close()

    refuser.close()
    assert knocks == [refuser.port, server.port]


def test_who_was_silent_at_one_address_is_no_witness_of_another(
    full: Unaccepting, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = Exchange(ASKED, time.monotonic() + 1)
    named(monkeypatch, full.port, serve(lambda talk: talk.hang()).port)

    dial.connect(exchange, b"connect", 8083).close()

    assert exchange.witness is None
