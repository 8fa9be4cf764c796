"""Asking one probe: timed, bounded, every exception mapped, and the answer as the JSON object that all outputs show.

Part of the cold path.
"""

import os
import sys
import time

from probes.kit.options import Choice, OptionError, OptionSet, option
from probes.kit.result import ProbeError, Result, Status, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from probes.kit.net import Net

SCHEMA = 1
ALERT, LIVENESS, READINESS = "alert", "liveness", "readiness"
TIMEOUT, KUBELET_TIMEOUT = 5.0, 0.8  # seconds; the kubelet kills a probe after 1 s
USAGE = 64  # of sysexits.h; a typo must never read as an outage


class RunOptions(OptionSet):
    """How a probe is asked from the command line and its answer is shown."""

    as_: Choice = option(
        default=ALERT,
        choices=(ALERT, LIVENESS, READINESS),
        help="Who asks: an alert (exit 0 to 3), or a kubelet (exit 0 or 1).",
    )
    when: str | None = option(
        default=None, help="Judge by this condition, as a rule's `when:` does: met is CRITICAL, undecided UNKNOWN."
    )
    output: Choice | None = option(
        default=None, choices=("text", "json"), help="Form of the answer; text on a terminal, else one line of JSON."
    )
    exit_style: Choice = option(
        default="stetho", choices=("stetho", "nagios"), help="Exit code of a usage error: 64, or Nagios' 3."
    )

    def check(self) -> None:
        if self.when is not None and self.as_ != ALERT:
            raise OptionError("when", f"cannot be combined with --as {self.as_}: a condition is no evidence of death")


class Answer:
    """One probe's answer as everybody sees it. `unreachable`: it failed at network level."""

    __slots__ = ("code", "data", "duration_ms", "message", "probe", "status", "target", "time", "unreachable", "well")

    def __init__(self, probe: str, result: Result, purpose: str, at: float, seconds: float, unreachable: bool) -> None:
        self.probe, self.target, self.message, self.data = probe, result.target, result.message, result.data
        self.status, self.code = verdict(result, purpose)
        self.well = result.status == Status.OK  # whatever a kubelet is told
        self.time, self.duration_ms, self.unreachable = at, round(seconds * 1000, 1), unreachable

    def document(self) -> "dict[str, Any]":
        """The JSON object of the design: every key, always."""
        return {
            "schema": SCHEMA,
            "probe": self.probe,
            "target": self.target,
            "status": self.status.name,
            "code": self.code,
            "message": self.message,
            "data": self.data,
            "time": utc(self.time),
            "duration_ms": self.duration_ms,
        }

    def as_read(self) -> "dict[str, Any]":
        """The document as a condition sees it, in a rule and on the command line alike: exactly its JSON."""
        from probes.kit.jsontext import dumps, loads

        document: dict[str, Any] = loads(dumps(self.document()))
        return document


def verdict(result: Result, purpose: str) -> tuple[Status, int]:
    """The status shown and the exit code, by who asks. A kubelet knows well (0) and not (1)."""
    if purpose == ALERT:
        return result.status, int(result.status)
    well = result.alive if purpose == LIVENESS else result.ready
    return (Status.OK, 0) if well else (Status.CRITICAL, 1)


def utc(moment: float) -> str:
    """`2026-01-02T03:04:05Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def timeout(options: "Any", purpose: str = ALERT) -> float:
    """The total deadline in seconds that these options set, or their asker's."""
    return float(options.timeout or (TIMEOUT if purpose == ALERT else KUBELET_TIMEOUT))


def run(name: str, module: "Any", options: "Any", net: "Net", purpose: str = ALERT) -> Answer:
    """Ask. Never raises: what goes wrong becomes a status, and what we cannot tell is UNKNOWN."""
    at, begun, shown, itself, unreachable = net.now(), time.monotonic(), "", False, False
    try:
        shown = options.target.shown
        itself = (module.ASKS(options) if callable(module.ASKS) else module.ASKS) == "itself"
        result = _question(module, purpose)(options, net)
        if not isinstance(result, Result):
            raise TypeError("a probe answers with a Result")
    except Unreachable as error:
        unreachable = True
        result = Result(Status.CRITICAL if itself else Status.UNKNOWN, str(error), shown, None, alive=not itself)
    except ProbeError as error:
        result = Result(Status.UNKNOWN, str(error), shown, None)
    except Exception as error:  # noqa: BLE001 - a fault of ours is no evidence against what we ask
        result = faulty(error, shown)
    return Answer(name, result, purpose, at, time.monotonic() - begun, unreachable)


def _question(module: "Any", purpose: str) -> "Any":
    """What to call: a probe may answer a kubelet otherwise than an alert."""
    kubelet = {LIVENESS: getattr(module, "live", None), READINESS: getattr(module, "ready", None)}
    return kubelet.get(purpose) or module.probe


def faulty(error: Exception, target: str) -> Result:
    """What can be said when stetho itself has failed."""
    return Result(Status.UNKNOWN, f"a fault inside stetho: {fault(error)}", target, None)


def fault(error: BaseException) -> str:
    """What to report of a fault of ours: the error and where it rose. Its words may quote a secret, but for a few."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        place = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}"
        trace = trace.tb_next
    words = f": {error}" if isinstance(error, (ImportError, SyntaxError)) else ""
    ours = isinstance(error, ImportError) and (error.name or "").partition(".")[0] in ("probes", "rules")
    advice = "is another package of that name in the way?" if ours else "please report it"
    return f"{type(error).__name__} at {place}{words}; {advice}"


def tell(text: str) -> None:
    """Say it on stderr. If nobody can hear it, the exit code still tells."""
    try:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):  # it is closed, full, or nobody reads it
        sys.stderr = None  # else Python would try again at its end, and exit with a code of its own


def last_words(error: Exception, argv: "Sequence[str]") -> int:
    """Tell of a fault that nobody answered for, and the exit code of `stetho ARGV` then.

    It is UNKNOWN to an alert, and to a kubelet no evidence that anything is dead.
    """
    tell(f"a fault inside stetho: {fault(error)}")
    if argv[:1] != ["probe"]:
        return 1
    purpose = os.environ.get("STETHO_AS", "")
    for word, following in zip(argv, [*argv, ""][1:], strict=True):
        purpose = following if word == "--as" else word[5:] if word[:5] == "--as=" else purpose
    return {LIVENESS: 0, READINESS: 1}.get(purpose, int(Status.UNKNOWN))
