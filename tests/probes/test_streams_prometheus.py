"""What Prometheus tells of a whole application: several JVMs, those that it cannot scrape, and answers of no use."""

import json
from typing import Any
from urllib.parse import unquote

import pytest

from probes import streams
from probes.kit.net import Reply, Request
from probes.kit.options import OptionErrors
from probes.kit.result import ProbeError, Result, Status
from probes.streams import ASKS, Options
from tests.probes.fakenet import NOW, FakeNet

STREAMS = "kafka_streams_stream_metrics"


def one(name: str, value: float, instance: str = "a:9404", **labels: str) -> dict[str, Any]:
    metric = {"__name__": name, "job": "orders", "instance": instance, **labels}
    return {"metric": metric, "value": [NOW, str(value)]}


def jvm(instance: str, state: int = 2, alive: int = 2) -> list[dict[str, Any]]:
    """A JVM that is scraped, with one client named after it."""
    client = f"orders-{instance[0]}"
    return [
        one("up", 1, instance),
        one("jmx_scrape_error", 0, instance),
        one(f"{STREAMS}_client_state", state, instance, client_id=client, application_id="orders"),
        one(f"{STREAMS}_alive_stream_threads", alive, instance, client_id=client),
    ]


def empty(instance: str) -> list[dict[str, Any]]:
    """A JVM that is scraped, without any client."""
    return [one("up", 1, instance), one("jmx_scrape_error", 0, instance)]


class Prometheus:
    """The Net of a Prometheus that answers its questions one after another; with a status, if it is not 200."""

    def __init__(self, *answers: object) -> None:
        self.answers, self.asked = list(answers), list[str]()

    def request(self, request: Request) -> Reply:
        self.asked.append(unquote(request.url.partition("?query=")[2]))
        answer = self.answers.pop(0)
        status, said = answer if isinstance(answer, tuple) else (200, answer)
        return Reply(status, {}, said.encode() if isinstance(said, str) else json.dumps(said).encode())

    jmx = FakeNet.jmx

    def now(self) -> float:
        return NOW

    def hurried(self) -> bool:
        return False


def vector(*result: Any, **more: object) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": "vector", "result": list(result)}, **more}


def ask(*answers: object, app: str = "orders", **options: str) -> Result:
    built = Options.build({"prometheus": "http://prom:9090", "app": app, **options})
    return streams.probe(built, Prometheus(*answers))


def test_every_jvm_of_the_application_is_judged() -> None:
    result = ask(vector(*jvm("a:9404"), *jvm("b:9404"), *jvm("c:9404", alive=1)))

    assert (result.status, result.message) == (Status.OK, "3 of 3 clients RUNNING, 5 threads alive")
    clients: Any = (result.data or {})["clients"]
    assert [(each["client_id"], each["instance"]) for each in clients] == [
        ("orders-a", "a:9404"),
        ("orders-b", "b:9404"),
        ("orders-c", "c:9404"),
    ]
    assert (result.target, result.ready) == ("http://prom:9090", True)


def test_the_worst_of_them_counts_and_is_named() -> None:
    result = ask(
        vector(*jvm("a:9404"), *jvm("b:9404", state=5, alive=1), one("up", 0, "c:9404"), *empty("d:9404")),
        vector(),
    )

    assert result.status is Status.CRITICAL
    assert result.message == (
        "2 of 4 JVMs: c:9404 (Prometheus cannot scrape it), d:9404 (no Streams MBean, though the JVM answers: its "
        "Streams clients have died or were never started); 1 of 2 clients PENDING_ERROR: orders-b (1 thread alive)"
    )
    assert (result.alive, result.ready) == (True, False)


def test_a_jvm_that_cannot_be_scraped_is_no_evidence_of_death() -> None:
    assert ask(vector(one("up", 0)), vector()).alive


def test_an_exporter_that_cannot_read_its_jvm_is_unknown() -> None:
    result = ask(vector(*jvm("a:9404"), one("up", 1, "b:9404"), one("jmx_scrape_error", 1, "b:9404")), vector())

    assert (result.status, result.message) == (
        Status.UNKNOWN,
        "1 of 2 JVMs: b:9404 (jmx_scrape_error: its exporter cannot read it)",
    )


def test_an_application_without_any_target_is_critical_and_no_evidence_of_death() -> None:
    result = ask(vector())

    assert (result.status, result.message) == (Status.CRITICAL, "Prometheus has no target of orders")
    assert (result.alive, result.ready) == (True, False)


def test_a_warning_of_prometheus_is_never_well() -> None:
    result = ask(vector(*jvm("a:9404"), warnings=["receive series from a store: timeout"]))

    assert (result.status, result.message) == (
        Status.UNKNOWN,
        "1 warning of Prometheus: receive series from a store: timeout",
    )


@pytest.mark.parametrize(
    ("app", "selected"),
    [
        ("orders", 'job="orders"'),
        (" orders\n", 'job="orders"'),
        ('my "job"\\', r'job="my \"job\"\\"'),
        ('app="orders",namespace="shop"', 'app="orders",namespace="shop"'),
        ('{app=~"orders.*"}', 'app=~"orders.*"'),
        ('app!~"x"', 'app!~"x"'),
    ],
)
def test_an_application_is_a_job_or_matchers(app: str, selected: str) -> None:
    net = Prometheus(vector(*jvm("a:9404")))

    streams.probe(Options.build({"prometheus": "http://prom:9090/base", "app": app}), net)

    (query,) = net.asked
    assert query.startswith('{__name__=~"up|jmx_scrape_error|')
    assert [each.endswith(f'",{selected}}}') for each in query.split(" or ")] == [True] * 4


NO_EXPORTER = "neither jmx_scrape_error nor any kafka_streams series: this is no jmx_exporter"


def test_a_target_that_is_no_jmx_exporter_tells_nothing_of_a_jvm() -> None:
    alone, among = ask(vector(one("up", 1)), vector()), ask(vector(*jvm("b:9404"), one("up", 1)), vector())

    assert (alone.status, alone.alive, alone.message) == (Status.UNKNOWN, True, f"1 of 1 JVMs: a:9404 ({NO_EXPORTER})")
    assert (among.status, among.message) == (Status.UNKNOWN, f"1 of 2 JVMs: a:9404 ({NO_EXPORTER})")


@pytest.mark.parametrize("said", [{"warnings": ["store: refused", "store: refused"]}, {"isPartial": True}])
def test_what_lacks_in_a_partial_answer_is_no_evidence(said: dict[str, Any]) -> None:
    with pytest.raises(ProbeError, match="no target of orders in an answer that is not complete: "):
        ask(vector(**said))
    result = ask(vector(*empty("a:9404"), **said), vector(**said))
    assert (result.status, result.alive) == (Status.UNKNOWN, True)
    assert "1 warning of Prometheus" in result.message
    assert "a:9404 (no Streams MBean in an answer that is not complete)" in result.message
    assert ask(vector(*jvm("a:9404"), **said)).status is Status.UNKNOWN


def of_pod(pod: str, series: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, "metric": {**each["metric"], "pod": pod}} for each in series]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("sick", "status", "why"),
    [
        ([one("up", 0, "node:1")], Status.CRITICAL, "Prometheus cannot scrape it"),
        ([one("up", 1, "node:1"), one("jmx_scrape_error", 1, "node:1")], Status.UNKNOWN, "jmx_scrape_error"),
        (empty("node:1"), Status.CRITICAL, "no Streams MBean, though the JVM answers"),
    ],
)
def test_targets_that_share_job_and_instance_are_told_apart_by_their_other_labels(
    sick: list[dict[str, Any]], status: Status, why: str, order: int
) -> None:
    both = [of_pod("orders-0", sick), of_pod("orders-1", jvm("node:1"))][::order]
    count = [{**one("", 9, "node:1"), "metric": {"job": "orders", "instance": "node:1", "pod": "orders-1"}}]

    result = ask(vector(*both[0], *both[1]), vector(*count))

    assert result.status is status
    assert result.message.startswith(f"1 of 2 JVMs: node:1 (pod=orders-0) ({why}")


@pytest.mark.parametrize("order", [1, -1])
def test_a_series_is_of_the_target_with_which_it_shares_most(order: int) -> None:
    sick, well = jvm("node:1", alive=0), of_pod("orders-1", jvm("node:1"))

    result = ask(vector(*[*sick, *well][::order]))

    assert result.message == "1 of 2 clients without a living thread: orders-n (state RUNNING)"


def test_a_targets_own_labels_tell_nothing_of_its_clients() -> None:
    plain = [{**each, "metric": {**each["metric"], "state": "prod", "client": "acme"}} for each in jvm("a:9404")]
    nameless = [one(f"{STREAMS}_state", 1, state="RUNNING"), one(f"{STREAMS}_alive_stream_threads", 2)]
    of_acme = [{**each, "metric": {**each["metric"], "client": "acme"}} for each in [*empty("a:9404"), *nameless]]

    assert ask(vector(*plain)).message == "1 of 1 clients RUNNING, 2 threads alive"
    clients: Any = (ask(vector(*of_acme)).data or {})["clients"]
    assert [each["client_id"] for each in clients] == [None]


def test_threads_that_poll_in_one_jvm_tell_nothing_of_another_whose_client_has_the_same_name() -> None:
    both = [
        one(name, value, instance, client_id="orders")
        for instance in ("a:9404", "b:9404")
        for name, value in ((f"{STREAMS}_client_state", 2), (f"{STREAMS}_alive_stream_threads", 1))
    ]
    polls = one("kafka_consumer_consumer_metrics_last_poll_seconds_ago", 0, client_id="orders-StreamThread-1-consumer")

    result = ask(vector(*empty("a:9404"), *empty("b:9404"), *both, polls), max_poll_age="1m")

    assert result.message == (
        "1 of 2 clients not showing when its threads last polled: orders (that is told since Kafka 2.4)"
    )


def test_two_jobs_with_one_instance_are_two_jvms() -> None:
    other = [{**each, "metric": {**each["metric"], "job": "other"}} for each in jvm("a:9404", state=6, alive=0)]

    result = ask(vector(*jvm("a:9404"), *other), app='app="x"')

    assert result.message == "1 of 2 clients ERROR: orders-a (0 threads alive)"
    clients: Any = (result.data or {})["clients"]
    assert [each["instance"] for each in clients] == ["a:9404 (job=orders)", "a:9404 (job=other)"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"status": "success"}, "expected `data` as an object"),
        ({"status": "success", "data": {"resultType": "matrix", "result": []}}, 'expected a vector, got "matrix"'),
        (vector({"metric": {}, "value": [1]}), "`value` as a time and a number's text"),
        (vector({"metric": {}, "value": [1, "x"]}), "`value` as a time and a number's text"),
        (vector({"metric": {"a": 1}, "value": [1, "1"]}), "the label a as text, got 1"),
        (vector({"metric": [], "value": [1, "1"]}), "`metric` as an object"),
        (vector(7), "`result` as a list, each an object, got 7"),
        ([], "an object, got"),
        ({"status": "error", "errorType": "timeout", "error": "query timed out"}, "timeout: query timed out"),
        ({**vector(), "status": "error"}, "it answers with an error: no more is said"),
    ],
)
def test_an_answer_of_no_use_is_an_error_that_shows_it(answer: object, words: str) -> None:
    with pytest.raises(ProbeError) as caught:
        ask(answer)

    assert words in str(caught.value)
    assert str(caught.value).startswith("GET http://prom:9090/api/v1/query: ")


# What a real one says to --app job=orders.
NO_MATCHERS = (
    'invalid parameter "query": 1:321: parse error: unexpected identifier "orders" in label matching, expected string'
)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            (400, {"status": "error", "errorType": "bad_data", "error": NO_MATCHERS}),
            f"it answers with an error: bad_data: {NO_MATCHERS}",
        ),
        ((503, {"status": "error", "errorType": "timeout", "error": "query timed out"}), "timeout: query timed out"),
        ((503, "Service Unavailable"), "HTTP 503 'Service Unavailable'"),
        ((400, {"code": 400}), """HTTP 400 '{"code": 400}'"""),
        ((401, {"status": "error", "error": "who?"}), "give --username and --password-file"),
        ((400, "{"), "HTTP 400 '{' is not JSON"),
    ],
)
def test_what_is_wrong_with_the_matchers_is_said_in_full(answer: object, words: str) -> None:
    with pytest.raises(ProbeError) as caught:
        ask(answer)

    assert words in str(caught.value)


def test_a_query_that_is_repeated_leaves_room_for_what_is_wrong_with_it() -> None:
    class VictoriaMetrics(Prometheus):
        def request(self, request: Request) -> Reply:
            query = unquote(request.url.partition("?query=")[2])
            self.answers = [(422, {"status": "error", "errorType": "422", "error": f"cannot parse {query!r}: no }}"})]
            return super().request(request)

    with pytest.raises(ProbeError) as caught:
        streams.probe(Options.build({"prometheus": "http://prom:9090", "app": "orders"}), VictoriaMetrics())

    assert str(caught.value).endswith("it answers with an error: 422: cannot parse '…': no }")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"prometheus": "http://p:9090"}, "app: is missing: --prometheus needs it"),
        ({"app": "orders", "jmx": "h:1"}, "prometheus: is missing: --app needs it"),
        ({"prometheus": "http://p:9090", "app": "a", "jmx": "h:1"}, "prometheus: cannot be combined with --jmx"),
        ({"prometheus": "http://p:9090", "app": "{ }"}, "app: is empty: give a job's name, or matchers"),
        ({"jmx": "h:1", "min_threads": "-1"}, "min_threads: "),
    ],
)
def test_options_that_do_not_fit_are_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(OptionErrors) as caught:
        Options.build(given)

    assert words in str(caught.value)


def test_prometheus_tells_of_others() -> None:
    assert ASKS(Options.build({"prometheus": "http://p:9090", "app": "a"})) == "others"
    assert ASKS(Options.build({"jmx": "h:1"})) == "itself"
