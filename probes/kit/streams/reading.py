"""One JVM's Kafka Streams clients, by whatever way it was asked. Part of the cold path."""

from probes.kit.result import Status
from probes.kit.types import Duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Item = dict[str, Any]
    # What is told of a client's field: by name or as a number, with several values where it is told several times.
    Told = dict[tuple[str | None, str, bool], list[str | int | None]]

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
GLOBAL = "-global-consumer"  # after the id of a client with global tables, as long as their thread lives
# The states in which the number of living threads tells something. Those about to end do not count, though they live;
# in 2.6 and 2.7 neither do those not started. None: the version, or a filter, shows no state.
AT_WORK = (None, "REBALANCING", "RUNNING")
# What a client keeps after its last thread has died: 6 or 7 metrics in Kafka 2.4 to 2.7, 18 in 4.3. One living thread
# brings more than 20.
FEW_METRICS = 20


class Reading:
    """What one JVM tells.

    `count` is None when there is no kafka-metrics-count, `uptime` (seconds) when it is not told; `others` says whether
    there are Streams MBeans beside the clients' and the count. `threads` are the threads that have MBeans, by name, and
    `globals` the clients that have a global thread; both only where it takes them to tell who lives. `polls` are the
    seconds since each thread last polled, None for never; None itself where nobody asked. `faults` says of clients why
    they cannot be read, `shared` what several of one name say differently. `instance` is the JVM's name at Prometheus;
    `down`: it cannot be scraped, `blind`: its exporter cannot read it, `foreign`: nothing shows that it is a
    jmx_exporter, `partial`: the answer may lack series.
    """

    __slots__ = (
        "blind", "clients", "count", "down", "faults", "foreign", "globals", "instance", "others", "partial", "polls",
        "shared", "threads", "uptime",
    )  # fmt: skip

    def __init__(self) -> None:
        self.instance: str | None = None
        self.clients: dict[str | None, Item] = {}
        self.threads: set[str] = set()
        self.globals: set[str] = set()
        self.faults: dict[str | None, str] = {}
        self.shared: dict[str | None, str] = {}
        self.polls: dict[str, float | None] | None = None
        self.count: int | None = None
        self.uptime: float | None = None
        self.others = self.down = self.blind = self.foreign = self.partial = False

    def client(self, client_id: str | None) -> "Item":
        """The client's item, all unknown at first."""
        unknown = {"client_id": client_id, "state": None, "alive_threads": None, "failed_threads": None}
        return self.clients.setdefault(client_id, unknown)

    def take(self, told: "Told") -> None:
        """Note what is told of the clients.

        `client-state` and `state` can differ in the middle of a rebalance; the number has the last word. Otherwise who
        says two things is two clients: of one name, or by a rule that has dropped what tells them apart.
        """
        for (client_id, field, _), values in sorted(told.items(), key=lambda item: item[0][2]):
            client = self.client(client_id)
            said = sorted({str(value): value for value in values if value is not None}.items())
            both = " and ".join(text for text, _ in said)
            if field == "state" and len(said) > 1:
                client[field] = both
            elif len(said) > 1:
                self.shared[client_id] = f"{field} {both}"
            elif said:
                client[field] = said[0][1]

    @property
    def vague(self) -> bool:
        """Whether it takes the MBeans of threads and of global consumers to tell who lives."""
        if not self.clients:
            return not self.threads
        return any(
            (client["alive_threads"] is None and client["state"] in ("CREATED", *AT_WORK[1:]) and not self.threads)
            or (client["alive_threads"] == 0 and client["state"] in ((None,) if client["failed_threads"] else AT_WORK))
            for client in self.clients.values()
        )

    def settled(self) -> "Reading":
        """This reading, once all has been read: up to 2.5 the living threads are counted by their MBeans.

        Where there is not even a client's MBean (2.3), its threads tell of it. A thread's MBeans go when it dies.
        """
        told = any(client["state"] for client in self.clients.values())
        if self.count == 1 and not self.threads and not told:
            # Up to 2.3 the count alone is left in its own registry when the last thread has died.
            self.clients.clear()
            return self
        if not self.clients:
            for thread in self.threads:
                self.client(client_of(thread))
        for client_id, client in self.clients.items():
            if client["alive_threads"] is None:
                client["alive_threads"] = self._threads_of(client_id) or None
        return self

    def idle(self, client: "Item") -> Status:
        """What it means that none of a client's stream threads lives; OK where one does, or none needs to."""
        state = client["state"]
        if client["alive_threads"] != 0 or state not in AT_WORK:
            return Status.OK
        if state is None and self._threads_of(client["client_id"]):
            return Status.WARNING  # it is closing, or was not started: a dead thread has no MBean
        if client["failed_threads"] or not self._is_global(client["client_id"]):
            return Status.CRITICAL
        # Whose topology has nothing but global tables is given no stream thread. Where these all died, 2.6 and 2.7 say
        # ERROR, and later versions count them.
        return Status.OK if state else Status.UNKNOWN

    def lack(self, grace: Duration) -> tuple[Status, str]:
        """What it means that this JVM shows no client, and why; `grace` is how long after its start it may do so."""
        if self.down:
            return Status.CRITICAL, "Prometheus cannot scrape it"
        if self.blind:
            return Status.UNKNOWN, "jmx_scrape_error: its exporter cannot read it"
        if self.foreign:
            return Status.UNKNOWN, "neither jmx_scrape_error nor any kafka_streams series: this is no jmx_exporter"
        if self.count == 1:
            return Status.CRITICAL, "the metrics count is 1: every stream thread is dead"
        if self.globals:
            return Status.UNKNOWN, "a global thread lives, and no other: that may be a dead client or not"
        if self.count is not None and self.count >= FEW_METRICS:
            return Status.OK, f"metrics count {self.count}; this version shows neither state nor threads"
        if self.count is not None:
            return Status.UNKNOWN, f"metrics count {self.count} and nothing else: that may be a dead client or not"
        if self.others:
            return (
                Status.UNKNOWN,
                "Streams MBeans, but none that shows state, threads or count: does a filter drop them?",
            )
        if self.partial:
            return Status.UNKNOWN, "no Streams MBean in an answer that is not complete"
        up = "" if self.uptime is None else f" (up {Duration(round(self.uptime))})"
        if grace and (self.uptime is None or self.uptime < grace):
            ends = "" if up else ", which cannot end: its uptime is not told"
            return Status.UNKNOWN, f"no Streams MBean yet, though the JVM answers{up}; --grace {grace}{ends}"
        message = f"no Streams MBean, though the JVM answers{up}: its Streams clients have died or were never started"
        return Status.CRITICAL, message

    def _threads_of(self, client_id: str | None) -> int:
        """How many threads of a client have MBeans."""
        return len(self.by_client(self.threads).get(client_id, ()))

    def by_client(self, threads: "Iterable[str]") -> dict[str | None, list[str]]:
        """The threads of each client. A rule may change names; where there is one client, all are its."""
        if len(self.clients) == 1:
            return {client_id: list(threads) for client_id in self.clients}
        found: dict[str | None, list[str]] = {}
        for thread in threads:
            found.setdefault(client_of(thread), []).append(thread)
        return found

    def _is_global(self, client_id: str | None) -> bool:
        return client_id in self.globals or (len(self.clients) == 1 and bool(self.globals))


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
    return seconds if seconds is not None and 0 <= seconds < 1e9 else None
