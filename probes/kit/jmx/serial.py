"""Reads Java serialization as Oracle's "Object Serialization Stream Protocol" (version 5) describes it.

Hostile bytes cost little: depth, elements and size are bounded, and nothing is set aside for what has not come.
Part of the cold path.
"""

from struct import calcsize, pack, unpack

from probes.kit.jmx.objects import EXTERNALIZABLE, IN_BLOCKS, WRITES, Array, Enum, Instance, JavaClass
from probes.kit.jmx.source import BLOCK, LONG_BLOCK, Malformed, Source, Tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MAX_DEPTH = 64  # objects within objects; also how many classes one may extend
MAX_NUMBERS = 1000  # fields of primitive types in one class: struct keeps what it needs for the last 100 classes
CLASS_WEIGHT = 8  # elements that the description of a class counts for, as its memory does

MAGIC = b"\xac\xed\x00\x05"
NULL, REFERENCE, CLASS, OBJECT, STRING, ARRAY = 0x70, 0x71, 0x72, 0x73, 0x74, 0x75
CLASS_ITSELF, END, EXCEPTION = 0x76, 0x78, 0x7B
LONG_STRING, PROXY, ENUM = 0x7C, 0x7D, 0x7E
FIRST_HANDLE = 0x7E0000

_PRIMITIVES = {"B": "b", "C": "H", "D": "d", "F": "f", "I": "i", "J": "q", "S": "h", "Z": "?"}  # as struct has them


class Aborted(Malformed):
    """The writer met an exception in the middle and wrote that instead. `thrown` is the exception."""

    def __init__(self, thrown: object) -> None:
        super().__init__("the JVM gave up writing it")
        self.thrown = thrown


class Reader(Tokens):
    """Reads one stream of objects. Raises Malformed, and what its source raises."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._handles: list[object] = []
        if self._take(4) != MAGIC:
            raise Malformed("no Java serialization")

    def block(self) -> bytes:
        """The block of plain bytes that comes next."""
        return self._block(self._take(1)[0])

    def content(self, depth: int = 0, tag: int | None = None) -> object:
        """The object that comes next; null is None."""
        if depth > MAX_DEPTH:
            raise Malformed(f"objects nested more than {MAX_DEPTH} deep")
        if tag is None:
            tag = self._take(1)[0]
        if tag == NULL:
            return None
        kind = _KINDS.get(tag)
        if kind is None:
            raise Malformed(f"0x{tag:02x} where an object should be")
        return kind(self, depth)

    def _string(self, size: int) -> str:
        self._count(1)
        text = self._text(size)
        self._handles.append(text)
        return text

    def _reference(self) -> object:
        handle = self._number(">I", 4) - FIRST_HANDLE
        if not 0 <= handle < len(self._handles):
            raise Malformed("a reference to nothing")
        return self._handles[handle]

    def _notes(self, depth: int) -> list[object]:
        """What a class' own writeObject() wrote: objects, and the bytes between two of them as one bytearray."""
        items: list[object] = []
        while (tag := self._take(1)[0]) != END:
            self._count(1)
            if tag not in (BLOCK, LONG_BLOCK):
                items.append(self.content(depth + 1, tag))
            elif items and isinstance(items[-1], bytearray):
                items[-1] += self._block(tag)
            else:
                items.append(bytearray(self._block(tag)))
        return items

    def _class(self, depth: int) -> JavaClass | None:
        if depth > MAX_DEPTH:
            raise Malformed(f"classes nested more than {MAX_DEPTH} deep")
        tag = self._take(1)[0]
        if tag == NULL:
            return None
        if tag == REFERENCE:
            found = self._reference()
            if not isinstance(found, JavaClass) or not found.known:
                raise Malformed("a reference to what is no class")
            return found
        if tag not in (CLASS, PROXY):
            raise Malformed(f"0x{tag:02x} where a class should be")
        self._count(CLASS_WEIGHT)
        return self._proxy(depth) if tag == PROXY else self._plain_class(depth)

    def _some_class(self, depth: int) -> JavaClass:
        found = self._class(depth)
        if found is None:
            raise Malformed("an object without a class")
        return found

    def _plain_class(self, depth: int) -> JavaClass:
        made = JavaClass(self._utf())
        self._take(8)  # serialVersionUID
        self._handles.append(made)
        made.flags = self._take(1)[0]
        fields = self._number(">H", 2)
        self._count(fields)
        for _ in range(fields):
            kind, name = chr(self._take(1)[0]), self._utf()
            if kind in "[L":
                if not isinstance(self.content(depth + 1), str):
                    raise Malformed("a field whose type has no name")
                made.objects.append(name)
                continue
            if kind not in _PRIMITIVES or made.objects:
                raise Malformed(f"a field of type {kind!r} where none should be")
            if len(made.numbers) == MAX_NUMBERS:
                raise Malformed(f"a class with over {MAX_NUMBERS} numbers")
            made.numbers.append(name)
            made.types += _PRIMITIVES[kind]
            if kind in _TURNED:
                made.turned[name] = _TURNED[kind]
        made.size = calcsize(made.types)
        return self._finished(made, depth)

    def _proxy(self, depth: int) -> JavaClass:
        made = JavaClass("a proxy", proxied=True)
        self._handles.append(made)
        interfaces = self._number(">i", 4)
        self._count(max(interfaces, 0))
        for _ in range(interfaces):
            self._utf()
        return self._finished(made, depth)

    def _finished(self, made: JavaClass, depth: int) -> JavaClass:
        self._notes(depth)
        made.parent = self._class(depth + 1)
        if made.parent is not None:
            made.rank += made.parent.rank
        if made.rank > MAX_DEPTH:
            raise Malformed(f"a class that extends more than {MAX_DEPTH} others")
        made.known = True
        return made

    def _class_itself(self, depth: int) -> object:
        found = self._some_class(depth)
        self._handles.append(found)
        return found

    def _instance(self, depth: int) -> Instance:
        java_class = self._some_class(depth)
        made = Instance(java_class)
        self._handles.append(made)
        for level in reversed(list(java_class.line())):
            self._count(1 + len(level.numbers) + len(level.objects))
            notes: list[object] = []
            if not level.flags & EXTERNALIZABLE:
                self._fields(made.fields, level, depth)
            elif not level.flags & IN_BLOCKS:
                notes = [self._external(level.name)]
            if level.flags & WRITES or (level.flags & EXTERNALIZABLE and level.flags & IN_BLOCKS):
                notes = self._notes(depth)
            if notes:
                made.notes = made.notes or {}
                made.notes[level.name] = notes
        return made

    def _external(self, name: str) -> object:
        """What a class wrote wholly by itself. RMI uses version 1 of the protocol, which does not say where it ends."""
        if name != "java.time.Ser":
            raise Malformed(f"a {name}, whose form only Java knows")
        from probes.kit.jmx.moments import Moment

        return Moment(self._number, self._utf).read()

    def _fields(self, fields: dict[str, object], level: JavaClass, depth: int) -> None:
        if level.numbers:
            fields.update(zip(level.numbers, unpack(level.types, self._take(level.size)), strict=True))
            for name, turn in level.turned.items():
                fields[name] = turn(fields[name])
        for name in level.objects:
            fields[name] = self.content(depth + 1)

    def _array(self, depth: int) -> Array:
        made = Array(self._some_class(depth))
        self._handles.append(made)
        size = self._number(">i", 4)
        self._count(1 + max(size, 0))
        kind = made.java_class.name[1:2]
        if size < 0 or made.java_class.name[:1] != "[":
            raise Malformed("an array that is none")
        if kind in ("[", "L"):
            for _ in range(size):
                made.items.append(self.content(depth + 1))
        elif kind in _PRIMITIVES:
            form = f">{size}{_PRIMITIVES[kind]}"
            made.items += unpack(form, self._take(calcsize(form)))
            if kind in _TURNED:
                made.items = list(map(_TURNED[kind], made.items))
        else:
            raise Malformed(f"an array of {kind!r}")
        return made

    def _enum(self, depth: int) -> Enum:
        self._some_class(depth)
        at = len(self._handles)
        self._handles.append(None)
        self._count(1)
        name = self.content(depth + 1)
        if not isinstance(name, str):
            raise Malformed("an enum without a name")
        made = self._handles[at] = Enum(name)
        return made

    def _exception(self, depth: int) -> object:
        self._handles = []
        raise Aborted(self.content(depth + 1))


def shortest(number: float) -> float:
    """The shortest decimal that makes the same float in Java: 0.1, which its four bytes make 0.10000000149011612."""
    data = pack(">f", number)
    near = (float(f"{number:.{digits}g}") for digits in range(6, 10))
    return next(one for one in near if pack(">f", one) == data or one != one)


_TURNED: "dict[str, Callable[[Any], object]]" = {"C": chr, "F": shortest}

# Not of each reader's own: one that held itself would keep all that it has read until Python looks for such.
_KINDS: "dict[int, Callable[[Reader, int], object]]" = {
    REFERENCE: lambda reader, _: reader._reference(),
    OBJECT: Reader._instance,
    STRING: lambda reader, _: reader._string(reader._number(">H", 2)),
    LONG_STRING: lambda reader, _: reader._string(reader._number(">q", 8)),
    ARRAY: Reader._array,
    ENUM: Reader._enum,
    CLASS_ITSELF: Reader._class_itself,
    EXCEPTION: Reader._exception,
}
