"""The nouns of the rule runner: what a file declares, what a sweep remembers, what a destination is owed.

Only data: no clock, no network, no store, no decision. Durations are seconds, moments are seconds since the epoch.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

Labels = Mapping[str, str]

GROUP_WAIT, GROUP_INTERVAL, REPEAT_INTERVAL = 0.0, 300.0, 14400.0  # seconds; Alertmanager's but for group_wait
HOLD_MISSING = 900.0  # seconds that an item may be missing from its list before its alert is closed
OWN_GROUP = "stetho"  # the group of the alerts that stetho raises about itself


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def fingerprint(labels: Labels) -> str:
    """An alert's identity within sweep name and group: 16 hex digits of its labels, whatever their order."""
    return hashlib.sha256(_encode(dict(labels)).encode()).hexdigest()[:16]  # ASCII, whatever is in the labels


class State(StrEnum):
    """Where an alert's episode stands. There is no `inactive`: what is not stored is inactive."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Ending(StrEnum):
    """Why an episode ended, in the words of its all-clear."""

    RESOLVED = "resolved"
    UNREPORTED = "no longer reported"
    UNWATCHED = "no longer watched"


@dataclass(frozen=True)  # no slots: what is derived from the labels is kept once it is known
class Alert:
    """One episode of one alert, from its first MET to its end. The store keeps it until nobody is owed word of it."""

    group: str
    labels: Labels
    instance: str  # which rule (and which of its `each`) watches it: a key, not shown
    state: State
    annotations: Mapping[str, str]
    message: str  # the probe's sentence when the rule was last MET
    started_at: float  # first MET
    active_seconds: float = 0.0  # counted towards `for`: gaps between sweeps, not wall time
    fired_at: float | None = None
    last_firing_at: float | None = None  # the last sweep that found it firing or held it so
    ended_at: float | None = None
    ending: Ending | None = None
    unverified_since: float | None = None  # the last sweep that could judge it, while it is held
    unverified_reason: str = ""
    missing_seconds: float = 0.0  # counted while its item is not in a list that was learnt
    unwatched_sweeps: int = 0  # sweeps in a row without a rule for it

    @property
    def name(self) -> str:
        return self.labels["alertname"]

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint(self.labels)

    @cached_property
    def key(self) -> "EpisodeKey":
        return EpisodeKey(self.group, self.fingerprint, self.started_at)


class EpisodeKey(NamedTuple):  # hashed and compared for each alert at each destination: in C
    """One episode within a sweep name; a later fire of the same labels is another episode."""

    group: str
    fingerprint: str
    started_at: float


@dataclass(frozen=True, slots=True)
class Tick:
    """The time of one sweep, for one group: `now`, the counted gap since the sweep before, the usual interval.

    `gap` is None on a name's first sweep; `interval` is 0 while it is not known (then nothing is forgiven).
    """

    now: float
    gap: float | None
    interval: float = 0.0

    @property
    def forgiven(self) -> float:
        """What a comparison of elapsed time overlooks, exclusive: CronJobs start some seconds late."""
        return self.interval / 2


@dataclass(frozen=True, slots=True)
class Told:
    """What one destination was last told about one episode, and when."""

    destination: str
    episode: EpisodeKey
    state: State  # FIRING, RESOLVED, or PENDING: a page was sent, and whether it arrived is not known
    at: float
    group_key: str
    receiver: str
    labels: Labels  # of the episode: an all-clear is owed even when the alert's row and rule have gone
    summary: str  # as told, for the all-clear to repeat


@dataclass(frozen=True, slots=True)
class Failure:
    """A notice's failures in a row at one destination."""

    destination: str
    group_key: str
    count: int
    at: float
    sweep: int  # the number of the sweep of the last failure
    permanent: bool
    reason: str


@dataclass(frozen=True)  # no slots, as with Alert
class Destination:
    """One Apprise URL of a receiver. `id` is stable while its text is, `${TOKEN}` unexpanded: rotation loses none."""

    receiver: str
    text: str = field(repr=False)

    @cached_property
    def id(self) -> str:
        return f"{self.receiver}/{hashlib.sha256(self.text.encode()).hexdigest()[:16]}"

    @property
    def scheme(self) -> str:
        """`slack`, `mailto`, …; empty when a `${NAME}` hides it."""
        scheme, mark, _ = self.text.partition("://")
        return scheme.lower() if mark and "$" not in scheme else ""


@dataclass(frozen=True, slots=True)
class Receiver:
    name: str
    destinations: tuple[Destination, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """One message owed to one destination: a page while anything in it fires, else an all-clear."""

    destination: Destination
    group_key: str
    firing: tuple[Alert, ...]  # all of the group's that fire, news or not, as Alertmanager tells them
    ended: tuple["Ended", ...]
    due: bool  # False: it waits (group_wait, group_interval, back-off), and is owed all the same
    repeat: bool = False  # nothing new: repeat_interval has passed

    @property
    def page(self) -> bool:
        return bool(self.firing)


@dataclass(frozen=True, slots=True)
class Ended:
    """An end to tell of. `told` are the rows it settles, a gone destination's among them; none: a late notice."""

    alert: Alert
    told: tuple[Told, ...]
