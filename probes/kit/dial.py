"""Connections by a deadline: each address of a name in turn, and the name itself resolved in time.

Part of the cold path.
"""

import errno

from probes.kit.exchange import reason

try:
    import _socket
except ImportError:  # another interpreter's
    import socket as _socket  # type: ignore[no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from probes.kit.exchange import Exchange

    Address = tuple[int, int, int, str, Any]  # as getaddrinfo gives it

# Where too many wait to be let in, Linux drops who comes next, and itself knocks again only after a second. So we do,
# at the last address; of one before it, half a share might be too short for a server far away.
KNOCKS = 2


def resolve(host: bytes, port: int) -> "list[Address]":
    """The addresses of a name; may hang. `host` is bytes, for of a str getaddrinfo loads the idna codec (5 ms)."""
    return _socket.getaddrinfo(host, port, 0, _socket.SOCK_STREAM)


def connect(exchange: "Exchange", host: bytes, port: int) -> _socket.socket:
    """A connection to the first address that takes one; each may use its share of the time left."""
    if not 0 < port < 65536:  # getaddrinfo takes it modulo 65536
        raise exchange.error(f"{port} is no port")
    addresses = _addresses(exchange, host, port)
    fault = None
    for tried, address in enumerate(addresses):
        share = exchange.left() / (len(addresses) - tried)
        if share <= 0:
            break
        exchange.witness = None  # of who was silent at the address before
        try:
            sock = _connected(exchange, address, share, KNOCKS if tried == len(addresses) - 1 else 1)
            exchange.plain = (host, port)
            return sock
        except TimeoutError:
            fault = exchange.late()
        except ConnectionRefusedError:
            fault = exchange.dead("connection refused")
        except ConnectionError:
            fault = exchange.cut("reset")
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                raise exchange.failed(error) from None
            # A family that this host cannot route says less than a refusal at another address.
            fault = fault or exchange.unrouted(reason(error))
    raise fault or exchange.unasked()


def _connected(exchange: "Exchange", address: "Address", share: float, knocks: int) -> _socket.socket:
    """A connection to one address in its share of the time; TimeoutError if it does not answer."""
    family, kind, protocol, _, place = address
    for _ in range(knocks):
        sock = _socket.socket(family, kind, protocol)
        try:
            sock.settimeout(max(min(share / knocks, exchange.left()), 0.001))
            sock.connect(place)
            sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            return sock
        except TimeoutError:
            exchange.suspect(sock, place)
            sock.close()
        except BaseException:
            sock.close()
            raise
    raise TimeoutError


def _addresses(exchange: "Exchange", host: bytes, port: int) -> "list[Address]":
    try:
        return _socket.getaddrinfo(host, port, 0, _socket.SOCK_STREAM, 0, _socket.AI_NUMERICHOST)
    except _socket.gaierror:
        pass  # not a literal address
    from probes.kit.within import within  # an address that is spelt out does without it

    name = host.decode("utf-8", "replace")
    try:
        return within(exchange.left(), lambda: resolve(host, port))
    except TimeoutError:
        raise exchange.unrouted(f"the name {name!r} was not resolved in time") from None
    except _socket.gaierror as error:
        if error.errno in (_socket.EAI_NONAME, getattr(_socket, "EAI_NODATA", None)):
            raise exchange.unrouted(f"no such host {name!r}") from None
        raise exchange.unrouted(f"cannot resolve {name!r}: {reason(error)}") from None
    except (OSError, RuntimeError, UnicodeError) as error:
        raise exchange.unrouted(f"cannot resolve {name!r}: {error}") from None
