"""Replies from bytes at hand instead of a socket."""

import time

from probes.kit.jmx.reads import Reads
from probes.kit.jmx.session import Session
from probes.kit.jmx.values import Values
from probes.kit.jmx.wire import JmxExchange, Link, Reply
from probes.kit.net import JmxRequest
from probes.kit.types import JmxAddress
from tests.probes.kit.jmx import java

REQUEST = JmxRequest(JmxAddress.parse("127.0.0.1:1"), ())


class Feed:
    """A wire that has these bytes, and then ends."""

    def __init__(self, data: bytes, piece: int = 1 << 16) -> None:
        self.data, self.piece = memoryview(data), piece

    def settimeout(self, seconds: float | None, /) -> None:
        pass

    def recv(self, size: int, /) -> bytes:
        piece = bytes(self.data[: min(size, self.piece)])
        self.data = self.data[len(piece) :]
        return piece

    def send(self, data: memoryview, /) -> int:
        return len(data)

    def close(self) -> None:
        pass


def read(data: bytes, seconds: float = 60, piece: int = 1 << 16) -> Reply:
    """The reply that these bytes are, the welcome before it."""
    exchange = JmxExchange(REQUEST, time.monotonic() + seconds)
    feed: object = Feed(java.WELCOME + data, piece)
    return Link(exchange, feed, "127.0.0.1", 1, False).reply()  # type: ignore[arg-type]


def plain(data: bytes) -> object:
    """The value of a reply in Python's terms. Raises Malformed."""
    return Values().plain(read(data).value)


def shown(data: bytes) -> object:
    """The value of a reply as a read shows it."""
    session = Session(REQUEST, time.monotonic() + 60)
    return Reads(session, ())._plain(read(data).value)
