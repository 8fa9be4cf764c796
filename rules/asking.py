"""Asking all questions of a sweep: in threads, a few at a time for each host, each distinct request once."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar, cast

from probes.kit import catalog
from probes.kit.jmx import fetch as read_mbeans
from probes.kit.net import Answered, Found, JmxRequest, Reply, Request
from probes.kit.pooled import Pool
from probes.kit.result import ProbeError, Result, Status, Unreachable, Unrouted
from probes.kit.run import ALERT, Answer, fault, run
from rules.questions import Question

THREADS = 32
PER_HOST = 8  # questions under way at one host
TIME_UP = "the sweep's time for asking was up"

Key = tuple[object, ...]
Fetch = Callable[[Request, float], Reply]
Read = Callable[[JmxRequest, float], list[Found]]
Q = TypeVar("Q", Request, JmxRequest)
A = TypeVar("A")


@dataclass(slots=True)
class _Flight:
    """One request under way or answered; all who need it wait for the same answer."""

    given: float  # seconds it has
    done: threading.Event = field(default_factory=threading.Event)
    reply: object = None
    error: ProbeError | None = None
    late: bool = False  # it failed at its deadline


class Asked:
    """The requests of one sweep: each is made once.

    Not so for questions with different timeouts: what is silence to one of them may be an answer to another.
    """

    def __init__(self, fetch: Fetch, read: Read = read_mbeans) -> None:
        self._fetch, self._read, self._lock = fetch, read, threading.Lock()
        self._flights: dict[Key, _Flight] = {}
        self.requests = 0

    def fetch(self, request: Request, seconds: float, end: float) -> Reply:
        """The answer to this request of a question with a deadline of `seconds`, by `end` (on time.monotonic)."""
        return self._once(request, self._fetch, seconds, end)

    def read(self, request: JmxRequest, seconds: float, end: float) -> list[Found]:
        """What these reads found, likewise."""
        return self._once(request, self._read, seconds, end)

    def _once(self, request: Q, ask: Callable[[Q, float], A], seconds: float, end: float) -> A:
        flight, mine = self._board((request.key, seconds), end)
        if mine:
            self._fly(flight, request, ask, end)
        elif not flight.done.wait(max(0.0, end - time.monotonic())):
            raise ProbeError(f"{request}: no answer yet to the same request of another question")
        if flight.reply is None:
            # Without its traceback, to which each of perhaps thousands would add.
            raise (flight.error or ProbeError(f"{request}: it was not asked")).with_traceback(None)
        return cast("A", flight.reply)

    def _board(self, key: Key, end: float) -> tuple[_Flight, bool]:
        """The request's flight, and whether the caller is to fly it."""
        left = end - time.monotonic()
        with self._lock:
            flight = self._flights.get(key)
            # A question's second request may have had little of its time left; that is no answer to who has more.
            if flight is not None and not (flight.late and 2 * flight.given < left):
                return flight, False
            flight = self._flights[key] = _Flight(left)
            self.requests += 1
            return flight, True

    def _fly(self, flight: _Flight, request: Q, ask: Callable[[Q, float], A], end: float) -> None:
        try:
            flight.reply = ask(request, end)
        except ProbeError as error:
            flight.error, flight.late = error, time.monotonic() > end - 0.01
        except Exception as error:  # noqa: BLE001 - a fault of ours, to be told by all who wait for it
            flight.error = ProbeError(f"a fault inside stetho: {fault(error)}")
        finally:
            flight.done.set()


class View:
    """The Net of one question, which has until its own timeout, or until the time for asking is up."""

    def __init__(self, asked: Asked, seconds: float, end: float) -> None:
        own = time.monotonic() + seconds
        self._asked, self._seconds, self._end, self._cut = asked, seconds, min(own, end), end < own
        self._answered = Answered()
        self.reached = False
        self.failed = False

    def request(self, request: Request) -> Reply:
        return self._watched(request, self._asked.fetch)

    def jmx(self, request: JmxRequest) -> list[Found]:
        return self._watched(request, self._asked.read)

    def _watched(self, request: Q, ask: Callable[[Q, float, float], A]) -> A:
        try:
            answer = self._answered.ask(request, lambda request: ask(request, self._seconds, self._end))
        except (Unreachable, Unrouted):
            if self._cut and time.monotonic() > self._end - 0.01:  # who had no time to answer was not silent
                raise ProbeError(f"{request}: {TIME_UP}") from None
            self.failed = True
            raise
        self.reached = True
        return answer

    def now(self) -> float:
        return time.time()

    def hurried(self) -> bool:
        return False  # a sweep is in nobody's container


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
        self._busy = Counter[str]()
        self._lock, self._all_answered = threading.Lock(), threading.Event()
        self._answers: dict[Key, Answer] = {}
        self._hosts: dict[str, bool] = {}  # host -> whether anything came back from it

    def run(self) -> tuple[dict[Key, Answer], dict[str, bool]]:
        """The answers by question key and the hosts, when all are answered or the time is up."""
        for number in range(min(THREADS, self._left)):
            threading.Thread(target=self._work, name=f"ask {number}", daemon=True).start()
        if self._left:
            self._all_answered.wait(max(0.0, self._end - time.monotonic()))
        with self._lock:
            return dict(self._answers), dict(self._hosts)  # threads left behind may still come back

    def _work(self) -> None:
        while (question := self._take()) is not None:
            view = View(self._asked, question.seconds, self._end)
            answer = run(question.probe, catalog.load(question.probe), question.options, view)
            self._settle(question, answer, view)

    def _take(self) -> Question | None:
        """A question of the host with the most room; None when this thread is not needed any more."""
        with self._lock:
            if time.monotonic() >= self._end:
                return None
            # A host with no room has all the threads that it may have, and they go on with its questions.
            free = [host for host in self._waiting if self._busy[host] < PER_HOST]
            if not free:
                return None
            # Hosts that do not answer come last: waiting for them would hold up the others.
            host = min(free, key=lambda host: (self._hosts.get(host) is False, self._busy[host]))
            self._busy[host] += 1
            question = self._waiting[host].popleft()
            if not self._waiting[host]:
                del self._waiting[host]
            return question

    def _settle(self, question: Question, answer: Answer, view: View) -> None:
        with self._lock:
            self._answers[question.key] = answer
            if view.reached or view.failed:
                self._hosts[question.host] = self._hosts.get(question.host, False) or view.reached
            self._busy[question.host] -= 1
            self._left -= 1
            if not self._left:
                self._all_answered.set()


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back, by question key; which hosts were tried, and whether anything came back from each."""

    by_key: dict[Key, Answer]
    hosts: dict[str, bool]
    requests: int


def ask(questions: Iterable[Question], end: float) -> Answers:
    """Ask each distinct question by `end` (on time.monotonic); what was not reached by then is UNKNOWN."""
    distinct = {question.key: question for question in questions}
    askable = [question for question in distinct.values() if not question.problem]
    pool = Pool()
    asked = Asked(pool.fetch)
    answers, hosts = Crew(askable, asked, end).run()
    if len(answers) == len(askable):  # else some thread is still at it
        pool.close()
    for key, question in distinct.items():
        if key not in answers:
            answers[key] = _unasked(question)
    return Answers(answers, hosts, asked.requests)


def _unasked(question: Question) -> Answer:
    result = Result(Status.UNKNOWN, question.problem or TIME_UP, question.target, None)
    return Answer(question.probe, result, ALERT, time.time(), 0.0, False)
