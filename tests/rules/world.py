"""A Connect worker, receivers, a rule file and a name's sweeps a minute apart: all that a test of sweeps needs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rules.load import load
from rules.model import Alert
from rules.store import Store
from rules.sweep import Settings, Summary, sweep
from tests.rules.worker import Worker
from tests.stack.capture import Capture

MINUTE = 60.0
START = 1767225600.0  # 2026-01-01T00:00:00Z

TASKS = """
  - alert: TaskFailed
    probe: connect
    items: data.tasks
    when: item.state == 'FAILED'
    labels: {connector: "{{ $item.connector }}", task: "{{ $item.id }}", severity: critical}
    annotations: {summary: "task {{ $item.connector }}/{{ $item.id }} has failed"}
"""
TASKS_FOR_A_MINUTE = f"{TASKS}    for: 1m\n"
CONNECT = """
  - alert: ConnectIll
    probe: connect
    labels: {severity: critical}
"""


class World:
    """`rules`, `receivers`, `route` and `more` make the rule file; each sweep reads it and opens the store anew."""

    def __init__(self, folder: Path, worker: Worker, capture: Capture) -> None:
        self.folder, self.worker, self.capture = folder, worker, capture
        self.state, self.path = folder / "stetho.db", folder / "rules.yml"
        self.environment: dict[str, str] = {}
        self.now = START
        self.rules = TASKS
        self.receivers: dict[str, list[str]] = {"ops": [capture.url("/ops")]}
        self.route = "{receiver: ops, group_by: [alertname], group_interval: 1s}"
        self.more = ""
        self._seen: dict[str, int] = {}

    def write(self) -> Path:
        receivers = [{"name": name, "apprise": urls} for name, urls in self.receivers.items()]
        self.path.write_text(
            f"defaults: {{connect: {{url: '{self.worker.url}'}}}}\n"
            f"groups:\n- name: g\n  rules:{self.rules or ' []'}\n"
            f"route: {self.route}\nreceivers: {receivers}\n{self.more}"
        )
        return self.path

    def sweep(self, after: float = MINUTE, **settings: Any) -> Summary:
        """One sweep, so long after the one before."""
        self.now += after
        loaded = load([self.write()], self.environment)
        given = Settings(self.state, **{"deadline": 30.0, **settings})
        return sweep(loaded, given, self.environment, lambda: self.now)

    def sweeps(self, count: int, after: float = MINUTE) -> Summary:
        """So many; the last one's summary."""
        for _ in range(count - 1):
            self.sweep(after)
        return self.sweep(after)

    def heard(self, path: str = "/ops") -> list[str]:
        """The titles of the messages that were accepted there since the last look."""
        titles = [str(request.json()["title"]) for request in self.capture.accepted(f"127.0.0.1{path}")]
        new = titles[self._seen.get(path, 0) :]
        self._seen[path] = len(titles)
        return new

    def last(self, path: str = "/ops") -> Mapping[str, str]:
        """The last message that came there, whole."""
        found: Mapping[str, str] = self.capture.requests(f"127.0.0.1{path}")[-1].json()
        return found

    def live(self, name: str = "default") -> list[Alert]:
        with Store.open(self.state) as store:
            return store.live(name)

    def stored(self) -> bytes:
        """Every byte that the store keeps on the disk."""
        return b"".join(path.read_bytes() for path in self.folder.glob("stetho.db*"))
