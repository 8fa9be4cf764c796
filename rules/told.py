"""Who is owed what: recomputed in each sweep from the committed alerts and from what each destination was last told.

Pure: no clock, no network, no store. Nothing here remembers a notice. A send that failed, a crash, a rule or a
receiver that has gone: the next sweep compares again and owes what is still untold.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

from rules.message import summary
from rules.model import (
    Alert,
    Destination,
    Ended,
    Ending,
    EpisodeKey,
    Failure,
    Notice,
    State,
    Told,
)
from rules.route import Routed, Routing, resolve
from rules.tick import lasted

PATIENCE = 5  # failures in a row before a notice skips sweeps
LONGEST_BACKOFF = 900.0  # seconds since the last failure


@dataclass(frozen=True, slots=True)
class Owed:
    """What is owed, due or not."""

    notices: tuple[Notice, ...]
    dropped: tuple[Told, ...]  # fires told whose end nobody is left to be told of, or everybody has been

    @property
    def keep(self) -> set[EpisodeKey]:
        """The ended episodes that somebody is still owed; all others are finished."""
        return {ended.alert.key for notice in self.notices for ended in notice.ended}


def owed(
    alerts: Iterable[Alert],
    told: Iterable[Told],
    failures: Iterable[Failure],
    routing: Routing,
    *,
    now: float,
    sweep: int,
    forgiven: float,
) -> Owed:
    """What each destination is owed; `forgiven` is as `Tick.forgiven`, `sweep` the number of this sweep.

    `alerts` are ALL of the name's, live and ended: a fire told whose alert is not among them has ended. `now` must not
    be earlier than what was told in this sweep: a `told` from the future means that the clock was set back.
    """
    alerts, ledger, clock = list(alerts), _Ledger(told), _Clock(now, sweep, forgiven)
    firing = [alert for alert in alerts if alert.state is State.FIRING]
    ended = {alert.key: alert for alert in alerts if alert.state is State.RESOLVED}
    over = ledger.fires_but_of({alert.key for alert in firing})
    ends = list(_ends(over, ended, ledger, routing, now))
    known = ledger.rows.keys() | {(destination.id, end.alert.key) for destination, _, end in ends}
    batches: dict[tuple[str, str], _Batch] = {}
    everything: Iterable[tuple[Destination, Routed, Alert | Ended]]
    everything = chain(_fires(firing, routing), ends, _late(ended, known, routing, clock))
    for destination, routed, news in everything:
        batch = batches.setdefault((destination.id, routed.group_key), _Batch(destination, routed))
        if isinstance(news, Alert):
            batch.firing.append(news)
        else:
            batch.ended.append(news)
    trouble = {(failure.destination, failure.group_key): failure for failure in failures}
    made = (_notice(batch, ledger, clock, trouble.get(where)) for where, batch in batches.items())
    notices = tuple(notice for notice in made if notice)
    kept = Owed(notices, ()).keep
    return Owed(notices, tuple(row for row in over if row.episode not in kept))


def attempt_rows(notice: Notice, known: Collection[tuple[str, EpisodeKey]], now: float) -> list[Told]:
    """What to record before a page is sent, and to delete when it was surely not accepted. None if it has no news.

    Should we die with the page in flight and the fire end meanwhile, this is why whoever was woken hears of the end.
    `known` are destination and episode of the told rows.
    """
    fires = [alert for alert in notice.firing if (notice.destination.id, alert.key) not in known]
    return [_row(notice, alert, State.PENDING, summary(alert), now) for alert in fires]


def told_rows(notice: Notice, now: float) -> list[Told]:
    """What to record once the notice was delivered, at `now`.

    A RESOLVED row stands until its episode is finished: until then it is why nobody is told of the end again.
    """
    rows = [_row(notice, alert, State.FIRING, summary(alert), now) for alert in notice.firing]
    for ended in notice.ended:
        text = ended.told[0].summary if ended.told else summary(ended.alert)
        rows.append(_row(notice, ended.alert, State.RESOLVED, text, now))
    return rows


def _row(notice: Notice, alert: Alert, state: State, text: str, now: float) -> Told:
    where = notice.destination
    return Told(where.id, alert.key, state, now, notice.group_key, where.receiver, alert.labels, text)


@dataclass(slots=True)
class _Batch:
    """What one destination is to hear about one group."""

    destination: Destination
    routed: Routed
    firing: list[Alert] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Clock:
    now: float
    sweep: int
    forgiven: float

    def passed(self, since: float, seconds: float, until: float | None = None) -> bool:
        """Whether so long has passed since then. After a backward step it has: waiting could last for ever."""
        elapsed = (self.now if until is None else until) - since
        return elapsed < 0 or lasted(elapsed, seconds, self.forgiven)

    def backs_off(self, failure: Failure) -> bool:
        """Whether a notice sits this sweep out: one after the fifth failure in a row, then two, then four, ..."""
        skipped = 2 ** min(failure.count - PATIENCE, 32) if failure.count >= PATIENCE else 0
        return self.sweep - failure.sweep <= skipped and not self.passed(failure.at, LONGEST_BACKOFF)


class _Ledger:
    """The told rows, found in the ways that are asked for."""

    def __init__(self, told: Iterable[Told]) -> None:
        self.rows = {(row.destination, row.episode): row for row in told}
        self._groups: dict[tuple[str, str], list[Told]] = {}
        for row in self.rows.values():
            if row.state is State.FIRING:
                self._groups.setdefault((row.destination, row.group_key), []).append(row)

    def fires_but_of(self, episodes: Collection[EpisodeKey]) -> list[Told]:
        """The fires told, or perhaps told, but those of the given episodes."""
        rows = self.rows.values()
        return [row for row in rows if row.state is not State.RESOLVED and row.episode not in episodes]

    def told(self, destination: Destination, alert: Alert) -> Told | None:
        row = self.rows.get((destination.id, alert.key))
        return None if row is None or row.state is State.PENDING else row

    def cleared(self, destination: Destination, episode: EpisodeKey) -> bool:
        row = self.rows.get((destination.id, episode))
        return row is not None and row.state is State.RESOLVED

    def of_group(self, batch: _Batch) -> list[Told]:
        return self._groups.get((batch.destination.id, batch.routed.group_key), [])


def _fires(firing: Iterable[Alert], routing: Routing) -> Iterator[tuple[Destination, Routed, Alert]]:
    for alert in firing:
        for destination, routed in routing.reached_by(alert).values():
            yield destination, routed, alert


def _ends(
    over: Iterable[Told], ended: Mapping[EpisodeKey, Alert], ledger: _Ledger, routing: Routing, now: float
) -> Iterator[tuple[Destination, Routed, Ended]]:
    """Who was told of a fire is told of its end, whether or not a route still leads there, in the group of the fire."""
    rows: dict[tuple[Destination, EpisodeKey], list[Told]] = {}
    gone = []
    for row in over:
        mine = [one for one in routing.destinations(row.receiver) if one.id == row.destination]
        gone += [] if mine else [row]
        for destination in mine:
            rows[destination, row.episode] = [row]
    for row in gone:  # after the others, so that a destination's own row comes first and names the group
        for destination in routing.heirs(row.receiver):
            if not ledger.cleared(destination, row.episode):
                rows.setdefault((destination, row.episode), []).append(row)
    ways: dict[EpisodeKey, dict[str, tuple[Destination, Routed]]] = {}
    for (destination, episode), settled in rows.items():
        alert = ended.get(episode) or _vanished(settled[0], now)
        way = ways[episode] = ways.get(episode) or routing.reached_by(alert)
        _, routed = way.get(destination.id) or (destination, resolve(routing.root))
        yield destination, replace(routed, group_key=settled[0].group_key), Ended(alert, tuple(settled))


def _late(
    ended: Mapping[EpisodeKey, Alert], known: Collection[tuple[str, EpisodeKey]], routing: Routing, clock: _Clock
) -> Iterator[tuple[Destination, Routed, Ended]]:
    """What fired and ended before a destination could be told of it; nothing that ended within its `group_wait`."""
    for episode, alert in ended.items():
        for destination, routed in routing.reached_by(alert).values():
            waited = clock.passed(_fired_at(alert), routed.group_wait, alert.last_firing_at or _fired_at(alert))
            if waited and (destination.id, episode) not in known and routing.hears_late(destination):
                yield destination, routed, Ended(alert, ())


def _notice(batch: _Batch, ledger: _Ledger, clock: _Clock, failure: Failure | None) -> Notice | None:
    routed = batch.routed
    told = [ledger.told(batch.destination, alert) for alert in batch.firing]
    news = [alert for alert, row in zip(batch.firing, told, strict=True) if row is None]
    # `group_by` may have changed since: then the rows of these very alerts are in another group.
    rows = [*ledger.of_group(batch), *filter(None, told), *(row for ended in batch.ended for row in ended.told)]
    last = max((row.at for row in rows), default=None)  # None: the group is new
    repeat = not news and not batch.ended
    if last is None:
        due = bool(batch.ended) or any(clock.passed(_fired_at(alert), routed.group_wait) for alert in news)
    elif repeat:  # as in Alertmanager, where a group is looked at once in a group_interval
        due = clock.passed(last, max(routed.repeat_interval, routed.group_interval))
        if not due:
            return None
    else:
        due = clock.passed(last, routed.group_interval)
    due = due and not (failure and clock.backs_off(failure))
    return Notice(batch.destination, routed.group_key, tuple(batch.firing), tuple(batch.ended), due, repeat)


def _fired_at(alert: Alert) -> float:
    return alert.started_at if alert.fired_at is None else alert.fired_at


def _vanished(row: Told, now: float) -> Alert:
    """The end of a fire that was told and whose alert is no longer stored."""
    at, ending = row.episode.started_at, Ending.UNWATCHED
    return Alert(
        row.episode.group, row.labels, "", State.RESOLVED, {}, row.summary, at, fired_at=at, ended_at=now, ending=ending
    )
