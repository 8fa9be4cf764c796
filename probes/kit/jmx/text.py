"""Java's modified UTF-8: NUL is C0 80, and what is beyond 16 bits is a pair of surrogates of three bytes each.

Source: java.io.DataInput. Part of the cold path.
"""

from probes.kit.jmx.source import Malformed


def decode(data: bytes) -> str:
    """Text as Java wrote it. A surrogate without its other half stays one."""
    if data.isascii():
        return data.decode("ascii")
    try:
        units = data.replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise Malformed(f"a text that is no UTF-8: {data[:20]!r}") from None
    return units.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def encode(text: str) -> bytes:
    """`text` as Java reads it."""
    if text.isascii() and "\0" not in text:
        return text.encode("ascii")
    pairs = text.encode("utf-16-be", "surrogatepass")
    units = "".join(chr(high << 8 | low) for high, low in zip(pairs[::2], pairs[1::2], strict=True))
    return units.encode("utf-8", "surrogatepass").replace(b"\0", b"\xc0\x80")
