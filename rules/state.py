"""The alert state machine: what a sweep saw, added to what was remembered, is what is live and what has ended.

Pure: no clock, no network, no store, no environment. UNKNOWN moves nothing: it never starts, ages or ends an alert.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from probes.kit.condition import Verdict
from rules.model import HOLD_MISSING, OWN_GROUP, Alert, Ending, Labels, State, Tick, fingerprint
from rules.tick import lasted

MISSING = "no longer in the list"
UNWATCHED = "no rule watches it any more"
UNWATCHED_SWEEPS = 2  # an alert whose rule has gone is closed at this sweep, so that one slip in a file closes nothing

Identity = tuple[str, str]  # group and fingerprint: which alert, whatever the episode


@dataclass(frozen=True, slots=True)
class Sighting:
    """What this sweep saw of one alert."""

    group: str
    labels: Labels
    annotations: Mapping[str, str]
    message: str  # the probe's sentence
    instance: str  # as `Alert.instance`
    verdict: Verdict
    reason: str = ""  # why UNKNOWN

    @property
    def identity(self) -> Identity:
        return self.group, fingerprint(self.labels)


@dataclass(frozen=True, slots=True)
class Watched:
    """One instance, that is one rule for one of its `each`, and what this sweep learnt of it."""

    tick: Tick  # its group's
    for_seconds: float
    has_items: bool  # an alert for each item, else one alert in all
    sightings: tuple[Sighting, ...] = ()  # one for each item of the list; one where the rule has no `items`
    unknown: str = ""  # why the answer, or its list, could not be learnt: then no sightings, and all alerts are held


@dataclass(frozen=True, slots=True)
class Settled:
    """The alerts after a sweep."""

    live: tuple[Alert, ...]
    ended: tuple[Alert, ...]  # of the firing; a pending one that ends is nobody's business
    doubled: tuple[Sighting, ...]  # labels that more than one sighting of a group has, as the UNKNOWN they amount to


def step(alert: Alert | None, sighting: Sighting, for_seconds: float, tick: Tick) -> Alert | None:
    """One alert after one sighting; None is inactive. A firing alert seen NOT MET comes back RESOLVED."""
    if alert is None:
        return _begin(sighting, for_seconds, tick.now) if sighting.verdict is Verdict.MET else None
    if sighting.verdict is Verdict.MET:
        return _met(_refreshed(alert, sighting), for_seconds, tick)
    if sighting.verdict is Verdict.NOT_MET:
        return end(alert, Ending.RESOLVED, tick.now)
    back = replace(alert, instance=sighting.instance, missing_seconds=0.0, unwatched_sweeps=0)
    return hold(back, sighting.reason, tick.now)


def hold(alert: Alert, reason: str, now: float) -> Alert:
    """The alert as it was, not verified in this sweep."""
    since = alert.unverified_since
    if since is None:  # the sweep before could judge it
        judged = alert.started_at + alert.active_seconds if alert.last_firing_at is None else alert.last_firing_at
        since = min(judged, now)
    firing_at = now if alert.state is State.FIRING else None
    return replace(alert, last_firing_at=firing_at, unverified_since=since, unverified_reason=reason)


def end(alert: Alert, ending: Ending, now: float) -> Alert | None:
    """The alert's end; None for a pending one, which nobody has heard of."""
    if alert.state is State.PENDING:
        return None
    ended = replace(alert, state=State.RESOLVED, ended_at=now, ending=ending)
    # What was closed unseen keeps when it was last seen; what was seen to be well is verified.
    return replace(ended, unverified_since=None, unverified_reason="") if ending is Ending.RESOLVED else ended


def settle(live: Iterable[Alert], watched: Mapping[str, Watched], now: float) -> Settled:
    """All live alerts of a name after a sweep; `watched` is every instance of the loaded files, by its key."""
    before = {(alert.group, alert.fingerprint): alert for alert in live}
    seen = _by_identity(watched)
    after = [
        step(before.get(identity), sighting, watched[sighting.instance].for_seconds, watched[sighting.instance].tick)
        for identity, (sighting, _) in seen.items()
    ]
    verdicts = _single_verdicts(watched, seen)
    for identity, alert in before.items():
        if identity not in seen:
            instance = watched.get(alert.instance)
            after.append(_unseen(alert, instance, verdicts) if instance else _unwatched(alert, now))
    return Settled(
        live=tuple(alert for alert in after if alert and alert.state is not State.RESOLVED),
        ended=tuple(alert for alert in after if alert and alert.state is State.RESOLVED),
        doubled=tuple(sighting for sighting, count in seen.values() if count > 1),
    )


def removed(live: Iterable[Alert], instances: Collection[str]) -> str | None:
    """Why these rule files look like a mistake; None when they don't. `instances` are the keys of all loaded rules.

    Alerts that lost their rule in an earlier sweep don't count again: their removal was allowed then. Those that stetho
    raises about itself have no rule to lose.
    """
    if not instances:
        return "no rules were loaded"
    firing = [alert for alert in live if alert.state is State.FIRING and alert.group != OWN_GROUP]
    gone = [alert for alert in firing if alert.instance not in instances and not alert.unwatched_sweeps]
    if len(firing) < 4 or 2 * len(gone) < len(firing):
        return None
    names = sorted({alert.name for alert in gone})
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"the rules of {len(gone)} of {len(firing)} firing alerts are gone: {', '.join(names[:5])}{more}"


def _begin(sighting: Sighting, for_seconds: float, now: float) -> Alert:
    alert = Alert(
        sighting.group,
        sighting.labels,
        sighting.instance,
        State.PENDING,
        sighting.annotations,
        sighting.message,
        started_at=now,
    )
    return alert if for_seconds > 0 else _fire(alert, now)


def _refreshed(alert: Alert, sighting: Sighting) -> Alert:
    return replace(
        alert,
        instance=sighting.instance,
        annotations=sighting.annotations,
        message=sighting.message,
        unverified_since=None,
        unverified_reason="",
        missing_seconds=0.0,
        unwatched_sweeps=0,
    )


def _met(alert: Alert, for_seconds: float, tick: Tick) -> Alert:
    if alert.state is State.FIRING:
        return replace(alert, last_firing_at=tick.now)
    older = replace(alert, active_seconds=alert.active_seconds + (tick.gap or 0.0))
    return _fire(older, tick.now) if lasted(older.active_seconds, for_seconds, tick.forgiven) else older


def _fire(alert: Alert, now: float) -> Alert:
    return replace(alert, state=State.FIRING, fired_at=now, last_firing_at=now)


def _unseen(alert: Alert, instance: Watched, verdicts: Mapping[str, Sighting]) -> Alert | None:
    """An alert that its instance gave no sighting of."""
    alert = replace(alert, unwatched_sweeps=0)
    if instance.unknown:
        return hold(alert, instance.unknown, instance.tick.now)
    if instance.has_items:
        return _missing(alert, instance.tick)
    # The one answer there is came out with other labels, or not at all: it tells of all the instance's alerts.
    answer = verdicts[alert.instance]
    if answer.verdict is Verdict.UNKNOWN:
        return hold(alert, answer.reason, instance.tick.now)
    return end(alert, Ending.RESOLVED, instance.tick.now)


def _missing(alert: Alert, tick: Tick) -> Alert | None:
    """Counted from the first sweep that misses it: like `for`, it takes a second one to come true."""
    counting = alert.missing_seconds > 0 or alert.unverified_reason == MISSING
    alert = replace(alert, missing_seconds=alert.missing_seconds + (tick.gap or 0.0) if counting else 0.0)
    over = counting and lasted(alert.missing_seconds, HOLD_MISSING, tick.forgiven)
    return end(alert, Ending.UNREPORTED, tick.now) if over else hold(alert, MISSING, tick.now)


def _unwatched(alert: Alert, now: float) -> Alert | None:
    alert = replace(alert, unwatched_sweeps=alert.unwatched_sweeps + 1)
    over = alert.unwatched_sweeps >= UNWATCHED_SWEEPS
    return end(alert, Ending.UNWATCHED, now) if over else hold(alert, UNWATCHED, now)


def _by_identity(watched: Mapping[str, Watched]) -> dict[Identity, tuple[Sighting, int]]:
    """Each alert's one sighting and how many there were: two with equal labels can't be told apart, so UNKNOWN."""
    found: dict[Identity, list[Sighting]] = {}
    for instance in watched.values():
        for sighting in instance.sightings:
            found.setdefault(sighting.identity, []).append(sighting)
    return {identity: (_doubled(same) if len(same) > 1 else same[0], len(same)) for identity, same in found.items()}


def _doubled(same: list[Sighting]) -> Sighting:
    labels = ", ".join(f"{name}={value!r}" for name, value in sorted(same[0].labels.items()))
    reason = f"{len(same)} items or rules of group {same[0].group!r} give the same labels: {labels}"
    return replace(same[0], verdict=Verdict.UNKNOWN, reason=reason)


def _single_verdicts(
    watched: Mapping[str, Watched], seen: Mapping[Identity, tuple[Sighting, int]]
) -> dict[str, Sighting]:
    """The one sighting of each instance without `items`, UNKNOWN where it was doubled."""
    return {
        key: seen[instance.sightings[0].identity][0]
        for key, instance in watched.items()
        if instance.sightings and not instance.has_items
    }
