"""Java's values as plain Python ones: None, bool, int, float, str, list and dict with text keys.

What form a class gives its objects, forms.py knows. Part of the cold path.
"""

from probes.kit.jmx.objects import Array, Instance, JavaClass, after_size, odd, short
from probes.kit.jmx.source import Malformed
from probes.kit.jsontext import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

BOXES = frozenset(f"java.lang.{name}" for name in "Integer Long Short Byte Double Float Boolean Character".split())
MAX_DEPTH = 64  # values within values
MAX_VALUES = 100_000  # of one attribute; what is in it twice counts twice
MAX_STEPS = 1_000_000  # through what its objects hold, however little comes of it
MAX_TEXT = 8 << 20  # bytes of the texts of one attribute

_CONTROLS = [chr(code) for code in range(32)]  # of each, JSON makes up to six letters


class Values:
    """Makes values plain. What it makes is bounded: `values` and `text_bytes` are how much it made so far."""

    __slots__ = ("steps", "text_bytes", "values")

    def __init__(self) -> None:
        self.values = self.text_bytes = self.steps = 0

    def plain(self, value: object, depth: int = 0) -> object:
        """`value` in Python's terms. Raises Malformed, saying what about it is not understood."""
        self.values += 1
        if depth > MAX_DEPTH:
            raise Malformed(f"its value is nested more than {MAX_DEPTH} deep, or holds itself")
        if self.values > MAX_VALUES:
            raise Malformed(f"its value has over {MAX_VALUES} parts")
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Instance):
            return self._instance(value, depth)
        if isinstance(value, Array):
            return self.all(value.items, depth)
        if isinstance(value, JavaClass):
            return self.text(value.name)
        if isinstance(value, bytearray):
            raise Malformed("plain bytes where a value should be")
        return value

    def text(self, text: str) -> str:
        self.text_bytes += size_of(text)
        if self.text_bytes > MAX_TEXT:
            raise Malformed(f"its value has over {MAX_TEXT >> 20} MiB of text")
        return str(text)

    def step(self, steps: int) -> None:
        """Note that a form goes through so much. What is held many times, is gone through each time."""
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise Malformed(f"its value takes over {MAX_STEPS} steps")

    def all(self, items: "Iterable[object]", depth: int) -> list[object]:
        return [self.plain(item, depth + 1) for item in items]

    def _instance(self, one: Instance, depth: int) -> object:
        name = one.java_class.name
        if name in BOXES:
            return self.plain(one.fields.get("value"), depth + 1)
        if name == "javax.management.ObjectName":
            return self._object_name(one)
        from probes.kit.jmx.forms import FORMS  # most reads are of numbers and texts, and do without it

        self.step(one.java_class.rank + sum(map(len, (one.notes or {}).values())))
        for level in one.java_class.line():
            form = FORMS.get(level.name)
            if form is not None:
                return form(self, one, depth)
        if not one.fields:
            raise Malformed(f"a {short(name)}, of which it tells nothing")
        return {self.text(key): self.plain(value, depth + 1) for key, value in one.fields.items()}

    def _object_name(self, one: Instance) -> str:
        self.step(sum(map(len, (one.notes or {}).values())))
        name = next(iter(after_size(one)), None)
        if not isinstance(name, str):
            raise odd(one)
        return self.text(name)

    def map_of(self, pairs: "Iterable[tuple[object, object]]", depth: int) -> dict[str, object]:
        return {self.key(key, depth): self.plain(value, depth + 1) for key, value in pairs}

    def key(self, key: object, depth: int) -> str:
        plain = self.plain(key, depth + 1)
        return plain if isinstance(plain, str) else self.text(dumps(plain))


def size_of(text: str) -> int:
    """How many bytes a text takes at most, as Python keeps it or as JSON writes it."""
    size = len(text) if text.isascii() else 4 * len(text)
    return size if text.isprintable() else size + 5 * sum(map(text.count, _CONTROLS))
