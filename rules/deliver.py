"""Sending what is owed and due: what has arrived is marked at once, what has not is remembered, the rest stays owed.

A process killed at any moment has lost no notice and repeats at most the one in flight to each destination: a mark is
committed before the next send to its destination starts, and never is a transaction open during a send. What a page
may tell is committed before it is sent: should we die while it is in flight, the end of it is owed all the same.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from queue import Empty, SimpleQueue
from typing import Protocol

from rules.expand import ExpandError
from rules.message import compose
from rules.model import Destination, EpisodeKey, Failure, Notice, Told
from rules.notify import Notifier, SendError
from rules.own import untold
from rules.store import Store, StoreError, SweepMark
from rules.told import attempt_rows, told_rows

AT_ONCE = 16  # sends in flight
SPARE_SECONDS = 2.0  # with less than this to the deadline no send starts: it could hardly be answered
GRACE_SECONDS = 1.0  # past the deadline, for a send that keeps to its time limit to say so


@dataclass(frozen=True, slots=True)
class Delivery:
    """How many of the due notices were sent, failed, and were left for the next sweep."""

    sent: int = 0
    failed: int = 0
    left: int = 0


class Record(Protocol):
    """Where the beginning and the outcome of each send are committed, in the thread that called `deliver`."""

    def begun(self, notice: Notice) -> None: ...

    def told(self, notice: Notice) -> None: ...

    def failed(self, notice: Notice, error: SendError) -> None: ...


def deliver(
    notices: Iterable[Notice],
    send: Callable[[Notice], None],
    record: Record,
    deadline: float,
    clock: Callable[[], float] = time.monotonic,
) -> Delivery:
    """Send the due notices by `deadline` (of `clock`): destinations at once, one notice at a time to each of them.

    `send` runs in other threads and raises SendError. When the store fails, no further send starts (its mark could
    not be kept, so it would be repeated), those in flight are waited for, and the StoreError is raised.
    """
    return _Sending(notices, send, record, deadline, clock).run()


class _Sending:
    def __init__(
        self,
        notices: Iterable[Notice],
        send: Callable[[Notice], None],
        record: Record,
        deadline: float,
        clock: Callable[[], float],
    ) -> None:
        self._send, self._record, self._deadline, self._clock = send, record, deadline, clock
        self._lines: dict[str, deque[Notice]] = {}
        for notice in notices:
            if notice.due:
                self._lines.setdefault(notice.destination.id, deque()).append(notice)
        # Destinations free to be sent to; one that has just failed comes last, so that hanging ones starve nobody.
        self._well, self._ailing = deque(self._lines), deque[str]()
        self._flying: dict[str, Notice] = {}
        self._landed: SimpleQueue[tuple[Notice, SendError | None]] = SimpleQueue()
        self._sent = self._failed = 0
        self._fault: StoreError | None = None

    def run(self) -> Delivery:
        self._start()
        while self._flying:
            self._settle(*self._next())
            self._start()
        if self._fault is not None:
            raise self._fault
        return Delivery(self._sent, self._failed, sum(len(line) for line in self._lines.values()))

    def _start(self) -> None:
        while (self._well or self._ailing) and len(self._flying) < AT_ONCE and self._fault is None:
            if self._clock() > self._deadline - SPARE_SECONDS:
                return
            destination = (self._well or self._ailing).popleft()
            notice = self._lines[destination].popleft()
            try:
                self._record.begun(notice)
            except StoreError as fault:
                self._fault = fault
                return
            self._flying[destination] = notice
            # Daemons: whatever hangs in them must not hold up the exit of the process.
            threading.Thread(target=self._fly, args=(notice,), name=f"tell {destination}", daemon=True).start()

    def _fly(self, notice: Notice) -> None:
        error: SendError | None = None
        try:
            self._send(notice)
        except SendError as refused:
            error = refused
        except Exception as fault:  # noqa: BLE001  one notice that cannot be sent must not hold up the others
            error = SendError(f"a fault inside stetho: {type(fault).__name__}", unsure=True)
        self._landed.put((notice, error))

    def _next(self) -> tuple[Notice, SendError | None]:
        """The next outcome. Of what is still in flight after the deadline, that it is late."""
        while True:
            try:
                notice, error = self._landed.get(timeout=max(0.0, self._deadline + GRACE_SECONDS - self._clock()))
            except Empty:
                late = next(iter(self._flying.values()))
                text = "not finished at the sweep's deadline; whether it arrived is not known"
                return late, SendError(text, in_flight=True)
            if self._flying.get(notice.destination.id) is notice:
                return notice, error

    def _settle(self, notice: Notice, error: SendError | None) -> None:
        destination = notice.destination.id
        del self._flying[destination]
        try:
            if error is None:
                self._sent += 1
                self._record.told(notice)
            else:
                self._failed += 1
                self._record.failed(notice, error)
        except StoreError as fault:
            self._fault = self._fault or fault
        if self._lines[destination] and not (error and error.in_flight):
            (self._ailing if error else self._well).append(destination)


class Ledger:
    """The attempts and outcomes of the sweep `mark` of `name` in the store, all of them at the time of the mark."""

    def __init__(self, store: Store, name: str, mark: SweepMark) -> None:
        self._store, self._name, self._mark = store, name, mark
        self._counts = {(f.destination, f.group_key): f.count for f in store.failures(name)}
        self._attempts: dict[str, list[Told]] = {}  # of the notice in flight, by destination
        self.untold: set[str] = set()  # which destinations a notice has not reached, and why

    @cached_property
    def _known(self) -> set[tuple[str, EpisodeKey]]:
        """Read by the first page: most sweeps have none."""
        return set(map(_place, self._store.told(self._name)))

    def begun(self, notice: Notice) -> None:
        rows = attempt_rows(notice, self._known, self._mark.started_at) if notice.page and not notice.repeat else []
        if rows:
            self._store.record_attempt(self._name, rows)
            self._known.update(map(_place, rows))
        self._attempts[notice.destination.id] = rows

    def told(self, notice: Notice) -> None:
        rows = told_rows(notice, self._mark.started_at)
        self._store.record_told(self._name, rows, notice.destination.id)
        self._counts = {key: count for key, count in self._counts.items() if key[0] != notice.destination.id}

    def failed(self, notice: Notice, error: SendError) -> None:
        key = notice.destination.id, notice.group_key
        count = self._counts.get(key, 0) + 1
        self._counts[key] = count
        self.untold.add(untold(notice.destination, str(error)))
        failure = Failure(*key, count, self._mark.started_at, self._mark.number, error.permanent, str(error))
        refused = [] if error.unsure else self._attempts[notice.destination.id]
        self._store.record_failure(self._name, failure, refused)
        if refused:
            self._known.difference_update(map(_place, refused))


def _place(row: Told) -> tuple[str, EpisodeKey]:
    return row.destination, row.episode


def sender(notifier: Notifier, expand: Callable[[str], str], now: float) -> Callable[[Notice], None]:
    """What brings a notice to its destination: compose, expand `${NAME}` in the URL, send.

    The expanded URL lives only here, from just before the send until its end.
    """

    def send(notice: Notice) -> None:
        message = compose(notice, now)
        try:
            url = expand(notice.destination.text)
        except ExpandError as error:
            raise SendError(str(error), permanent=True) from None
        notifier.send(url, message)

    return send


def unset(destinations: Iterable[Destination], expand: Callable[[str], str]) -> Iterator[str]:
    """Who cannot be told for lack of a variable or a file: better known before the first page is owed."""
    for destination in destinations:
        try:
            expand(destination.text)
        except ExpandError as error:
            yield untold(destination, str(error))
