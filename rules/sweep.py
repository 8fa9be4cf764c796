"""A sweep: ask each distinct question once, judge every rule, move the alerts, tell who is owed what.

The only place where clock, environment, network, store and delivery meet; all decisions are in the pure modules.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from probes.kit.condition import Verdict
from probes.kit.result import Result, Status
from probes.kit.run import ALERT, Answer, fault, utc
from rules import own
from rules.asking import Answers, Key, ask
from rules.deliver import Delivery, Ledger, deliver, sender, unset
from rules.expand import Environment, ExpandError, expand
from rules.judge import Document, judge, unjudged
from rules.load import Loaded
from rules.lock import held
from rules.model import Alert, Destination, State
from rules.notify import AppriseNotifier, scheme_of
from rules.questions import Instance, instances
from rules.route import Route, Routing
from rules.state import Settled, Watched, removed, settle
from rules.store import Store, SweepMark
from rules.tick import counted_gap, missed_sweeps
from rules.told import Owed, owed

ASKING = 2 / 3  # of the deadline; the rest is kept for sending


class Refused(Exception):
    """The sweep was not run, for the rules look like a mistake; the text says why and how to insist."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a sweep is to be run."""

    state: Path
    name: str = "default"
    wait_lock: float = 0.0  # seconds
    deadline: float = 55.0  # seconds for the whole sweep
    allow_removal: bool = False


@dataclass(slots=True)
class Summary:
    """What a sweep did."""

    name: str
    started: float
    rules: int = 0
    questions: int = 0
    unknown: int = 0  # questions without a usable answer; of usable answers, what could not be judged or told apart
    pending: int = 0
    firing: int = 0
    resolved: int = 0  # ended in this sweep
    sent: int = 0
    failed: int = 0
    owed: int = 0  # messages that are owed still: they wait, failed, or were not reached
    missed: int = 0  # sweeps that should have run since the one before
    skipped: bool = False  # another sweep of the name was running
    undelivered: bool = field(default=False, repr=False)  # something owed could not be delivered
    troubles: tuple[str, ...] = field(default=(), repr=False)  # who cannot be told, and why
    duration_ms: float = 0.0

    def document(self) -> dict[str, Any]:
        """The JSON object of the design."""
        others = ("undelivered", "troubles", "duration_ms")
        values = {key: value for key, value in asdict(self).items() if key not in others}
        values["started"] = utc(self.started)
        head = {"schema": 1, "name": values.pop("name"), "started": values.pop("started")}
        return {**head, "duration_ms": round(self.duration_ms, 1), **values}


def sweep(
    loaded: Loaded, settings: Settings, environment: Environment, clock: Callable[[], float] = time.time
) -> Summary:
    """Run one sweep. Raises Refused and StoreError; what could not be delivered is in the summary."""
    begun, summary = time.monotonic(), Summary(settings.name, clock(), len(loaded.rules))
    with held(settings.state, settings.name, settings.wait_lock) as mine:
        if mine:
            with Store.open(settings.state) as store:
                # The wait for the lock is part neither of the deadline nor of the time that alerts count.
                summary.started = clock()
                _Sweep(loaded, settings, environment, store, summary).run()
        else:
            summary.skipped = True
    summary.duration_ms = (time.monotonic() - begun) * 1000
    return summary


class _Sweep:
    """One sweep that holds its name's lock."""

    def __init__(
        self, loaded: Loaded, settings: Settings, environment: Environment, store: Store, summary: Summary
    ) -> None:
        self.loaded, self.settings, self.environment = loaded, settings, environment
        self.store, self.summary = store, summary
        self.begun, self.now = time.monotonic(), summary.started
        self.marks = store.sweeps(settings.name)  # newest first
        self.mark = SweepMark(self.marks[0].number + 1 if self.marks else 1, self.now)
        starts = [mark.started_at for mark in reversed(self.marks)]
        gaps = [later - earlier for earlier, later in pairwise(starts)]
        # By a group's `interval` and `max_gap`; many groups have the same.
        self.tick_of = cache(partial(counted_gap, self.now, starts[-1] if starts else None, gaps))
        self.tick = self.tick_of(None, None)

    def run(self) -> None:
        live = self.store.live(self.settings.name)
        all_instances = instances(self.loaded.rules, self.loaded.defaults, self.environment)
        self._guard(live, all_instances)
        answers = ask((instance.question for instance in all_instances), self.begun + ASKING * self.settings.deadline)
        settled = settle(live, self._watched(all_instances, answers), self.now)
        self.store.record_sweep(self.settings.name, self.mark, settled.live, settled.ended)
        self._count(settled)
        self._deliver()

    def _guard(self, live: list[Alert], all_instances: list[Instance]) -> None:
        why = removed(live, {instance.key for instance in all_instances})
        if why and not self.settings.allow_removal:
            raise Refused(f"{why}; nothing was asked or closed. If it is meant, say --allow-removal once")

    def _watched(self, all_instances: list[Instance], answers: Answers) -> dict[str, Watched]:
        """What this sweep learnt of every rule's alerts, and of stetho's own."""
        why_blind = own.blind(answers.hosts)
        if why_blind:
            answers = _unseen(answers, why_blind)
        documents = {key: _document(answer) for key, answer in answers.by_key.items()}
        watched = {
            instance.key: judge(
                instance,
                documents[instance.question.key],
                self.tick_of(instance.rule.interval, instance.rule.max_gap),
            )
            for instance in all_instances
        }
        self.summary.questions = len(documents)
        self.summary.unknown = _unknowns(all_instances, documents, watched)
        reasons = {key: why for key, one in watched.items() if (why := unjudged(one))}
        failures = self.store.failures(self.settings.name)
        return {
            **watched,
            **own.watch_blind(answers.hosts, self.tick),
            **own.watch_unjudged(all_instances, reasons, not why_blind, self.tick),
            **own.watch_undelivered(self._destinations(), failures, self.tick),
        }

    def _count(self, settled: Settled) -> None:
        states = [alert.state for alert in settled.live]
        self.summary.pending, self.summary.firing = states.count(State.PENDING), states.count(State.FIRING)
        self.summary.resolved = len(settled.ended)
        self.summary.unknown += len(settled.doubled)
        before = self.marks[0].started_at if self.marks else None
        self.summary.missed = missed_sweeps(self.now, before, self.tick.interval)

    def _deliver(self) -> None:
        """Tell what is due, then forget the ended episodes that nobody is owed word of any more."""
        end = self.begun + self.settings.deadline
        resolve = partial(expand, environment=self.environment)
        send = sender(AppriseNotifier(deadline=end), resolve, self.now)
        ledger = Ledger(self.store, self.settings.name, self.mark)
        before = self._owed()
        delivery: Delivery = deliver(before.notices, send, ledger, end)
        after = self._owed() if delivery.sent or delivery.failed else before
        self.store.prune(self.settings.name, after.keep, after.dropped)
        reasons = {(f.destination, f.group_key): f.reason for f in self.store.failures(self.settings.name)}
        waiting = {  # for the end of its back-off, too
            own.untold(notice.destination, reasons[notice.destination.id, notice.group_key])
            for notice in after.notices
            if (notice.destination.id, notice.group_key) in reasons
        }
        self.summary.sent, self.summary.failed = delivery.sent, delivery.failed
        self.summary.owed = len(after.notices)
        self.summary.undelivered = bool(delivery.failed or delivery.left or waiting)
        troubles = {*ledger.untold, *waiting, *unset(self._destinations(), resolve)}
        late = f"messages not reached before the deadline: {delivery.left}; they stay owed"
        self.summary.troubles = (*sorted(troubles), *([late] if delivery.left else []))

    def _owed(self) -> Owed:
        name = self.settings.name
        return owed(
            [*self.store.live(name), *self.store.ended(name)],
            self.store.told(name),
            self.store.failures(name),
            self._routing(),
            now=self.now,
            sweep=self.mark.number,
            forgiven=self.tick.forgiven,
        )

    def _routing(self) -> Routing:
        root = self.loaded.route or Route()
        return Routing(
            root, self.loaded.receivers, self.loaded.fallback or root.receiver or "", dict(self._hidden_schemes())
        )

    def _destinations(self) -> Iterator[Destination]:
        for receiver in self.loaded.receivers.values():
            yield from receiver.destinations

    def _hidden_schemes(self) -> Iterator[tuple[str, str]]:
        """The schemes behind `${SMS_URL}` and its like; of what cannot be resolved now, none."""
        for destination in self._destinations():
            if not destination.scheme:
                try:
                    yield destination.id, scheme_of(expand(destination.text, self.environment))
                except ExpandError:
                    continue  # its send will say so


def _document(answer: Answer) -> Document:
    """An answer as conditions see it: exactly its JSON."""
    try:
        return answer.as_read()
    except Exception as error:  # noqa: BLE001 - one answer that has no JSON form must not silence all other rules
        result = Result(Status.UNKNOWN, f"a fault inside stetho: {fault(error)}", answer.target, None)
        return Answer(answer.probe, result, ALERT, answer.time, 0.0, False).document()


def _unknowns(
    all_instances: Iterable[Instance], documents: Mapping[Key, Document], watched: Mapping[str, Watched]
) -> int:
    """How many questions have no usable answer, and how many rules and items could not be judged by a usable one."""
    silent = {key for key, document in documents.items() if document["status"] == "UNKNOWN"}
    heard = [watched[instance.key] for instance in all_instances if instance.question.key not in silent]
    items = (sighting for one in heard for sighting in one.sightings)
    return (
        len(silent)
        + sum(bool(one.unknown) for one in heard)
        + sum(sighting.verdict is Verdict.UNKNOWN for sighting in items)
    )


def _unseen(answers: Answers, why: str) -> Answers:
    """The answers while we are blind: that a host is not reached says nothing about it."""
    seen: dict[tuple[object, ...], Answer] = {}
    for key, answer in answers.by_key.items():
        text = f"{why}; {answer.message}"
        unknown = Result(Status.UNKNOWN, text, answer.target, None)
        seen[key] = Answer(answer.probe, unknown, ALERT, answer.time, 0.0, True) if answer.unreachable else answer
    return Answers(seen, answers.hosts, answers.requests)
