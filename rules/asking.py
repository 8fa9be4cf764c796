"""Asking all questions of a sweep: in threads, a few at a time for each host, each distinct request once."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from probes.kit import catalog
from probes.kit.net import Reply, Request
from probes.kit.pooled import Pool
from probes.kit.result import ProbeError, Result, Status, Unreachable, Unrouted
from probes.kit.run import ALERT, Answer, run
from rules.questions import Question

THREADS = 32
PER_HOST = 8  # questions under way at one host


@dataclass(slots=True)
class _Flight:
    """One request under way or answered; all who need it wait for the same answer."""

    done: threading.Event = field(default_factory=threading.Event)
    reply: Reply | None = None
    error: Exception | None = None


class Asked:
    """The requests of one sweep: each is made once, and each host that was tried is known to answer or not."""

    def __init__(self, fetch: Callable[[Request, float], Reply]) -> None:
        self._fetch, self._lock = fetch, threading.Lock()
        self._flights: dict[tuple[object, ...], _Flight] = {}
        self.requests = 0

    def fetch(self, request: Request, seconds: float, end: float) -> Reply:
        """The answer to this request of a question with a deadline of `seconds`, by `end`."""
        with self._lock:
            flight = self._flights.get((request.key, seconds))
            first = flight is None
            if flight is None:
                flight = self._flights[request.key, seconds] = _Flight()
                self.requests += 1
        if first:
            self._fly(flight, request, end)
        elif not flight.done.wait(max(0.0, end - time.monotonic())):
            raise ProbeError(f"{request}: no answer yet to the same request of another question")
        if flight.reply is None:
            raise flight.error or ProbeError(f"{request}: it was not asked")
        return flight.reply

    def _fly(self, flight: _Flight, request: Request, end: float) -> None:
        try:
            flight.reply = self._fetch(request, end)
        except Exception as error:
            flight.error = error
            raise
        finally:
            flight.done.set()


class _View:
    """The Net of one question."""

    def __init__(self, asked: Asked, seconds: float, end: float) -> None:
        self._asked, self._seconds, self._end = asked, seconds, end
        self.reached = False
        self.failed = False

    def request(self, request: Request) -> Reply:
        try:
            reply = self._asked.fetch(request, self._seconds, self._end)
        except (Unreachable, Unrouted):
            self.failed = True
            raise
        self.reached = True
        return reply

    def now(self) -> float:
        return time.time()


class Crew:
    """Threads that ask questions until all are answered or the time for asking is up.

    They are daemons: one stuck in a resolver must not delay the end of the process.
    """

    def __init__(self, questions: Iterable[Question], asked: Asked, end: float) -> None:
        self._asked, self._end = asked, end
        self._waiting: dict[str, deque[Question]] = {}
        for question in questions:
            self._waiting.setdefault(question.host, deque()).append(question)
        self._left = sum(map(len, self._waiting.values()))
        self._busy: dict[str, int] = {}
        self._change = threading.Condition()
        self._answers: dict[tuple[object, ...], Answer] = {}
        self._hosts: dict[str, bool] = {}  # host -> whether anything came back from it

    def run(self) -> tuple[dict[tuple[object, ...], Answer], dict[str, bool]]:
        """The answers by question key and the hosts, when all are answered or the time is up."""
        for _ in range(min(THREADS, self._left)):
            threading.Thread(target=self._work, daemon=True).start()
        with self._change:
            self._change.wait_for(lambda: self._left == 0, max(0.0, self._end - time.monotonic()))
            return dict(self._answers), dict(self._hosts)  # threads left behind may still come back

    def _work(self) -> None:
        while (question := self._take()) is not None:
            view = _View(self._asked, question.seconds, min(time.monotonic() + question.seconds, self._end))
            answer = run(question.probe, catalog.load(question.probe), question.options, view)
            with self._change:
                self._answers[question.key] = answer
                if view.reached or view.failed:
                    self._hosts[question.host] = self._hosts.get(question.host, False) or view.reached
                self._busy[question.host] -= 1
                self._left -= 1
                self._change.notify_all()

    def _take(self) -> Question | None:
        """The next question whose host has room; None when there is nothing left to start."""
        with self._change:
            while time.monotonic() < self._end:
                open_hosts = [host for host, waiting in self._waiting.items() if waiting]
                if not open_hosts:
                    return None
                free = [host for host in open_hosts if self._busy.get(host, 0) < PER_HOST]
                if free:
                    host = min(free, key=lambda host: self._busy.get(host, 0))
                    self._busy[host] = self._busy.get(host, 0) + 1
                    return self._waiting[host].popleft()
                self._change.wait(max(0.0, self._end - time.monotonic()))
            return None


def ask(questions: Iterable[Question], end: float) -> "Answers":
    """Ask each distinct question by `end` (on time.monotonic); what was not reached by then is UNKNOWN."""
    distinct = {question.key: question for question in questions}
    pool = Pool()
    asked = Asked(pool.fetch)
    answers, hosts = Crew((one for one in distinct.values() if not one.problem), asked, end).run()
    for key, question in distinct.items():
        answers.setdefault(key, _unasked(question))
    return Answers(answers, hosts, asked.requests)


def _unasked(question: Question) -> Answer:
    text = question.problem or "the sweep's time for asking was up"
    return Answer(question.probe, Result(Status.UNKNOWN, text, question.target, None), ALERT, time.time(), 0.0, False)


@dataclass(slots=True)
class Answers:
    """What came back, by question key; which hosts were tried, and whether anything came back from each."""

    by_key: dict[tuple[object, ...], Answer]
    hosts: dict[str, bool]
    requests: int

    def of(self, question: Question) -> Answer:
        return self.by_key[question.key]
