"""Kafka Streams by the JVM's MBeans, over RMI or Jolokia. Part of the cold path."""

from probes.kit.mbeans import properties, read
from probes.kit.streams.reading import THREAD, Reading, client_of, count_of, poll_age, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probes.kit.mbeans import Answer, JvmOptions
    from probes.kit.net import Net
    from probes.kit.streams.reading import Item

CLIENTS = (
    # Up to 2.4 a thread's MBean is of this type too; all that it has in common with later versions is its commits.
    # From 4.0 on, client-state sits in an MBean with more tags than the one that has the rest.
    "kafka.streams:type=stream-metrics,*",
    ("state", "client-state", "alive-stream-threads", "failed-stream-threads", "commit-total"),
)
COUNT = ("kafka.streams:type=kafka-metrics-count", ("count",))
UPTIME = ("java.lang:type=Runtime", ("Uptime",))
THREADS = ("kafka.streams:type=stream-thread-metrics,*", ("commit-total",))
CONSUMER = "-consumer"
POLLS = (f"kafka.consumer:type=consumer-metrics,client-id=*{THREAD}*{CONSUMER}", ("last-poll-seconds-ago",))


def from_mbeans(o: "JvmOptions", net: "Net", polls: bool) -> Reading:
    """What this JVM tells, with `polls` also of its threads' last polls. Raises Unreachable or ProbeError."""
    clients, count, runtime, *consumers = read(o, net, CLIENTS, COUNT, UPTIME, *([POLLS] if polls else []))
    reading = Reading()
    _take_clients(reading, clients)
    reading.count = count_of(count.one().number("count"))
    reading.others = clients.found.bare
    # Nothing hangs on it without --grace, and a policy may well keep java.lang to itself.
    milliseconds = runtime.found.mbeans.get(UPTIME[0], {}).get("Uptime")
    reading.uptime = milliseconds / 1000 if isinstance(milliseconds, int) else None
    for answer in consumers:
        reading.polls = _polls(answer)
    if not reading.threads and any(_hides_threads(client) for client in reading.clients.values()):
        (threads,) = read(o, net, THREADS)
        reading.threads = {properties(name).get("thread-id", "") for name in threads.mbeans()}
    return reading.settled()


def _hides_threads(client: "Item") -> bool:
    """Whether only its threads' own MBeans can tell how many are alive: so it is in 2.5."""
    return client["alive_threads"] is None and client["state"] in ("CREATED", "REBALANCING", "RUNNING")


def _take_clients(reading: Reading, answer: "Answer") -> None:
    for name, mbean in answer.mbeans().items():
        client_id = properties(name).get("client-id")
        if client_id and client_of(client_id):
            reading.threads.add(client_id)
            continue
        told = {
            "state": mbean.text("state") or word(mbean.number("client-state")),
            "alive_threads": count_of(mbean.number("alive-stream-threads")),
            "failed_threads": count_of(mbean.number("failed-stream-threads")),
        }
        if mbean.attributes:
            reading.client(client_id).update((key, value) for key, value in told.items() if value is not None)


def _polls(answer: "Answer") -> dict[str, float | None]:
    """By thread. The consumer that restores state is another one."""
    ages = {}
    for name, mbean in answer.mbeans().items():
        thread = properties(name).get("client-id", "").removesuffix(CONSUMER)
        if mbean.attributes and not thread.endswith("-restore"):
            ages[thread] = poll_age(mbean.number("last-poll-seconds-ago"))
    return ages
