"""Kafka Streams by the series that jmx_exporter makes of its MBeans, from its page or by way of Prometheus.

Its default names, and what rules commonly make of them: other prefixes, the state as a label. Part of the cold path.
"""

from probes.kit.exposition import Page
from probes.kit.mbeans import properties
from probes.kit.result import ProbeError
from probes.kit.streams.reading import GLOBAL, STATES, THREAD, Reading, client_of, count_of, poll_age, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from probes.kit.exposition import Sample
    from probes.kit.net import Net
    from probes.kit.options import Url
    from probes.kit.rest import HttpOptions
    from probes.kit.streams.reading import Told

# What is looked for, each by a text that its name or a label holds.
WANTED = ("alive_stream_threads", "failed_stream_threads", 'state="', "client_state", "kafka_metrics_count")
COMMIT = "metrics_commit"  # of each thread
POLL = "last_poll_seconds_ago"
STARTED = "process_start_time_seconds"
NAMED = {f"_state_{name.lower()}": name for name in STATES}  # a series for each state, which is 1
UPTIMES = ("java_lang_Runtime_Uptime", "java_lang_runtime_uptime")


def from_exporter(o: "HttpOptions", net: "Net", url: "Url", *, sidecar: bool, polls: bool) -> Reading:
    """What the exporter's page tells of its JVM. Raises Unreachable or ProbeError."""
    request = o.get(url.or_below("metrics"), accept="text/plain")
    page = Page(request, net.request(request))
    broken = page.value("jmx_scrape_error")
    if broken:
        raise ProbeError(f"{request}: jmx_scrape_error {broken:g}: the exporter cannot read its JVM")
    others = any(True for _ in page.samples("kafka_streams"))
    if broken is None and not others:
        raise ProbeError(f"{request}: neither jmx_scrape_error nor any kafka_streams series: this is no jmx_exporter")
    reading = Reading()
    reading.polls = {} if polls else None
    take(reading, [sample for text in WANTED for sample in page.samples("kafka_streams", text)])
    if reading.vague or any(client["state"] is None for client in reading.clients.values()):
        take(reading, [sample for text in (COMMIT, *NAMED) for sample in page.samples("kafka_streams", text)])
    if reading.vague:
        take(reading, page.samples("kafka_consumer", GLOBAL))
    if polls:
        take(reading, page.samples("kafka_consumer", POLL))
    # Whose consumers and threads are shown has not died, whatever a filter or a rule made of the rest.
    reading.others = others or THREAD.encode() in page.body
    # A sidecar's own process is another one.
    started = None if sidecar else page.value(STARTED)
    reading.uptime = uptime(page.value(*UPTIMES), started, net)
    return reading.settled()


def take(reading: Reading, samples: "Iterable[Sample]") -> None:
    """Note what these series tell of one JVM; all but its uptime."""
    told: Told = {}
    for sample in samples:
        if sample.name.startswith("kafka_consumer"):
            _take_consumer(reading, sample)
        elif "kafka_metrics_count" in sample.name:
            reading.count = count_of(sample.value) if reading.count is None else reading.count
        else:
            _take(reading, sample, told)
    reading.take(told)


def _take(reading: Reading, sample: "Sample", told: "Told") -> None:
    labels, name = sample.labels, sample.name
    client, thread = _label(sample, "client"), _label(sample, "thread")
    for field, metric in (("alive_threads", "alive_stream_threads"), ("failed_threads", "failed_stream_threads")):
        if metric in name or metric in labels:
            told.setdefault((client, field, True), []).append(_whole(sample, metric))
    named = labels.get("state") or next((state for end, state in NAMED.items() if name.endswith(end)), None)
    if named is not None and thread is None:
        # A String is dropped unless a rule gives the series a value, 1; a thread's state has other words.
        if sample.value == 1:
            told.setdefault((client, "state", False), []).append(named)
    elif "client_state" in name:
        told.setdefault((client, "state", True), []).append(word(sample.value))
    elif COMMIT in name and THREAD in (whose := thread or client or ""):
        reading.threads.add(whose)


def _take_consumer(reading: Reading, sample: "Sample") -> None:
    consumer = _label(sample, "client") or ""
    thread = consumer.removesuffix("-consumer")
    reading.others = reading.others or THREAD in consumer
    if consumer.endswith(GLOBAL):
        reading.globals.add(consumer.removesuffix(GLOBAL))
    elif reading.polls is None or POLL not in sample.name:
        return
    elif client_of(thread) and thread != consumer and not thread.endswith("-restore"):
        reading.polls[thread] = poll_age(sample.value)


def _label(sample: "Sample", whose: str) -> str | None:
    names = (f"{whose}_id", f"{whose}Id", f"{whose}id", whose)
    found = next((sample.labels[name] for name in names if name in sample.labels), None)
    if found is None:
        # So jmx_exporter's own example for Streams has it: kafka.streams<type=stream-metrics, client-id=a><>state
        mbean = sample.labels.get("_objectname", "").partition("<")[2].partition(">")[0]
        return properties(f":{mbean}".replace(", ", ",")).get(f"{whose}-id")
    # Quotes are the ObjectName's. In 4.0 and 4.1 the rule that everybody has, `client-id=(.+)><>state`, takes in the
    # key that follows.
    return properties(f":id={found}")["id"]


def _whole(sample: "Sample", label: str) -> int | None:
    """The sample's number; where a rule treats it as it treats Strings, it stands in a label."""
    text = sample.labels.get(label)
    try:
        return count_of(sample.value if text is None else float(text))
    except ValueError:
        return None


def uptime(milliseconds: float | None, started: float | None, net: "Net") -> float | None:
    """Seconds, by the JVM's own account, else by when its process started."""
    if milliseconds is not None:
        seconds = milliseconds / 1000
    elif started is not None:
        seconds = max(net.now() - started, 0.0)  # its clock may be ahead of ours
    else:
        return None
    return seconds if 0 <= seconds < 1e10 else None
