"""The values of java.time in the form that they write themselves, as text of ISO 8601. Part of the cold path.

Nothing but its kind tells how long one is. Source: java.time.Ser and what it calls.
"""

from probes.kit.jmx.source import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

QUARTER = 900  # seconds of a quarter of an hour, in which most offsets from UTC are counted
ODD_OFFSET = 127
OFFSET = 8  # the kind of a zone that is only an offset


class Moment:
    """One value that comes next. `number` reads one of a form and a size, `utf` a text."""

    def __init__(self, number: "Callable[[str, int], int]", utf: "Callable[[], str]") -> None:
        self._number, self._utf = number, utf

    def read(self) -> object:
        """The value: a Duration as seconds, a Year as a number, all others as text. Raises Malformed."""
        kind = self._byte()
        if kind not in _KINDS:
            raise Malformed(f"a value of java.time of kind {kind}")
        return _KINDS[kind](self)

    def _byte(self) -> int:
        return self._number(">b", 1)

    def _int(self) -> int:
        return self._number(">i", 4)

    def year(self) -> int:
        return self._int()

    def duration(self) -> float:
        return self._number(">q", 8) + self._int() / 1e9

    def instant(self) -> str:
        return utc(self._number(">q", 8), self._int() // 1_000_000)

    def date(self) -> str:
        return f"{self.year_month()}-{self._byte():02d}"

    def time(self) -> str:
        """Whatever is 0 at its end is left out, and the last that is there negated."""
        parts: list[int] = []
        while len(parts) < 3 and (not parts or parts[-1] >= 0):
            parts.append(self._byte())
        nanos = self._int() if parts[-1] >= 0 else 0
        hour, minute, second = [part if part >= 0 else ~part for part in (*parts, 0, 0)][:3]
        fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
        return f"{hour:02d}:{minute:02d}:{second:02d}{fraction}"

    def date_time(self) -> str:
        return f"{self.date()}T{self.time()}"

    def offset(self) -> str:
        quarters = self._byte()
        seconds = self._int() if quarters == ODD_OFFSET else quarters * QUARTER
        minutes, second = divmod(abs(seconds), 60)
        told = f"{minutes // 60:02d}:{minutes % 60:02d}" + (f":{second:02d}" if second else "")
        return f"{'-' if seconds < 0 else '+'}{told}" if seconds else "Z"

    def region(self) -> str:
        return self._utf()

    def offset_time(self) -> str:
        return f"{self.time()}{self.offset()}"

    def offset_date_time(self) -> str:
        return f"{self.date_time()}{self.offset()}"

    def zoned(self) -> str:
        when = self.offset_date_time()
        if self._byte() == OFFSET:
            self.offset()  # the same once more
            return when
        return f"{when}[{self.region()}]"

    def year_month(self) -> str:
        return f"{shown_year(self._int())}-{self._byte():02d}"

    def month_day(self) -> str:
        return f"--{self._byte():02d}-{self._byte():02d}"

    def period(self) -> str:
        parts = [f"{number}{unit}" for unit in "YMD" if (number := self._int())]
        return f"P{''.join(parts) or '0D'}"


_KINDS: "dict[int, Callable[[Moment], object]]" = {
    1: Moment.duration,
    2: Moment.instant,
    3: Moment.date,
    4: Moment.time,
    5: Moment.date_time,
    6: Moment.zoned,
    7: Moment.region,
    OFFSET: Moment.offset,
    9: Moment.offset_time,
    10: Moment.offset_date_time,
    11: Moment.year,
    12: Moment.year_month,
    13: Moment.month_day,
    14: Moment.period,
}


def utc(seconds: int, milliseconds: int) -> str:
    """`2026-01-02T03:04:05.678Z`, of any year: time.gmtime() knows few. By Howard Hinnant's civil_from_days."""
    days, second = divmod(seconds, 86400)
    era, day_of_era = divmod(days + 719468, 146097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    part = (5 * day_of_year + 2) // 153
    month = part + 3 if part < 10 else part - 9
    year = year_of_era + era * 400 + (month <= 2)
    day = day_of_year - (153 * part + 2) // 5 + 1
    clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    return f"{shown_year(year)}-{month:02d}-{day:02d}T{clock}.{milliseconds:03d}Z"


def shown_year(year: int) -> str:
    return f"{year:04d}" if 0 <= year <= 9999 else f"{year:+05d}"
