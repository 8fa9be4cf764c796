"""RMI as far as asking needs it, for recordings: it writes the questions and takes the answers as bytes."""

import re
import socket
import struct
from hashlib import sha1

from tests.probes.kit.jmx.recordings import Exchange
from tests.stack.jvm import JmxServer
from tests.stack.jvm_files import Login

SILENCE = 0.05
HELLO = b"JRMI\0\2\x4b"
NULL = b"\x70"
REGISTRY, REGISTRY_LOOKUP = b"\0" * 22, (2, 4905912898345647071)
NAME, SUBJECT = "Ljavax/management/ObjectName;", "Ljavax/security/auth/Subject;"
METHODS = {
    "newClient": "(Ljava/lang/Object;)Ljavax/management/remote/rmi/RMIConnection;",
    "getConnectionId": "()Ljava/lang/String;",
    "getAttribute": f"({NAME}Ljava/lang/String;{SUBJECT})Ljava/lang/Object;",
    "getAttributes": f"({NAME}[Ljava/lang/String;{SUBJECT})Ljavax/management/AttributeList;",
    "queryNames": f"({NAME}Ljava/rmi/MarshalledObject;{SUBJECT})Ljava/util/Set;",
    "isRegistered": f"({NAME}{SUBJECT})Z",
    "getMBeanInfo": f"({NAME}{SUBJECT})Ljavax/management/MBeanInfo;",
    "close": "()V",
    "noSuchMethod": "()V",
}


def text(value: str) -> bytes:
    raw = value.encode("ascii")
    return struct.pack(">H", len(raw)) + raw


def string(value: str) -> bytes:
    return b"\x74" + text(value)


def strings(*values: str) -> bytes:
    head = b"\x75\x72" + text("[Ljava.lang.String;") + bytes.fromhex("add256e7e91d7b47 02 0000 70 78 70")
    return head + struct.pack(">i", len(values)) + b"".join(map(string, values))


def name(value: str) -> bytes:
    head = b"\x73\x72" + text("javax.management.ObjectName") + bytes.fromhex("0f03a71beb6d15cf 03 0000 70 78 70")
    return head + string(value) + b"\x78"


def method(called: str) -> tuple[int, int]:
    """Operation -1 and the method's hash."""
    digest = sha1(text(called + METHODS[called])).digest()
    return -1, int.from_bytes(digest[:8], "little", signed=True)


def call(target: bytes, operation: tuple[int, int], arguments: bytes = b"") -> bytes:
    return b"\x50\xac\xed\0\5\x77\x22" + target + struct.pack(">iq", *operation) + arguments


def succeeded(reply: bytes) -> bool:
    """Whether it is a return and no exception."""
    return reply[:8] == b"\x51\xac\xed\0\5\x77\x0f\1"


def stub(reply: bytes) -> tuple[int, bytes]:
    """Port and object of the stub in a reply, which names this host or another and perhaps the client's sockets."""
    found = re.search(rb"UnicastRef(2[\0\1])?(\0.)", reply, re.DOTALL)
    assert found is not None
    after = found.end() + int.from_bytes(found[2], "big")
    port = int.from_bytes(reply[after : after + 4], "big")
    if found[1] == b"2\1":  # then the client's socket factory: one object without fields
        after = reply.index(b"\x78\x70\x77", after) + 2
        return port, reply[after + 2 : after + 24]
    return port, reply[after + 4 : after + 26]


def answer(client: socket.socket) -> tuple[bytes, bool]:
    """What comes until the server has been silent for a moment, and whether it closed the connection."""
    received = b""
    client.settimeout(5)
    while True:
        try:
            more = client.recv(65536)
        except TimeoutError:
            assert received, "the server is silent"
            return received, False
        except ConnectionResetError:
            return received, True
        if not more:
            return received, True
        received += more
        client.settimeout(SILENCE)


def ask(port: int, sent: bytes, hello: bytes = HELLO) -> tuple[bytes, bool]:
    """The answer to `sent`, on a connection of its own."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hello:
            client.sendall(hello)
            assert answer(client)[0][0] == 0x4E
            client.sendall(text("127.0.0.1") + bytes(4))
        client.sendall(sent)
        return answer(client)


class Recorder:
    """What one mode of a server was asked, and what it answered."""

    def __init__(self, server: JmxServer, mode: str) -> None:
        self._registry, self._mode = server.registry_ports[mode], mode
        self._port, self._root, self._connection = 0, b"", b""
        self.exchanges: list[Exchange] = []

    def tell(self, port: int, asked: str, sent: bytes, hello: bytes = HELLO) -> bytes:
        received, closed = ask(port, sent, hello)
        self.exchanges.append(Exchange(self._mode, asked, sent, received, closed))
        return received

    def handshake(self, of: str, sent: bytes = HELLO) -> None:
        self.tell(self._registry, f"handshake {of}", sent, hello=b"")

    def lookup(self, bound: str = "jmxrmi", note: str = "") -> None:
        asked = f"lookup {bound} {note}".strip()
        reply = self.tell(self._registry, asked, call(REGISTRY, REGISTRY_LOOKUP, string(bound)))
        if succeeded(reply):
            self._port, self._root = stub(reply)

    def found(self) -> bool:
        """There is a server to log in to."""
        return self._root != b""

    def log_in(self, login: Login | None = None) -> None:
        who = f"{login.username} {login.password}" if login else "null"
        credentials = strings(login.username, login.password) if login else NULL
        reply = self.tell(self._port, f"newClient {who}", call(self._root, method("newClient"), credentials))
        if succeeded(reply):
            self._port, self._connection = stub(reply)

    def logged_in(self) -> bool:
        return self._connection != b""

    def call(self, called: str, said: str = "", arguments: bytes = b"", connection: bytes = b"") -> None:
        sent = call(connection or self._connection, method(called), arguments)
        self.tell(self._port, f"{called} {said}".strip(), sent)

    def get(self, bean: str, attribute: str, note: str = "") -> None:
        self.call("getAttribute", f"{bean} {attribute}{note}", name(bean) + string(attribute) + NULL)

    def get_all(self, bean: str, *attributes: str) -> None:
        said = f"{bean} {' '.join(attributes)}"
        self.call("getAttributes", said, name(bean) + strings(*attributes) + NULL)

    def query(self, pattern: str, note: str = "") -> None:
        self.call("queryNames", f"{pattern}{note}", name(pattern) + NULL + NULL)

    def is_registered(self, bean: str) -> None:
        self.call("isRegistered", bean, name(bean) + NULL)

    def mbean_info(self, bean: str) -> None:
        self.call("getMBeanInfo", bean, name(bean) + NULL)
