"""What is seen of a silent server: by a /proc made up here, and by the command, of a real process that is stopped."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from probes.kit.exchange import TELLING, Exchange
from probes.kit.result import ProbeError, Unreachable
from probes.kit.witness import Witness
from tests.probes.kit.command import stetho

OURS, LISTENER, SERVER = 100, 200, 300  # inodes of our socket and theirs, and a process
HERE, THERE = "0100007F", "0200000A"
PORT, OTHER_PORT = "15B3", "15B4"
LISTENS, CONNECTED, CONNECTING = "0A", "01", "02"
FD = 5

SILENT_SERVER = """
import socket
server = socket.create_server(("127.0.0.1", 0), backlog=1)
print(server.getsockname()[1], flush=True)
held = []
while True:
    held.append(server.accept())
"""


class Proc:
    """A /proc with ourselves in it, process 1, connected to where another process listens."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.process(1, {FD: OURS})
        (root / "self").symlink_to("1")
        self.sockets(row(HERE, "9C40", HERE, PORT, CONNECTED, OURS), row(HERE, PORT, "00000000", "0000"))
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

    def sockets(self, *rows: str, v6: tuple[str, ...] = ()) -> None:
        (self.root / "net").mkdir(exist_ok=True)
        for name, lines in (("tcp", rows), ("tcp6", v6)):
            (self.root / "net" / name).write_text("".join(f"{line}\n" for line in ("  sl  local_address", *lines)))

    def witness(self, end: float = 60) -> Witness:
        return Witness(FD, time.monotonic() + end, str(self.root))


def row(address: str, port: str, remote: str, remote_port: str, state: str = LISTENS, inode: int = LISTENER) -> str:
    return f"   0: {address}:{port} {remote}:{remote_port} {state} 0:0 00:0 0  0  0 {inode} 1 0000000000000000 100 0"


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

    assert (witness.stopped(), witness.starved()) == (stopped, pytest.approx(starved))


@pytest.mark.parametrize(("ticks", "starved"), [(0, 0.0), (14, 0.14), (15, None), (80, None)])
def test_who_had_the_cpu_to_answer_is_not_starved(proc: Proc, ticks: int, starved: float | None) -> None:
    proc.state(SERVER, "R", ticks=7)
    witness = proc.witness()
    proc.state(SERVER, "R", ticks=7 + ticks)

    assert witness.starved() == pytest.approx(starved)


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


MINE = row(HERE, "9C40", HERE, PORT, CONNECTED, OURS)
THEIRS = row("00000000", PORT, "00000000", "0000")
V6 = "0" * 32


@pytest.mark.parametrize(
    ("v4", "v6", "known"),
    [
        ([MINE, THEIRS], [], True),
        ([MINE], [row(V6, PORT, V6, "0000")], True),  # as a JVM listens, for both
        ([], [row(V6, "9C40", V6, PORT, CONNECTED, OURS), row(V6, PORT, V6, "0000")], True),
        ([row(HERE, "9C40", HERE, PORT, CONNECTING, OURS), THEIRS], [], True),  # its queue is full
        ([row(HERE, "9C40", THERE, PORT, CONNECTED, OURS), THEIRS], [], False),  # another machine
        ([MINE, row(HERE, OTHER_PORT, "00000000", "0000")], [], False),
        ([MINE, row(HERE, PORT, HERE, "9C40", CONNECTED, LISTENER)], [], False),
        ([THEIRS], [], False),  # ours is no TCP socket
        ([MINE, "half a row"], [], False),
        ([], [], False),
    ],
)
def test_who_listens_where_we_are_connected(proc: Proc, v4: list[str], v6: list[str], known: bool) -> None:
    proc.sockets(*v4, v6=tuple(v6))
    proc.state(SERVER, "T")

    assert bool(proc.witness().stopped()) is known


def test_who_does_not_share_our_limit_is_not_looked_at(proc: Proc) -> None:
    (proc.root / f"{SERVER}/cgroup").write_text("0::/another\n")
    proc.state(SERVER, "T")

    assert proc.witness().stopped() == ""


def test_nor_are_we_ourselves(proc: Proc) -> None:
    (proc.root / f"1/fd/{FD + 1}").symlink_to(f"socket:[{LISTENER}]")
    proc.state(1, "R")

    assert proc.witness().starved() is None


def test_the_search_ends_at_the_deadline(proc: Proc) -> None:
    proc.state(SERVER, "T")

    assert proc.witness(end=-1).stopped() == ""


def test_without_proc_nothing_is_known(tmp_path: Path) -> None:
    witness = Witness(FD, time.monotonic() + 1, str(tmp_path))

    assert (witness.stopped(), witness.starved()) == ("", None)


@pytest.mark.parametrize(
    ("states", "silent", "kind", "text"),
    [
        ("T", TELLING / 2, Unreachable, "not a byte in 3s: process 300, which listens there, is stopped"),
        ("R", TELLING / 2, ProbeError, "not a byte in 3s, too short a time to tell"),
        ("R", 3, ProbeError, "not a byte in 3s, but it wants to run, and had only 0ms of CPU"),
        ("S", 3, Unreachable, "not a byte in 3s"),
    ],
)
def test_what_silence_means_then(proc: Proc, states: str, silent: float, kind: type, text: str) -> None:
    exchange = Exchange("it", time.monotonic() + 60)
    exchange.end = time.monotonic()
    exchange.start, exchange.sent = exchange.end - 3, exchange.end - silent
    proc.state(SERVER, states)
    exchange.witness = proc.witness()

    error = exchange.late()

    assert (type(error), str(error)) == (kind, f"it: {text}")


@pytest.fixture
def stopped() -> Iterator[tuple[int, int]]:
    """A server that listens on a port, and is stopped; its pid."""
    with subprocess.Popen([sys.executable, "-c", SILENT_SERVER], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            port = int(server.stdout.readline())
            server.send_signal(signal.SIGSTOP)
            yield port, server.pid
        finally:
            server.kill()


@pytest.mark.parametrize("full", [False, True], ids=["it lets in", "its queue is full"])
@pytest.mark.parametrize(
    "call",
    [
        ("streams", "--exporter", "http://127.0.0.1:{}/metrics"),
        ("streams", "--jmx", "127.0.0.1:{}"),
        ("connect", "--url", "http://localhost:{}"),
    ],
    ids=lambda call: " ".join(call[:2]),
)
def test_a_stopped_process_is_named(stopped: tuple[int, int], call: tuple[str, ...], full: bool) -> None:
    port, pid = stopped
    crowd = [_knock(port) for _ in range(5 * full)]

    said = stetho("probe", *(word.format(port) for word in call), "--as", "liveness", "--output", "text")

    for one in crowd:
        one.close()
    assert (said.returncode, f"process {pid}, which listens there, is stopped" in said.stdout) == (1, True), said.stdout


def _knock(port: int) -> socket.socket:
    one = socket.socket()
    one.setblocking(False)
    one.connect_ex(("127.0.0.1", port))
    return one


def test_a_server_that_is_only_silent_is_not_called_stopped(stopped: tuple[int, int]) -> None:
    port, pid = stopped
    os.kill(pid, signal.SIGCONT)

    said = stetho("probe", "connect", "--url", f"http://127.0.0.1:{port}", "--timeout", "1s", "--output", "text")

    assert (said.returncode, "not a byte in 1s\n" in said.stdout) == (2, True), said.stdout
