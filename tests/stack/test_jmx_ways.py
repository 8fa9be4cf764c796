"""Where a JVM leads a client, and what else may be at its address: what the command makes of both.

A stub names the host that the JVM was told it is called (`java.rmi.server.hostname`), which often leads nowhere.
"""

import select
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.probes.kit.rawserver import RawServer, Refuser, Script, Talk, Tls, Unaccepting
from tests.stack.jmx_asked import BLIND, DEAD, READ, WELL, Codes, asked, expect
from tests.stack.jvm import JmxServer

pytest_plugins = ["tests.stack.jvm_fixtures"]
pytestmark = pytest.mark.stack

FORTY_TWO = "Values Integer 42"
# Loopback too, on Linux; no JVM of these tests listens there.
ELSEWHERE, NOWHERE = "127.0.0.2", "127.0.0.9"
SHORT = "500ms"  # for what takes all the time there is
LATER = "3s"  # likewise, where something has to be answered first


@contextmanager
def forwarded(port: int) -> Iterator[str]:
    """The address of another port, elsewhere, that leads to this one."""

    def script(talk: Talk) -> None:
        with socket.create_connection(("127.0.0.1", port)) as server:
            ends = {talk.sock: server, server: talk.sock}
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    said = end.recv(65536)
                    if not said:
                        return
                    ends[end].sendall(said)

    with closing(RawServer(script, ELSEWHERE)) as server:
        yield f"{ELSEWHERE}:{server.port}"


@pytest.fixture(scope="module", params=["192.0.2.1", "no-such-host.invalid"])
def misled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JmxServer]:
    """A JVM whose stubs name a host that leads nowhere."""
    modes = ("plain", "two-ports", "password", "tls", "tls-registry")
    server = JmxServer(tmp_path_factory.mktemp("misled"), modes=modes, advertised=request.param)
    try:
        yield server.start()
    finally:
        server.stop()


def test_a_jvm_that_advertises_a_dead_end_is_read_all_the_same(misled: JmxServer) -> None:
    trusting = ("--ca-file", str(misled.files.ca_file))
    monitor = misled.files.monitor
    options = {
        "plain": (),
        "two-ports": (),
        "password": ("--username", monitor.username, "--password-file", str(monitor.password_file)),
        "tls": trusting,
        "tls-registry": (*trusting, "--registry-tls"),
    }
    for mode, given in options.items():
        expect(misled.address(mode), given, WELL, FORTY_TWO)


def test_through_a_forwarded_port_a_single_port_is_enough(misled: JmxServer) -> None:
    """As through `kubectl port-forward 15555:5555`: the port in the stub leads nowhere either."""
    with forwarded(misled.registry_ports["plain"]) as address:
        expect(address, (), WELL, FORTY_TWO)


@pytest.mark.parametrize("mode", ["two-ports", "tls"])
def test_a_server_port_that_refuses_is_no_death_of_a_registry_that_answers(misled: JmxServer, mode: str) -> None:
    """As behind a firewall or a Kubernetes Service that lets only the registry's port through."""
    server = misled.server_ports[mode]
    words = f"the registry answers, but its RMI server does not: {ELSEWHERE}:{server}: connection refused; "
    with forwarded(misled.registry_ports[mode]) as address:
        expect(address, (), BLIND, words)
        expect(address, (), BLIND, "; set com.sun.management.jmxremote.rmi.port there, and let it through")


def test_a_server_port_that_is_silent_is_no_death_of_a_registry_that_answers(jmx_server: JmxServer) -> None:
    port = jmx_server.server_ports["two-ports"]
    words = f"its RMI server at {ELSEWHERE}:{port}: the answer was not complete in "
    with forwarded(jmx_server.registry_ports["two-ports"]) as address, socket.create_server((ELSEWHERE, port)):
        expect(address, (), BLIND, words, LATER)


@pytest.mark.parametrize("mode", ["plain", "two-ports"])
def test_where_the_address_asked_leads_there_nobody_else_is_knocked_at(tmp_path: Path, mode: str) -> None:
    server = JmxServer(tmp_path, modes=(mode,), advertised=NOWHERE)
    try:
        server.start()
        with socket.create_server((NOWHERE, server.server_ports[mode])) as nowhere:
            expect(server.address(mode), (), WELL, FORTY_TWO)
            nowhere.setblocking(False)
            with pytest.raises(BlockingIOError):
                nowhere.accept()
    finally:
        server.stop()


def ssh(talk: Talk) -> None:
    talk.say(b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n")
    talk.hang()


def http(talk: Talk) -> None:
    talk.sock.recv(100)
    talk.say(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    talk.finish()


SSH_BANNER = "it does not speak RMI: 'SSH-2.0-OpenSSH"
HTTP_HEAD = "it does not speak RMI: 'HTTP/1.1 400 Bad Request"


@pytest.mark.parametrize(
    ("script", "options", "codes", "words", "timeout"),
    [
        (ssh, "", BLIND, SSH_BANNER, "5s"),
        (ssh, "--registry-tls", BLIND, "the TLS handshake failed: wrong version number", "5s"),
        (http, "", BLIND, HTTP_HEAD, "5s"),
        (http, "--registry-tls", BLIND, "it speaks HTTP, not TLS", "5s"),
        (Talk.hang, "", DEAD, "not a byte in ", SHORT),
        (Talk.hang, "--registry-tls", DEAD, "not a byte in ", SHORT),
    ],
)
def test_what_is_no_jvm_says_what_it_is(script: Script, options: str, codes: Codes, words: str, timeout: str) -> None:
    with closing(RawServer(script)) as server:
        expect(f"127.0.0.1:{server.port}", tuple(options.split()), codes, words, timeout)


@pytest.mark.parametrize(
    ("script", "words"),
    [(ssh, SSH_BANNER), (http, HTTP_HEAD), (Talk.hang, "the answer was not complete in ")],
)
def test_behind_tls_too(tmp_path: Path, script: Script, words: str) -> None:
    tls = Tls(tmp_path)
    with closing(RawServer(script, tls=tls.server)) as server:
        options = ("--registry-tls", "--ca-file", tls.ca_file)
        expect(f"127.0.0.1:{server.port}", options, BLIND, words, LATER if script is Talk.hang else "5s")


def test_nobody_there_is_death_and_a_name_that_leads_nowhere_is_not() -> None:
    with closing(Refuser()) as refuser:
        expect(f"127.0.0.1:{refuser.port}", (), DEAD, f"jmx://127.0.0.1:{refuser.port}: connection refused")
    with closing(Unaccepting()) as unaccepting:
        expect(f"127.0.0.1:{unaccepting.port}", (), DEAD, "not a byte in ", SHORT)
    expect("no-such-host.invalid:5555", (), BLIND, "no such host 'no-such-host.invalid'")


@contextmanager
def stopped(server: JmxServer) -> Iterator[None]:
    server.process.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.signal(signal.SIGCONT)


def test_a_jvm_that_stands_still_is_dead_until_it_goes_on(jmx_server: JmxServer) -> None:
    over_tls = ("--registry-tls", "--ca-file", str(jmx_server.files.ca_file))
    with stopped(jmx_server):
        for mode, options in (("plain", ()), ("tls-registry", over_tls)):
            expect(jmx_server.address(mode), options, DEAD, "not a byte in ", SHORT)
    expect(jmx_server.address("plain"), (), WELL, FORTY_TWO)


def test_a_jvm_that_is_started_again_is_read_again(tmp_path: Path) -> None:
    server = JmxServer(tmp_path, modes=("two-ports",))
    address = server.address("two-ports")
    try:
        for _ in range(2):
            expect(address, (), DEAD, "connection refused")
            server.start()
            expect(address, (), WELL, FORTY_TWO)
            server.kill()
    finally:
        server.stop()


def test_two_who_ask_at_once_are_both_answered(jmx_server: JmxServer) -> None:
    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(asked, "jmx", jmx_server.address("plain"), *READ) for _ in range(20)]
    assert {each.result().message for each in asking} == {FORTY_TWO}


def test_hardly_any_time_is_no_fault_of_ours(jmx_server: JmxServer, tmp_path: Path) -> None:
    """What can be told in it is told, be it only that there was no time left.

    A JVM of its own: who runs out of time as it logs in leaves a session there, for up to five minutes.
    """
    modes = ("plain", "two-ports")
    server = JmxServer(tmp_path, java=jmx_server.java, modes=modes)
    try:
        server.start()
        for timeout in ("1ms", "3ms", "10ms", "50ms"):
            for probe, read in (("jmx", READ), ("streams", ())):
                for mode in modes:
                    said = asked(probe, server.address(mode), *read, timeout=timeout)
                    in_time = said.code == (0 if probe == "jmx" else 2) and said.document["data"] is not None
                    assert in_time or (said.code in (2, 3) and said.document["data"] is None), said.message
    finally:
        server.stop()


def test_it_is_asked_over_ipv6(tmp_path: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    server = JmxServer(tmp_path, modes=("plain", "two-ports", "tls-registry"), host="::1")
    over_tls = ("--registry-tls", "--ca-file", str(server.files.ca_file))
    try:
        server.start()
        for mode, options in (("plain", ()), ("two-ports", ()), ("tls-registry", over_tls)):
            expect(server.address(mode), options, WELL, FORTY_TWO)
    finally:
        server.stop()
