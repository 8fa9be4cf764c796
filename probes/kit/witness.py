"""What a silent server of this machine does meanwhile: its silence is no evidence while it waits for the CPU.

A kubelet runs a probe inside the container that it asks about. Where that container's CPU limit is used up, a healthy
JVM may not come to answer for as long as the probe can wait, and from its socket it looks like a stopped one. Linux
tells them apart (proc(5)): threads that want to run are in state R, those of a stopped process in T, idle ones in S.

Part of the cold path, loaded only for a server that has been silent for a while.
"""

import os
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Seconds of CPU that are enough to answer a small question, however busy a JVM is otherwise. One that had so much and
# is silent is wedged: in a loop, or collecting garbage without end.
ENOUGH = 0.15

_LISTENS = b"0A"  # TCP_LISTEN
_STOPPED = (b"T", b"t")
_STATE, _USER, _SYSTEM = 0, 11, 12  # of /proc/PID/stat, what follows the name: the state, and CPU time in ticks


class Witness:
    """The processes that listen where a socket is connected to, and the CPU time that they have from now on.

    Without /proc, of a server on another machine or in another container, or of another user's, it knows nothing.
    `end`, on time.monotonic, is when to stop looking. `proc` is where proc(5) is mounted.
    """

    def __init__(self, fileno: int, end: float, proc: str = "/proc") -> None:
        self._proc, self._end = proc, end
        self._used: dict[str, float] = {}
        try:
            for pid in self._owners(self._listeners(os.readlink(f"{proc}/self/fd/{fileno}"))):
                self._used[pid] = self._seconds(pid)
        except (OSError, ValueError, IndexError):  # no Linux, or no longer there
            self._used.clear()

    def stopped(self) -> str:
        """The process that is stopped, by SIGSTOP or a debugger, where that is so of each that listens."""
        states = []
        for pid in self._used:
            try:
                states.append(self._stat(pid)[_STATE])
            except (OSError, IndexError):  # it ends meanwhile
                continue
        return next(iter(self._used)) if states and all(state in _STOPPED for state in states) else ""

    def starved(self) -> float | None:
        """The seconds of CPU that a listener has had, if that is less than enough, and it wants more right now."""
        for pid, before in self._used.items():
            try:
                had = self._seconds(pid) - before
                tasks = os.listdir(f"{self._proc}/{pid}/task")
                if had < ENOUGH and any(self._stat(f"{pid}/task/{task}")[_STATE] == b"R" for task in tasks):
                    return had
            except (OSError, ValueError, IndexError):  # it ends meanwhile
                continue
        return None

    def _listeners(self, ours: str) -> set[str]:
        """The sockets that listen at the other end of ours, if that is this machine, each as its descriptors show."""
        rows = [row.split() for name in ("tcp", "tcp6") for row in self._read(f"net/{name}").splitlines()[1:]]
        inode = ours.removeprefix("socket:[").removesuffix("]").encode()
        for _, local, remote, _, _, _, _, _, _, number, *_ in rows:
            here, there = local.rpartition(b":"), remote.rpartition(b":")
            if number == inode and here[0] == there[0]:
                return {
                    f"socket:[{row[9].decode()}]"
                    for row in rows
                    if row[3] == _LISTENS and row[1].rpartition(b":")[2] == there[2]
                }
        return set()

    def _owners(self, sockets: set[str]) -> "Iterator[str]":
        """The other processes of our own cgroup, so under our CPU limit, that have one of them open."""
        ourselves, ours = os.readlink(f"{self._proc}/self"), self._read("self/cgroup")
        for pid in filter(str.isdecimal, os.listdir(self._proc) if sockets else ()):
            if monotonic() > self._end:
                return
            try:
                if pid != ourselves and self._read(f"{pid}/cgroup") == ours and self._has(pid, sockets):
                    yield pid
            except OSError:  # another user's, or it ends meanwhile
                continue

    def _has(self, pid: str, sockets: set[str]) -> bool:
        folder = f"{self._proc}/{pid}/fd"
        return any(os.readlink(f"{folder}/{number}") in sockets for number in os.listdir(folder))

    def _seconds(self, pid: str) -> float:
        """The CPU time that a process has had."""
        stat = self._stat(pid)
        return (int(stat[_USER]) + int(stat[_SYSTEM])) / os.sysconf("SC_CLK_TCK")

    def _stat(self, task: str) -> list[bytes]:
        return self._read(f"{task}/stat").rpartition(b")")[2].split()

    def _read(self, name: str) -> bytes:
        with open(f"{self._proc}/{name}", "rb") as file:
            return file.read()
