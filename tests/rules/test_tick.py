"""The time that sweeps count: gaps, what is usual, what was missed."""

import pytest

from rules.model import Tick
from rules.tick import counted_gap, missed_sweeps, usual_interval

NOW = 1_767_348_000.0


@pytest.mark.parametrize(
    ("previous", "gaps", "interval", "max_gap", "counted", "usual"),
    [
        (None, [], None, None, None, 0),  # the first sweep
        (None, [], 60, None, None, 60),
        (100, [], None, None, 100, 0),  # the second: one gap, counted whole
        (60, [60], None, None, 60, 60),  # two gaps
        (62, [60, 60, 61], None, None, 62, 60.5),
        (3600, [60, 60, 60], None, None, 180, 60),  # an outage counts three intervals
        (3600, [60, 60, 60], None, 600, 600, 60),
        (3600, [60, 60, 60], 300, None, 900, 300),  # the group's `interval`
        (3600, [], None, 600, 600, 0),  # what the group says holds from the start
        (-30, [60, 60, 60], None, None, 0, 60),  # a backward step, also of the clock that made the gaps:
        (60, [-3600, 60, 60], None, None, 60, 60),
        (60, [9999] * 5 + [60] * 9, None, None, 60, 60),  # the last ten gaps only
        (60, [60, 86400], None, None, 60, 60),  # one outage is not the usual interval
    ],
)
def test_a_gap_counts_what_is_usual(
    previous: float | None,
    gaps: list[float],
    interval: float | None,
    max_gap: float | None,
    counted: float | None,
    usual: float,
) -> None:
    start = None if previous is None else NOW - previous
    assert counted_gap(NOW, start, gaps, interval, max_gap) == Tick(NOW, counted, usual)


@pytest.mark.parametrize(
    ("gap", "usual", "missed"), [(60, 60, 0), (85, 60, 0), (120, 60, 1), (601, 60, 9), (-60, 60, 0), (600, 0, 0)]
)
def test_missed_sweeps_are_those_that_fit_into_the_gap(gap: float, usual: float, missed: int) -> None:
    assert missed_sweeps(NOW, NOW - gap, usual) == missed
    assert missed_sweeps(NOW, None, usual) == 0


def test_an_interval_of_zero_says_nothing() -> None:
    assert usual_interval([60, 60], 0) == 60
