"""Remote JMX over RMI without a JVM: `fetch` reads MBeans by a deadline.

Part of the cold path: no `re`, `json`, `socket`, `ssl`, `enum` or `typing`.
"""

from probes.kit.jmx.reads import Reads
from probes.kit.jmx.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probes.kit.net import Found, JmxRequest


def fetch(request: "JmxRequest", end: float) -> "list[Found]":
    """Read, and give one Found for each read by `end` (on time.monotonic). Raises Unreachable or ProbeError."""
    session = Session(request, end)
    try:
        session.open()
        return Reads(session, request.reads).all()
    finally:
        session.close()
