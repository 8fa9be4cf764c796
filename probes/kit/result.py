"""What a probe answers: a status, a sentence, and the data behind it. Part of the cold path: imports nothing."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Status(int):
    """A Monitoring Plugins status; its number is the exit code."""

    OK: "Status"
    WARNING: "Status"
    CRITICAL: "Status"
    UNKNOWN: "Status"

    NAMES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")

    @property
    def name(self) -> str:
        return self.NAMES[self]

    def __repr__(self) -> str:
        return self.name

    __str__ = __repr__


Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN = map(Status, range(4))

_BADNESS = (Status.OK, Status.WARNING, Status.UNKNOWN, Status.CRITICAL)


def worst(statuses: "Iterable[Status]") -> Status:
    """The worst of them, CRITICAL > UNKNOWN > WARNING > OK; of none at all, UNKNOWN."""
    return max(statuses, key=_BADNESS.index, default=Status.UNKNOWN)


class ProbeError(Exception):
    """We cannot learn the state. The text says what was asked, of whom, and what came back."""


class Unrouted(ProbeError):
    """No such host, or no route to it: nothing was asked, and nobody refused."""


class Unreachable(ProbeError):
    """Refused, reset, or not one byte in time. Whose fault that is, the probe's ASKS tells."""


class Result:
    """A probe's answer. `alive` and `ready` are what a kubelet may conclude from it.

    `ready` None stands for "status is OK or WARNING"; `data` None for "the probe could not learn it".
    """

    __slots__ = ("alive", "data", "message", "ready", "status", "target")

    def __init__(
        self,
        status: Status,
        message: str,
        target: str,
        data: "dict[str, object] | None",
        *,
        alive: bool = True,
        ready: bool | None = None,
    ) -> None:
        self.status, self.message, self.target, self.data = status, message, target, data
        self.alive = alive
        self.ready = status <= Status.WARNING if ready is None else ready
