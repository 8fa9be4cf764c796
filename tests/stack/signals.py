"""What the MBeans of Kafka Streams tell in a situation, read through Jolokia by nothing but the standard library.

Nothing of stetho takes part: what is measured here is what its probes have to go by.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.stack.process import get

THREAD = re.compile(r"-StreamThread-\d+$")
CLIENT_SIGNALS = ("state", "client-state", "alive-stream-threads", "failed-stream-threads")
CONSUMERS = "kafka.consumer:type=consumer-metrics,client-id=*-StreamThread-*-consumer"
COLUMNS = (
    *(f"`{name}`" for name in CLIENT_SIGNALS),
    "metrics count",
    "threads with MBeans",
    "last poll ago",
    "any MBean",
)
SECONDS = 3.0  # a JVM that answers does so in milliseconds
NONE = "-"
FEW = 20  # metrics: so many and fewer are the same in each run, more are not
RECENT = 3  # seconds


@dataclass(frozen=True)
class Signals:
    """`clients` has each one's attributes that it has; None is a signal that is not there."""

    clients: tuple[Mapping[str, Any], ...] = ()
    count: float | None = None
    threads: int = 0
    mbeans: int = 0
    last_poll: float | None = None
    silent: str = ""  # why nothing could be read

    def cells(self) -> list[str]:
        """As a table shows them, under COLUMNS: what differs from run to run only by its class."""
        if self.silent:
            return [*[NONE] * (len(CLIENT_SIGNALS) + 3), self.silent]
        return [
            *(self._each(name) for name in CLIENT_SIGNALS),
            count_class(self.count),
            str(self.threads),
            poll_class(self.last_poll),
            "yes" if self.mbeans else "no",
        ]

    def _each(self, name: str) -> str:
        return ", ".join(cell(each.get(name)) for each in self.clients) or NONE


def cell(value: Any) -> str:
    if value is None:
        return NONE
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def count_class(count: float | None) -> str:
    if count is None:
        return NONE
    return f"{count:g}" if count <= FEW else f"> {FEW}"


def poll_class(seconds: float | None) -> str:
    if seconds is None:
        return NONE
    if seconds < 0:
        return "never"
    return f"> {RECENT} s" if seconds > RECENT else f"≤ {RECENT} s"


def read(jolokia_url: str) -> Signals:
    """All signals of the JVM behind a Jolokia agent on loopback."""
    port = urlsplit(jolokia_url).port or 0
    try:
        metrics = ask(port, "read/kafka.streams:type=stream-metrics,*") or {}
        names = ask(port, "search/kafka.streams:*") or []
        count = ask(port, "read/kafka.streams:type=kafka-metrics-count/count")
        polls = ask(port, f"read/{CONSUMERS}/last-poll-seconds-ago") or {}
    except TimeoutError:
        return Signals(silent="silent")
    except ConnectionRefusedError:
        return Signals(silent="refused")
    return Signals(clients(metrics), count, threads(names), len(names), last_poll(polls))


def ask(port: int, path: str) -> Any:
    """The value of an answer; None where there is no such MBean or attribute, which Jolokia calls 404."""
    _, body = get(port, f"/jolokia/{path}", SECONDS)
    said = json.loads(body)
    if said["status"] == 404:
        return None
    if said["status"] != 200:
        raise ValueError(f"Jolokia on port {port}, {path}: {said}")
    return said["value"]


def properties(name: str) -> dict[str, str]:
    """The keys and values of an ObjectName; ours have no quotes."""
    return dict(part.split("=", 1) for part in name.partition(":")[2].split(","))


def clients(metrics: Mapping[str, Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """By client, from all MBeans that name it. Up to 2.4 the threads' MBeans have the same type: they are left out."""
    found: dict[str, dict[str, Any]] = {}
    for name, attributes in metrics.items():
        client = properties(name)["client-id"]
        if not THREAD.search(client):
            found.setdefault(client, {}).update(attributes)
    return tuple(found[client] for client in sorted(found, key=lambda name: (len(name), name)))


def threads(names: list[str]) -> int:
    """How many threads have MBeans of their own."""
    types = ("stream-thread-metrics", "stream-metrics")
    told = [properties(name) for name in names]
    ids = {each.get("thread-id", each.get("client-id", "")) for each in told if each["type"] in types}
    return sum(1 for each in ids if THREAD.search(each))


def last_poll(consumers: Mapping[str, Mapping[str, float]]) -> float | None:
    """The longest that a thread has not polled for. Its restore consumer may never have: it is left out."""
    polls = [
        attributes["last-poll-seconds-ago"]
        for name, attributes in consumers.items()
        if not name.endswith("-restore-consumer") and "last-poll-seconds-ago" in attributes
    ]
    return max(polls, default=None)
