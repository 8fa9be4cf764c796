"""TLS over a connected socket by an exchange's deadline, and the error for each way it can fail, whoever speaks it.

Part of the cold path, for those who ask over TLS: built on `_ssl`, the C beneath `ssl`, for `import ssl` brings enum,
re and socket and costs 13 ms, `_ssl` 2 ms. Safe defaults (verification, host names, TLS 1.2) are set in C for both.
"""

import errno
import os
import stat

from probes.kit.exchange import reason
from probes.kit.result import ProbeError

try:
    import _socket
except ImportError:  # another interpreter's
    import socket as _socket  # type: ignore[no-redef]
try:
    import _ssl
except ImportError:
    _ssl = None  # type: ignore[assignment]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from probes.kit.exchange import Exchange
    from probes.kit.net import Trust

    class Shaking(Protocol):
        """What a handshake needs of a socket with TLS: ours has it, and `ssl`'s."""

        def settimeout(self, seconds: float | None, /) -> None: ...
        def do_handshake(self) -> None: ...


AVAILABLE = hasattr(getattr(_ssl, "_SSLContext", None), "_wrap_socket")
PARTIAL_CHAIN = 0x80000  # X509_V_FLAG_PARTIAL_CHAIN
FIRST = 5  # bytes of an answer that tell TLS from HTTP; OpenSSL reads as many to begin with
SPEAKS_HTTP = "it speaks HTTP, not TLS"
NO_PEM = "it is not PEM"
# X509_V_ERR_…: the issuer's certificate is not there, is the server's own, or is its own and not trusted.
UNTRUSTED = (2, 18, 19, 20, 21)
# OpenSSL's words for a key of another certificate, of the same kind or another.
STRANGE_KEYS = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")


class Beneath(_socket.socket):
    """A socket that TLS can go over: `_ssl` wants a weak reference to it."""

    __slots__ = () if hasattr(_socket.socket, "__weakref__") else ("__weakref__",)


class TlsSocket:
    """A connected socket with TLS: as much of a socket as an exchange needs."""

    __slots__ = ("_sock", "_tls")

    def __init__(self, sock: Beneath, tls: "Any") -> None:
        self._sock, self._tls = sock, tls

    def settimeout(self, seconds: float | None, /) -> None:
        self._sock.settimeout(seconds)

    def do_handshake(self) -> None:
        self._tls.do_handshake()

    def recv(self, size: int, /) -> bytes:
        """The next bytes, b"" when the peer said by TLS that it has no more; SSLEOFError when it just closed."""
        data: bytes = self._tls.read(size)
        return data

    def send(self, data: memoryview, /) -> int:
        count: int = self._tls.write(data)
        return count

    def close(self) -> None:
        self._sock.close()


def secure(exchange: "Exchange", sock: _socket.socket, name: str, trust: "Trust") -> TlsSocket:
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


def wrap(exchange: "Exchange", sock: _socket.socket, name: str, context: "_ssl._SSLContext") -> TlsSocket:
    """`secure`, with a context that is there already."""
    beneath = Beneath(fileno=sock.detach())
    try:
        known = host_name(exchange, name)
        tls = TlsSocket(beneath, context._wrap_socket(beneath, False, known))  # type: ignore[attr-defined]
        shake(exchange, tls, beneath)
        return tls
    except BaseException:
        beneath.close()
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


def shake(exchange: "Exchange", tls: "Shaking", beneath: _socket.socket) -> None:
    """The handshake by the deadline; `beneath` is the socket itself, or what has taken its place."""
    first = b""
    try:
        tls.settimeout(0)
        try:  # noqa: SIM105 - contextlib costs 2 ms
            tls.do_handshake()
        except _ssl.SSLWantReadError:
            pass
        # Only a look at the bytes beneath tells a server that is silent from one whose TLS is in trouble.
        tls.settimeout(max(exchange.left(), 0.001))
        first = _socket.socket.recv(beneath, FIRST, _socket.MSG_PEEK)
        if not first:
            raise exchange.cut()
        if b"HTTP/".startswith(first):
            raise exchange.error(SPEAKS_HTTP + exchange.TRY_PLAIN)
        tls.settimeout(max(exchange.left(), 0.001))
        tls.do_handshake()
    except (OSError, ValueError) as error:
        if not first and _rest(tls, beneath).startswith(b"1."):  # it was quick: OpenSSL has read the "HTTP/"
            raise exchange.error(SPEAKS_HTTP + exchange.TRY_PLAIN) from None
        raise fault(exchange, error, begun=bool(first)) from None


def _rest(tls: "Shaking", beneath: _socket.socket) -> bytes:
    """What has come and was not read."""
    try:
        tls.settimeout(0)
        return _socket.socket.recv(beneath, FIRST, _socket.MSG_PEEK)
    except OSError:
        return b""


def fault(exchange: "Exchange", error: OSError | ValueError, *, begun: bool) -> ProbeError:
    """The error for a handshake that failed; `begun`: the server has said something."""
    if isinstance(error, _ssl.SSLCertVerificationError):
        trust: Trust | None = getattr(exchange.asked, "trust", None)
        hint = "; give --ca-file" if trust and not trust.ca_file and error.verify_code in UNTRUSTED else ""
        return exchange.error(f"certificate verify failed: {error.verify_message.rstrip('.')}{hint}")
    if isinstance(error, TimeoutError):
        return exchange.error("the TLS handshake was not complete in time") if begun else exchange.late()
    if not begun and isinstance(error, _ssl.SSLEOFError):
        return exchange.cut()
    if not begun and (isinstance(error, ConnectionError) or getattr(error, "errno", None) == errno.ENOTCONN):
        return exchange.cut("reset")
    return exchange.error(f"the TLS handshake failed: {reason(error)}")
