"""One JVM's Kafka Streams clients, by whatever way it was asked. Part of the cold path."""

from probes.kit.result import Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Item = dict[str, Any]

# In the order of `client-state`, which is there since Kafka 4.0 (KIP-1091). Before 2.8 there was no PENDING_ERROR and
# ERROR was the sixth, but those versions tell their state by name only. Source: KafkaStreams.State.
STATES = {
    "CREATED": Status.WARNING,
    "REBALANCING": Status.OK,  # normal while state is restored, for hours if it is large
    "RUNNING": Status.OK,
    "PENDING_SHUTDOWN": Status.WARNING,
    "NOT_RUNNING": Status.CRITICAL,
    "PENDING_ERROR": Status.CRITICAL,
    "ERROR": Status.CRITICAL,
}
THREAD = "-StreamThread-"  # between a client's id and its thread's number


class Reading:
    """What one JVM tells.

    `count` is None when there is no kafka-metrics-count, `uptime` (seconds) when it is not told; `others` says whether
    there are Streams MBeans beside the clients' and the count. `threads` are the living threads by name, where the
    version tells them by their MBeans only. `polls` are the seconds since each thread last polled, None for never; None
    itself where nobody asked. `instance` is the JVM's name at Prometheus; `down`: it cannot be scraped, `blind`: its
    exporter cannot read it.
    """

    __slots__ = ("blind", "clients", "count", "down", "instance", "others", "polls", "threads", "uptime")

    def __init__(self) -> None:
        self.instance: str | None = None
        self.clients: dict[str | None, Item] = {}
        self.threads: set[str] = set()
        self.polls: dict[str, float | None] | None = None
        self.count: int | None = None
        self.uptime: float | None = None
        self.others = self.down = self.blind = False

    def client(self, client_id: str | None) -> "Item":
        """The client's item, all unknown at first."""
        unknown = {"client_id": client_id, "state": None, "alive_threads": None, "failed_threads": None}
        return self.clients.setdefault(client_id, unknown)

    def settled(self) -> "Reading":
        """This reading, once all has been read: up to 2.5 the living threads are counted by their MBeans.

        Where there is not even a client's MBean (2.3), its threads tell of it. A thread's MBeans go when it dies.
        """
        if self.count == 1 and not any(client["state"] for client in self.clients.values()):
            # Up to 2.3 the count alone is left in its own registry when the last thread has died.
            self.clients.clear()
            return self
        if not self.clients:
            for thread in self.threads:
                self.client(client_of(thread))
        for client_id, client in self.clients.items():
            if client["alive_threads"] is None and self.threads:
                client["alive_threads"] = sum(client_of(thread) == client_id for thread in self.threads)
        return self


def client_of(thread: str) -> str:
    """The id of a thread's client."""
    return thread.rpartition(THREAD)[0]


def count_of(value: float | None) -> int | None:
    """A number of threads or metrics; None for what is none."""
    return int(value) if value is not None and 0 <= value < 1e9 else None


def word(ordinal: float | None) -> str | None:
    """The name of a `client-state`; one that has none yet stays a number."""
    if ordinal is None or ordinal != ordinal:
        return None
    return next((name for number, name in enumerate(STATES) if number == ordinal), f"{ordinal:g}")


def poll_age(seconds: float | None) -> float | None:
    """`last-poll-seconds-ago`, which is -1 until the first poll."""
    return seconds if seconds is not None and seconds >= 0 else None
