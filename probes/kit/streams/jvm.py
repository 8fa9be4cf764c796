"""Kafka Streams by the JVM's MBeans, over RMI or Jolokia. Part of the cold path."""

from probes.kit.mbeans import properties, read
from probes.kit.result import ProbeError
from probes.kit.streams.reading import GLOBAL, THREAD, Reading, client_of, count_of, poll_age, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probes.kit.mbeans import Answer, JvmOptions, MBean
    from probes.kit.net import Net
    from probes.kit.streams.reading import Told

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
# The last star is for the quote of an id with letters such as `:` or `@`.
CONSUMERS = "kafka.consumer:type=consumer-metrics,client-id=*"
POLLS = (f"{CONSUMERS}{THREAD}*{CONSUMER}*", ("last-poll-seconds-ago",))
GLOBALS = (f"{CONSUMERS}{GLOBAL}*", ("connection-count",))


def from_mbeans(o: "JvmOptions", net: "Net", polls: bool) -> Reading:
    """What this JVM tells, with `polls` also of its threads' last polls. Raises Unreachable or ProbeError."""
    clients, count, runtime, *consumers = read(o, net, CLIENTS, COUNT, UPTIME, *([POLLS] if polls else []))
    reading = Reading()
    _take_clients(reading, clients)
    reading.count = count_of(count.one().number("count"))
    reading.others = clients.found.bare or bool(count.found.mbeans)
    # Nothing hangs on it without --grace, and a policy may well keep java.lang to itself. Jolokia can be told to give
    # longs as text.
    milliseconds = str(runtime.found.mbeans.get(UPTIME[0], {}).get("Uptime"))
    reading.uptime = int(milliseconds) / 1000 if milliseconds.isdecimal() else None
    for answer in consumers:
        reading.polls = _polls(answer)
    if reading.vague and (reading.clients or (reading.count or 0) > 1):
        threads, global_consumers = read(o, net, THREADS, GLOBALS)
        reading.threads |= _threads(threads)
        reading.globals = set(_consumers(global_consumers, GLOBAL))
    elif not reading.clients and not reading.threads:
        reading.threads |= _left(o, net)
    return reading.settled()


def _left(o: "JvmOptions", net: "Net") -> set[str]:
    """The threads where no client shows: closing one takes the MBean of another of its name too, not all threads'.

    The JVM has answered, so what it does not tell now changes nothing: a throttled one may have no time for more.
    """
    try:
        (threads,) = read(o, net, THREADS)
        return _threads(threads)
    except ProbeError:
        return set()


def _take_clients(reading: Reading, answer: "Answer") -> None:
    told: Told = {}
    for name, mbean in answer.mbeans().items():
        client_id = properties(name).get("client-id")
        if client_id and client_of(client_id) and "commit-total" in mbean.attributes:
            reading.threads.add(client_id)
            continue
        if not mbean.attributes:
            continue
        reading.client(client_id)
        try:
            fields = {
                ("state", False): mbean.text("state"),
                ("state", True): word(mbean.number("client-state")),
                ("alive_threads", True): count_of(mbean.number("alive-stream-threads")),
                ("failed_threads", True): count_of(mbean.number("failed-stream-threads")),
            }
        except ProbeError as error:  # the others may be dead all the same
            reading.faults[client_id] = str(error)
            continue
        for (field, as_number), value in fields.items():
            told.setdefault((client_id, field, as_number), []).append(value)
    reading.take(told)
    if reading.faults and reading.faults.keys() == reading.clients.keys():
        raise ProbeError(next(iter(reading.faults.values())))


def _threads(answer: "Answer") -> set[str]:
    shown = [name for name, mbean in answer.mbeans().items() if mbean.attributes]
    return {properties(name).get("thread-id", "") for name in shown}


def _polls(answer: "Answer") -> dict[str, float | None]:
    """By thread. The consumer that restores state is another one."""
    ages = {}
    for thread, mbean in _consumers(answer, CONSUMER).items():
        if mbean.attributes and not thread.endswith("-restore"):
            ages[thread] = poll_age(mbean.number("last-poll-seconds-ago"))
    return ages


def _consumers(answer: "Answer", suffix: str) -> "dict[str, MBean]":
    """Those whose name has this suffix, by what is before it."""
    named = {properties(name).get("client-id", ""): mbean for name, mbean in answer.mbeans().items()}
    return {name.removesuffix(suffix): mbean for name, mbean in named.items() if name.endswith(suffix)}
