"""The small parts of Java serialization: numbers, texts, blocks of bytes, each bounded. Part of the cold path."""

from struct import unpack

from probes.kit.jmx.source import Malformed, Source
from probes.kit.jmx.text import decode

MAX_ELEMENTS = 100_000  # objects, fields and array elements of one reply

BLOCK, LONG_BLOCK = 0x77, 0x7A


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
            raise Malformed(f"the reply has over {MAX_ELEMENTS} elements")
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
