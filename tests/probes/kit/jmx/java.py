"""Java serialization and JRMP written by hand, as a JVM writes them, or as none would."""

import hashlib
import struct
from collections.abc import Sequence

MAGIC = b"\xac\xed\x00\x05"
WELCOME = b"\x4e\x00\x09127.0.0.1\x00\x00\x12\x34"
NULL, OBJECT, ARRAY, END = b"\x70", b"\x73", b"\x75", b"\x78"
FIRST_HANDLE = 0x7E0000
UID = bytes(range(14))
TLS_FACTORY = "javax.rmi.ssl.SslRMIClientSocketFactory"


def utf(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def string(text: str) -> bytes:
    return b"\x74" + utf(text)


def reference(handle: int) -> bytes:
    return b"\x71" + struct.pack(">I", FIRST_HANDLE + handle)


def block(data: bytes) -> bytes:
    return b"\x77" + bytes([len(data)]) + data


def described(name: str, flags: int = 2, fields: Sequence[tuple[str, str]] = (), parent: bytes = NULL) -> bytes:
    """A class; a field is its type and name."""
    told = b"".join(
        kind[:1].encode() + utf(field) + (string(kind) if kind[0] in "[L" else b"") for kind, field in fields
    )
    return b"\x72" + utf(name) + bytes(8) + bytes([flags]) + struct.pack(">H", len(fields)) + told + END + parent


def integer(value: int) -> bytes:
    number = described("java.lang.Number")
    return OBJECT + described("java.lang.Integer", 2, [("I", "value")], number) + struct.pack(">i", value)


def array_list(*items: bytes) -> bytes:
    size = struct.pack(">i", len(items))
    return OBJECT + described("java.util.ArrayList", 3, [("I", "size")]) + size + block(size) + b"".join(items) + END


def thrown(name: str, message: str, parent: bytes = NULL) -> bytes:
    parent = described("java.lang.Throwable", 2, [("Ljava/lang/String;", "detailMessage")], parent)
    return OBJECT + described(name, 2, [], parent) + string(message)


def carrying(name: str, field: str, inner: bytes) -> bytes:
    """An exception that carries another one in a field."""
    return OBJECT + described(name, 2, [("Ljava/lang/Exception;", field)]) + inner


def reply(value: bytes = b"", kind: int = 1) -> bytes:
    return b"\x51" + MAGIC + block(bytes([kind]) + UID) + value


def stub(host: str, port: int, object_id: bytes, factory: str = "") -> bytes:
    """The stub of a remote object, with or without a socket factory."""
    where = utf(host) + struct.pack(">I", port)
    if factory:
        made = OBJECT + described(factory)
        notes = block(utf("UnicastRef2") + b"\x01" + where) + made + block(object_id + b"\x00")
    else:
        notes = block(utf("UnicastRef") + where + object_id + b"\x00")
    remote = described("java.rmi.server.RemoteObject", 3)
    parent = described("java.rmi.server.RemoteStub", 2, (), remote)
    return OBJECT + described("javax.management.remote.rmi.RMIServerImpl_Stub", 2, (), parent) + notes + END


def hashed(signature: str) -> int:
    """How RMI names a method."""
    data = signature.encode()
    return int.from_bytes(hashlib.sha1(struct.pack(">H", len(data)) + data).digest()[:8], "little", signed=True)
