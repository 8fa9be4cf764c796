"""One case of the fuzzer: what is asked, and how each answer to it is broken. All of it comes from its seed."""

from dataclasses import dataclass
from functools import cache
from itertools import chain
from random import Random

from tests.probes.kit.jmx import fuzz_random
from tests.probes.kit.jmx.fuzz_mutate import broken
from tests.probes.kit.jmx.fuzz_nasty import tiny
from tests.probes.kit.jmx.fuzz_talks import (
    FACTORY,
    INFOS_OF,
    LOGIN,
    LOOKUP,
    NAMES,
    NASTY,
    ONE,
    SEVERAL,
    odd_stubs,
    stub,
)
from tests.probes.kit.jmx.fuzz_writer import (
    HEAD,
    THROWN,
    VALUE,
    info_reply,
    names_reply,
    number,
    reply,
    utf,
    values_reply,
)
from tests.probes.kit.jmx.recordings import Exchange, exchanges, versions

WELCOME, FOREIGN = "welcome", "foreign"
STAGES = (WELCOME, LOOKUP, LOGIN, NAMES, INFOS_OF, SEVERAL, ONE)
READS = (
    (("stetho.test:type=Values", ("Integer",)),),
    (("stetho.test:type=Values", ("Integer", "String", "Ints")),),
    (("stetho.test:type=Many,*", ()),),
    (("stetho.test:type=Many,*", ("Value", "Count")), ("java.lang:type=Runtime", ("Uptime",))),
    (("stetho.test:type=Nasty,*", ()), ("stetho.test:type=Nasty", ("Value",))),
)
NASTY_READS = READS[-1]
STREAMS = ["state", "alive-stream-threads", "failed-stream-threads", "commit-total", "count", "last-poll-seconds-ago"]
TIMING = ("close", "reset", "hang", "drip", "pieces", "endless")
FOREIGN_ANSWERS = (
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"\x15\x03\x03\x00\x02\x02\x28",
    b"\x4f",
    b"\x16\x03\x01",
    b"\xff" * 50,
)


@dataclass(frozen=True)
class Said:
    """An answer, and what comes of the connection then: nothing, or one of TIMING."""

    data: bytes
    then: str = ""


@dataclass(frozen=True)
class Ports:
    """Where a stub may point: the registry, another server, where nobody listens, where connecting takes forever."""

    registry: int
    other: int
    dead: int
    stuck: int


@cache
def recorded() -> dict[str, list[bytes]]:
    """What real JVMs answered, by stage; exceptions, and what ends the connection, by themselves."""
    found: dict[str, list[bytes]] = {stage: [] for stage in (*STAGES, "thrown")}
    for each in chain.from_iterable(exchanges(version) for version in versions()):
        found[_stage_of(each)].append(each.received)
    return found


def _stage_of(each: Exchange) -> str:
    word = "thrown" if each.received[8:9] == THROWN or each.closed else each.asked.partition(" ")[0]
    stages = {"lookup": LOOKUP, "newClient": LOGIN, "queryNames": NAMES, "getMBeanInfo": INFOS_OF, "thrown": "thrown"}
    return {**stages, "getAttributes": SEVERAL, "handshake": WELCOME}.get(word, ONE)


class Case:
    """A conversation to be. Its seed is `any:...`, or `nasty:NAME:...` for one of NASTY by itself, asked
    by the whole probe if it ends so."""

    def __init__(self, seed: str) -> None:
        self.seed, rng = seed, Random(seed)
        kind, _, rest = seed.partition(":")
        self.seconds = rng.uniform(0.3, 0.5)
        self.how = rng.choices(("fetch", "jmx", "streams"), (60, 20, 20))[0]
        self.purpose = rng.choice(("alert", "liveness", "readiness"))
        self.login = rng.random() < 0.1
        self.reads = rng.choice(READS)
        self.registry_tls = kind == "any" and rng.random() < 0.02
        # A real JVM waits for the next call; most cases save that time.
        self.patience = 0.02 if rng.random() < 0.9 else None
        self.timing = rng.choice(("",) * 12 + TIMING)
        self.stages = rng.sample(STAGES, rng.choice((1, 1, 1, 2, 7)))
        self.share = rng.choice((1.0, 1.0, 0.3))  # of the answers at these stages, how many are broken
        self.nasty: dict[str, bytes] = {}
        if kind == "nasty":
            self.reads, self.stages, self.timing = NASTY_READS, [], ""
            self.how = "jmx" if rest.endswith("probe") else "fetch"
            self._hurt(rest.partition(":")[0], None)
        elif (roll := rng.random()) < 0.1:
            self._hurt(rng.choice(list(NASTY)), None if roll < 0.07 else rng.choice(STAGES))
            self.seconds *= rng.choice((1, 1, 8))  # long enough for what takes memory rather than time

    def _hurt(self, name: str, stage: str | None) -> None:
        for own, build in NASTY[name].items():
            self.nasty[stage or own] = build(Random(f"{self.seed}/{own}"))

    def said(self, link: int, count: int, stage: str, asked: bytes, ports: Ports) -> Said:
        """The answer to what is asked; the `count`th over this connection, which is the `link`th."""
        rng = Random(f"{self.seed}/{link}/{count}")
        if stage == FOREIGN:
            return Said(rng.choice(FOREIGN_ANSWERS), rng.choice(TIMING))
        if stage in self.nasty:
            return Said(self.nasty[stage])
        data = self._intact(rng, stage, asked, ports)
        if stage not in self.stages or rng.random() > self.share:
            return Said(data)
        if self.timing:
            return self._timed(rng, data)
        return Said(self._worse(rng, stage, data, ports))

    def _intact(self, rng: Random, stage: str, asked: bytes, ports: Ports) -> bytes:
        """As a JVM might answer, with values of all kinds."""
        if stage == WELCOME:
            return b"\x4e" + utf(b"127.0.0.1") + number(ports.registry)
        if stage in (LOOKUP, LOGIN):
            port = ports.registry if rng.random() < 0.7 or stage in self.stages else ports.other
            return stub(b"127.0.0.1", port, kind=rng.choice((b"UnicastRef", b"UnicastRef2")))
        if stage == NAMES:
            pattern = asked.replace(b",*", b",name=one").replace(b"*", b"x")
            return names_reply([pattern, pattern + b"2"][: rng.choice((0, 1, 1, 2))])
        attributes = [*STREAMS, *chain.from_iterable(wanted for _, wanted in self.reads)]
        if stage == INFOS_OF:
            return info_reply(attributes or ["Value", "Count"])
        if stage == SEVERAL:
            return values_reply(attributes, [self._value(rng, attribute) for attribute in attributes])
        return reply(self._value(rng, "Value"))

    def _value(self, rng: Random, attribute: str) -> bytes:
        roll = rng.random()
        if attribute == "state" and roll < 0.9:
            return b"\x74" + utf(rng.choice((b"RUNNING", b"ERROR", b"CREATED", b"odd")))
        if roll < 0.5:
            return rng.choice(recorded()[ONE])[len(HEAD) + 15 :]
        return fuzz_random.value(rng)

    def _worse(self, rng: Random, stage: str, data: bytes, ports: Ports) -> bytes:
        pool = recorded()
        other = rng.choice(pool[rng.choice(list(pool))])
        real = rng.choice(pool[stage])
        roll = rng.random()
        if stage == WELCOME:
            return rng.choice((broken(rng, data, other), rng.choice(FOREIGN_ANSWERS), other, b""))
        if stage in (LOOKUP, LOGIN) and roll < 0.4:
            return self._stub(rng, ports)
        if roll < 0.55:
            return broken(rng, data if rng.random() < 0.6 else real, other)
        if roll < 0.7:
            return broken(rng, rng.choice(pool[ONE]), other)
        if roll < 0.75:
            return other
        if roll < 0.8:
            return rng.choice(pool["thrown"])
        if roll < 0.85:
            return broken(rng, rng.choice(pool["thrown"]), other)
        return reply(fuzz_random.value(rng), rng.choice((VALUE, VALUE, VALUE, THROWN, b"\3")))

    def _stub(self, rng: Random, ports: Ports) -> bytes:
        if rng.random() < 0.5:
            return odd_stubs(rng)
        port = rng.choice((ports.registry, ports.other, ports.other, ports.dead, ports.stuck))
        host = rng.choice((b"127.0.0.1", b"127.0.0.2", b"localhost", b"no-such-host.invalid"))
        return stub(host, port, kind=b"UnicastRef2", factory=rng.choice(("", "", FACTORY)))

    def _timed(self, rng: Random, data: bytes) -> Said:
        if self.timing in ("drip", "pieces"):
            return Said(data, self.timing)
        if self.timing == "endless":
            start = rng.choice((b"", data, data[: rng.randrange(len(data))], tiny(rng)[:60]))
            return Said(start, self.timing)
        return Said(data[: rng.randrange(len(data) + 1)], self.timing)

    def question(self, port: int) -> dict[str, object]:
        """What the client is told of it."""
        return {
            "how": self.how, "purpose": self.purpose, "seconds": self.seconds, "port": port, "reads": self.reads,
            "login": self.login, "registry_tls": self.registry_tls,
        }  # fmt: skip
