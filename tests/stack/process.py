"""A server as a child process: started on loopback, waited for, stopped by PID."""

import fcntl
import http.client
import itertools
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

# Each is given once, and each worker of pytest-xdist has its own: many are bound only seconds after they were given.
# They lie below the range from which Linux takes the ports of outgoing connections: a server that is killed and started
# again would now and then find its port taken by one of those.
_WORKERS = 4
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
_PORTS = itertools.cycle(random.sample(range(10_000 + _WORKER, 32_000, _WORKERS), 22_000 // _WORKERS))


class StackError(Exception):
    """A real server could not be had or did not come up; the text says which, and shows its log's end."""


def cache() -> Path:
    """Where what was built or downloaded stays between runs: outside git, shared by all checkouts."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "stetho-stack"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def locked(lock: Path) -> Iterator[None]:
    """One build or installation at a time on this machine; the others wait and find it done."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def get(port: int, path: str, seconds: float = 5) -> tuple[int, bytes]:
    """Status and body of GET `path` on 127.0.0.1, past every proxy of the environment. OSError: no answer."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        client.request("GET", path)
        reply = client.getresponse()
        return reply.status, reply.read()
    except http.client.HTTPException as error:
        raise ConnectionError(f"GET {path} of port {port}: {error!r}") from error
    finally:
        client.close()


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on at this moment, and that nobody else was given."""
    while True:
        port = next(_PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def accepts(port: int) -> bool:
    """Whether something on 127.0.0.1 accepts a connection on `port`."""
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0


def wait_for(what: str, ready: Callable[[], bool], seconds: float) -> None:
    """Return once `ready()` holds; StackError after `seconds`. An OSError of `ready` counts as not yet."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if ready():
                return
        except OSError:
            pass  # refused or reset while it starts: ask again
        time.sleep(0.05)
    raise StackError(f"waited {seconds:g} s for {what}")


class Process:
    """One server of the stack. Its output goes to `log`; it runs in a process group of its own."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name, self.argv, self.log, self.env, self.cwd = name, list(argv), log, env, cwd
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._child is None:
            raise StackError(f"{self.name} was not started")
        return self._child.pid

    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self, ready: Callable[[], bool], seconds: float = 60) -> None:
        """Start and wait until `ready()`; StackError with the log's end if it dies or stays silent."""
        with self.log.open("ab") as out:
            self._child = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self.cwd,
                env={**os.environ, **(self.env or {})},
                start_new_session=True,
            )

        def up() -> bool:
            if not self.running():
                raise StackError(f"{self.name} ended with {self.pid and self._child and self._child.returncode}")
            return ready()

        try:
            wait_for(self.name, up, seconds)
        except StackError as error:
            tail = self.log.read_text(errors="replace")[-2000:]
            self.stop()
            raise StackError(f"{error}; the end of {self.log}:\n{tail}") from None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal (SIGSTOP, SIGCONT, SIGKILL …) to this server alone."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it without warning, as a crash does."""
        if self._child is not None and self.running():
            self._child.kill()
            self._child.wait()

    def stop(self, seconds: float = 10) -> None:
        """Ask it to end, and end it by force when it does not."""
        if self._child is None or not self.running():
            return
        self._child.terminate()
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
