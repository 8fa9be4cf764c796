"""What the command says of a real process that is stopped, or only silent."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.probes.kit.command import stetho
from tests.probes.kit.rawserver import Tls

SILENT_SERVER = """
import socket
server = socket.create_server(("127.0.0.1", 0), backlog=1)
print(server.getsockname()[1], flush=True)
held = []
while True:
    held.append(server.accept())
"""


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


def test_a_stopped_process_is_named_over_tls_too(stopped: tuple[int, int], tmp_path: Path) -> None:
    port, pid = stopped
    url = f"https://127.0.0.1:{port}"

    said = stetho("probe", "connect", "--url", url, "--ca-file", Tls(tmp_path).ca_file, "--as", "liveness")

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
