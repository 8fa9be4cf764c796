"""The time that sweeps count: how much of the gap since the one before, what gap is usual, and what is forgiven.

Pure: no clock, no network, no store, no environment; the moments of the sweeps come in as arguments.
"""

from collections.abc import Sequence
from statistics import median

from rules.model import Tick

MAX_GAPS = 3  # one gap counts at most so many usual intervals, unless the group says `max_gap`
LAST_GAPS = 10  # of which the median is the usual interval


def lasted(seconds: float, wanted: float, forgiven: float) -> bool:
    """Whether `seconds` is as long as `wanted`, overlooking less than `forgiven` seconds."""
    return seconds > wanted - forgiven if forgiven else seconds >= wanted


def usual_interval(gaps: Sequence[float], interval: float | None) -> float:
    """Seconds between a group's sweeps: its `interval`, else the median of the last gaps, 0 before there are two."""
    if interval:
        return interval
    forward = [gap for gap in gaps[-LAST_GAPS:] if gap > 0]
    return median(forward) if len(forward) >= 2 else 0.0


def counted_gap(
    now: float,
    previous_start: float | None,
    recent_gaps: Sequence[float],
    interval: float | None = None,
    max_gap: float | None = None,
) -> Tick:
    """The tick of a sweep that starts at `now`; `recent_gaps` lie between the sweeps before it, oldest first.

    The gap that ends now belongs to the last ten: after one outage it is the outage that looks unusual.
    """
    if previous_start is None:
        return Tick(now, None, usual_interval(recent_gaps, interval))
    gap = now - previous_start
    usual = usual_interval([*recent_gaps, gap], interval)
    most = max_gap if max_gap is not None else MAX_GAPS * usual
    return Tick(now, max(0.0, min(gap, most) if most else gap), usual)


def missed_sweeps(now: float, previous_start: float | None, usual: float) -> int:
    """How many sweeps should have run since the one before, and did not; `usual` is the tick's interval."""
    if previous_start is None or not usual:
        return 0
    return max(0, round((now - previous_start) / usual) - 1)
