"""What the benchmark's last line says of its figures."""

import pytest

from bench.processes import Cost
from bench.questions import Question
from bench.rounds import Cold, Measured
from bench.targets import JQ, Verdicts
from bench.throttled import Command, Runs, Throttled

BARE = [Cost(0.010, 0.010, 9_000_000)]
HTTP = Question("connect", "connect-healthy", 1, [])
HTTPS = Question("connect, https", "connect-healthy", 1, [], tls=True)
JMX = Question("streams --jmx", "", 0, [], read="streams")


def measured(question: Question, cpu: float, peak: int, peer: float) -> Measured:
    return Measured(question, [Cost(cpu, cpu, peak)], [Cost(peer, peer, 1)])


@pytest.mark.parametrize(
    ("question", "cpu", "peak", "peer", "cell"),
    [
        (HTTP, 0.022, 14_000_000, 0.022, "yes"),
        (HTTP, 0.023, 14_000_000, 0.030, "NO: ÷ python > 2.2"),
        (HTTP, 0.020, 15_000_000, 0.019, "NO: ÷ curl\\|jq > 1.0, peak > 14 MB"),
        (HTTPS, 0.020, 16_000_000, 0.030, "yes"),
        (JMX, 0.012, 10_000_000, 0.100, "yes"),
        (JMX, 0.013, 10_000_000, 0.100, "NO: ÷ Java reader > 0.12"),
    ],
)
def test_a_cold_probe_has_its_bounds(question: Question, cpu: float, peak: int, peer: float, cell: str) -> None:
    verdicts, each = Verdicts(JQ), measured(question, cpu, peak, peer)
    assert verdicts.cold(Cold(BARE, [each], {}, 0), each) == cell
    assert verdicts.last_line().startswith("All targets hold" if cell == "yes" else f"Does not hold: {question.name}")


def test_a_quick_jq_is_no_yardstick() -> None:
    each = measured(HTTP, 0.020, 10_000_000, 0.008)
    assert Verdicts("jq-1.7.1").cold(Cold(BARE, [each], {}, 0), each) == "yes"


@pytest.mark.parametrize(("late", "cell"), [(1, "yes"), (2, "NO: fewer than 99% in time")])
def test_one_run_of_a_hundred_may_be_late(late: int, cell: str) -> None:
    runs = Runs([0.3] * (100 - late) + [1.1] * late)
    assert Verdicts(JQ).throttled(Throttled(Command("connect", [], judged=True), runs, runs)) == cell


def test_the_last_line_tells_what_was_not_measured() -> None:
    verdicts = Verdicts(JQ)
    verdicts.unmeasured.append("JMX (--no-java)")
    assert verdicts.last_line() == "All targets hold. Not measured: JMX (--no-java)."
