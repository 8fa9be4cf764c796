"""Remote JMX over RMI without a JVM: `fetch` reads MBeans by a deadline."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probes.kit.net import Found, JmxRequest


def fetch(request: "JmxRequest", end: float) -> "list[Found]":
    """Read, and give one Found for each read by `end` (on time.monotonic). Raises Unreachable or ProbeError."""
    raise NotImplementedError
