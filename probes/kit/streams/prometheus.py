"""Kafka Streams by what Prometheus last scraped from the jmx_exporter of each of an application's JVMs.

Source: Prometheus' HTTP API, "Instant queries". Part of the cold path.
"""

from probes.kit.exposition import Sample
from probes.kit.finding import reason
from probes.kit.jsontext import dumps
from probes.kit.rest import expect, json_of, objects, quote, refusal, shape_error, unsaid
from probes.kit.result import ProbeError
from probes.kit.streams.reading import Reading
from probes.kit.streams.series import COMMIT, NAMED, POLL, STARTED, UPTIMES, take, uptime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probes.kit.net import Net, Request
    from probes.kit.options import Url
    from probes.kit.rest import HttpOptions

    Labels = dict[str, str]
    Jvm = tuple[str, str, int]  # job and instance, and which of the targets that share them

# What a rule declares a counter ends in _total.
NUMBERS = f"alive_stream_threads|failed_stream_threads|client_state|kafka_metrics_count|{COMMIT}"
STREAMS = f"kafka_streams.*(({NUMBERS}).*|{'|'.join(NAMED)})"
# The global consumers among them tell of threads that have no other sign of life.
CONSUMERS = f"kafka_consumer_.*({POLL}|connection_count)"
OF_QUERIES = (400, 422, 503)  # by which it says what is wrong with a query
# By some rules it is a label that tells.
IN_LABELS = ("state", "alive_stream_threads", "failed_stream_threads")


class Told:
    """What Prometheus tells of an application: a reading for each JVM, and its warnings."""

    __slots__ = ("readings", "warnings")

    def __init__(self, readings: list[Reading], warnings: list[str]) -> None:
        self.readings, self.warnings = readings, warnings


def from_prometheus(o: "HttpOptions", net: "Net", url: "Url", app: str, *, sidecar: bool, polls: bool) -> Told:
    """What was last scraped of these JVMs. Raises Unreachable or ProbeError."""
    series = ["up", "jmx_scrape_error", *UPTIMES, STREAMS, CONSUMERS, *([] if sidecar else [STARTED])]
    of_app = matchers(app)
    selectors = [f'{{__name__=~"{"|".join(series)}",{of_app}}}']
    selectors += [f'{{__name__=~"kafka_streams_.+",{label}!="",{of_app}}}' for label in IN_LABELS]
    samples, warnings = _query(o, net, url, " or ".join(selectors))
    targets = _targets(samples)
    jvms = _by_jvm(samples, targets)
    readings = {jvm: _reading(_name(jvm, targets), jvms[jvm], net, polls) for jvm in sorted(jvms)}
    if any(not reading.clients and reading.count is None for reading in readings.values()):
        # Dead, or are there Streams series, and a filter drops those that tell?
        names = {name for alike in targets.values() for labels in alike for name in labels if name.isidentifier()}
        by = ", ".join(sorted({"job", "instance", *names}))
        query = f'count by ({by}) ({{__name__=~"kafka_streams_.+",{of_app}}})'
        others, more = _query(o, net, url, query)
        warnings += more
        for jvm in _by_jvm(others, targets):
            if jvm in readings:
                readings[jvm].others, readings[jvm].foreign = True, False
    for reading in readings.values():
        reading.partial = bool(warnings)
    return Told(list(readings.values()), list(dict.fromkeys(warnings)))


def _query(o: "HttpOptions", net: "Net", url: "Url", query: str) -> tuple[list[Sample], list[str]]:
    """The series that an instant query gives, and the warnings."""
    request = o.get(url.below(f"api/v1/query?query={quote(query)}"))
    reply = net.request(request)
    if reply.status != 200 and not (reply.status in OF_QUERIES and reply.body.startswith(b"{")):
        raise refusal(request, reply)
    answer = expect(dict, json_of(request, reply), "an object", request)
    if answer.get("status") == "error":
        why = ": ".join(str(answer[key]) for key in ("errorType", "error") if answer.get(key))
        why = reason(unsaid(request, why), query)  # VictoriaMetrics repeats it first
        raise ProbeError(f"{request}: it answers with an error: {why or 'no more is said'}")
    if reply.status != 200:
        raise refusal(request, reply)
    data = expect(dict, answer.get("data"), "`data` as an object", request)
    if data.get("resultType") != "vector":
        raise shape_error(request, "a vector", data.get("resultType"))
    samples = [_sample(series, request) for series in objects(data.get("result"), "`result` as a list", request)]
    warnings = expect(list, answer.get("warnings") or [], "`warnings` as a list", request)
    # VictoriaMetrics says so when some of its storage did not answer.
    return samples, [str(text) for text in warnings] + (["the answer is partial"] if answer.get("isPartial") else [])


def _targets(samples: list[Sample]) -> "dict[tuple[str, str], list[Labels]]":
    """The labels of each scraped target, by job and instance, which relabelling can make alike for several."""
    found: dict[tuple[str, str], list[Labels]] = {}
    for sample in samples:
        if sample.name == "up":
            found.setdefault(_job(sample), []).append(sample.labels)
    for alike in found.values():
        alike.sort(key=len, reverse=True)  # a series is of the target with which it shares most
    return found


def _by_jvm(samples: list[Sample], targets: "dict[tuple[str, str], list[Labels]]") -> "dict[Jvm, list[Sample]]":
    """A target's series have all of its labels, which are not theirs: one may well be called `state` or `client`."""
    jvms: dict[Jvm, list[Sample]] = {}
    for sample in samples:
        alike = targets.get(_job(sample), [])
        number = next((i for i, labels in enumerate(alike) if labels.items() <= sample.labels.items()), 0)
        targets_own = alike[number].items() if alike else set()
        own = dict(sample.labels.items() - targets_own)
        jvms.setdefault((*_job(sample), number), []).append(Sample(sample.name, own, sample.value))
    return jvms


def _job(sample: Sample) -> tuple[str, str]:
    return sample.labels.get("job", ""), sample.labels.get("instance", "")


def _name(jvm: "Jvm", targets: "dict[tuple[str, str], list[Labels]]") -> str:
    """The instance, and where several share it what tells them apart."""
    job, instance, number = jvm
    if (job, instance) not in targets:
        return instance
    others = [each for (_, of), alike in targets.items() if of == instance for each in alike]
    labels = targets[job, instance][number]
    own = [pair for pair in labels.items() if any(pair not in each.items() for each in others)]
    return f"{instance} ({', '.join('='.join(pair) for pair in own)})" if own else instance


def matchers(app: str) -> str:
    """What selects an application's series: a job's name, or label matchers as they are written in PromQL."""
    return app.strip("{} ") if "=" in app or "!~" in app else f"job={dumps(app.strip())}"


def _sample(series: "dict[str, object]", request: "Request") -> Sample:
    metric = expect(dict, series.get("metric"), "`metric` as an object", request)
    labels = {str(name): expect(str, text, f"the label {name} as text", request) for name, text in metric.items()}
    pair = expect(list, series.get("value"), "`value` as a time and a text", request)
    try:
        return Sample(labels.pop("__name__", ""), labels, float(pair[1]))
    except (IndexError, TypeError, ValueError):
        raise shape_error(request, "`value` as a time and a number's text", pair) from None


def _reading(instance: str, samples: list[Sample], net: "Net", polls: bool) -> Reading:
    reading = Reading()
    reading.polls = {} if polls else None
    take(reading, (sample for sample in samples if sample.name.startswith("kafka_")))
    reading.instance = instance
    told = {sample.name: sample.value for sample in samples}
    reading.down = told.get("up") == 0
    reading.blind = bool(told.get("jmx_scrape_error"))
    reading.foreign = "jmx_scrape_error" not in told and not any(name.startswith("kafka_streams") for name in told)
    milliseconds = next((told[name] for name in UPTIMES if name in told), None)
    reading.uptime = uptime(milliseconds, told.get(STARTED), net)
    return reading.settled()
