"""A server that speaks JRMP as a test wants: each call is answered by its method, each connection noted."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any

import pytest

from probes.kit.jmx import calls, fetch
from probes.kit.net import Found, JmxRequest
from probes.kit.result import ProbeError, Unreachable, Unrouted
from probes.kit.types import JmxAddress
from tests.probes.kit.jmx import java
from tests.probes.kit.rawserver import RawServer, Script, Talk

REGISTRY, SERVER, CONNECTION = bytes(22), b"S" * 22, b"C" * 22
CALL = b"\x50\xac\xed\x00\x05\x77\x22"
HELLO = b"JRMI\x00\x02\x4b\x00\x09127.0.0.1\x00\x00\x00\x00"
NAMES = {
    calls.NEW_CLIENT: "newClient",
    calls.GET_ATTRIBUTE: "getAttribute",
    calls.GET_ATTRIBUTES: "getAttributes",
    calls.QUERY_NAMES: "queryNames",
    calls.GET_INFO: "getMBeanInfo",
    calls.CLOSE: "close",
}
READ = ("java.lang:type=Runtime", ("Uptime",))
VALUE = {READ[0]: {"Uptime": 42}}  # what the fake answers to it
NOT_THERE = "no-such-host.invalid"

Answer = Callable[["Fake", Talk, bytes], None]


def says(*pieces: bytes) -> Answer:
    """Answer with these bytes."""
    return lambda fake, talk, call: talk.say(*pieces)


def ends(*pieces: bytes) -> Answer:
    """Answer with these bytes and close."""

    def answer(fake: "Fake", talk: Talk, call: bytes) -> None:
        talk.say(*pieces)
        talk.finish()

    return answer


def hangs(fake: "Fake", talk: Talk, call: bytes) -> None:
    talk.hang()


def drips(data: bytes, pause: float = 0.05) -> Answer:
    return lambda fake, talk, call: talk.drip(data, pause)


class Fake:
    """A JVM. `heard` are its calls by name, each with the number of its connection; `rest` what else was sent."""

    def __init__(self, tls: SSLContext | None = None, host: str = "127.0.0.1", **answers: Answer) -> None:
        self.heard: list[tuple[int, str]] = []
        self.sent: list[bytes] = []
        self.acknowledged: list[tuple[int, bytes]] = []
        self.server = RawServer(self._script, host, tls)
        self.port = self.server.port
        self.answers: dict[str, Answer] = {
            "lookup": says(java.reply(java.stub("127.0.0.1", self.port, SERVER))),
            "newClient": says(java.reply(java.stub("127.0.0.1", self.port, CONNECTION))),
            "getAttribute": says(java.reply(java.integer(42))),
            "close": says(java.reply()),
            **answers,
        }

    @property
    def calls(self) -> list[str]:
        return [name for _, name in self.heard]

    @property
    def _script(self) -> Script:
        def script(talk: Talk) -> None:
            number = self.server.connections
            first = True
            while data := talk.sock.recv(1 << 20):
                self.sent.append(data)
                if first:
                    assert data.startswith(HELLO)
                    data = data.removeprefix(HELLO)
                    talk.say(java.WELCOME)
                    first = False
                self._answer(number, talk, data)

        return script

    def _answer(self, number: int, talk: Talk, data: bytes) -> None:
        before, *parts = data.split(CALL)
        self._acknowledge(number, before)
        for part in parts:
            name = self._name(part)
            self.heard.append((number, name))
            if name == "close":
                self._acknowledge(number, part[34:])
            self.answers[name](self, talk, part)

    def _acknowledge(self, number: int, data: bytes) -> None:
        assert len(data) in (0, 15)
        if data:
            assert data[:1] == b"\x54"
            self.acknowledged.append((number, data[1:]))

    @staticmethod
    def _name(part: bytes) -> str:
        if part[:22] == REGISTRY:
            return "lookup"
        assert part[:22] in (SERVER, CONNECTION)
        return NAMES[int.from_bytes(part[26:34], "big", signed=True)]


@contextmanager
def jvm(tls: SSLContext | None = None, host: str = "127.0.0.1", **answers: Answer) -> Iterator[Fake]:
    fake = Fake(tls, host, **answers)
    try:
        yield fake
    finally:
        fake.server.close()


def ask(
    port: int, *reads: tuple[str, Sequence[str]], host: str = "127.0.0.1", timeout: float = 5, **more: Any
) -> list[Found]:
    asked = tuple((name, tuple(attributes)) for name, attributes in reads or (READ,))
    request = JmxRequest(JmxAddress.parse(f"{host}:{port}"), asked, **more)
    return fetch(request, time.monotonic() + timeout)


def settled(fake: Fake, name: str = "close", seconds: float = 5) -> bool:
    """Whether a call comes: the client does not wait for the answer to its last."""
    end = time.monotonic() + seconds
    while name not in fake.calls and time.monotonic() < end:
        time.sleep(0.01)
    return name in fake.calls


def error(port: int, **more: Any) -> ProbeError:
    with pytest.raises(ProbeError) as caught:
        ask(port, **more)
    assert f"JMX read of jmx://127.0.0.1:{port}: " in str(caught.value)
    return caught.value


def said(port: int, **more: Any) -> str:
    """What is wrong; nobody is said to be dead, for the JVM has spoken."""
    wrong = error(port, **more)
    assert not isinstance(wrong, (Unreachable, Unrouted))
    return str(wrong).partition(f"jmx://127.0.0.1:{port}: ")[2]
