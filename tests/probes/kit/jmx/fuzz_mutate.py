"""Breaks bytes."""

from random import Random

from tests.probes.kit.jmx.fuzz_writer import utf

# What means something: tags, what begins a reply, numbers at the edge of their range.
TAGS = (*range(0x70, 0x80), 0xFF, 0x00, 0x01, 0x02, 0x51, 0x4E)
LENGTHS = (
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\xff",
    b"\x80\0\0\0",
    b"\0\1\x86\xa0",
    b"\xff\xff",
    b"\x7f\xff",
    b"\0\0\0\0",
)
ENOUGH = 1 << 20  # bytes beyond which nothing is put in twice


def broken(rng: Random, data: bytes, other: bytes) -> bytes:
    """`data` with one fault or some, most of them small. Of `other` come the pieces of splices."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        data = rng.choice(WAYS)(rng, data, other)
    return data


def _at(rng: Random, data: bytes) -> int:
    """Anywhere, and half the time where the first classes are described."""
    return rng.randrange(min(len(data), rng.choice((60, 200, len(data)))) or 1) if data else 0


def flip(rng: Random, data: bytes, _: bytes) -> bytes:
    at = _at(rng, data)
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :] if data else data


def tag(rng: Random, data: bytes, _: bytes) -> bytes:
    at = _at(rng, data)
    return data[:at] + bytes([rng.choice(TAGS)]) + data[at + 1 :]


def tag_for_tag(rng: Random, data: bytes, _: bytes) -> bytes:
    """Where a tag seems to be, another one."""
    places = [at for at, byte in enumerate(data[:4000]) if 0x70 <= byte <= 0x7E]
    if not places:
        return data
    at = rng.choice(places)
    return data[:at] + bytes([rng.choice(TAGS)]) + data[at + 1 :]


def length(rng: Random, data: bytes, _: bytes) -> bytes:
    at, size = _at(rng, data), rng.choice(LENGTHS)
    return data[:at] + size + data[at + len(size) :]


def handle(rng: Random, data: bytes, _: bytes) -> bytes:
    """A reference that leads elsewhere."""
    at = data.find(b"\x71\0\x7e", _at(rng, data))
    return (
        data
        if at < 0
        else data[: at + 3] + rng.randrange(rng.choice((5, 20, 65536))).to_bytes(2, "big") + data[at + 5 :]
    )


def refer(rng: Random, data: bytes, _: bytes) -> bytes:
    """A reference in place of an object."""
    at = data.find(rng.choice((b"\x73\x71", b"\x73\x72", b"\x74\0", b"\x70")), _at(rng, data))
    return data if at < 0 else data[:at] + b"\x71\0\x7e\0" + bytes([rng.randrange(12)]) + data[at + rng.randrange(7) :]


def remove(rng: Random, data: bytes, _: bytes) -> bytes:
    at = _at(rng, data)
    return data[:at] + data[at + rng.choice((1, 2, 4, 30)) :]


def truncate(rng: Random, data: bytes, _: bytes) -> bytes:
    return data[: _at(rng, data)]


def insert(rng: Random, data: bytes, other: bytes) -> bytes:
    at, from_ = _at(rng, data), _at(rng, other)
    piece = rng.choice(
        (rng.randbytes(4), other[from_ : from_ + 30], bytes([rng.choice(TAGS)]) * rng.choice((1, 4, 300)))
    )
    return data[:at] + piece + data[at:]


def repeat(rng: Random, data: bytes, _: bytes) -> bytes:
    at = _at(rng, data)
    end = at + rng.choice((1, 6, 40, 200))
    times = rng.choice((1, 1, 3, 1000))
    return data if len(data) + times * (end - at) > ENOUGH else data[:at] + data[at:end] * times + data[at:]


def splice(rng: Random, data: bytes, other: bytes) -> bytes:
    return data[: _at(rng, data)] + other[_at(rng, other) :]


def rename(rng: Random, data: bytes, _: bytes) -> bytes:
    """Another class, or field, in its place."""
    names = (b"java.util.ArrayList", b"java.lang.Integer", b"value", b"java.util.HashMap", b"[I", b"", b"java.time.Ser")
    at = data.find(rng.choice((b"\0\x05value", b"\0\x11java", b"\0\x13java", b"\0\x0ejava")))
    if at < 0:
        return data
    return data[:at] + utf(rng.choice(names)) + data[at + 2 + int.from_bytes(data[at : at + 2], "big") :]


WAYS = (
    flip,
    flip,
    tag,
    tag_for_tag,
    tag_for_tag,
    length,
    handle,
    refer,
    remove,
    truncate,
    insert,
    repeat,
    splice,
    rename,
)
