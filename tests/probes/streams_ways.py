"""One JVM's MBeans as each way of asking shows them: RMI, Jolokia, jmx_exporter's page, and Prometheus that scraped it.

The names are those that a real 4.3.1 (and 2.x, where said) has; tests/stack compares the ways on real applications.
"""

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from probes import streams
from probes.kit.exposition import parse
from probes.kit.jsontext import dumps
from probes.kit.mbeans import is_pattern, properties
from probes.kit.net import Found, JmxRequest, Reply, Request
from probes.kit.result import Result
from probes.streams import Options
from tests.probes.fakenet import NOW, FakeNet

MBeans = Mapping[str, Mapping[str, Any]]
Sample = tuple[str, dict[str, str], float]
WAYS: dict[str, dict[str, str]] = {
    "jmx": {"jmx": "app:5555"},
    "jolokia": {"jolokia": "http://app:8778"},
    "exporter": {"exporter": "http://app:9404"},
    "prometheus": {"prometheus": "http://prometheus:9090", "app": "orders"},
}
INSTANCE = "app:9404"


def ask(way: str, mbeans: MBeans, **options: str) -> Result:
    return streams.probe(Options.build({**WAYS[way], **options}), Jvm(mbeans))


class Jvm:
    """The Net of a JVM with these MBeans, with both agents, remote JMX, and a Prometheus that scrapes it."""

    def __init__(self, mbeans: MBeans) -> None:
        self.mbeans = {"java.lang:type=Runtime": {"Uptime": 90_000}, **mbeans}

    def jmx(self, request: JmxRequest) -> list[Found]:
        return [found(self.mbeans, name, attributes) for name, attributes in request.reads]

    def request(self, request: Request) -> Reply:
        if request.method == "POST":
            return Reply(200, {}, json.dumps([self._jolokia(one) for one in json.loads(request.body)]).encode())
        samples = list(series(self.mbeans))
        if "/api/v1/query" in request.url:
            return selected(request, samples)
        return Reply(
            200, {}, "".join(f"{name}{labels_text(labels)} {value}\n" for name, labels, value in samples).encode()
        )

    def now(self) -> float:
        return NOW

    def hurried(self) -> bool:
        return False

    def _jolokia(self, question: dict[str, Any]) -> dict[str, Any]:
        answer = found(self.mbeans, question["mbean"], tuple(question["attribute"]))
        shown = {
            name: {key: nan_is_null(one) for key, one in each.items()} for name, each in answer.mbeans.items() if each
        }
        if not shown:
            kind = "AttributeNotFoundException" if answer.bare else "InstanceNotFoundException"
            return {"status": 404, "error_type": f"javax.management.{kind}", "error": kind}
        return {"status": 200, "value": shown if is_pattern(question["mbean"]) else shown[question["mbean"]]}


def found(mbeans: MBeans, name: str, attributes: tuple[str, ...]) -> Found:
    """What RMI finds: an MBean without the attributes is there, without attributes."""
    domain, _, keys = name.partition(":")
    parts = [part for part in keys.split(",") if part != "*"]
    matching = {
        each: {key: value for key, value in values.items() if key in attributes}
        for each, values in mbeans.items()
        if fnmatchcase(each.partition(":")[0], domain)
        and all(any(fnmatchcase(one, part) for one in each.partition(":")[2].split(",")) for part in parts)
    }
    return Found(matching, bare=bool(matching) and not any(matching.values()))


def series(mbeans: MBeans) -> Iterator[Sample]:
    """jmx_exporter's default names, and the rule for the state that its examples have."""
    yield "jmx_scrape_error", {}, 0.0
    for name, attributes in mbeans.items():
        domain = name.partition(":")[0]
        first, *others = properties(name).items()
        labels = {safe(key): value for key, value in others}
        for attribute, value in attributes.items():
            if isinstance(value, str) and attribute == "state":
                yield safe(f"{domain}_{first[1]}_state"), {**labels, "state": value}, 1.0
            elif not isinstance(value, str):
                yield safe(f"{domain}_{first[1]}_{attribute}"), labels, float(value)


class Scraped:
    """The Net of a Prometheus that has scraped one exporter, which shows this page."""

    def __init__(self, page: str) -> None:
        parsed = [parse(line) for line in page.splitlines() if line and not line.startswith("#")]
        self.samples = [(each.name, each.labels, each.value) for each in parsed]

    def request(self, request: Request) -> Reply:
        return selected(request, self.samples)

    jmx = FakeNet.jmx

    def now(self) -> float:
        return NOW

    def hurried(self) -> bool:
        return False


def selected(request: Request, samples: list[Sample]) -> Reply:
    """What a query's selectors find: each has names, and perhaps a label that must be there."""
    selectors = re.findall(r'\{__name__=~"(.*?)"(?:,(\w+)!="")?', unquote(request.url))
    assert selectors
    return Reply(
        200,
        {},
        vector([
            (name, labels, value)
            for name, labels, value in [("up", {}, 1.0), *samples]
            if any(re.fullmatch(names, name) and (not label or labels.get(label)) for names, label in selectors)
        ]),
    )  # fmt: skip


def safe(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9]+", "_", name)


def labels_text(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f"{name}={dumps(value)}" for name, value in labels.items()) + "}" if labels else ""


def vector(samples: list[Sample], **more: object) -> bytes:
    """Prometheus' answer to an instant query."""
    common = {"job": "orders", "instance": INSTANCE}
    result = [
        {"metric": {"__name__": name} | common | dict(labels), "value": [NOW, str(value).replace("nan", "NaN")]}
        for name, labels, value in samples
    ]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}, **more}).encode()


def nan_is_null(value: Any) -> Any:
    return None if value != value else value
