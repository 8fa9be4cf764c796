"""Deliveries killed at any moment lose nothing and repeat what was in flight; whoever may have been told hears of the end.

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
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rules.model import State
from rules.store import Store
from tests.stack.capture import BROKEN, TOO_MANY, TWILIO_QUEUED, Answer, Capture, Request

ROOT = Path(__file__).parents[2]
TWILIO = f"twilio://AC{'a' * 32}:{'b' * 32}@15551230000/15557654321"  # no such account
KILLS = 100

# Apprise takes 0.3 s to import. So one process imports it, and forks another for each sweep.
NURSERY = """
import json, os, sys, time, traceback
from dataclasses import replace
from pathlib import Path
import apprise
from rules.deliver import Ledger, deliver, sender
from rules.model import Alert, Destination, Ending, Receiver, State
from rules.notify import AppriseNotifier
from rules.route import Route, Routing
from rules.store import Store, SweepMark
from rules.told import owed

path, *urls = sys.argv[1:]
for url in urls:
    apprise.Apprise.instantiate(url)
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

for line in sys.stdin:
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
    print(os.waitpid(child, 0)[1], flush=True)
"""


@dataclass
class Sweeps:
    """Sweeps a minute apart, each in a process of its own, that may be killed while it runs."""

    nursery: "subprocess.Popen[str]"
    store: Store
    child: int = 0
    now: float = 1767225600.0
    kills: int = 0
    episodes: set[str] = field(default_factory=set)  # all that ever were committed

    def kill(self) -> None:
        child, self.child = self.child, 0
        if child:  # not yet waited for, or at worst a moment ago: no other process has its number yet
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                return

    def run(self, firing: Iterable[str], doom: Callable[[], None] = lambda: None) -> bool:
        """One sweep that finds these firing; whether it came to its end."""
        assert self.nursery.stdin
        assert self.nursery.stdout
        self.now += 60
        self.nursery.stdin.write(json.dumps([self.now, list(firing)]) + "\n")
        self.nursery.stdin.flush()
        self.child = int(self.nursery.stdout.readline())
        doom()
        status = int(self.nursery.stdout.readline())
        self.child = 0
        assert status in (0, signal.SIGKILL)
        self.kills += status == signal.SIGKILL
        alerts = [*self.store.live("default"), *self.store.ended("default")]
        self.episodes |= {alert.name for alert in alerts}
        return status == 0


@pytest.fixture
def capture(tmp_path: Path) -> Iterator[Capture]:
    with Capture(tmp_path) as server:
        yield server


@pytest.fixture
def sweeps(capture: Capture, tmp_path: Path) -> Iterator[Sweeps]:
    path = tmp_path / "stetho.db"
    argv = [sys.executable, "-W", "ignore", "-c", NURSERY, str(path), *(capture.url(at) for at in ("/a", "/b")), TWILIO]
    environment = {**os.environ, **capture.environment()}
    with (
        Store.open(path) as store,
        subprocess.Popen(
            argv, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as nursery,
    ):
        yield Sweeps(nursery, store)
        assert nursery.stdin
        nursery.stdin.close()


CHATS, PHONE = ("127.0.0.1/a", "127.0.0.1/b"), "api.twilio.com"


def heard(requests: Iterable[Request]) -> list[tuple[str, str]]:
    """`FIRING` or `RESOLVED` and which alert, in the order of the messages."""
    found = []
    for request in requests:
        text = request.form()["Body"] if request.host == PHONE else request.json()["title"]
        match = re.match(r"(FIRING|RESOLVED)(?: \(told late\))? (\w+)", text)
        assert match, text
        found.append((match[1], match[2]))
    return found


def test_a_page_cut_off_from_its_mark_is_ended_once_everywhere(sweeps: Sweeps, capture: Capture) -> None:
    all_there = threading.Barrier(3, sweeps.kill, timeout=10)

    def arrived(answer: Answer) -> Callable[[], Answer]:
        def wait() -> Answer:
            return answer

        return wait

    landed: list[str] = []

    def hold(where: str, answer: Answer) -> Callable[[], Answer]:
        def say() -> Answer:
            landed.append(where)
            if len(landed) == 3:
                sweeps.kill()
            return answer

        return say

    for chat in CHATS:
        capture.answer(chat, hold(chat, Answer(200, delay=0.5)))
    capture.answer(PHONE, hold(PHONE, Answer(201, TWILIO_QUEUED.body, delay=0.5)))
    assert not sweeps.run(["A"]), "killed once all three pages had arrived, and before one of them was answered"
    assert [row.state for row in sweeps.store.told("default")] == [State.PENDING] * 3
    for _ in range(3):
        assert sweeps.run([])
    for where in (*CHATS, PHONE):
        assert heard(capture.requests(where)) == [("FIRING", "A"), ("RESOLVED", "A")]
    assert "its page may not have arrived" in capture.requests(CHATS[0])[1].json()["message"]
    assert sweeps.store.told("default") == sweeps.store.ended("default") == []
    del all_there, arrived
