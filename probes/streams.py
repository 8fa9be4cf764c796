"""Kafka Streams: every client of one JVM is RUNNING and its threads are alive."""

from probes.kit.example import one_of
from probes.kit.exposition import Page
from probes.kit.finding import sentence
from probes.kit.mbeans import JvmOptions, properties, read
from probes.kit.options import Choice, Duration, OptionError, Url, option
from probes.kit.result import ProbeError, Result, Status, worst

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from probes.kit.exposition import Sample
    from probes.kit.finding import Finding
    from probes.kit.net import Net

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
# What a client keeps after its last thread has died: 6 or 7 metrics in Kafka 2.4 to 2.7, 18 in 4.3. One living thread
# brings more than 20.
FEW_METRICS = 20


class Options(JvmOptions):
    exporter: Url | None = option(default=None, help="jmx_exporter of the JVM; /metrics if the URL has no path.")
    sidecar: bool = option(
        default=False, help="The exporter runs beside the JVM, not in it: its silence tells nothing of the JVM."
    )
    min_threads: int | None = option(default=None, help="CRITICAL when a client has fewer living threads.")
    grace: Duration = option(default=Duration(0), help="So long after its start a JVM may be without Streams.")
    rebalancing: Choice = option(
        default="not-ready", choices=("not-ready", "ready"), help="What a rebalance means for readiness."
    )

    def check(self) -> None:
        super().check()
        given = [name for name in ("jmx", "jolokia", "exporter") if getattr(self, name) is not None]
        if len(given) > 1:
            raise OptionError(given[1], f"cannot be combined with {given[0]}: ask one of them")
        if not given:
            raise OptionError("jmx", "is missing: give --jmx, --jolokia or --exporter")
        if self.sidecar and self.exporter is None:
            raise OptionError("sidecar", "is about --exporter, which is missing")


def asks(o: Options) -> str:
    """An agent inside the JVM goes with it; a sidecar goes by itself."""
    return "others" if o.sidecar else "itself"


ASKS = asks

EXAMPLE = {
    "clients": [
        {
            "client_id": "orders-1f0c3a52-7d0e-4a53-8f0e-2c1d6a1c9b5e",
            "state": one_of(tuple(STATES)),
            "alive_threads": 2,
            "failed_threads": 0,
        }
    ],
    "metrics_count": 134,
    "uptime_seconds": 3600.5,
}


class Reading:
    """What one JVM tells, by whatever way it was asked.

    `count` is None when there is no kafka-metrics-count, `uptime` when it is not told; `others` says whether there are
    Streams MBeans beside the clients' and the count.
    """

    __slots__ = ("clients", "count", "others", "uptime")

    def __init__(self) -> None:
        self.clients: dict[str | None, Item] = {}
        self.count: int | None = None
        self.uptime: float | None = None
        self.others = False

    def client(self, client_id: str | None) -> "Item":
        unknown = {"client_id": client_id, "state": None, "alive_threads": None, "failed_threads": None}
        return self.clients.setdefault(client_id, unknown)


def probe(o: Options, net: "Net") -> Result:
    reading = from_exporter(o, net, o.exporter) if o.exporter else from_mbeans(o, net)
    clients = sorted(reading.clients.values(), key=lambda client: client["client_id"] or "")
    data: dict[str, object] = {
        "clients": clients,
        "metrics_count": reading.count,
        "uptime_seconds": reading.uptime and round(reading.uptime, 3),
    }
    if reading.count == 1 and not any(client["state"] for client in clients):
        # Up to Kafka 2.3, the count alone is left in its own registry when the last thread has died.
        message = "the metrics count is 1: every stream thread is dead"
        return Result(Status.CRITICAL, message, o.target.shown, data, alive=False)
    if not clients:
        return without_clients(o, reading, data)
    findings = [finding for client in clients for finding in judge(o, len(clients), client)]
    status = worst([Status.OK, *(finding[0] for finding in findings)])
    fit = ("RUNNING", "REBALANCING", None) if o.rebalancing == "ready" else ("RUNNING",)
    return Result(
        status,
        sentence(findings) or well(clients),
        o.target.shown,
        data,
        alive=not all(is_dead(client) for client in clients),
        ready=status <= Status.WARNING and all(client["state"] in fit for client in clients),
    )


def without_clients(o: Options, reading: Reading, data: "dict[str, object]") -> Result:
    """No MBean shows a state or threads: a version that shows neither, or a client that has died or never was."""
    shown = o.target.shown
    if reading.count is not None and reading.count >= FEW_METRICS:
        message = f"metrics count {reading.count}; this version shows neither state nor threads"
        return Result(Status.OK, message, shown, data, ready=o.rebalancing == "ready")
    if reading.count is not None:
        raise ProbeError(f"{shown}: metrics count {reading.count} and nothing else: that may be a dead client or not")
    if reading.others:
        raise ProbeError(
            f"{shown}: Streams MBeans, but none that shows state, threads or count: does a filter drop them?"
        )
    up = "" if reading.uptime is None else f" (up {Duration(round(reading.uptime))})"
    if o.grace and (reading.uptime is None or reading.uptime < o.grace):
        raise ProbeError(f"{shown}: no Streams MBean yet, though the JVM answers{up}; --grace {o.grace}")
    message = f"no Streams MBean, though the JVM answers{up}: its Streams clients have died or were never started"
    return Result(Status.CRITICAL, message, shown, data, alive=False)


def well(clients: "list[Item]") -> str:
    alive = [client["alive_threads"] for client in clients]
    threads = "" if None in alive else f", {living(sum(alive))}"
    how = "RUNNING" if all(client["state"] for client in clients) else "alive, their state is not shown"
    return f"{len(clients)} of {len(clients)} clients {how}{threads}"


def living(threads: int) -> str:
    return f"{threads} thread{'' if threads == 1 else 's'} alive"


def judge(o: Options, count: int, client: "Item") -> "Iterator[Finding]":
    whose, of_all = client["client_id"] or "the client", f"of {count} clients"
    state, alive, failed = client["state"], client["alive_threads"], client["failed_threads"]
    threads = "" if alive is None else living(alive)
    if state is None and alive is None:
        yield Status.UNKNOWN, f"{of_all} showing neither state nor threads", whose, ""
    elif state is not None and state not in STATES:
        yield Status.UNKNOWN, f"{of_all} in a state never seen before", whose, state
    elif state is not None and state != "RUNNING":
        yield STATES[state], f"{of_all} {state}", whose, threads
    if alive == 0 and STATES.get(state) is not Status.CRITICAL:
        yield Status.CRITICAL, f"{of_all} without a living thread", whose, f"state {state or 'not shown'}"
    elif o.min_threads is not None and alive is None:
        yield Status.UNKNOWN, f"{of_all} not showing its threads", whose, ""
    elif o.min_threads is not None and alive < o.min_threads:
        yield Status.CRITICAL, f"{of_all} with fewer than {o.min_threads} living threads", whose, threads
    if failed and alive != 0 and o.min_threads is None:
        yield Status.WARNING, f"{of_all} with failed threads", whose, f"{failed} since its start, {threads}"


def is_dead(client: "Item") -> bool:
    return STATES.get(client["state"]) is Status.CRITICAL or client["alive_threads"] == 0


def from_exporter(o: Options, net: "Net", url: Url) -> Reading:
    """By jmx_exporter's default names, and by what rules commonly make of them: other prefixes, state as a label."""
    request = o.get(url.or_below("metrics"), accept="text/plain")
    page = Page(request, net.request(request))
    broken = page.value("jmx_scrape_error")
    if broken:
        raise ProbeError(f"{request}: jmx_scrape_error {broken:g}: the exporter cannot read its JVM")
    reading = Reading()
    for sample in page.samples("kafka_streams", "alive_stream_threads"):
        client_of(reading, sample)["alive_threads"] = whole(sample, "alive_stream_threads")
    for sample in page.samples("kafka_streams", "failed_stream_threads"):
        client_of(reading, sample)["failed_threads"] = whole(sample, "failed_stream_threads")
    for sample in page.samples("kafka_streams", 'state="'):
        # A String is dropped unless a rule gives the series a value, 1; a thread's state has other words.
        if sample.value == 1 and "state" in sample.labels and "thread_id" not in sample.labels:
            client_of(reading, sample)["state"] = sample.labels["state"]
    for sample in page.samples("kafka_streams", "client_state"):
        client_of(reading, sample)["state"] = word(sample.value)
    reading.count = next((count_of(one.value) for one in page.samples("kafka_streams", "kafka_metrics_count")), None)
    reading.others = any(True for _ in page.samples("kafka_streams"))
    if broken is None and not reading.others:
        raise ProbeError(f"{request}: neither jmx_scrape_error nor any kafka_streams series: this is no jmx_exporter")
    reading.uptime = uptime(page, o, net)
    return reading


def client_of(reading: Reading, sample: "Sample") -> "Item":
    names = ("client_id", "clientId", "clientid")
    return reading.client(next((sample.labels[name] for name in names if name in sample.labels), None))


def whole(sample: "Sample", label: str) -> int | None:
    """The sample's number; where a rule treats it as it treats Strings, it stands in a label."""
    text = sample.labels.get(label)
    return count_of(sample.value if text is None else int(text) if text.isdecimal() else None)


def count_of(value: float | None) -> int | None:
    return int(value) if value is not None and 0 <= value < 1e9 else None


def word(ordinal: float | None) -> str | None:
    """The name of a `client-state`; one that has none yet stays a number."""
    if ordinal is None or ordinal != ordinal:
        return None
    return next((name for number, name in enumerate(STATES) if number == ordinal), f"{ordinal:g}")


def uptime(page: Page, o: Options, net: "Net") -> float | None:
    milliseconds = page.value("java_lang_Runtime_Uptime", "java_lang_runtime_uptime")
    if milliseconds is not None:
        return milliseconds / 1000
    # This is the process of the exporter itself.
    started = None if o.sidecar else page.value("process_start_time_seconds")
    return None if started is None else net.now() - started


def from_mbeans(o: Options, net: "Net") -> Reading:
    clients, count, runtime = read(
        o,
        net,
        # From Kafka 4.0 on, client-state sits in an MBean with more tags than the one that has the rest.
        (
            "kafka.streams:type=stream-metrics,*",
            ("state", "client-state", "alive-stream-threads", "failed-stream-threads"),
        ),
        ("kafka.streams:type=kafka-metrics-count", ("count",)),
        ("java.lang:type=Runtime", ("Uptime",)),
    )
    reading = Reading()
    for name, mbean in clients.mbeans().items():
        told = {
            "state": mbean.text("state") or word(mbean.number("client-state")),
            "alive_threads": count_of(mbean.number("alive-stream-threads")),
            "failed_threads": count_of(mbean.number("failed-stream-threads")),
        }
        client = reading.client(properties(name).get("client-id"))
        client.update((key, value) for key, value in told.items() if value is not None)
    reading.count = count_of(count.one().number("count"))
    reading.others = clients.found.bare
    # Nothing hangs on it without --grace, and a policy may well keep java.lang to itself.
    milliseconds = None if runtime.found.refused else runtime.one().number("Uptime")
    reading.uptime = None if milliseconds is None else milliseconds / 1000
    return reading
