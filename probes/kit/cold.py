"""A probe from the command line, as cold and cheap as a kubelet needs it: a plain call imports nothing heavy."""

import os
import sys
import time

from probes.kit import argv as fast
from probes.kit import catalog
from probes.kit.finding import printable
from probes.kit.jsontext import dumps
from probes.kit.net import Answered
from probes.kit.options import OptionError, OptionErrors, from_environment
from probes.kit.result import Result, Status
from probes.kit.run import ALERT, Answer, RunOptions, faulty, run, tell, timeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from probes.kit.net import Found, JmxRequest, Reply, Request
    from probes.kit.options import Given


class OneShot:
    """The Net of a single question: a connection for each request, httpx for what the cold client declines."""

    def __init__(self, end: float, allowed: float) -> None:
        self._end, self._allowed, self._answered = end, allowed, Answered()

    def request(self, request: "Request") -> "Reply":
        return self._answered.ask(request, self._fetch)

    def _fetch(self, request: "Request") -> "Reply":
        from probes.kit import http  # whoever asks over RMI does without it

        try:
            return http.fetch(request, self._end)
        except http.Declined as declined:
            if declined.begun:
                self._answered.begun(request)
            import gc

            gc.enable()  # the command has disabled it
            from probes.kit.pooled import Pool  # httpx costs 100 ms; a plain question never pays it

            return Pool().fetch(request, self._end)

    def jmx(self, request: "JmxRequest") -> "list[Found]":
        from probes.kit.jmx import fetch  # only who asks a JVM pays for it

        return fetch(request, self._end)

    def now(self) -> float:
        return time.time()

    def hurried(self) -> bool:
        return is_hurried(self._end - time.monotonic(), self._allowed, time.process_time(), age())


def main(argv: "Sequence[str]") -> int | None:
    """The exit code of `stetho probe ARGV`, or None where argv is not plain and the full command line answers."""
    try:
        module = catalog.load(argv[0] if argv else "")
    except KeyError:
        return None
    given = fast.read(argv[1:], (*module.Options.fields, *RunOptions.fields))
    if given is None:
        return None
    try:
        return answer(argv[0], module, given)
    except OptionErrors:
        return None  # typer says what is wrong, and how it would be right


def built(name: str, module: "Any", given: "Given") -> "tuple[Any, RunOptions]":
    """The probe's options and how to run it, from what argv gave and the environment has. Raises OptionErrors."""
    errors: list[OptionError] = []
    found: list[Any] = []
    for options, probe in ((module.Options, name), (RunOptions, "")):
        try:
            found.append(options.build(*sources(options, probe, given)))
        except OptionErrors as wrong:
            errors += wrong.errors
    if errors:
        raise OptionErrors(errors)
    return found[0], found[1]


def sources(options: "Any", probe: str, given: "Given") -> "tuple[Given, Given]":
    """What these options can be built from: their share of argv, and of the environment."""
    keys = {key for field in options.fields for key in field.keys}
    own = {key: value for key, value in given.items() if key in keys}
    return own, from_environment(options.fields, probe, os.environ)


def answer(name: str, module: "Any", given: "Given") -> int:
    """Ask, show the answer, and give the exit code. Raises OptionErrors."""
    lacking = ""
    try:
        options, how = built(name, module, given)
    except OptionErrors as wrong:
        if not all(error.lacking for error in wrong.errors):
            raise
        how, lacking = RunOptions.build(*sources(RunOptions, "", given)), str(wrong)
    condition = compiled(how.when)
    said = unasked(name, module, given, how, lacking) if lacking else asked(name, module, options, how)
    try:
        if condition is not None:
            said = judged(said, condition)
        text = rendered(said, how)
    except Exception as error:  # noqa: BLE001 - an answer that we cannot judge or show is still answered
        seconds = said.duration_ms / 1000
        said = Answer(name, faulty(error, said.target), how.as_, said.time, seconds, said.unreachable)
        text = rendered(said, how)
    show(text)
    if how.as_ != ALERT and said.code == 0 and not said.well:
        # For the log that a kubelet keeps: why it was told "well" of what is not.
        tell(printable(said.message).encode("ascii", "backslashreplace").decode())
    return said.code


def asked(name: str, module: "Any", options: "Any", how: RunOptions) -> Answer:
    allowed = timeout(options, how.as_)
    end = time.monotonic() + (allowed if how.as_ == ALERT else left_of(allowed, age()))
    return run(name, module, options, OneShot(end, allowed), how.as_)


def unasked(name: str, module: "Any", given: "Given", how: RunOptions, lacking: str) -> Answer:
    """What can be said without a secret that is not there: a wrong one would be no evidence of death either."""
    address = module.Options.address(*sources(module.Options, name, given))
    return Answer(name, Result(Status.UNKNOWN, lacking, address.shown, None), how.as_, time.time(), 0.0, False)


def left_of(allowed: float, age: float) -> float:
    """How long a probe of that age may go on, where its whole process is allowed so many seconds.

    A kubelet's second begins with the process, of which a throttled Python takes half to come up. Half is always left
    to ask in. A process older than its deadline was another program's before, a shell's that became ours.
    """
    return max(allowed - age, allowed / 2) if age < allowed else allowed


def is_hurried(left: float, allowed: float, used: float, age: float) -> bool:
    """Whether a quarter of the time has gone, and a process of that age had hardly any CPU in it."""
    return left < 0.75 * allowed and used < 0.15 * age


def age() -> float:
    """Seconds since this process was started (proc(5)); 0 where the system does not tell."""
    try:
        with open("/proc/self/stat", "rb") as file:
            started = int(file.read().rpartition(b")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
        return max(time.clock_gettime(time.CLOCK_BOOTTIME) - started, 0.0)
    except (OSError, AttributeError, ValueError):
        return 0.0


def compiled(text: str | None) -> "Any":
    """The condition of `--when`; OptionErrors when it is none."""
    if text is None:
        return None
    from probes.kit.condition import Condition, ConditionError  # brings jmespath, 13 ms

    try:
        return Condition(text)
    except ConditionError as error:
        raise OptionErrors([OptionError("when", f"{error} (at column {error.offset + 1})")]) from None


def judged(said: Answer, condition: "Any") -> Answer:
    """The answer with the condition's status: met is CRITICAL, not met OK, undecided UNKNOWN."""
    judgement = condition.judge(said.as_read())
    statuses = {"MET": Status.CRITICAL, "NOT MET": Status.OK, "UNKNOWN": Status.UNKNOWN}
    reason = f" ({judgement.reason})" if judgement.reason else ""
    said.message = f"{judgement.verdict.value}{reason}: {condition.text}; {said.message}"
    said.status = statuses[judgement.verdict.value]
    said.code = int(said.status)
    return said


def rendered(said: Answer, how: RunOptions) -> str:
    """The answer in the form that was asked for."""
    terminal = sys.stdout is not None and sys.stdout.isatty()
    output = how.output or ("text" if terminal else "json")
    if output == "json":
        return dumps(said.document())
    module = f"probes.kit.outputs.{output}"
    __import__(module)
    return str(sys.modules[module].render(said, colour=terminal and "NO_COLOR" not in os.environ))


def show(text: str) -> None:
    """Print it, in UTF-8 whatever the locale. If nobody reads it, the exit code still tells."""
    if sys.stdout is None:
        return
    try:
        # A lone surrogate, which JSON may hold, has no UTF-8; as an escape it is still JSON.
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
        sys.stdout.flush()
    except OSError:
        unread()


def unread() -> None:
    """Drop what is still to be printed: at its end Python would complain, and exit with a code of its own."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
