"""Who asks a JVM every 10 s, for months, leaves nothing behind in it: connections, sessions, results, threads.

A JVM keeps a session that was not closed for 2 minutes, with a thread, and a result that was not acknowledged for
5 minutes (`sun.rmi.dgc.ackTimeout`): whoever is killed leaves one of each, which nobody can help.
"""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass

import pytest

from probes.kit.jmx import fetch
from probes.kit.jmx.session import Session
from probes.kit.net import Found, JmxRequest, Trust, Unreadable
from probes.kit.result import ProbeError
from probes.kit.types import JmxAddress
from tests.probes.kit.command import COMMAND, environment
from tests.stack.jmx_asked import READ, asked, found
from tests.stack.jvm import JmxServer
from tests.stack.process import wait_for

pytest_plugins = ["tests.stack.jvm_fixtures"]
pytestmark = pytest.mark.stack

MODES = ("plain", "two-ports", "password", "filtered", "tls", "tls-registry", "denied", "unbound")
VALUES, FAULTY, MANY = (f"stetho.test:type={kind}" for kind in ("Values", "Faulty", "Many,*"))
INTEGER = (VALUES, ("Integer",))
THREADS = ("java.lang:type=Threading", ("ThreadCount",))
OF_RMI = ("stetho.test:type=Leaks", ("ConnectionThreads", "IdleThreads"))
SESSION, RESULT = "javax.management.remote.rmi.RMIConnectionImpl", "sun.rmi.transport.DGCAckHandler"
KILLS = 50


@dataclass(frozen=True)
class Kept:
    """What a JVM keeps for clients that have no connection. Threads are all but RMI's own, which wait for the next."""

    sessions: int
    results: int
    threads: int

    def within(self, other: "Kept", more: int) -> bool:
        """At most that, and of each so many more."""
        return all(mine <= theirs + more for mine, theirs in zip(astuple(self), astuple(other), strict=True))


def kept(server: JmxServer) -> Kept:
    counted = {name: value for each in found(server, THREADS, OF_RMI) for name, value in _only(each).items()}
    threads, connected, idle = (int(str(counted[name])) for name in (*THREADS[1], *OF_RMI[1]))
    wait_for("its clients' connections to end", lambda: server.connections() == 0, 60)
    return Kept(server.instances(SESSION), server.instances(RESULT), threads - connected - idle)


def _only(answer: Found) -> dict[str, object]:
    [attributes] = answer.mbeans.values()
    return attributes


def settles(server: JmxServer, before: Kept, more: int = 0) -> None:
    """The JVM comes back to what it kept before: what was sent last it may still be about to read."""
    end = time.monotonic() + 60
    while not (after := kept(server)).within(before, more):
        assert time.monotonic() < end, f"{before} became {after}"


@pytest.fixture(scope="module")
def jvm(jmx_server: JmxServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JmxServer]:
    """One that nobody else asks."""
    server = JmxServer(tmp_path_factory.mktemp("leaks"), java=jmx_server.java, modes=MODES)
    try:
        server.start()
        for mode in ("plain", "two-ports"):
            found(server, INTEGER, (MANY, ()), mode=mode)  # some threads start with the first client
        kept(server)
        yield server
    finally:
        server.stop()


@dataclass(frozen=True)
class Way:
    """How a server is asked in one of its modes."""

    server: JmxServer
    mode: str
    password: str = "monitor-secret"
    trusts: bool = True

    def read(self, *read: tuple[str, tuple[str, ...]], within: float = 30) -> list[Found]:
        login = {"username": "monitor", "password": self.password} if self.mode == "password" else {}
        trust = Trust(str(self.server.files.ca_file if self.trusts else self.server.files.other_ca_file))
        over_tls = self.mode == "tls-registry"
        address = JmxAddress.parse(self.server.address(self.mode))
        request = JmxRequest(address, read, trust=trust, registry_tls=over_tls, **login)
        return fetch(request, time.monotonic() + within)


def test_what_is_open_is_counted(jvm: JmxServer) -> None:
    """Or nothing here could fail."""
    before = kept(jvm)
    session = Session(JmxRequest(JmxAddress.parse(jvm.address("plain")), ()), time.monotonic() + 30)
    session.open()
    try:
        assert jvm.connections() == 1
        assert jvm.instances(SESSION) == before.sessions + 1
        assert jvm.instances(RESULT) == before.results + 1
    finally:
        session.close()
    settles(jvm, before)


READS = {"plain": 7_000, "two-ports": 2_000, "password": 800, "tls": 100, "tls-registry": 100}


@pytest.mark.timeout(1200)
def test_ten_thousand_reads_leave_nothing_behind(jvm: JmxServer) -> None:
    before = kept(jvm)
    for mode, times in READS.items():
        way = Way(jvm, mode)
        for _ in range(times):
            assert way.read(INTEGER)[0].mbeans == {VALUES: {"Integer": 42}}
    settles(jvm, before)
    assert sum(READS.values()) == 10_000


# After some of these the JVM ends the connection, and only a new one can say goodbye.
REFUSED = (
    *(("plain", VALUES, attribute) for attribute in ("Unserializable", "HoldsUnserializable", "Deep500", "NoSuch")),
    *(("plain", FAULTY, attribute) for attribute in ("Runtime", "Security", "Unserializable", "Stream", "WriteOnly")),
    *(("plain", bean, "Any") for bean in ("stetho.test:type=NoSuch", "stetho.test:type=NoSuch,*", "no colon")),
    ("plain", "stetho.test:type=Big", "Strings"),
    *((mode, VALUES, "Unserializable") for mode in ("two-ports", "password", "tls", "tls-registry")),
    *(("filtered", bean, "Integer") for bean in (VALUES, "stetho.test:type=Val*")),
    ("denied", VALUES, "Integer"),
)


def test_nor_do_reads_that_are_refused_or_fail(jvm: JmxServer) -> None:
    before = kept(jvm)
    for mode, bean, attribute in REFUSED:
        for _ in range(10):
            [answer] = Way(jvm, mode).read((bean, (attribute,)))
            values = list(answer.mbeans.get(bean, {}).values())
            assert answer.refused or all(isinstance(value, Unreadable) for value in values)
    settles(jvm, before)


def test_nor_does_who_is_not_let_in_or_does_not_trust(jvm: JmxServer) -> None:
    before = kept(jvm)
    for way in (
        Way(jvm, "password", password="wrong-secret"),
        Way(jvm, "tls", trusts=False),
        Way(jvm, "tls-registry", trusts=False),
        Way(jvm, "unbound"),
    ):
        for _ in range(10):
            with pytest.raises(ProbeError):
                way.read(INTEGER)
    settles(jvm, before)


def test_a_connector_sees_one_who_asks_and_nobody_else(jvm: JmxServer) -> None:
    for _ in range(100):
        [answer] = found(jvm, ("stetho.test:type=ConnectorServer,mode=plain", ("ConnectionIds",)))
        [ids] = _only(answer).values()
        assert isinstance(ids, list)
        if len(ids) == 1:  # its predecessor may just be going
            return
    pytest.fail(f"connections that nobody closed: {ids}")


def test_eight_threads_at_once_are_all_answered_and_leave_nothing_behind(jvm: JmxServer) -> None:
    before = kept(jvm)
    with ThreadPoolExecutor(8) as pool:
        ways = [Way(jvm, mode) for mode in ("plain", "two-ports", "password", "tls-registry")] * 50
        answers = list(pool.map(lambda way: way.read(INTEGER, (VALUES, ("String", "NaN")))[0].mbeans, ways))
    assert answers == [{VALUES: {"Integer": 42}}] * len(ways)
    settles(jvm, before)


def test_nor_does_the_command(jvm: JmxServer) -> None:
    before, address = kept(jvm), jvm.address("plain")
    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(lambda _: asked("jmx", address, *READ), range(150)))
    assert {each.message for each in said} == {"Values Integer 42"}
    settles(jvm, before)


def test_who_runs_out_of_time_leaves_little_behind(jvm: JmxServer) -> None:
    """It says goodbye, but answers that come when it has gone make a reset, which may be there before that is heard."""
    before, way = kept(jvm), Way(jvm, "plain")
    for milliseconds in range(1, 61):
        with pytest.raises(ProbeError):
            way.read((MANY, ()), (MANY, ()), within=milliseconds / 1000)
    settles(jvm, before, more=30)


def test_who_is_killed_leaves_no_connection_and_at_most_a_session_behind(jvm: JmxServer) -> None:
    """And two results: the stub of the server, that of the session."""
    before, chance = kept(jvm), random.Random(1)
    argv = [sys.executable, str(COMMAND), "probe", "jmx", "--jmx", jvm.address("plain"), "--read", MANY]
    killed = 0
    for _ in range(KILLS):
        child = subprocess.Popen(argv, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.01, 0.2))
        child.kill()
        killed += child.wait() < 0
    assert killed > KILLS / 2
    settles(jvm, before, more=2 * killed)
