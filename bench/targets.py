"""What must hold of the figures, and which of it does not."""

from collections.abc import Sequence

from bench.processes import Cost
from bench.rounds import Cold, Measured, megabytes, ratio
from bench.throttled import Throttled

PYTHON, PEAK = 2.2, 14.0  # the most that a cold probe may cost: times bare Python, MB
TLS_PEAK = 17.0  # MB: OpenSSL alone brings 6
CURL_JQ, JAVA = 1.0, 0.12  # times its peer's CPU
SHARE = 0.99  # of the runs beside a busy process that must end in time

JQ = "jq-1.6"  # a newer jq starts in a seventh of its time, and the ratio to it says something else


class Verdicts:
    """Collects what does not hold, for the last line; and what could not be measured."""

    def __init__(self, jq: str) -> None:
        self.jq = jq
        self.broken: list[str] = []
        self.unmeasured: list[str] = []

    def cold(self, cold: Cold, each: Measured) -> str:
        """The last cell of a question's row."""
        peak = TLS_PEAK if each.question.tls else PEAK
        most = JAVA if each.question.read else CURL_JQ
        beside_peer = each.question.read or self.jq == JQ
        return self._cell(
            each.question.name,
            [
                (f"÷ python > {PYTHON}", _median(each.stetho, cold.bare) <= PYTHON),
                (f"÷ {each.question.peer} > {most}", not beside_peer or _median(each.stetho, each.peer) <= most),
                (f"peak > {peak:g} MB", megabytes(each.stetho) <= peak),
            ],
        )

    def throttled(self, each: Throttled) -> str:
        """The last cell of a command's row."""
        late = f"fewer than {SHARE:.0%} in time"
        return self._cell(f"{each.command.name} at 100m", [(late, each.beside.share >= SHARE)])

    def last_line(self) -> str:
        """All that a reader in a hurry needs."""
        broken = "; ".join(self.broken).replace("\\|", "|")  # this is no table
        said = f"Does not hold: {broken}." if broken else "All targets hold."
        return said + (f" Not measured: {'; '.join(self.unmeasured)}." if self.unmeasured else "")

    def _cell(self, name: str, tests: Sequence[tuple[str, bool]]) -> str:
        broken = [text for text, holds in tests if not holds]
        if not broken:
            return "yes"
        self.broken.append(f"{name}: {', '.join(broken)}")
        return f"NO: {', '.join(broken)}"


def _median(ours: Sequence[Cost], theirs: Sequence[Cost]) -> float:
    return ratio(ours, theirs).median
