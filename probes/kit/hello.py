"""Whether a server that closes before it has said a byte speaks TLS: then it is not dead, and was asked the wrong way.

Part of the cold path, loaded only for such a server.
"""

from time import monotonic

from probes.kit.dial import connect
from probes.kit.exchange import Exchange
from probes.kit.result import ProbeError
from probes.kit.tls import AVAILABLE, TlsSocket

RECORDS = (b"\x15", b"\x16")  # of TLS, by their first byte: an alert, a handshake (RFC 8446, 5.1)

PATIENCE = 0.5  # seconds: whoever hung up on a plain question had time to answer


def speaks_tls(host: bytes, port: int, end: float) -> bool:
    """Whether it answers a TLS client's first words by `end` (on time.monotonic), be it by a refusal."""
    if not AVAILABLE:
        return False
    import _ssl

    context = _ssl._SSLContext(_ssl.PROTOCOL_TLS_CLIENT)  # it trusts nobody, and need not
    context.check_hostname = False
    try:
        exchange = Exchange("TLS", min(end, monotonic() + PATIENCE))
        tls = TlsSocket(connect(exchange, host, port), context, None)
    except ProbeError:
        return False
    try:
        tls.settimeout(exchange.left())
        tls.do_handshake()
    except (OSError, ValueError):
        pass  # what it said first is all that counts
    finally:
        tls.close()
    return tls.first[:1] in RECORDS
