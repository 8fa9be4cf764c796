"""The calls of remote JMX as bytes. Part of the cold path.

Sources: "Java Remote Method Protocol" in Oracle's RMI specification, and the methods of RMIServer and RMIConnection in
javax.management.remote.rmi.
"""

from probes.kit.jmx.source import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

REGISTRY = bytes(22)  # the ObjID that every RMI registry has
METHODS = -1  # in place of a method's number, where its hash tells which it is

# Of a method: the first 8 bytes, as a little-endian number, of the SHA-1 of its name and descriptor.
NEW_CLIENT = -1089742558549201240
GET_ATTRIBUTE = -1089783104982388203
GET_ATTRIBUTES = 6285293806596348999
QUERY_NAMES = 9152567528369059802
GET_INFO = -7404813916326233354
CLOSE = -4742752445160157748

_LOOKUP, _REGISTRY_HASH = 2, 4905912898345647071  # RegistryImpl_Stub numbers its methods

NULL = b"\x70"
_CALL = b"\x50\xac\xed\x00\x05\x77\x22"  # call; stream; a block of 34 bytes: whom, what
_STRINGS = (
    b"\x75\x72" + b"\x00\x13[Ljava.lang.String;" + b"\xad\xd2\x56\xe7\xe9\x1d\x7b\x47\x02\x00\x00" + b"\x70\x78\x70"
)
_OBJECT_NAME = (
    b"\x73\x72"
    + b"\x00\x1bjavax.management.ObjectName"
    + b"\x0f\x03\xa7\x1b\xeb\x6d\x15\xcf\x03\x00\x00"
    + b"\x70\x78\x70"
)


def lookup(name: str) -> bytes:
    """Ask the registry for what is bound to `name`."""
    return _call(REGISTRY, _LOOKUP, _REGISTRY_HASH) + _string(name)


def new_client(server: bytes, login: "Sequence[str] | None") -> bytes:
    """Ask the server for a connection of our own."""
    return _call(server, METHODS, NEW_CLIENT) + (NULL if login is None else _strings(login))


def query_names(connection: bytes, pattern: str) -> bytes:
    return _call(connection, METHODS, QUERY_NAMES) + _object_name(pattern) + NULL + NULL


def get_info(connection: bytes, name: str) -> bytes:
    return _call(connection, METHODS, GET_INFO) + _object_name(name) + NULL


def get_attribute(connection: bytes, name: str, attribute: str) -> bytes:
    return _call(connection, METHODS, GET_ATTRIBUTE) + _object_name(name) + _string(attribute) + NULL


def get_attributes(connection: bytes, name: str, attributes: "Sequence[str]") -> bytes:
    return _call(connection, METHODS, GET_ATTRIBUTES) + _object_name(name) + _strings(attributes) + NULL


def close(connection: bytes) -> bytes:
    return _call(connection, METHODS, CLOSE)


def _call(whom: bytes, number: int, method: int) -> bytes:
    return _CALL + whom + number.to_bytes(4, "big", signed=True) + method.to_bytes(8, "big", signed=True)


def _string(text: str) -> bytes:
    data = encode(text)
    if len(data) < 1 << 16:
        return b"\x74" + len(data).to_bytes(2, "big") + data
    return b"\x7c" + len(data).to_bytes(8, "big") + data


def _strings(texts: "Sequence[str]") -> bytes:
    return _STRINGS + len(texts).to_bytes(4, "big") + b"".join(map(_string, texts))


def _object_name(name: str) -> bytes:
    return _OBJECT_NAME + _string(name) + b"\x78"
