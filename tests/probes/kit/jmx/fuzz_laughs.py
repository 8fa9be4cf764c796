"""Replies that are small, and large or endless once they are made plain: what holds itself, or is held many times."""

from random import Random

from tests.probes.kit.jmx.fuzz_nasty import MANY, Build
from tests.probes.kit.jmx.fuzz_writer import (
    END,
    EXTERNAL,
    LIST,
    MAP,
    NODE,
    NULL,
    OBJECTS,
    PLAIN,
    WRITES,
    Form,
    Java,
    block,
    number,
    reply,
)

INTEGER = Form("java.math.BigInteger", ("I signum", "[ magnitude"))
DECIMAL = Form("java.math.BigDecimal", ("I scale", "L intVal"))
COPIES = Form("java.util.Collections$CopiesList", ("I n", "L element"))
VECTOR = Form("java.util.Vector", ("I elementCount", "[ elementData"))
ROW = Form("javax.management.openmbean.CompositeDataSupport", ("L contents",))
TABLE = Form("javax.management.openmbean.TabularDataSupport", ("L dataMap", "L tabularType"))
TYPE = Form("javax.management.openmbean.TabularType", ("L indexNames",))


def ref(handle: int) -> bytes:
    return b"\x71" + number(handle)


def list_of_itself(rng: Random) -> bytes:
    """It is its own first element; copied at each level, its many others cost memory."""
    java = Java()
    handle = java.list()
    return java.raw(ref(handle) * rng.choice((1, 2, MANY)), END).done()


def map_of_itself(rng: Random) -> bytes:
    java = Java()
    handle = java.map()
    key, value = rng.choice(((handle, handle), (handle, handle - 2), (handle - 2, handle)))
    return java.raw((ref(key) + ref(value)) * rng.choice((1, MANY // 2)), END).done()


def vector_of_itself(_: Random) -> bytes:
    java = Java()
    handle = java.object(VECTOR)
    java.raw(number(MANY))
    java.array(OBJECTS, MANY)
    return java.raw(ref(handle) * MANY).done()


def field_of_itself(_: Random) -> bytes:
    java = Java()
    handle = java.object(NODE)
    return java.raw(ref(handle)).done()


def laughing_lists(rng: Random) -> bytes:
    """Each list holds the one before many times."""
    width = rng.choice((2, 10, 1000))
    java = Java()
    java.list()
    before = java.list()
    java.raw(END)
    for _ in range(min(60, MANY // width)):
        handle = java.list()
        java.raw(ref(before) * width, END)
        before = handle
    return java.raw(END).done()


def laughing_fields(_: Random) -> bytes:
    """Each object holds the one before twice."""
    twice = Form("Twice", ("L a", "L b"))
    java = Java()
    handle = [java.object(twice) for _ in range(60)][-1]
    return java.raw(ref(handle), NULL, (ref(handle) * 2) * 60).done()


def nested_in(form: Form, data: bytes, depth: int) -> bytes:
    java = Java()
    for _ in range(depth):
        java.object(form)
        java.raw(data)
    return java.raw(NULL).done()


def copies_of_copies(rng: Random) -> bytes:
    return nested_in(COPIES, number(rng.choice((0x7FFFFFFF, 100_000, 2, 0, -1))), rng.choice((1, 60)))


def views_of_views(_: Random) -> bytes:
    return nested_in(Form("java.util.Collections$UnmodifiableList", ("L c",)), b"", 63)


def big_integers(rng: Random) -> bytes:
    """One number of many digits, again and again."""
    digits, times = rng.choice(((1000, MANY), (1001, 1), (MANY, 1), (4, MANY)))
    form = rng.choice((INTEGER, DECIMAL))
    java = Java()
    java.list()
    handle = java.handles
    start = java.object(form)
    if form is DECIMAL:
        java.raw(number(rng.choice((0, 5, 0x7FFFFFFF, -0x80000000))))
        java.object(INTEGER)
    java.raw(number(1))
    java.array(Form("[B"), digits)
    java.raw(b"\x7f" * digits)
    assert start >= handle
    return java.raw(ref(start) * min(times, MANY - digits), END).done()


def lists_of_little(rng: Random) -> bytes:
    """A list whose many elements are before the number that begins it, so that it has none; it is held many times."""
    java = Java()
    java.object(LIST)
    java.raw(bytes(4), block(bytes(4)))
    form = rng.choice((LIST, Form("java.util.PriorityQueue", ("I size",), WRITES)))
    inner = java.object(form)
    java.raw(bytes(4), NULL + ref(inner) * (MANY // 2), rng.choice((block(bytes(4)), b"")), END)
    return java.raw(ref(inner) * (MANY // 2), END).done()


def names_of_little(_: Random) -> bytes:
    """The same with ObjectNames."""
    java = Java()
    java.list()
    inner = java.object(Form("javax.management.ObjectName", (), WRITES))
    java.raw(NULL * (MANY // 2), block(b"x"))
    java.text("a:b=c")
    return java.raw(END, ref(inner) * (MANY // 2), END).done()


def table(rows: int, names: int, distinct: bool) -> bytes:
    java = Java()
    java.object(TABLE)
    java.map(rows)
    key = java.text("k")
    value = 0
    for _ in range(rows):
        java.raw(NULL if value else ref(key))
        if value and not distinct:
            java.raw(ref(value))
            continue
        value = java.object(ROW)
        java.map(1)
        java.raw(ref(key))
        java.text(f"{java.handles}")
        java.raw(END)
    java.raw(END)
    java.object(TYPE)
    java.array(OBJECTS, names)
    return java.raw(ref(key) * names).done()


def tables(rng: Random) -> bytes:
    """Nested by more index names than there are levels; each distinct row would be a nest of its own."""
    return table(*rng.choice(((10_000, 20_000, True), (40_000, 40_000, False), (1, 80_000, True), (20_000, 2, True))))


def dates(rng: Random) -> bytes:
    """Moments and spans as far away as they can be."""
    far = rng.choice((-0x8000000000000000, 0x7FFFFFFFFFFFFFFF, 0, -1))
    nanos = number(rng.choice((0x7FFFFFFF, -1, -0x80000000)))
    java = Java()
    java.list()
    java.object(Form("java.util.Date", (), WRITES))
    java.raw(block(number(far, 8)), END)
    java.object(Form("java.util.Calendar", ("J time",)))
    java.raw(number(far, 8))
    for kind in (b"\1", b"\2"):
        java.object(Form("java.time.Ser", (), EXTERNAL))
        java.raw(kind, number(far, 8), nanos)
    return java.raw(END).done()


def keys_of_values(rng: Random) -> bytes:
    """A map whose keys are lists of many, each of which becomes a text."""
    java = Java()
    java.map()
    key = java.list()
    text = java.text(b"\x01" * rng.choice((1, 60_000)))
    java.raw(ref(text) * 100, END, NULL)
    return java.raw((ref(key) + NULL) * (MANY // 4), END).done()


def set_of_map(_: Random) -> bytes:
    form = Form("java.util.Collections$SetFromMap", ("L m",), PLAIN)
    java = Java()
    outer = java.object(form)
    java.object(MAP)
    return java.raw(bytes(8), block(bytes(8)), (ref(outer) + NULL) * (MANY // 2), END).done()


def proxy_in_itself(rng: Random) -> bytes:
    """A proxy whose handler is itself, or the other of two."""
    java = Java()
    handles = []
    for _ in range(rng.choice((1, 2))):
        java.raw(b"\x73\x7d", number(1), b"\0\1I", END)
        java.mark()
        java.describe(Form("java.lang.reflect.Proxy", ("L h",)))
        handles.append(java.mark())
    return java.raw(ref(handles[0])).done()


def cause_of_itself(rng: Random) -> bytes:
    kinds = ("java.rmi.RemoteException", "javax.management.MBeanException", "java.rmi.ServerException")
    java = Java()
    handle = java.object(Form(rng.choice(kinds), ("L detail", "L exception", "L detailMessage")))
    java.raw(ref(handle), ref(handle))
    java.text(rng.choice(("REJECTED", "Credentials required", "x" * 60_000, "\x1b[31m\n")))
    return java.done(b"\2")


def class_before_it_is_known(_: Random) -> bytes:
    return reply(b"\x73\x72\0\1A" + bytes(8) + b"\2\0\0" + b"\x73" + ref(0x7E0000) + END + ref(0x7E0000))


def enum_in_its_name(_: Random) -> bytes:
    java = Java()
    java.raw(b"\x7e")
    java.describe(Form("E", (), 18, Form("java.lang.Enum", (), 18)))
    java.mark()
    return java.raw(ref(0x7E0002)).done()


LAUGHS: tuple[Build, ...] = (
    list_of_itself, map_of_itself, vector_of_itself, field_of_itself, laughing_lists, laughing_fields,
    copies_of_copies, views_of_views, big_integers, lists_of_little, names_of_little, tables, dates, keys_of_values,
    set_of_map, proxy_in_itself, cause_of_itself, class_before_it_is_known, enum_in_its_name,
)  # fmt: skip
