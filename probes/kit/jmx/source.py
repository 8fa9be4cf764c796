"""The bytes of one connection's answers, taken from the socket as they are needed. Part of the cold path."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probes.kit.exchange import Exchange, Wire

MAX_REPLY = 8 << 20  # bytes of one reply


class Malformed(Exception):
    """What came is no Java serialization, or more of it than we take. Says what is wrong."""


class Source:
    """Bytes of a connection, in order. Raises ProbeError at the deadline or when the connection is lost."""

    __slots__ = ("_at", "_buffer", "exchange", "room", "wire")

    def __init__(self, exchange: "Exchange", wire: "Wire") -> None:
        self.exchange, self.wire = exchange, wire
        self._buffer, self._at = b"", 0
        self.room = MAX_REPLY  # bytes that the reply under way may still have

    def take(self, size: int) -> bytes:
        """The next `size` bytes. Nothing is set aside for what has not come."""
        self.charge(size)
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
            raise Malformed(f"the reply is over {MAX_REPLY >> 20} MiB")

    def peek(self, size: int) -> bytes:
        """As much of the next bytes as has come."""
        return self._buffer[self._at : self._at + size]

    def _fill(self, size: int) -> None:
        """Have `size` bytes at the start of the buffer."""
        buffer = bytearray(self._buffer[self._at :])
        while len(buffer) < size:
            data = self.exchange.receive(self.wire)
            if not data:
                raise self.exchange.cut()
            buffer += data
        self._buffer, self._at = bytes(buffer), 0
