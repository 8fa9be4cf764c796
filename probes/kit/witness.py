"""What a silent server of our own container does meanwhile: its silence is no evidence while it waits for the CPU.

A kubelet runs a probe inside the container that it asks about. Where that container's CPU limit is used up, a healthy
JVM may not come to answer for as long as the probe can wait, and from its socket it looks like a stopped one. Linux
tells them apart (proc(5)): threads that want to run are in state R, those of a stopped process in T, idle ones in S;
and a cgroup counts how often its limit was used up (nr_throttled in cpu.stat).

Part of the cold path, loaded only for a server that has been silent for a while.
"""

import os
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from probes.kit.exchange import Socket

# Seconds of CPU that are enough to answer a small question, however busy a JVM is otherwise. One that had so much and
# is silent is wedged: in a loop, or collecting garbage without end.
ENOUGH = 0.15

SMALL = 16 << 10  # bytes, more than any file has of which one read is made

_LISTENS = b"0A"  # TCP_LISTEN
_STOPPED = (b"T", b"t")
_STATE, _USER, _SYSTEM = 0, 11, 12  # of /proc/PID/stat, what follows the name: the state, and CPU time in ticks


def port_here(wire: "Socket", place: "Any" = None) -> int:
    """The port that a wire leads to, if that is on this machine, else 0. `place`: whom it is still knocking at."""
    try:
        there = place or wire.getpeername()
        return int(there[1]) if wire.getsockname()[0] == there[0] else 0
    except (OSError, IndexError):  # it is lost, or a Unix socket's
        return 0


class Witness:
    """The processes that listen at a port of this machine, and the CPU time that they have from now on.

    Without /proc, and of a server in another container or of another user's, it knows nothing. `end`, on
    time.monotonic, is when to stop looking for them. `proc` and `cgroups` are where these are mounted.
    """

    def __init__(self, port: int, end: float, proc: str = "/proc", cgroups: str = "/sys/fs/cgroup") -> None:
        self._proc, self._cgroups, self._end = proc, cgroups, end
        try:
            self._used = dict(self._owners(self._listeners(port)) if port else ())
            self._throttled = self._throttles() if self._used else 0
        except (OSError, ValueError, IndexError):  # no Linux, or an odd one
            self._used = {}

    def stopped(self) -> str:
        """The process that is stopped, by SIGSTOP or a debugger, where that is so of each that listens."""
        states = {}
        for pid in self._used:
            try:
                states[pid] = self._stat(pid)[_STATE]
            except (OSError, IndexError):  # it ends meanwhile
                continue
        return next(iter(states), "") if all(state in _STOPPED for state in states.values()) else ""

    def starved(self) -> float | None:
        """The seconds of CPU that a listener has had since, if it wants more and our common limit allowed no more."""
        for pid, before in self._used.items():
            try:
                had = self._seconds(pid) - before
                if had < ENOUGH and self._throttles() > self._throttled and self._wants_to_run(pid):
                    return had
            except (OSError, ValueError, IndexError):  # it ends meanwhile
                continue
        return None

    def _listeners(self, port: int) -> set[str]:
        """The sockets that listen at a port, each as the descriptors of its owners show it."""
        found, local = set(), b":%04X" % port
        for name in ("tcp", "tcp6"):  # a kernel without IPv6 has but one
            try:
                with open(f"{self._proc}/net/{name}", "rb") as file:
                    file.readline()
                    for row in map(bytes.split, file):
                        if row[3] != _LISTENS:  # thousands may follow; those that listen come first (proc_net_tcp.rst)
                            break
                        if row[1].endswith(local):
                            found.add(f"socket:[{row[9].decode()}]")
            except FileNotFoundError:
                continue
        return found

    def _owners(self, sockets: set[str]) -> "Iterator[tuple[str, float]]":
        """The other processes of our own cgroup, so under our CPU limit, that have one of them open; their CPU time."""
        ourselves, ours = os.readlink(f"{self._proc}/self"), self._read("self/cgroup")
        for pid in filter(str.isdecimal, os.listdir(self._proc) if sockets else ()):
            if monotonic() > self._end:
                return
            try:
                if pid != ourselves and self._read(f"{pid}/cgroup") == ours and self._has(pid, sockets):
                    yield pid, self._seconds(pid)
            except OSError:  # another user's, or it ends meanwhile
                continue

    def _has(self, pid: str, sockets: set[str]) -> bool:
        with os.scandir(f"{self._proc}/{pid}/fd") as descriptors:  # there may be a hundred thousand
            for descriptor in descriptors:
                if monotonic() > self._end:
                    break
                try:
                    if os.readlink(descriptor.path) in sockets:
                        return True
                except FileNotFoundError:  # closed meanwhile
                    continue
        return False

    def _throttles(self) -> int:
        """How often the CPU limit of our cgroup has been used up, which halts all that is in it for a while."""
        for line in self._read("self/cgroup").decode(errors="surrogateescape").splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and "cpu" not in controllers.split(","):  # version 2 has none here
                continue
            for folder in (path, ""):  # a container may see its own group as the whole tree
                try:
                    stat = _text(f"{self._cgroups}/{controllers}{folder}/cpu.stat").split()
                    return int(stat[stat.index(b"nr_throttled") + 1])
                except (OSError, ValueError):  # it is not there, or knows no limit
                    continue
        return 0

    def _wants_to_run(self, pid: str) -> bool:
        for task in os.listdir(f"{self._proc}/{pid}/task"):
            try:
                if self._stat(f"{pid}/task/{task}")[_STATE] == b"R":
                    return True
            except (FileNotFoundError, ProcessLookupError):  # this thread ends meanwhile
                continue
        return False

    def _seconds(self, pid: str) -> float:
        """The CPU time that a process has had."""
        stat = self._stat(pid)
        return (int(stat[_USER]) + int(stat[_SYSTEM])) / os.sysconf("SC_CLK_TCK")

    def _stat(self, task: str) -> list[bytes]:
        return self._read(f"{task}/stat").rpartition(b")")[2].split()

    def _read(self, name: str) -> bytes:
        return _text(f"{self._proc}/{name}")


def _text(path: str) -> bytes:
    # A third of what open() costs, and a JVM may have thousands of threads.
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(number, SMALL)
    finally:
        os.close(number)
