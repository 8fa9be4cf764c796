"""Replies made to hurt whoever reads them: by depth, by number, by size, by what holds itself.

Each is one that a naive reader fails at, or one that ours has failed at.
"""

from collections.abc import Callable
from random import Random

from tests.probes.kit.jmx.fuzz_writer import (
    END,
    EXTERNAL,
    INTS,
    LEAF,
    MAP,
    NODE,
    NULL,
    OBJECTS,
    PLAIN,
    THROWN,
    WRITES,
    Form,
    Java,
    block,
    number,
    reply,
    utf,
)

Build = Callable[[Random], bytes]
MANY = 90_000  # about as many elements as a reader allows
MEGABYTES = 8_000_000  # about as many bytes


def deep_lists(rng: Random) -> bytes:
    java = Java()
    for _ in range(rng.choice((30, 63, 70, 5000))):
        java.list(1)
    return java.done()


def deep_fields(_: Random) -> bytes:
    java = Java()
    for _level in range(20_000):
        java.object(NODE)
    return java.raw(NULL).done()


def deep_classes(rng: Random) -> bytes:
    form = LEAF
    for level in range(rng.choice((60, 70, 900))):
        form = Form(f"Level{level}", ("I a",), rng.choice((PLAIN, WRITES)), form)
    java = Java()
    java.object(form)
    return java.raw(bytes(4), END * 4000).done()


def deep_arrays(_: Random) -> bytes:
    java = Java()
    for _level in range(5000):
        java.array(OBJECTS, 1)
    return java.raw(NULL).done()


def deep_proxies(_: Random) -> bytes:
    return reply(b"\x73" + (b"\x7d" + number(0) + END) * 5000)


def deep_class_notes(_: Random) -> bytes:
    """Classes annotated with objects whose classes are annotated ..."""
    return reply((b"\x73\x72" + utf(b"A") + bytes(8) + b"\2\0\0") * 5000)


def deep_exceptions(_: Random) -> bytes:
    return reply(b"\x7b" * 100_000)


def wide_chains(_: Random) -> bytes:
    """Many objects of a class with 60 parents, each of which writes something of its own."""
    form = LEAF
    for level in range(60):
        form = Form(f"Level{level}", (), WRITES, form)
    java = Java()
    java.array(OBJECTS, 1000)
    for _each in range(1000):
        java.object(form)
        java.raw((NULL + END) * 60)
    return java.done()


def chains_again(_: Random) -> bytes:
    """References to one object of a class with 60 parents, none of them known."""
    form = Form("Level", ("I a",))
    for level in range(60):
        form = Form(f"Level{level}", (), PLAIN, form)
    java = Java()
    java.array(OBJECTS, MANY)
    one = java.object(form)
    java.raw(bytes(4))
    return java.raw((b"\x71" + number(one)) * (MANY - 1)).done()


def wide_class(rng: Random) -> bytes:
    """A class with as many fields as the format allows, of types never seen before."""
    fields = rng.choice((40_000, 65_535))
    java = Java()
    java.raw(b"\x73")
    java.class_head(b"Wide", PLAIN, fields)
    for at, kind in enumerate(rng.choices(b"BCDFIJSZ", k=fields)):
        java.raw(bytes([kind]), utf(b"%x" % at))
    java.raw(END, NULL)
    java.mark()
    return java.raw(bytes(8 * fields)).done()


def wide_class_of_objects(_: Random) -> bytes:
    java = Java()
    java.raw(b"\x73")
    java.class_head(b"Wide", PLAIN, 45_000)
    for at in range(45_000):
        java.raw(b"L", utf(b"%x" % at), b"\x74" + utf(b"T"))
    return java.raw(END, NULL, NULL * 45_000).done()


def many_classes(_: Random) -> bytes:
    java = Java()
    java.array(OBJECTS, 12_000)
    for at in range(12_000):
        java.object(Form(f"Class{at}"))
    return java.done()


def huge_array(rng: Random) -> bytes:
    name = rng.choice(("[I", "[J", "[B", "[Ljava.lang.Object;", "[[I", "[", "[X", "I"))
    java = Java()
    java.array(Form(name), rng.choice((0x7FFFFFFF, -1, 99_999, 100_001, -0x80000000)))
    return java.raw(NULL * 200_000).done()


def huge_interfaces(rng: Random) -> bytes:
    return reply(b"\x73\x7d" + number(rng.choice((0x7FFFFFFF, -1, 99_000))) + bytes(200_000))


def huge_text(rng: Random) -> bytes:
    size = rng.choice((0x7FFFFFFFFFFFFFFF, -1, -0x8000000000000000, 1 << 31, MEGABYTES + 1_000_000))
    return reply(b"\x7c" + number(size, 8) + b"x" * 100_000)


def long_text(rng: Random) -> bytes:
    """8 MB of text in letters of one, two, three and six bytes; the last may be broken."""
    letter = rng.choice(
        (b"x", b"\x01", b"\xc3\xbc", b"\xe4\xb8\xad", b"\xed\xa0\xbd\xed\xb8\x80", b"\xc0\x80", b"\xed\xa0\xbd")
    )
    more = rng.choice((b"", b"\xed\xa0\xbd\xed\xb8\x80", b"\xff"))
    data = letter * (rng.choice((1_000_000, 4_000_000, MEGABYTES)) // len(letter)) + more
    return reply(b"\x7c" + number(len(data), 8) + data)


def broken_texts(rng: Random) -> bytes:
    """Texts of arbitrary bytes."""
    java = Java()
    java.list(100)
    for _ in range(100):
        java.text(rng.randbytes(rng.randrange(40)) if rng.random() < 0.1 else rng.choice(b"a\xc0\xed\xff").to_bytes())
    return java.raw(END).done()


def laughing_text(_: Random) -> bytes:
    """A text of 60 KB, many times over."""
    java = Java()
    java.list(MANY)
    text = java.text(b"x" * 60_000)
    return java.raw((b"\x71" + number(text)) * MANY, END).done()


def many_texts(_: Random) -> bytes:
    return reply(list_head() + (b"\x74" + utf(b"\xe4\xb8\xad")) * MANY + END)


def tiny(rng: Random) -> bytes:
    """8 MB of the smallest things there are."""
    one = rng.choice((NULL, b"\x74\0\0", b"\x77\0", b"\x77\0\x70", b"\x79", b"\x7a\0\0\0\0", b"\x71\0\x7e\0\1"))
    return reply(list_head() + one * (MEGABYTES // len(one)))


def tiny_objects(rng: Random) -> bytes:
    """A million objects of a kind that costs its reader much."""
    form, data = rng.choice(((LEAF, b""), (NODE, NULL), (Form("Noted", (), WRITES), NULL + END)))
    java = Java()
    java.list()
    java.object(form)
    java.raw(data)
    return java.raw((b"\x73\x71" + number(java.known[form]) + data) * 1_000_000, END).done()


def tiny_arrays(rng: Random) -> bytes:
    java = Java()
    java.list()
    java.array(INTS, 0)
    return java.raw((b"\x75\x71" + number(java.known[INTS]) + bytes(4)) * rng.choice((MANY // 2, 700_000)), END).done()


def numbers(rng: Random) -> bytes:
    """Arrays of numbers, each of which is an object in Python."""
    kind, size = rng.choice((("J", 8), ("D", 8), ("C", 2), ("I", 4)))
    java = Java()
    java.array(Form(f"[{kind}"), MANY)
    return java.raw(rng.randbytes(size * MANY)).done()


def list_head() -> bytes:
    java = Java()
    java.list(0x7FFFFFFF)
    return bytes(java.out)


def endless_blocks(rng: Random) -> bytes:
    piece = rng.choice((block(b"x" * 255), b"\x7a" + number(0x7FFFFFFF), b"\x7a" + number(-1), block(bytes(60_000))))
    return reply(list_head() + piece * (MEGABYTES // len(piece) if len(piece) > 9 else 1) + bytes(10_000))


def resets(_: Random) -> bytes:
    return reply(b"\x79" * MEGABYTES)


def a_form_only_java_knows(rng: Random) -> bytes:
    java = Java()
    java.object(Form(rng.choice(("java.time.Ser", "org.example.External")), (), rng.choice((EXTERNAL, 12, 7, 15))))
    return java.raw(rng.randbytes(40), END).done(rng.choice((b"\1", THROWN)))


def maps_of_any_size(rng: Random) -> bytes:
    java = Java()
    java.map(rng.choice((0x7FFFFFFF, -1, 1 << 30)), rng.choice((-0x80000000, 0x7FFFFFFF, 0)))
    for _ in range(rng.randrange(7)):
        java.text("key")
    return java.raw(END).done()


def uneven_map(_: Random) -> bytes:
    java = Java()
    java.object(MAP)
    return java.raw(bytes(8), (b"\x74\0\1a" + b"\x77\0") * 5, END).done()


ANYWHERE: tuple[Build, ...] = (
    deep_lists, deep_fields, deep_classes, deep_arrays, deep_proxies, deep_class_notes, deep_exceptions, wide_chains,
    chains_again, wide_class, wide_class_of_objects, many_classes, huge_array, huge_interfaces, huge_text, long_text,
    broken_texts, laughing_text, many_texts, tiny, tiny_objects, tiny_arrays, numbers, endless_blocks, resets,
    a_form_only_java_knows, maps_of_any_size, uneven_map,
)  # fmt: skip
