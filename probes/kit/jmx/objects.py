"""What Java serialization holds, as it came: classes, objects, arrays. Part of the cold path."""

from probes.kit.jmx.source import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

WRITES, SERIALIZABLE, EXTERNALIZABLE, IN_BLOCKS = 1, 2, 4, 8  # a class' flags


class JavaClass:
    """A class as the stream describes it. `proxied`: it is a dynamic proxy, and has no name of its own."""

    __slots__ = ("flags", "known", "name", "numbers", "objects", "parent", "proxied", "rank", "size", "turned", "types")

    def __init__(self, name: str, proxied: bool = False) -> None:
        self.name, self.proxied, self.flags = name, proxied, SERIALIZABLE
        self.numbers: list[str] = []  # names of its fields of primitive types; the stream has them first
        self.objects: list[str] = []  # names of the others
        self.turned: dict[str, Callable[[Any], object]] = {}  # what makes the values of some of the first ones
        self.types, self.size = ">", 0  # what struct needs for the first ones
        self.parent: JavaClass | None = None
        self.rank = 1  # how many classes there are up to the topmost
        self.known = False  # its description is complete

    def line(self) -> "Iterator[JavaClass]":
        """This class, its parent, and so on."""
        one: JavaClass | None = self
        while one is not None:
            yield one
            one = one.parent


class Instance:
    """An object: its fields, and what its classes' own writeObject() added, by class: bytes and objects in order."""

    __slots__ = ("fields", "java_class", "notes")

    def __init__(self, java_class: JavaClass) -> None:
        self.java_class = java_class
        self.fields: dict[str, object] = {}
        self.notes: dict[str, list[object]] | None = None


class Enum(str):
    """An enum's constant: its name."""

    __slots__ = ()


class Array:
    """An array; that of primitives holds int, float, bool or one-letter str."""

    __slots__ = ("items", "java_class")

    def __init__(self, java_class: JavaClass) -> None:
        self.java_class = java_class
        self.items: list[object] = []


def short(name: str) -> str:
    """A class without its package."""
    return name.rpartition(".")[2]


def field(one: object, *path: str) -> object:
    """A field of a field of an object, None where there is none."""
    for name in path:
        one = one.fields.get(name) if isinstance(one, Instance) else None
    return one


def after_size(one: Instance) -> list[object]:
    """The elements of a collection: what its class wrote after their number, or up to the null that ends them."""
    items = next(iter((one.notes or {}).values()), [])
    for at, item in enumerate(items):
        if isinstance(item, bytearray):
            return items[at + 1 :]
    return items[: items.index(None)] if None in items else items


def pairs_of(one: Instance) -> "Iterable[tuple[object, object]]":
    """The keys and values of a map: those its class wrote after their number, or up to the nulls that end them."""
    items = after_size(one)
    if len(items) % 2:
        raise odd(one)
    return zip(items[::2], items[1::2], strict=True)


def odd(one: Instance) -> Malformed:
    return Malformed(f"a {short(one.java_class.name)} of a form not known")
