"""Real sweeps killed at any moment, and receivers that refuse a third of all messages: nothing is lost.

Every `stetho sweep` is a process of its own, as a CronJob starts it. Tasks fail and mend between them; each failure is
a connector of its own, so that every title is the title of one episode.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from rules.store import Store
from tests.rules.worker import Worker
from tests.rules.world import World
from tests.stack.capture import BROKEN, OK, TOO_MANY, Answer, Capture

ROOT = Path(__file__).parents[2]
DESTINATIONS = ("/a", "/b", "/c")
ANSWER_SECONDS = 0.01  # a receiver's, so that many kills find a message in flight
SEED = int(os.environ.get("STETHO_TEST_SEED", "2"))

RULE = """
  - alert: TaskFailed
    probe: connect
    items: data.tasks
    when: item.state == 'FAILED'
    labels: {connector: "{{ $item.connector }}", task: "{{ $item.id }}", severity: critical}
    annotations: {summary: "{{ $item.connector }}"}
"""


class Chaos:
    """Sweeps, each a process; of those that are killed, half at any moment, half when a message has just arrived."""

    def __init__(self, world: World) -> None:
        world.rules, world.route = RULE, "{receiver: ops, group_by: ['...'], group_interval: 1s}"
        world.receivers = {"ops": [world.capture.url(where) for where in DESTINATIONS]}
        world.capture.answer("127.0.0.1", self._answer)
        self.world, self.random, self.calm = world, random.Random(SEED), False
        self.kills = self.whole = self.in_sending = 0
        self.episodes: set[str] = set()  # all that a sweep has committed as firing
        self._ends: dict[str, int] = {}
        self._round = 0
        self._took = deque([1.0], maxlen=20)
        self._arrivals = threading.Condition()
        self._arrived = 0
        self._argv = [sys.executable, "-W", "ignore", str(ROOT / "stetho"), "sweep", str(world.write())]
        self._environment = {**os.environ, "STETHO_STATE": str(world.state)}

    def disturbed(self) -> None:
        """A sweep that is killed, unless it ends before."""
        self._fail_and_mend()
        before, sweep = self._arrived, self._start()
        if self.random.random() < 0.5:
            self._wait_for_messages(sweep, before + self.random.randrange(1, 12))
            time.sleep(self.random.random() * 2 * ANSWER_SECONDS)
        else:
            time.sleep(self.random.random() * median(self._took))
        sweep.send_signal(signal.SIGKILL)
        self._end(sweep)
        self.in_sending += sweep.returncode < 0 and self._arrived > before

    def undisturbed(self) -> None:
        begun, sweep = time.monotonic(), self._start()
        self._end(sweep)
        self._took.append(time.monotonic() - begun)

    def mend_all(self) -> None:
        self._ends = dict.fromkeys(self._ends, 0)
        self._show()

    def heard(self, where: str) -> Counter[str]:
        """How often each title was accepted there."""
        return Counter(request.json()["title"] for request in self.world.capture.accepted(f"127.0.0.1{where}"))

    def told_late(self, where: str) -> set[str]:
        """Of which episodes it was told, at the end of them, when they had fired."""
        said = [request.json() for request in self.world.capture.accepted(f"127.0.0.1{where}")]
        return {one["title"].rpartition(" ")[2] for one in said if "\n  fired " in one["message"]}

    def _start(self) -> "subprocess.Popen[str]":
        pipe = subprocess.PIPE
        return subprocess.Popen(self._argv, stdout=pipe, stderr=pipe, text=True, env=self._environment, cwd=ROOT)

    def _end(self, sweep: "subprocess.Popen[str]") -> None:
        _, errors = sweep.communicate(timeout=120)
        assert sweep.returncode in (0, 1, -signal.SIGKILL), errors
        assert errors == ""
        self.kills += sweep.returncode < 0
        self.whole += sweep.returncode >= 0
        if self.world.state.exists():
            with Store.open(self.world.state) as store:
                alerts = [*store.live("default"), *store.ended("default")]
            self.episodes |= {alert.labels["connector"] for alert in alerts}

    def _fail_and_mend(self) -> None:
        self._round += 1
        for _ in range(self.random.randrange(4)):
            self._ends[f"e{len(self._ends)}"] = self._round + self.random.randrange(1, 6)
        self._show()

    def _show(self) -> None:
        states = {name: ["FAILED" if end > self._round else "RUNNING"] for name, end in self._ends.items()}
        self.world.worker.tasks = states or {"idle": ["RUNNING"]}

    def _answer(self) -> Answer:
        with self._arrivals:
            self._arrived += 1
            self._arrivals.notify_all()
        said = OK if self.calm else self.random.choice([OK, OK, OK, OK, BROKEN, TOO_MANY])
        return Answer(said.status, said.body, said.content_type, said.headers, delay=ANSWER_SECONDS)

    def _wait_for_messages(self, sweep: "subprocess.Popen[str]", number: int) -> None:
        with self._arrivals:
            while self._arrived < number and sweep.poll() is None:
                self._arrivals.wait(0.02)


@pytest.fixture
def chaos(tmp_path: Path) -> Iterator[Chaos]:
    with Worker() as worker, Capture(tmp_path) as capture:
        yield Chaos(World(tmp_path, worker, capture))


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kills", [20, pytest.param(100, marks=pytest.mark.long)])
def test_kills_lose_nothing_and_each_repeats_at_most_one_message_to_each_destination(chaos: Chaos, kills: int) -> None:
    chaos.undisturbed()
    while chaos.kills < kills:
        chaos.disturbed()
    chaos.calm = True
    chaos.mend_all()
    for _ in range(4):
        time.sleep(1.2)  # group_interval
        chaos.undisturbed()

    extra = {where: sum(count - 1 for count in chaos.heard(where).values()) for where in DESTINATIONS}
    print(f"seed {SEED}: {chaos.kills} kills, {chaos.in_sending} of them while sending, {chaos.whole} whole sweeps, "
          f"{len(chaos.episodes)} episodes, extra copies {extra}")  # fmt: skip
    with Store.open(chaos.world.state) as store:
        assert [store.live("default"), store.ended("default"), store.told("default")] == [[], [], []]
    for where in DESTINATIONS:
        titles = chaos.heard(where)
        fires = {title.rpartition(" ")[2] for title in titles if title.startswith("FIRING ")}
        ends = {title.rpartition(" ")[2] for title in titles if title.startswith("RESOLVED ")}
        assert ends == chaos.episodes, f"every end is told to {where}"
        assert fires <= chaos.episodes
        assert extra[where] <= chaos.kills, f"repeated to {where}"
        # The page in flight when its sweep died may have been refused; then the end tells of the fire too.
        assert chaos.episodes - fires <= chaos.told_late(where), f"every fire is told to {where}"
