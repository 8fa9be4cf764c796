"""What is seen of a silent server, by a /proc made up here. Of a real process: test_witness_alive."""

import os
import socket
import time
from pathlib import Path

import pytest

import probes.kit.witness
from probes.kit.exchange import TELLING, Exchange
from probes.kit.result import ProbeError, Unreachable
from probes.kit.witness import Witness, port_here
from tests.probes.kit.rawserver import RawServer, Serve, Unaccepting

LISTENER, SERVER = 200, 300  # the inode of a socket, and a process
PORT = 5555
LISTENS, CONNECTED = "0A", "01"
ANY, LOOPBACK = "00000000", "0100007F"  # addresses as the kernel shows them
ANY6, LOOPBACK4IN6 = "0" * 32, "0000000000000000FFFF00000100007F"


class Proc:
    """A /proc with ourselves in it, process 1, and another process, which listens at PORT; and our cgroup."""

    def __init__(self, root: Path) -> None:
        self.root, self.cgroups = root / "proc", root / "cgroups"
        self.throttles("pod", 7)
        self.process(1, {5: 100})
        (self.root / "self").symlink_to("1")
        self.sockets(v4=[row(LOOPBACK)])
        self.process(SERVER, {3: 299, 4: LISTENER})

    def process(self, pid: int, fds: dict[int, int], cgroup: str = "/pod") -> None:
        (self.root / f"{pid}/fd").mkdir(parents=True)
        for number, inode in fds.items():
            (self.root / f"{pid}/fd/{number}").symlink_to(f"socket:[{inode}]")
        (self.root / f"{pid}/cgroup").write_text(f"0::{cgroup}\n")
        self.state(pid, "S")

    def state(self, pid: int, *states: str, ticks: int = 0) -> None:
        """The state of each thread, and the CPU time of all."""
        for number, state in enumerate(states):
            stat = f"{pid} (java) (x)) {state} 1 1 1 0 -1 0 0 0 0 0 {ticks} 0 0 0 20 0\n"
            folder = self.root / f"{pid}/task/{pid + number}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "stat").write_text(stat)
            if number == 0:
                (self.root / f"{pid}/stat").write_text(stat)

    def sockets(self, v4: list[str], v6: list[str] | None = None) -> None:
        """What listens, and what is connected; without `v6` it is a kernel without IPv6."""
        (self.root / "net").mkdir(exist_ok=True)
        for name, lines in (("tcp", v4), ("tcp6", v6)):
            if lines is not None:
                (self.root / "net" / name).write_text("".join(f"{line}\n" for line in ("  sl  local_address", *lines)))

    def throttles(self, folder: str, times: int | None) -> None:
        """How often the limit of a group was used up; None: it has no limit."""
        path = self.cgroups / folder / "cpu.stat"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("usage_usec 5\n" + (f"nr_periods 9\nnr_throttled {times}\n" if times is not None else ""))

    def witness(self, end: float = 60, port: int = PORT) -> Witness:
        return Witness(port, time.monotonic() + end, str(self.root), str(self.cgroups))


def row(address: str, port: int = PORT, state: str = LISTENS, inode: int = LISTENER) -> str:
    return f"   0: {address}:{port:04X} {ANY}:0000 {state} 0:0 00:0 0  0  0 {inode} 1 0000000000000000 100 0"


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    return Proc(tmp_path)


@pytest.mark.parametrize(
    ("states", "stopped", "starved"),
    [
        ("S", "", None),
        ("SSR", "", 0.05),
        ("D", "", None),
        ("TTT", "300", None),
        ("ttt", "300", None),
        ("Z", "", None),
    ],
)
def test_its_threads_tell_what_it_does(proc: Proc, states: str, stopped: str, starved: float | None) -> None:
    proc.state(SERVER, "S", ticks=1000)
    witness = proc.witness()
    proc.state(SERVER, *states, ticks=1005)
    proc.throttles("pod", 8)

    assert witness.stopped() == stopped
    assert witness.starved() == pytest.approx(starved)


@pytest.mark.parametrize(("ticks", "starved"), [(0, 0.0), (14, 0.14), (15, None), (80, None)])
def test_who_had_the_cpu_to_answer_is_not_starved(proc: Proc, ticks: int, starved: float | None) -> None:
    proc.state(SERVER, "R", ticks=7)
    witness = proc.witness()
    proc.state(SERVER, "R", ticks=7 + ticks)
    proc.throttles("pod", 8)

    assert witness.starved() == pytest.approx(starved)


@pytest.mark.parametrize(
    ("cgroup", "folder"),
    [
        ("0::/pod", "pod"),
        ("0::/", ""),  # version 2, as a container sees it
        ("9:memory:/x\n4:cpu,cpuacct:/kubepods/a:b\n0::/", "cpu,cpuacct/kubepods/a:b"),
        ("4:cpu,cpuacct:/kubepods/ab\n0::/", "cpu,cpuacct"),  # version 1, as a container sees it
        ("2:cpuacct:/pod\n1:cpu:/pod", "cpu/pod"),
    ],
)
def test_the_limit_that_counts_is_ours(proc: Proc, cgroup: str, folder: str) -> None:
    for pid in (1, SERVER):
        (proc.root / f"{pid}/cgroup").write_text(f"{cgroup}\n")
    proc.throttles(folder, 1)
    proc.state(SERVER, "R")
    witness = proc.witness()
    assert witness.starved() is None

    proc.throttles(folder, 2)
    assert witness.starved() == 0


@pytest.mark.parametrize("times", [7, None], ids=["not used up", "no limit"])
def test_where_the_limit_is_not_used_up_nobody_starves(proc: Proc, times: int | None) -> None:
    proc.throttles("pod", times)
    proc.state(SERVER, "R")
    witness = proc.witness()

    assert witness.starved() is None
    (proc.cgroups / "pod/cpu.stat").unlink()
    assert witness.starved() is None


def test_a_process_that_has_ended_tells_nothing(proc: Proc) -> None:
    proc.state(SERVER, "T")
    witness = proc.witness()
    (proc.root / f"{SERVER}/stat").unlink()

    assert (witness.stopped(), witness.starved()) == ("", None)


def test_one_of_several_that_runs_speaks_for_all(proc: Proc) -> None:
    proc.process(301, {9: LISTENER})
    proc.state(301, "T")
    witness = proc.witness()
    assert witness.stopped() == ""

    proc.state(SERVER, "T")
    assert witness.stopped() in ("300", "301")

    (proc.root / f"{SERVER}/stat").unlink()
    assert witness.stopped() == "301"


@pytest.mark.parametrize(
    ("v4", "v6", "known"),
    [
        ([row(LOOPBACK)], [], True),
        ([row(ANY)], None, True),
        ([row(ANY, 80, inode=7), row(ANY)], [], True),
        ([], [row(ANY6)], True),  # as a JVM listens, for both
        ([], [row(LOOPBACK4IN6)], True),
        ([row(LOOPBACK, 80, CONNECTED)], [row(ANY6), row(ANY6, 80, CONNECTED)], True),
        ([row(ANY, PORT + 1)], [], False),
        ([row(LOOPBACK, PORT, CONNECTED)], [], False),
        (["half a row"], [], False),
        ([], [], False),
        ([], None, False),
    ],
)
def test_who_listens_at_the_port(proc: Proc, v4: list[str], v6: list[str] | None, known: bool) -> None:
    proc.sockets(v4, v6)
    proc.state(SERVER, "T")

    assert bool(proc.witness().stopped()) is known


def test_nobody_reads_on_where_no_more_listen(proc: Proc) -> None:
    """Those that are connected, of which a broker has thousands, come after all that listen."""
    proc.sockets([row(LOOPBACK), row(LOOPBACK, 80, CONNECTED), *["no row, nor ever read as one"] * 3])
    proc.state(SERVER, "T")

    assert proc.witness().stopped() == str(SERVER)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_port_of_this_machine_is_known(host: str, serve: Serve) -> None:
    server: RawServer = serve(lambda talk: talk.hang(), host)
    with socket.create_connection((host, server.port)) as ours:
        assert port_here(ours) == server.port


def test_who_is_knocking_knows_where() -> None:
    full = Unaccepting()
    with socket.socket() as ours:
        ours.setblocking(False)
        ours.connect_ex(("127.0.0.1", full.port))
        assert (port_here(ours), port_here(ours, ("127.0.0.1", full.port))) == (0, full.port)
    full.close()


def test_another_machine_is_not_ours() -> None:
    with socket.socket() as ours:
        ours.bind(("127.0.0.1", 0))
        assert port_here(ours, ("192.0.2.1", PORT)) == 0


def test_a_unix_socket_has_no_port() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert port_here(ours) == 0


def test_a_lost_connection_leads_nowhere() -> None:
    ours = socket.socket()
    ours.close()
    assert port_here(ours) == 0


def test_of_another_machine_nothing_is_known(proc: Proc) -> None:
    proc.state(SERVER, "T")

    assert proc.witness(port=0).stopped() == ""


def test_who_does_not_share_our_limit_is_not_looked_at(proc: Proc) -> None:
    (proc.root / f"{SERVER}/cgroup").write_text("0::/another\n")
    proc.state(SERVER, "T")

    assert proc.witness().stopped() == ""


def test_nor_are_we_ourselves(proc: Proc) -> None:
    (proc.root / "1/fd/6").symlink_to(f"socket:[{LISTENER}]")
    proc.state(1, "R")
    witness = proc.witness()
    proc.throttles("pod", 8)

    assert witness.starved() is None


def test_what_closes_and_ends_meanwhile_hides_nothing(proc: Proc, monkeypatch: pytest.MonkeyPatch) -> None:
    """Descriptors and threads come and go between their listing and the look at each."""

    read = os.readlink

    def closed_meanwhile(path: str) -> str:
        if path.endswith("/fd/3"):
            raise FileNotFoundError(path)
        return read(path)

    monkeypatch.setattr(os, "readlink", closed_meanwhile)
    witness = proc.witness()
    proc.state(SERVER, "S", "R")
    for number in range(20):
        (proc.root / f"{SERVER}/task/{number}").mkdir()
    proc.throttles("pod", 8)

    assert witness.starved() == 0


def test_a_worker_that_ends_meanwhile_hides_no_other(proc: Proc) -> None:
    proc.process(301, {9: LISTENER})
    (proc.root / "301/stat").unlink()
    proc.state(SERVER, "T")

    assert proc.witness().stopped() == str(SERVER)


def test_no_more_descriptors_are_read_after_the_deadline(proc: Proc, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker has a hundred thousand."""
    for number in range(10, 30):
        (proc.root / f"{SERVER}/fd/{number}").symlink_to("socket:[1]")
    clock = iter([0.0, 0.0, *[61.0] * 30])
    links: list[str] = []
    read = os.readlink

    def noted(path: str) -> str:
        links.append(path)
        return read(path)

    monkeypatch.setattr(probes.kit.witness, "monotonic", lambda: next(clock))
    monkeypatch.setattr(os, "readlink", noted)

    Witness(PORT, 60.0, str(proc.root))

    assert len([path for path in links if "/fd/" in path]) < 3


def test_the_search_ends_at_the_deadline(proc: Proc) -> None:
    proc.state(SERVER, "T")

    assert proc.witness(end=-1).stopped() == ""


def test_without_proc_nothing_is_known(tmp_path: Path) -> None:
    witness = Witness(PORT, time.monotonic() + 1, str(tmp_path))

    assert (witness.stopped(), witness.starved()) == ("", None)


@pytest.mark.parametrize(
    ("states", "silent", "kind", "text"),
    [
        ("T", TELLING / 2, Unreachable, "not a byte in 3s: process 300, which listens there, is stopped"),
        ("R", TELLING / 2, ProbeError, "not a byte in 3s, too short a time to tell"),
        ("R", 3, ProbeError, "not a byte in 3s, but the CPU limit is used up, of which it had 0ms"),
        ("S", 3, Unreachable, "not a byte in 3s"),
    ],
)
def test_what_silence_means_then(proc: Proc, states: str, silent: float, kind: type, text: str) -> None:
    exchange = Exchange("it", time.monotonic() + 60)
    exchange.end = time.monotonic()
    exchange.start, exchange.sent = exchange.end - 3, exchange.end - silent
    proc.state(SERVER, states)
    exchange.witness = proc.witness()
    proc.throttles("pod", 8)

    error = exchange.late()

    assert (type(error), str(error)) == (kind, f"it: {text}")
