"""Kafka Streams by the series that jmx_exporter makes of its MBeans, from its page or by way of Prometheus.

Its default names, and what rules commonly make of them: other prefixes, the state as a label. Part of the cold path.
"""

from probes.kit.exposition import Page
from probes.kit.result import ProbeError
from probes.kit.streams.reading import THREAD, Reading, client_of, count_of, poll_age, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from probes.kit.exposition import Sample
    from probes.kit.net import Net
    from probes.kit.options import Url
    from probes.kit.rest import HttpOptions

# What is looked for, each by a text that its name or a label holds.
WANTED = ("alive_stream_threads", "failed_stream_threads", 'state="', "client_state", "kafka_metrics_count")
COMMIT = "metrics_commit"  # of each thread
POLL = "last_poll_seconds_ago"
STARTED = "process_start_time_seconds"
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
    samples = [sample for text in WANTED for sample in page.samples("kafka_streams", text)]
    if not any("alive_stream_threads" in sample.name for sample in samples):
        samples += page.samples("kafka_streams", COMMIT)
    if polls:
        samples += page.samples("kafka_consumer", POLL)
    reading = from_samples(samples, polls=polls)
    reading.others = others
    # A sidecar's own process is another one.
    started = None if sidecar else page.value(STARTED)
    reading.uptime = uptime(page.value(*UPTIMES), started, net)
    return reading.settled()


def from_samples(samples: "Iterable[Sample]", *, polls: bool) -> Reading:
    """What these series tell of one JVM; all but its uptime."""
    reading = Reading()
    if polls:
        reading.polls = {}
    # Of one scrape, client-state and state can differ in the middle of a rebalance; the number has the last word.
    for sample in sorted(samples, key=lambda sample: "client_state" in sample.name):
        _take(reading, sample)
    return reading


def _take(reading: Reading, sample: "Sample") -> None:
    labels, name = sample.labels, sample.name
    for field, metric in (("alive_threads", "alive_stream_threads"), ("failed_threads", "failed_stream_threads")):
        if metric in name or metric in labels:
            reading.client(_label(sample, "client"))[field] = _whole(sample, metric)
    if name.startswith("kafka_consumer") and POLL in name:
        consumer = _label(sample, "client") or ""
        thread = consumer.removesuffix("-consumer")
        if client_of(thread) and thread != consumer and not thread.endswith("-restore") and reading.polls is not None:
            reading.polls[thread] = poll_age(sample.value)
    elif "kafka_metrics_count" in name:
        reading.count = count_of(sample.value) if reading.count is None else reading.count
    elif "client_state" in name:
        reading.client(_label(sample, "client"))["state"] = word(sample.value)
    elif "state" in labels and _label(sample, "thread") is None:
        # A String is dropped unless a rule gives the series a value, 1; a thread's state has other words.
        if sample.value == 1:
            reading.client(_label(sample, "client"))["state"] = labels["state"]
    elif COMMIT in name:
        thread = _label(sample, "thread") or _label(sample, "client") or ""
        if THREAD in thread:
            reading.threads.add(thread)


def _label(sample: "Sample", whose: str) -> str | None:
    names = (f"{whose}_id", f"{whose}Id", f"{whose}id")
    found = next((sample.labels[name] for name in names if name in sample.labels), None)
    # In 4.0 and 4.1 the rule that everybody has, `client-id=(.+)><>state`, takes in the key that follows.
    return found and found.partition(", process-id=")[0]


def _whole(sample: "Sample", label: str) -> int | None:
    """The sample's number; where a rule treats it as it treats Strings, it stands in a label."""
    text = sample.labels.get(label)
    return count_of(sample.value if text is None else int(text) if text.isdecimal() else None)


def uptime(milliseconds: float | None, started: float | None, net: "Net") -> float | None:
    """Seconds, by the JVM's own account, else by when its process started."""
    if milliseconds is not None:
        return milliseconds / 1000
    return None if started is None else net.now() - started
