"""The JVM that our JMX client is tested against is what it says it is: Java's own client finds it so."""

import contextlib
import os
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.stack.jvm import MODES, Asked, JmxServer
from tests.stack.jvm_files import Login
from tests.stack.process import accepts, wait_for

pytest_plugins = ["tests.stack.jvm_fixtures"]
pytestmark = pytest.mark.stack

VALUES = "stetho.test:type=Values"
LISTENING = "0A"  # of a line in /proc/net/tcp


def integers(server: JmxServer, modes: Sequence[str], login: Login | None = None) -> list[str]:
    return server.read(*(Asked(mode, VALUES, "Integer", login) for mode in modes))


def test_every_mode_listens(jmx_server: JmxServer) -> None:
    ports = [*jmx_server.registry_ports.values(), *jmx_server.server_ports.values()]
    assert [port for port in ports if not accepts(port)] == []
    assert list(jmx_server.registry_ports) == list(MODES)


def test_nothing_listens_beyond_loopback(jmx_server: JmxServer) -> None:
    """Every socket that this JVM listens on, by the kernel's account: 127.0.0.1, as IPv4 or mapped into IPv6."""
    descriptors = Path(f"/proc/{jmx_server.process.pid}/fd")
    own = set()
    for each in descriptors.iterdir():
        with contextlib.suppress(FileNotFoundError):  # connections of the last test are just being closed
            own.add(os.readlink(each))
    addresses = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and f"socket:[{fields[9]}]" in own:
                addresses.add(fields[1].partition(":")[0])
    assert addresses
    assert all(address.endswith("0100007F") for address in addresses)


def test_the_modes_that_serve_serve(jmx_server: JmxServer) -> None:
    modes = ("plain", "two-ports", "tls", "tls-registry", "mtls")
    assert integers(jmx_server, modes) == ["java.lang.Integer: 42"] * len(modes)


def test_a_login_opens_the_modes_with_passwords(jmx_server: JmxServer) -> None:
    modes = ("password", "password-tls")
    for login in (jmx_server.files.monitor, jmx_server.files.control):
        assert integers(jmx_server, modes, login) == ["java.lang.Integer: 42"] * len(modes)
        assert login.password_file.read_text().strip() == login.password


def test_each_refusal_is_of_its_own_kind(jmx_server: JmxServer) -> None:
    files = jmx_server.files
    wrong = Login("monitor", "wrong", Path())
    refusals = (
        ("password", None, "SecurityException: Authentication failed! Credentials required"),
        ("password", wrong, "SecurityException: Authentication failed! Invalid username or password"),
        ("password", files.stranger, "SecurityException: Access denied! Invalid access level"),
        ("filtered-login", files.monitor, "InvalidClassException: filter status: REJECTED"),
        ("filtered", None, "InvalidClassException: filter status: REJECTED"),
        ("denied", None, "SecurityException: Access denied! No attribute may be read"),
        ("unbound", None, "NotBoundException: jmxrmi"),
        ("tls-untrusted", None, "unable to find valid certification path"),
        ("tls-expired", None, "validity check failed"),
    )
    answers = jmx_server.read(*(Asked(mode, VALUES, "Integer", login) for mode, login, _ in refusals))
    for answer, (_, _, refusal) in zip(answers, refusals, strict=True):
        assert answer.startswith("!")
        assert refusal in answer


def test_the_beans_are_there(jmx_server: JmxServer) -> None:
    expected = (
        (VALUES, "NaN", "java.lang.Double: NaN"),
        (VALUES, "Unicode", "java.lang.String: Größe 5 €, 東京, 😀!"),
        (VALUES, "Null", "null"),
        (VALUES, "EnumWithBody", "stack.Values$Phase$2: DOWN"),
        (VALUES, "Unserializable", "!java.rmi.UnmarshalException: error unmarshalling return"),
        ("stetho.test:type=Collected", "ListOf", "java.util.ImmutableCollections$ListN: [a, b, c]"),
        ("stetho.test:type=Opened", "ByTwo", "javax.management.openmbean.TabularDataSupport: "),
        ("stetho.test:type=Faulty", "Checked", "!javax.management.MBeanException: java.io.IOException: no such file"),
        ("stetho.test:type=Faulty", "WriteOnly", "!javax.management.AttributeNotFoundException: Write-only"),
        ("stetho.test:type=None", "Any", "!javax.management.InstanceNotFoundException: stetho.test:type=None"),
        (r'stetho.test:type=Quoted,client-id="a,b\*\?\"c"', "Value", 'java.lang.String: a,b*?"c'),
        ("stetho.test:type=Größe,name=Ü 😀", "Value", "java.lang.String: größer"),
        ("java.lang:type=Memory", "HeapMemoryUsage", "javax.management.openmbean.CompositeDataSupport: "),
    )
    answers = jmx_server.read(*(Asked("plain", bean, attribute) for bean, attribute, _ in expected))
    for answer, (_, _, beginning) in zip(answers, expected, strict=True):
        assert answer.startswith(beginning)
    [names] = jmx_server.read(Asked("plain", "stetho.test:type=Many,*", "?"))
    assert names.count("name=many-") == 1_000


def test_an_open_connection_is_seen_and_a_closed_one_is_gone(jmx_server: JmxServer) -> None:
    wait_for("the last test's connections to end", lambda: jmx_server.connections() == 0, 60)
    with socket.create_connection(("127.0.0.1", jmx_server.registry_ports["plain"])) as client:
        client.sendall(b"JRMI\0\2\x4b")
        client.recv(1)
        assert jmx_server.connections() == 1
    wait_for("the connection to end", lambda: jmx_server.connections() == 0, 60)


def test_a_connector_tells_of_its_own_connections(jmx_server: JmxServer) -> None:
    bean = "stetho.test:type=ConnectorServer,mode="
    own, other = jmx_server.read(
        Asked("plain", f"{bean}plain", "ConnectionIds"), Asked("plain", f"{bean}password", "ConnectionIds")
    )
    assert own.startswith("[Ljava.lang.String;: [rmi://127.0.0.1")
    assert own.count("rmi:") == 1
    assert other == "[Ljava.lang.String;: []"


def test_a_stub_names_what_the_jvm_was_told_it_is_called(jmx_server: JmxServer, tmp_path: Path) -> None:
    server = JmxServer(tmp_path, java=jmx_server.java, modes=("two-ports",), advertised="no-such-host.invalid")
    try:
        [answer] = integers(server.start(), ("two-ports",))
        assert "UnknownHostException" in answer
        assert "no-such-host.invalid" in answer
    finally:
        server.stop()


def test_it_listens_on_ipv6(jmx_server: JmxServer, tmp_path: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    server = JmxServer(tmp_path, java=jmx_server.java, modes=("plain", "tls-registry"), host="::1")
    try:
        assert integers(server.start(), ("plain", "tls-registry")) == ["java.lang.Integer: 42"] * 2
        assert not accepts(server.registry_ports["plain"])
    finally:
        server.stop()
