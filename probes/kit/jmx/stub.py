"""The stubs of remote objects: where to find one. Part of the cold path."""

from probes.kit.jmx.objects import Instance

OBJECT_ID = 22  # bytes of an ObjID


class Stub:
    """Where a remote object is, as its reference says.

    Source: sun.rmi.server.UnicastRef2 and sun.rmi.transport.LiveRef in OpenJDK.
    """

    __slots__ = ("factory", "host", "object_id", "port")

    def __init__(self, host: str, port: int, object_id: bytes, factory: str) -> None:
        self.host, self.port, self.object_id, self.factory = host, port, object_id, factory


def stub_of(value: object) -> Stub | None:
    """The reference in a remote object's stub; None when there is none that we know."""
    if isinstance(value, Instance) and value.java_class.proxied:
        value = value.fields.get("h")
    notes = (value.notes or {}).get("java.rmi.server.RemoteObject", []) if isinstance(value, Instance) else []
    head = bytes(notes[0]) if notes and isinstance(notes[0], bytearray) else b""
    kind, rest = _utf(head)
    factory, tail = "", b""
    if kind == b"UnicastRef2":
        rest = rest[1:]  # whether there is a factory
    elif kind != b"UnicastRef":
        return None
    host, rest = _utf(rest)
    if len(notes) == 3 and isinstance(notes[1], Instance) and isinstance(notes[2], bytearray):
        factory, tail = notes[1].java_class.name, bytes(notes[2])
    port, object_id = int.from_bytes(rest[:4], "big"), (rest[4:] + tail)[:OBJECT_ID]
    if not 0 < port < 1 << 16 or len(object_id) < OBJECT_ID:
        return None
    return Stub(host.decode("utf-8", "replace"), port, object_id, factory)


def _utf(data: bytes) -> tuple[bytes, bytes]:
    """The text that some bytes begin with, and what follows it."""
    end = 2 + int.from_bytes(data[:2], "big")
    return data[2:end], data[end:]
