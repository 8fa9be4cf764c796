"""The bytes of one connection's answers, and the small parts of Java serialization: numbers, texts, blocks of bytes.

They are taken from the socket as they are needed, and each is bounded. Part of the cold path.
"""

from struct import unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probes.kit.exchange import Exchange, Wire

MAX_REPLY = 8 << 20  # bytes of one reply
MAX_ELEMENTS = 100_000  # objects, fields and array elements of one reply

BLOCK, LONG_BLOCK = 0x77, 0x7A


class Malformed(Exception):
    """What came is no Java serialization, or not a form of it that we know. Says what is wrong."""


class TooMuch(Malformed):
    """What came may be well formed, but is more than we take."""


class Source:
    """Bytes of a connection, in order. Raises ProbeError at the deadline or when the connection is lost."""

    __slots__ = ("_at", "_buffer", "exchange", "room", "wire")

    def __init__(self, exchange: "Exchange", wire: "Wire") -> None:
        self.exchange, self.wire = exchange, wire
        self._buffer, self._at = b"", 0
        self.room = MAX_REPLY  # bytes that the reply under way may still have

    def take(self, size: int) -> bytes:
        """The next `size` bytes. Nothing is set aside for what has not come."""
        self.room -= size
        if self.room < 0:
            raise self._too_long()
        end = self._at + size
        if end > len(self._buffer):
            self._fill(size)
            end = size
        data = self._buffer[self._at : end]
        self._at = end
        return data

    def charge(self, size: int) -> None:
        """Note that the reply takes so much memory more."""
        self.room -= size
        if self.room < 0:
            raise self._too_long()

    def peek(self, size: int) -> bytes:
        """As much of the next bytes as has come."""
        return self._buffer[self._at : self._at + size]

    def _too_long(self) -> TooMuch:
        return TooMuch(f"the reply is over {MAX_REPLY >> 20} MiB")

    def _fill(self, size: int) -> None:
        """Have `size` bytes at the start of the buffer."""
        buffer = bytearray(self._buffer[self._at :])
        while len(buffer) < size:
            data = self.exchange.receive(self.wire)
            if not data:
                raise self.exchange.cut()
            buffer += data
        self._buffer, self._at = bytes(buffer), 0


class Tokens:
    """What a stream has next. Raises Malformed, and what its source raises."""

    def __init__(self, source: Source) -> None:
        self._source, self._take = source, source.take
        self._elements = 0

    def _block(self, tag: int) -> bytes:
        if tag not in (BLOCK, LONG_BLOCK):
            raise Malformed(f"0x{tag:02x} where plain bytes should be")
        size = self._take(1)[0] if tag == BLOCK else self._number(">i", 4)
        if size < 0:
            raise Malformed("bytes of negative length")
        return self._take(size)

    def _count(self, elements: int) -> None:
        before = self._elements
        self._elements += elements
        if self._elements > MAX_ELEMENTS:
            raise TooMuch(f"the reply has over {MAX_ELEMENTS} elements")
        exchange = self._source.exchange
        if before >> 9 != self._elements >> 9 and exchange.left() <= 0:
            raise exchange.late()

    def _number(self, form: str, size: int) -> int:
        number: int = unpack(form, self._take(size))[0]
        return number

    def _text(self, size: int) -> str:
        if size < 0:
            raise Malformed("a text of negative length")
        data = self._take(size)
        if not data.isascii():
            self._source.charge(3 * size)  # Python may take four bytes for each letter
        return decode(data)

    def _utf(self) -> str:
        return self._text(self._number(">H", 2))


def decode(data: bytes) -> str:
    """Text as Java wrote it; a surrogate without its other half stays one.

    In its modified UTF-8, NUL is C0 80, and what is beyond 16 bits is a pair of surrogates of three bytes each.
    Source: java.io.DataInput.
    """
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
