"""Deliveries killed at any moment lose nothing; whoever may have been told of a fire is told of its end.

Real processes, store, Apprise and receiver. Only the alerts are made up: each sweep is told which of them fire.
"""

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from rules.model import State
from rules.store import Store
from tests.stack.capture import BROKEN, OK, TOO_MANY, Answer, Capture, Request
from tests.stack.process import wait_for

ROOT = Path(__file__).parents[2]
KILLS = 100

# Apprise takes 0.3 s to import. So one process imports it, and forks another for each sweep.
NURSERY = """
import json, os, sys, time, traceback
from dataclasses import replace
from pathlib import Path
import apprise
from rules.deliver import Ledger, deliver, sender
from rules.message import Message
from rules.model import Alert, Destination, Ending, Receiver, State
from rules.notify import AppriseNotifier, SendError
from rules.route import Route, Routing
from rules.store import Store, SweepMark
from rules.told import owed

path, *urls = sys.argv[1:]
for url in (*urls, "json://127.0.0.1:1/"):
    apprise.Apprise.instantiate(url)
try:
    AppriseNotifier().send(url, Message("nobody", "listens", "there", "failure"))
except SendError:
    pass
ops = Receiver("ops", tuple(Destination("ops", url) for url in urls))
routing = Routing(Route("ops", group_by=("alertname",), group_interval=60.0), {"ops": ops}, "ops")

def sweep(store, now, names):
    mark = SweepMark(max((mark.number for mark in store.sweeps("default", last=1)), default=0) + 1, now)
    live = {alert.name: alert for alert in store.live("default")}
    firing = [
        replace(live.get(name) or new(name, now), last_firing_at=now) for name in names
    ]
    over = [
        replace(alert, state=State.RESOLVED, ended_at=now, ending=Ending.RESOLVED)
        for name, alert in live.items() if name not in names
    ]
    store.record_sweep("default", mark, firing, over)
    deliver(what(store, mark).notices, sender(AppriseNotifier(), str, now), Ledger(store, "default", mark),
            time.monotonic() + 20)
    done = what(store, mark)
    store.prune("default", done.keep, done.dropped)

def new(name, now):
    return Alert("g", {"alertname": name}, name, State.FIRING, {"summary": f"{name} is down"}, "m", now, fired_at=now)

def what(store, mark):
    alerts = store.live("default") + store.ended("default")
    return owed(alerts, store.told("default"), store.failures("default"), routing, now=mark.started_at,
                sweep=mark.number, forgiven=30.0)

child = 0
for line in sys.stdin:
    if child:
        os.waitpid(child, 0)  # only now: until here nobody else can have got its number
    child = os.fork()
    if not child:
        try:
            with Store.open(Path(path)) as store:
                sweep(store, *json.loads(line))
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    print(child, flush=True)
    end = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    print(-end.si_status if end.si_code == os.CLD_KILLED else end.si_status, flush=True)
"""


@dataclass
class Sweeps:
    """Sweeps a minute apart, each in a process of its own, that may be killed while it runs."""

    nursery: "subprocess.Popen[str]"
    store: Store
    now: float = 1767225600.0
    kills: int = 0
    episodes: set[str] = field(default_factory=set)  # all that ever were committed
    _child: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def kill(self) -> None:
        """The sweep that runs, if one does."""
        with self._lock:
            if self._child:
                os.kill(self._child, signal.SIGKILL)

    @property
    def running(self) -> bool:
        return self._child != 0

    def run(self, firing: Iterable[str], doom: Callable[[], None] = lambda: None) -> bool:
        """One sweep that finds these firing; whether it came to its end."""
        self.now += 60
        assert self.nursery.stdin
        self.nursery.stdin.write(json.dumps([self.now, list(firing)]) + "\n")
        self.nursery.stdin.flush()
        self._child = self._read()
        doom()
        status = self._read()
        with self._lock:
            self._child = 0
        assert status in (0, -signal.SIGKILL)
        self.kills += status < 0
        self.episodes |= {alert.name for alert in [*self.store.live("default"), *self.store.ended("default")]}
        return status == 0

    def _read(self) -> int:
        assert self.nursery.stdout
        return int(self.nursery.stdout.readline())


@pytest.fixture
def capture(tmp_path: Path) -> Iterator[Capture]:
    with Capture(tmp_path) as server:
        yield server


@pytest.fixture
def sweeps(capture: Capture, tmp_path: Path) -> Iterator[Sweeps]:
    path = tmp_path / "stetho.db"
    urls = capture.url("/chat"), f"smseagle://token@127.0.0.1:{capture.port}/15557654321"
    argv = [sys.executable, "-W", "ignore", "-c", NURSERY, str(path), *urls]
    with (
        Store.open(path) as store,
        subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as nursery,
    ):
        yield Sweeps(nursery, store)
        assert nursery.stdin
        nursery.stdin.close()


CHAT, PHONE = "127.0.0.1/chat", "127.0.0.1/jsonrpc"
SMS_TAKEN = Answer(200, '{"result":[{"status":"ok"}]}')


def heard(requests: Iterable[Request]) -> list[tuple[str, str]]:
    """`FIRING` or `RESOLVED` and which alert, in the order of the messages."""
    found = []
    for request in requests:
        text = request.json()["params"]["message"] if "jsonrpc" in request.path else request.json()["title"]
        match = re.match(r"(FIRING|RESOLVED)(?: \(told late\))? (\w+)", text)
        assert match, text
        found.append((match[1], match[2]))
    return found


def test_a_page_killed_between_its_arrival_and_its_mark_is_ended_once_everywhere(
    sweeps: Sweeps, capture: Capture
) -> None:
    landed: list[Answer] = []

    def hold(answer: Answer) -> Callable[[], Answer]:
        def say() -> Answer:
            landed.append(answer)
            if len(landed) == 2:
                wait_for("the sweep's number", lambda: sweeps.running, 60)  # it may be quicker than its number
                sweeps.kill()
            return replace(answer, delay=30.0 if len(landed) <= 2 else 0.0)

        return say

    capture.answer("127.0.0.1", hold(OK))
    capture.answer(PHONE, hold(SMS_TAKEN))
    assert not sweeps.run(["A"]), "killed when both pages had arrived, before one of them was answered"
    assert [row.state for row in sweeps.store.told("default")] == [State.PENDING] * 2
    for _ in range(3):
        assert sweeps.run([])
    for where in (CHAT, PHONE):
        assert heard(capture.requests(where)) == [("FIRING", "A"), ("RESOLVED", "A")]
    assert "its page may not have arrived" in capture.requests(CHAT)[1].json()["message"]
    assert (sweeps.store.told("default"), sweeps.store.ended("default")) == ([], [])


class Chance:
    """A receiver that refuses a third of what it gets, and kills at moments it draws."""

    def __init__(self, sweeps: Sweeps, capture: Capture) -> None:
        self._sweeps, self._random, self._left, self._well = sweeps, random.Random(7), 0, False
        self._timers: list[threading.Timer] = []
        self._ends: dict[str, float] = {}
        for where, answer in (("127.0.0.1", OK), (PHONE, SMS_TAKEN)):
            capture.answer(where, partial(self._say, answer))

    def doom(self) -> None:
        """The sweep that has just started: to be killed at a request, shortly after one, or at any time. Or not."""
        self._left = self._random.choice([0, 0, *range(1, 9)])
        if not self._left:
            self._kill_within(0.1)

    def live(self) -> list[str]:
        """Which alerts fire: a few more, and each of them ends one day."""
        for _ in range(self._random.randrange(3)):
            self._ends[f"E{len(self._ends)}"] = self._sweeps.now + 60 * self._random.randrange(1, 8)
        return [name for name, end in self._ends.items() if end > self._sweeps.now]

    def calm(self) -> None:
        """From now on nothing is refused and nobody killed."""
        self._well = True
        for timer in self._timers:
            timer.join()

    def _say(self, answer: Answer) -> Answer:
        if self._well:
            return answer
        self._left -= 1
        if self._left == 0:
            if self._random.random() < 0.5:
                self._sweeps.kill()
            else:
                self._kill_within(0.01)
        return self._random.choice([answer, answer, answer, answer, BROKEN, TOO_MANY])

    def _kill_within(self, seconds: float) -> None:
        timer = threading.Timer(self._random.random() * seconds, self._sweeps.kill)
        self._timers.append(timer)
        timer.start()


def test_a_hundred_kills_lose_nothing_and_each_repeats_at_most_one_message_to_each_destination(
    sweeps: Sweeps, capture: Capture
) -> None:
    chance, firing = Chance(sweeps, capture), list[str]()
    while sweeps.kills < KILLS:
        firing = chance.live()
        sweeps.run(firing, chance.doom)
    chance.calm()
    for names in (firing, firing, [], []):
        assert sweeps.run(names), "undisturbed"
    assert (sweeps.store.told("default"), sweeps.store.ended("default")) == ([], [])

    heard_by = {where: Counter(heard(capture.accepted(where))) for where in (CHAT, PHONE)}
    for where, messages in heard_by.items():
        assert sum(count - 1 for count in messages.values()) <= sweeps.kills, f"repeated to {where}"
        ends = {name for word, name in messages if word == "RESOLVED"}
        if where == PHONE:  # a late notice would wake somebody for nothing
            fires = {name for word, name in messages if word == "FIRING"}
            assert ends >= fires >= set(firing)
            assert len(ends - fires) <= sweeps.kills
        else:
            assert ends == sweeps.episodes, f"told to {where}"
