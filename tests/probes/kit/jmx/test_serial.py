"""The reader takes all that Java writes, and of what a hostile server may write no more than it can bear."""

import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from probes.kit.jmx.source import Malformed
from probes.kit.result import ProbeError
from tests.probes.kit.jmx import java
from tests.probes.kit.jmx.feed import plain, read, shown
from tests.probes.kit.jmx.recordings import JAVA_CLIENT, Exchange, exchanges, versions

ROOT = Path(__file__).parents[4]
OBJECTS = java.described("[Ljava.lang.Object;")
MIB = 1 << 20


def replies(longest: int) -> list[Exchange]:
    return [
        each
        for version in versions()
        for each in exchanges(version)
        if each.received[:1] == b"\x51"
        and each.mode != JAVA_CLIENT
        and not each.closed
        and len(each.received) < longest
    ]


def array(size: int, *items: bytes) -> bytes:
    return java.ARRAY + OBJECTS + struct.pack(">i", size) + b"".join(items)


@pytest.mark.parametrize(
    "text",
    "0.1 -0.3 0.0 -0.0 1.0 3.3333333 1.6777216e7 9.223372e18 1.0E-10 1.1754944E-38 3.4028235E38 NaN Infinity".split(),
)
def test_a_float_is_the_decimal_that_java_shows(text: str) -> None:
    """Its four bytes, read as they are, would make 0.10000000149011612 of 0.1: outside a threshold of 0.1."""
    data = struct.pack(">f", float(text))
    boxed = java.OBJECT + java.described("java.lang.Float", 2, [("F", "value")]) + data
    several = java.ARRAY + java.described("[F") + struct.pack(">i", 2) + data * 2
    assert repr(plain(java.reply(boxed))) == repr(float(text))
    assert repr(plain(java.reply(several))) == repr([float(text)] * 2)


@pytest.mark.parametrize("each", replies(400), ids=lambda each: f"{each.mode} {each.asked}")
def test_cut_off_anywhere_it_is_a_probe_error(each: Exchange) -> None:
    void = each.asked == "close" or each.asked.startswith(("isRegistered", "getConnectionId"))
    for size in range(len(each.received)):
        with pytest.raises(ProbeError):
            read(each.received[:size])
    if not void:
        read(each.received)


def test_it_comes_in_whatever_pieces() -> None:
    for each in replies(3000)[::7]:
        if each.asked.startswith("getAttribute"):
            assert repr(shown_or_error(each.received, 1)) == repr(shown_or_error(each.received, 1 << 16))


def shown_or_error(data: bytes, piece: int) -> object:
    try:
        reply = read(data, piece=piece)
    except ProbeError as error:
        return str(error)
    return reply.thrown


def test_spoilt_bytes_are_a_value_or_a_probe_error() -> None:
    chance = random.Random(7)  # always the same
    samples = [each.received for each in replies(6000)]
    outcomes = {"value": 0, "error": 0}
    for _ in range(6000):
        data = bytearray(chance.choice(samples))
        for _ in range(chance.choice((1, 1, 2, 5))):
            data[chance.randrange(len(data))] = chance.choice((chance.randrange(256), *range(0x70, 0x7F)))
        try:
            shown(bytes(data))
            outcomes["value"] += 1
        except ProbeError:
            outcomes["error"] += 1
    assert min(outcomes.values()) > 500


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (b"\x74\xff\xff", "the answer broke off"),
        (b"\x7c" + struct.pack(">q", 1 << 62), "127.0.0.1:1: the reply is over 8 MiB; ask for less"),
        (b"\x7c" + struct.pack(">q", -1), "a text of negative length"),
        (b"\x74\x00\x01\xff", "a text that is no UTF-8"),
        (array(2**31 - 1), "127.0.0.1:1: the reply has over 100000 elements; ask for less"),
        (array(-1), "an array that is none"),
        (java.ARRAY + java.described("[J") + struct.pack(">i", 9_999), "the answer broke off"),
        (java.ARRAY + java.described("[Q") + struct.pack(">i", 1), "an array of 'Q'"),
        (java.ARRAY + java.described("a.B") + struct.pack(">i", 1), "an array that is none"),
        (java.reference(0), "a reference to nothing"),
        (b"\x71\x00\x00\x00\x00", "a reference to nothing"),
        (b"\x71\xff\xff\xff\xff", "a reference to nothing"),
        (b"\x42", "0x42 where an object should be"),
        (b"\x79", "0x79 where an object should be"),
        (java.OBJECT + java.NULL, "an object without a class"),
        (java.OBJECT + java.string("a"), "0x74 where a class should be"),
        (java.OBJECT + java.described("a.B", 4), "a a.B, whose form only Java knows"),
        (java.OBJECT + java.described("java.time.Ser", 4) + b"\x0f", "a value of java.time of kind 15"),
        (java.OBJECT + java.described("a.B", 2, [("Q", "x")]), "a field of type 'Q' where none should be"),
        (java.OBJECT + java.described("a.B", 2, [("La;", "o"), ("I", "i")]), "a field of type 'I' where none"),
        (java.OBJECT + java.described("a.B", 3) + b"\x7a\xff\xff\xff\xff", "bytes of negative length"),
        (b"\x7e" + java.described("a.B", 16) + java.NULL, "an enum without a name"),
        (b"\x7e" + java.described("a.B", 16) + java.reference(1), "an enum without a name"),
        # A class that extends itself.
        (java.OBJECT + java.described("a.B", 2, (), java.reference(0)), "a reference to what is no class"),
        (array(1, java.OBJECT + java.reference(1)), "a reference to what is no class"),
        (b"\x7b" + java.thrown("java.io.IOException", "no"), "the JVM gave up its answer: IOException: no"),
        (array(2, java.NULL, b"\x7b" + java.thrown("a.B", "no")), "the JVM gave up its answer: B: no"),
        (b"\x7b" * 100, "objects nested more than 64 deep"),
        (array(1) * 1000, "nested more than 64 deep"),
    ],
)
def test_what_is_no_java_is_told(value: bytes, what: str) -> None:
    with pytest.raises(ProbeError, match=what.replace("(", r"\(")):
        read(java.reply(value))


def test_classes_in_classes_are_bounded() -> None:
    parent = java.NULL
    for _ in range(100):
        parent = java.described("a.B", 2, (), parent)
    with pytest.raises(ProbeError, match="nested more than 64 deep"):
        read(java.reply(java.OBJECT + parent))


def test_a_line_of_classes_is_bounded_however_it_is_told() -> None:
    each = [java.OBJECT + java.described("a.B", 2, ())]
    # Handles: the array's class, the array, then a class and an object by turns.
    each += [java.OBJECT + java.described("a.B", 2, (), java.reference(2 * number)) for number in range(1, 100)]
    with pytest.raises(ProbeError, match="a class that extends more than 64 others"):
        read(java.reply(array(100, *each)))


def test_a_list_may_hold_itself_until_it_is_made_plain() -> None:
    reply = java.reply(array(1, java.reference(1)))
    read(reply)
    with pytest.raises(Malformed, match="holds itself"):
        plain(reply)


def test_the_deadline_holds_while_it_reads() -> None:
    with pytest.raises(ProbeError, match="the answer was not complete in"):
        read(java.reply(array(99_000, java.NULL * 99_000) + array(99_000)), seconds=0.001)


# Whatever is written so takes the most memory for its bytes.
HOSTILE = {
    "objects": array(49_900, java.OBJECT + java.described("a.B"), (java.OBJECT + java.reference(2)) * 49_899),
    "objects with notes": array(
        40_000, java.OBJECT + java.described("a.B", 3) + java.block(b"x") + java.END,
        (java.OBJECT + java.reference(2) + java.block(b"x") + java.END) * 32_999,
    ),
    "fields": array(
        90, java.OBJECT + java.described("a.B", 2, [("J", f"{n:03}") for n in range(1000)]) + b"x" * 8000,
        (java.OBJECT + java.reference(2) + b"x" * 8000) * 89,
    ),
    "classes": b"".join([array(90_000), *(java.OBJECT + java.described("x" * 60) for _ in range(40_000))]),
    "one text": b"\x7c" + struct.pack(">q", 8 * MIB - 200) + b"x" * (8 * MIB - 200),
    "one wide text": b"\x7c" + struct.pack(">q", 8 * MIB - 200) + b"\xed\xa0\xbd\xed\xb8\x80" * ((8 * MIB - 200) // 6),
    "wide texts": array(49_000, (b"\x74\x00\x55" + b"x" * 79 + b"\xed\xa0\xbd\xed\xb8\x80") * 49_000),
    "numbers": array(11, (java.ARRAY + java.described("[D") + struct.pack(">i", 9000) + b"xy" * 36000) * 11),
    "blocks": java.OBJECT + java.described("a.B", 3) + java.block(b"x" * 80) * 99_000 + java.END,
    "deep": array(1) * 63 + array(90_000, java.NULL * 90_000),
}  # fmt: skip
MEASURE = """
import sys
from probes.kit.result import ProbeError
from tests.probes.kit.jmx.feed import shown

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

data = sys.stdin.buffer.read()
before = peak()
try:
    shown(data)
except ProbeError:
    pass
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells a process its peak")
@pytest.mark.parametrize("kind", HOSTILE)
def test_memory_is_bounded_whatever_comes(kind: str) -> None:
    """What a reply takes: beside it there are the command itself, 15 MB, and what is kept of others."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE], input=java.reply(HOSTILE[kind]), capture_output=True, cwd=ROOT, check=True
    )
    assert int(done.stdout) < 50 << 10  # KiB
