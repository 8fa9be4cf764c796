"""TLS over a connected socket by an exchange's deadline, and the error for each way it can fail, whoever speaks it.

Part of the cold path, for those who ask over TLS: built on `_ssl`, the C beneath `ssl`, for `import ssl` brings enum,
re and socket and costs 13 ms, `_ssl` 2 ms. Safe defaults (verification, host names, TLS 1.2) are set in C for both.
"""

import os
import stat
from time import monotonic

from probes.kit.exchange import PIECE, reason
from probes.kit.result import ProbeError

try:
    import _ssl
except ImportError:
    _ssl = None  # type: ignore[assignment]

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from collections.abc import Callable
    from typing import Any, TypeVar

    from probes.kit.exchange import Exchange
    from probes.kit.net import Trust

    T = TypeVar("T")

AVAILABLE = hasattr(getattr(_ssl, "_SSLContext", None), "_wrap_bio")
PARTIAL_CHAIN = 0x80000  # X509_V_FLAG_PARTIAL_CHAIN
HTTP = b"HTTP/"
NO_PEM = "it is not PEM"
# X509_V_ERR_…: the issuer's certificate is not there, is the server's own, or is its own and not trusted.
UNTRUSTED = (2, 18, 19, 20, 21)
# OpenSSL's words for a key of another certificate, of the same kind or another.
STRANGE_KEYS = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")


class TlsSocket:
    """A connected socket with TLS: as much of a socket as an exchange needs.

    OpenSSL reads and writes memory, and the bytes pass through here: only so a server that is silent is known from one
    whose TLS is in trouble, however little came of it.
    """

    __slots__ = ("_end", "_incoming", "_outgoing", "_sock", "_tls", "first")

    def __init__(self, sock: "_socket.socket", context: "_ssl._SSLContext", name: str | None) -> None:
        self._sock, self._end = sock, 0.0
        self._incoming, self._outgoing = _ssl.MemoryBIO(), _ssl.MemoryBIO()
        self._tls = context._wrap_bio(self._incoming, self._outgoing, False, name)  # type: ignore[attr-defined]
        self.first = b""  # the first bytes that came, as many as tell HTTP from TLS

    def settimeout(self, seconds: float, /) -> None:
        """How long the next call may take."""
        self._end = monotonic() + seconds

    def do_handshake(self) -> None:
        self._by_way_of_memory(self._tls.do_handshake)

    def recv(self, size: int, /) -> bytes:
        """The next bytes, b"" when the peer said by TLS that it has no more; SSLEOFError when it just closed."""
        data: bytes = self._by_way_of_memory(lambda: self._tls.read(size))
        return data

    def send(self, data: memoryview, /) -> int:
        count: int = self._by_way_of_memory(lambda: self._tls.write(data))
        return count

    def close(self) -> None:
        self._sock.close()

    def fileno(self) -> int:
        return self._sock.fileno()

    def getsockname(self) -> "Any":
        return self._sock.getsockname()

    def getpeername(self) -> "Any":
        return self._sock.getpeername()

    def pending(self) -> bool:
        """Whether something has come that was not read, besides what is in the socket."""
        return bool(self._incoming.pending or self._tls.pending())

    def _by_way_of_memory(self, work: "Callable[[], T]") -> "T":
        """What the work gives, when all has come that it needs, and gone that it says."""
        late = False
        while True:
            try:
                done = work()
            except _ssl.SSLWantReadError:
                self._flush()
            except _ssl.SSLError:
                self._say_why()
                raise
            else:
                self._flush()
                return done
            if late:
                raise TimeoutError
            late = self._fill()

    def _fill(self) -> bool:
        """Take what comes, or what is there if no time is left; whether that was so."""
        left = self._wait()
        try:
            data = self._sock.recv(PIECE)
        except BlockingIOError:
            raise TimeoutError from None
        if data:
            self._incoming.write(data)
            self.first = self.first or data[: len(HTTP)]
        else:
            self._incoming.write_eof()
        return left <= 0

    def _flush(self) -> None:
        while self._outgoing.pending:
            rest = memoryview(self._outgoing.read())
            while rest:
                self._wait()
                try:
                    rest = rest[self._sock.send(rest) :]
                except BlockingIOError:
                    raise TimeoutError from None

    def _say_why(self) -> None:
        """Send the alert about what is wrong."""
        try:  # noqa: SIM105 - contextlib costs 2 ms
            self._flush()
        except OSError:
            pass  # it has gone, and will not ask

    def _wait(self) -> float:
        """Have the socket wait for what is left of the time, which is told; not at all if nothing is."""
        left = self._end - monotonic()
        self._sock.settimeout(max(left, 0.0))
        return left


def secure(exchange: "Exchange", sock: "_socket.socket", name: str, trust: "Trust") -> TlsSocket:
    """TLS over a connected socket by the deadline; the socket is closed if it fails.

    The server's certificate must bear `name`, a DNS name or an IP address. Raises ProbeError or Unreachable.
    """
    try:
        context = new_context(exchange, trust)
    except BaseException:
        sock.close()
        raise
    return wrap(exchange, sock, name, context)


def new_context(exchange: "Exchange", trust: "Trust", alpn: bytes = b"") -> "_ssl._SSLContext":
    """Whom to trust and whom to show, read from their files. `alpn`: the protocols to offer, as TLS encodes them."""
    if not AVAILABLE:
        raise exchange.error("this Python has no TLS")
    context = _ssl._SSLContext(_ssl.PROTOCOL_TLS_CLIENT)
    load(exchange, context, trust)
    if alpn:
        context._set_alpn_protocols(alpn)  # type: ignore[attr-defined]
    return context


def wrap(exchange: "Exchange", sock: "_socket.socket", name: str, context: "_ssl._SSLContext") -> TlsSocket:
    """`secure`, with a context that is there already."""
    exchange.plain = None
    try:
        tls = TlsSocket(sock, context, host_name(exchange, name))
        try:
            exchange.wait_for(tls, tls.do_handshake)
        except (OSError, ValueError) as error:
            raise fault(exchange, error, tls.first) from None
        return tls
    except BaseException:
        sock.close()
        raise


def load(exchange: "Exchange", context: "_ssl._SSLContext", trust: "Trust") -> None:
    """Tell a fresh context whom to trust and whom to show; ProbeError names the file that is of no use."""
    # As curl: what is in the CA file is trusted, be it no root. ssl.create_default_context() does so from Python 3.13
    # on, but then refuses what many a company's own authority issues; ours is the same on every Python.
    context.verify_flags |= PARTIAL_CHAIN
    try:
        if trust.ca_file is None:
            context.set_default_verify_paths()
        else:
            context.load_verify_locations(_regular(trust.ca_file))
    except (OSError, ValueError) as error:
        raise exchange.error(f"cannot read the CA file {trust.ca_file}: {_why(error)}") from None
    if trust.cert_file is None:
        return
    try:
        key_file = _regular(trust.key_file) if trust.key_file else None
        context.load_cert_chain(_regular(trust.cert_file), key_file, _no_password)
    except (OSError, ValueError) as error:
        key = f" with the key {trust.key_file}" if trust.key_file else ""
        why = _why(error)
        if why == NO_PEM and not trust.key_file:
            why += ", or its key is not in it: give --key-file"
        raise exchange.error(f"cannot use the client certificate {trust.cert_file}{key}: {why}") from None


def _regular(path: str) -> str:
    """`path`, if OpenSSL can read it at once, and again: of a pipe it would wait for a writer past every deadline."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError("it is no regular file")
    return path


def _why(error: OSError | ValueError) -> str:
    if getattr(error, "reason", None) in STRANGE_KEYS:
        return "the key does not belong to the certificate"
    # Of text that is no PEM at all, OpenSSL has nothing to say but where in its C it noticed.
    return NO_PEM if isinstance(error, _ssl.SSLError) and not error.reason else reason(error)


def _no_password() -> str:
    # Without this, OpenSSL would ask for it on the terminal.
    raise ValueError("its key is encrypted; give one that is not")


def host_name(exchange: "Exchange", name: str) -> str:
    """`name` as certificates bear it, without the dot that may end it; ProbeError when it is none."""
    bare = name.removesuffix(".")
    fits = len(bare) < 254 and all(0 < len(label) < 64 for label in bare.split("."))
    if not fits or not bare.isascii() or not bare.isprintable():
        raise exchange.error(f"the TLS handshake failed: {name[:80]!r} is no host name")
    return bare


def fault(exchange: "Exchange", error: OSError | ValueError, first: bytes) -> ProbeError:
    """The error for a handshake that failed; `first`: the first bytes that the server said, if any."""
    if first and HTTP.startswith(first):
        return exchange.error(f"it speaks HTTP, not TLS{exchange.TRY_PLAIN}")
    if isinstance(error, _ssl.SSLCertVerificationError):
        trust: Trust | None = getattr(exchange.asked, "trust", None)
        hint = "; give --ca-file" if trust and not trust.ca_file and error.verify_code in UNTRUSTED else ""
        return exchange.error(f"certificate verify failed: {error.verify_message.rstrip('.')}{hint}")
    if isinstance(error, TimeoutError):
        return exchange.error("the TLS handshake was not complete in time") if first else exchange.late()
    if not first and isinstance(error, _ssl.SSLEOFError):
        return exchange.cut()
    if not first and isinstance(error, ConnectionError):
        return exchange.cut("reset")
    return exchange.error(f"the TLS handshake failed: {reason(error)}")
