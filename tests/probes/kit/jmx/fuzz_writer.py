"""Writes Java serialization for the fuzzer: right where it must be, and wrong where it shall be."""

from typing import NamedTuple

HEAD = b"\x51\xac\xed\0\5\x77\x0f"  # a reply; stream; a block of 15 bytes: its kind, and what acknowledges it
VALUE, THROWN = b"\1", b"\2"
NULL, END = b"\x70", b"\x78"
FIRST_HANDLE = 0x7E0000
WRITES, PLAIN, EXTERNAL = 3, 2, 4  # flags of a class


class Form(NamedTuple):
    """A class as a stream describes it. A field is its type and its name: `I size`, `L value`, `[ elementData`."""

    name: str
    fields: tuple[str, ...] = ()
    flags: int = PLAIN
    parent: "Form | None" = None


LIST = Form("java.util.ArrayList", ("I size",), WRITES)
MAP = Form("java.util.HashMap", ("F loadFactor", "I threshold"), WRITES)
SET = Form("java.util.HashSet", (), WRITES)
NODE = Form("org.example.Node", ("L next",))
LEAF = Form("org.example.Leaf")
OBJECTS, INTS = Form("[Ljava.lang.Object;"), Form("[I")
NUMBER = Form("java.lang.Number")
NAME = Form("javax.management.ObjectName", (), WRITES)
INFO = Form("javax.management.MBeanInfo", ("[ attributes",), WRITES)
INFOS = Form("[Ljavax.management.MBeanAttributeInfo;")
ATTRIBUTE_INFO = Form("javax.management.MBeanAttributeInfo", ("Z isRead", "L name"))
ATTRIBUTES = Form("javax.management.AttributeList", (), PLAIN, LIST)
ATTRIBUTE = Form("javax.management.Attribute", ("L name", "L value"))


def number(value: int, size: int = 4) -> bytes:
    return (value % (1 << 8 * size)).to_bytes(size, "big")


def utf(text: bytes) -> bytes:
    return number(len(text), 2) + text


def reply(content: bytes, kind: bytes = VALUE) -> bytes:
    """The answer to a call."""
    return HEAD + kind + bytes(14) + content


def block(data: bytes) -> bytes:
    """Plain bytes among objects."""
    return b"\x77" + bytes([len(data)]) + data if len(data) < 256 else b"\x7a" + number(len(data)) + data


class Java:
    """A stream under way. It counts handles, so that what comes can refer to what came."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.handles = 0
        self.known: dict[Form, int] = {}

    def raw(self, *pieces: bytes) -> "Java":
        for piece in pieces:
            self.out += piece
        return self

    def mark(self) -> int:
        """The handle of what is being written."""
        self.handles += 1
        return FIRST_HANDLE + self.handles - 1

    def again(self, handle: int) -> "Java":
        """What came before."""
        return self.raw(b"\x71", number(handle))

    def text(self, text: str | bytes) -> int:
        data = text.encode() if isinstance(text, str) else text
        self.raw(b"\x74" + utf(data) if len(data) < 1 << 16 else b"\x7c" + number(len(data), 8) + data)
        return self.mark()

    def describe(self, form: Form) -> int:
        """The description of a class, or the reference to it."""
        if form in self.known:
            self.again(self.known[form])
            return self.known[form]
        handle = self.class_head(form.name.encode(), form.flags, len(form.fields))
        self.known[form] = handle
        for field in form.fields:
            kind, _, name = field.partition(" ")
            self.raw(kind.encode(), utf(name.encode()))
            if kind in "L[":
                self.text("Ljava/lang/Object;")
        self.raw(END)
        if form.parent is None:
            self.raw(NULL)
        else:
            self.describe(form.parent)
        return handle

    def class_head(self, name: bytes, flags: int, fields: int) -> int:
        """The start of a description; its fields, an END and its parent must follow."""
        self.raw(b"\x72", utf(name), bytes(8))
        handle = self.mark()
        self.raw(bytes([flags]), number(fields, 2))
        return handle

    def object(self, form: Form) -> int:
        """The start of an object; its fields must follow."""
        self.raw(b"\x73")
        self.describe(form)
        return self.mark()

    def array(self, form: Form, size: int) -> int:
        """The start of an array; its elements must follow."""
        self.raw(b"\x75")
        self.describe(form)
        handle = self.mark()
        self.raw(number(size))
        return handle

    def list(self, size: int = 0) -> int:
        """The start of a list; its elements and an END must follow."""
        handle = self.object(LIST)
        self.raw(number(size), block(number(size)))
        return handle

    def map(self, size: int = 0, capacity: int = 16) -> int:
        """The start of a map; its keys and values and an END must follow."""
        handle = self.object(MAP)
        self.raw(number(0x3F400000), number(12), block(number(capacity) + number(size)))
        return handle

    def set(self, size: int = 0, capacity: int = 16) -> int:
        """The start of a set; its elements and an END must follow."""
        handle = self.object(SET)
        self.raw(block(number(capacity) + number(0x3F400000) + number(size)))
        return handle

    def boxed(self, name: str, kind: str, data: bytes) -> int:
        """A java.lang.Integer and its like."""
        handle = self.object(Form(f"java.lang.{name}", (f"{kind} value",), PLAIN, NUMBER))
        self.raw(data)
        return handle

    def done(self, kind: bytes = VALUE) -> bytes:
        return reply(bytes(self.out), kind)


def names_reply(names: "list[bytes]") -> bytes:
    """The answer to queryNames."""
    java = Java()
    java.set(len(names))
    for name in names:
        java.object(NAME)
        java.text(name)
        java.raw(END)
    return java.raw(END).done()


def info_reply(attributes: "list[str]") -> bytes:
    """The answer to getMBeanInfo."""
    java = Java()
    java.object(INFO)
    java.array(INFOS, len(attributes))
    for attribute in attributes:
        java.object(ATTRIBUTE_INFO)
        java.raw(b"\1").text(attribute)
    return java.raw(END).done()


def values_reply(attributes: "list[str]", write: "list[bytes]") -> bytes:
    """The answer to getAttributes; a value is as it stands, and has no handle."""
    java = Java()
    java.object(ATTRIBUTES)
    java.raw(number(len(attributes)), block(number(len(attributes))))
    for attribute, value in zip(attributes, write, strict=True):
        java.object(ATTRIBUTE)
        java.text(attribute)
        java.raw(value)
    return java.raw(END).done()
