"""Kafka Streams by what Prometheus last scraped from the jmx_exporter of each of an application's JVMs.

Source: Prometheus' HTTP API, "Instant queries". Part of the cold path.
"""

from probes.kit.exposition import Sample
from probes.kit.jsontext import dumps
from probes.kit.rest import ask, expect, objects, shape_error
from probes.kit.streams.reading import Reading
from probes.kit.streams.series import COMMIT, POLL, STARTED, UPTIMES, from_samples, uptime
from probes.kit.types import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probes.kit.net import Net, Request
    from probes.kit.options import Url
    from probes.kit.rest import HttpOptions

    Jvm = tuple[str, str]  # job and instance

STREAMS = f"kafka_streams_.*(alive_stream_threads|failed_stream_threads|state|kafka_metrics_count.*|{COMMIT}.*)"


class Told:
    """What Prometheus tells of an application: a reading for each JVM, and its warnings."""

    __slots__ = ("readings", "warnings")

    def __init__(self, readings: list[Reading], warnings: list[str]) -> None:
        self.readings, self.warnings = readings, warnings


def from_prometheus(o: "HttpOptions", net: "Net", url: "Url", app: str, *, sidecar: bool, polls: bool) -> Told:
    """What was last scraped of these JVMs. Raises Unreachable or ProbeError."""
    names = ["up", "jmx_scrape_error", *UPTIMES, STREAMS, *([] if sidecar else [STARTED])]
    names += [f"kafka_consumer_.*{POLL}"] if polls else []
    of_app = matchers(app)
    jvms, warnings = _query(o, net, url, f'{{__name__=~"{"|".join(names)}",{of_app}}}')
    readings = {jvm: _reading(jvm[1], jvms[jvm], net, polls) for jvm in sorted(jvms)}
    if any(not reading.clients and reading.count is None for reading in readings.values()):
        # Dead, or are there Streams series, and a filter drops those that tell?
        others, more = _query(o, net, url, f'count by (job, instance) ({{__name__=~"kafka_streams_.+",{of_app}}})')
        warnings += more
        for jvm, reading in readings.items():
            reading.others = jvm in others
    return Told(list(readings.values()), warnings)


def _query(o: "HttpOptions", net: "Net", url: "Url", query: str) -> "tuple[dict[Jvm, list[Sample]], list[str]]":
    """The series that an instant query gives, by JVM, and the warnings."""
    request = o.get(url.below(f"api/v1/query?query={quote(query)}"))
    answer = expect(dict, ask(net, request), "an object", request)
    data = expect(dict, answer.get("data"), "`data` as an object", request)
    if data.get("resultType") != "vector":
        raise shape_error(request, "a vector", data.get("resultType"))
    jvms: dict[Jvm, list[Sample]] = {}
    for series in objects(data.get("result"), "`result` as a list", request):
        sample = _sample(series, request)
        jvms.setdefault((sample.labels.get("job", ""), sample.labels.get("instance", "")), []).append(sample)
    warnings = expect(list, answer.get("warnings") or [], "`warnings` as a list", request)
    return jvms, [str(text) for text in warnings]


def matchers(app: str) -> str:
    """What selects an application's series: a job's name, or label matchers as they are written in PromQL."""
    return app.strip("{} ") if "=" in app else f"job={dumps(app)}"


def _sample(series: "dict[str, object]", request: "Request") -> Sample:
    metric = expect(dict, series.get("metric"), "`metric` as an object", request)
    labels = {str(name): expect(str, text, f"the label {name} as text", request) for name, text in metric.items()}
    pair = expect(list, series.get("value"), "`value` as a time and a text", request)
    try:
        return Sample(labels.pop("__name__", ""), labels, float(pair[1]))
    except (IndexError, TypeError, ValueError):
        raise shape_error(request, "`value` as a time and a number's text", pair) from None


def _reading(instance: str, samples: list[Sample], net: "Net", polls: bool) -> Reading:
    reading = from_samples((one for one in samples if one.name.startswith("kafka_")), polls=polls)
    reading.instance = instance
    told = {sample.name: sample.value for sample in samples}
    reading.down = told.get("up") == 0
    reading.blind = bool(told.get("jmx_scrape_error"))
    milliseconds = next((told[name] for name in UPTIMES if name in told), None)
    reading.uptime = uptime(milliseconds, told.get(STARTED), net)
    return reading.settled()
