"""Plays one case of the fuzzer to a client, as a JVM would: a registry, and another server that stubs may point to."""

from itertools import count
from random import Random

from probes.kit.jmx import calls
from tests.probes.kit.jmx.fuzz_case import FOREIGN, TIMING, WELCOME, Case, Ports, Said
from tests.probes.kit.jmx.fuzz_talks import INFOS_OF, LOGIN, LOOKUP, NAMES, ONE, SEVERAL
from tests.probes.kit.rawserver import RawServer, Refuser, Talk, Unaccepting

CALL = b"\x50\xac\xed\0\5\x77\x22"
TARGET, CALLED = 22, 34  # bytes of whom is called, and of that with what is called
STAGES = {
    calls.NEW_CLIENT: LOGIN,
    calls.QUERY_NAMES: NAMES,
    calls.GET_INFO: INFOS_OF,
    calls.GET_ATTRIBUTES: SEVERAL,
    calls.GET_ATTRIBUTE: ONE,
    calls.CLOSE: "close",
}
ENDLESS = (
    b"\x79",
    b"\x70",
    b"\x77\0",
    b"\x74\0\0",
    b"\xff",
    b"\0",
    b"\x77\xff" + b"x" * 255,
    b"\x73\x71\0\x7e\0\0",
    b"\x51",
)


class FuzzServer:
    """Serves one case. `spoke`: the client must have heard a byte of the registry."""

    def __init__(self, case: Case, refuser: Refuser, stuck: Unaccepting) -> None:
        self.case, self.links, self.spoke = case, count(), False
        self.servers = RawServer(self._talk), RawServer(self._talk)
        self.port = self.servers[0].port
        self.ports = Ports(self.port, self.servers[1].port, refuser.port, stuck.port)

    def close(self) -> None:
        for server in self.servers:
            server.close()

    def _talk(self, talk: Talk) -> None:
        link, said = next(self.links), count()
        talk.sock.settimeout(self.case.patience)
        rest, welcomed = b"", False
        while piece := self._hear(talk):
            rest += piece
            if not welcomed:
                welcomed = True
                stage = WELCOME if rest.startswith(b"JRMI") else FOREIGN
                if not self._say(talk, link, self.case.said(link, next(said), stage, b"", self.ports)):
                    return
            found, rest = asked(rest)
            for stage, name in found:
                if not self._say(talk, link, self.case.said(link, next(said), stage, name, self.ports)):
                    return

    def _hear(self, talk: Talk) -> bytes:
        try:
            return talk.sock.recv(65536)
        except TimeoutError:
            talk.drop()
            return b""

    def _say(self, talk: Talk, link: int, said: Said) -> bool:
        """Whether the talk goes on."""
        rng = Random(f"{self.case.seed}/{link}")
        talk.sock.settimeout(None)
        self.spoke = self.spoke or (
            link == 0 and bool(said.data) and said.then in ("", "close", "hang", "pieces", "drip")
        )
        if said.then == "drip":
            talk.drip(said.data, rng.choice((0.0005, 0.005, 0.05)))
        elif said.then == "pieces":
            size = rng.choice((1, 2, 7, 100))
            talk.say(*(said.data[at : at + size] for at in range(0, len(said.data), size)))
        else:
            talk.say(said.data)
        if said.then not in TIMING or said.then in ("drip", "pieces"):
            talk.sock.settimeout(self.case.patience)
            return True
        if said.then == "endless":
            piece = rng.choice(ENDLESS) * 4096
            while not talk.server.ended.is_set():
                talk.say(piece)
        elif said.then == "reset":
            talk.reset()
        elif said.then == "hang":
            talk.hang()
        else:
            talk.drop()
        return False


def asked(data: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    """The calls in what was heard, each by its stage and the name of its MBean; and what is not yet a whole call."""
    found: list[tuple[str, bytes]] = []
    head, *pieces = data.split(CALL)
    for at, piece in enumerate(pieces):
        if len(piece) < CALLED:
            return found, CALL + piece
        method = int.from_bytes(piece[TARGET + 4 : CALLED], "big", signed=True)
        stage = STAGES.get(method, LOOKUP)
        _, _, name = piece[CALLED:].partition(b"\x70\x78\x70\x74")
        if stage != "close":
            found.append((stage, name[2 : 2 + int.from_bytes(name[:2], "big")]))
        head = piece if at == len(pieces) - 1 else head
    return found, head[-6:]
