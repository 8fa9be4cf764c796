import json
from typing import Any

import pytest

from probes import streams
from probes.kit.net import Reply, Request
from probes.kit.options import OptionErrors
from probes.kit.result import ProbeError, Result, Status, Unreachable
from probes.kit.streams.reading import STATES
from probes.streams import Options
from tests.probes.fakenet import NOW, FakeNet
from tests.probes.streams_ways import INSTANCE, Scraped

ID = "orders-1f0c3a52"
JVM = "# HELP jmx_scrape_error Non-zero if this scrape failed.\n# TYPE jmx_scrape_error gauge\njmx_scrape_error 0.0\n"
# Names as jmx_exporter makes them by default (facts/apis.md, 1).
METRICS = "kafka_streams_stream_metrics"


def series(name: str, value: float, client: str | None = ID, **labels: str) -> str:
    shown = ({"client_id": client} if client else {}) | labels
    inner = ",".join(f'{label}="{text}"' for label, text in shown.items())
    return f"{name}{{{inner}}} {value}\n" if inner else f"{name} {value}\n"


def alive(threads: float, client: str | None = ID) -> str:
    return series(f"{METRICS}_alive_stream_threads", threads, client)


def failed(threads: float, client: str | None = ID) -> str:
    return series(f"{METRICS}_failed_stream_threads", threads, client)


def ordinal(state: float, client: str | None = ID) -> str:
    return series(f"{METRICS}_client_state", state, client, process_id="8a1f")


def state(word: str, client: str | None = ID) -> str:
    return series(f"{METRICS}_state", 1.0, client, state=word)


def row(client: str, state: str, alive: int | None, failed: int | None) -> dict[str, object]:
    """A client in the answer."""
    told = {"client_id": client, "state": state, "alive_threads": alive, "failed_threads": failed}
    return {**told, "instance": None, "expected_threads": None}


def count(value: float) -> str:
    return f"kafka_streams_kafka_metrics_count_count {value}\n"


THREAD = 'kafka_streams_stream_thread_metrics_thread_state{thread_id="orders-1f0c3a52-StreamThread-1"} 4.0\n'
UPTIME = "java_lang_Runtime_Uptime 90000.0\n"


def ask(*text: str, now: float = NOW, **options: Any) -> Result:
    answers = {"GET /metrics": JVM + "".join(text)}
    return streams.probe(Options.build({"exporter": "http://app:9404/metrics", **options}), FakeNet(answers, now))


# Kafka 4.3.1 behind jmx_exporter 1.0.1 with tests/stack/streams/exporter.yml; shortened.
REAL = """# HELP java_lang_Runtime_Uptime java.lang:name=null,type=Runtime,attribute=Uptime
# TYPE java_lang_Runtime_Uptime untyped
java_lang_Runtime_Uptime 20647.0
# HELP jmx_scrape_error Non-zero if this scrape failed.
# TYPE jmx_scrape_error gauge
jmx_scrape_error 0.0
kafka_consumer_kafka_metrics_count_count{client_id="orders-app-7cfd-StreamThread-1-consumer"} 149.0
# HELP kafka_streams_kafka_metrics_count_count kafka.streams:name=null,type=kafka-metrics-count,attribute=count
# TYPE kafka_streams_kafka_metrics_count_count untyped
kafka_streams_kafka_metrics_count_count 398.0
kafka_streams_stream_metrics_alive_stream_threads{client_id="orders-app-7cfd"} 2.0
kafka_streams_stream_metrics_client_state{application_id="orders-app",client_id="orders-app-7cfd",process_id="7cfd"} 2.0
kafka_streams_stream_metrics_failed_stream_threads{client_id="orders-app-7cfd"} 0.0
kafka_streams_stream_metrics_recording_level{client_id="orders-app-7cfd",process_id="7cfd"} 0.0
kafka_streams_stream_metrics_state{client_id="orders-app-7cfd",state="RUNNING"} 1.0
kafka_streams_stream_thread_metrics_thread_start_time{thread_id="orders-app-7cfd-StreamThread-1"} 1.795227578435E12
kafka_streams_stream_thread_metrics_thread_state{process_id="7cfd",thread_id="orders-app-7cfd-StreamThread-1"} 4.0
process_start_time_seconds 1.795227563572E9
"""


def test_a_real_page_is_one_running_client() -> None:
    answers = FakeNet({"GET /metrics": REAL})

    result = streams.probe(Options.build({"exporter": "http://app:9404"}), answers)

    assert (result.status, result.message, result.ready) == (
        Status.OK,
        "1 of 1 clients RUNNING, 2 threads alive",
        True,
    )
    assert result.data == {
        "clients": [row("orders-app-7cfd", "RUNNING", 2, 0)],
        "threads": None,
        "metrics_count": 398.0,
        "uptime_seconds": 20.647,
    }


@pytest.mark.parametrize(
    ("text", "expected", "message", "is_alive", "ready"),
    [
        (ordinal(2) + alive(2), Status.OK, "1 of 1 clients RUNNING, 2 threads alive", True, True),
        (ordinal(1) + alive(2), Status.OK, f"1 of 1 clients REBALANCING: {ID} (2 threads alive)", True, False),
        (ordinal(0) + alive(2), Status.WARNING, f"1 of 1 clients CREATED: {ID} (2 threads alive)", True, False),
        (ordinal(3) + alive(1), Status.WARNING, f"1 of 1 clients PENDING_SHUTDOWN: {ID} (1 thread ", True, False),
        (ordinal(4) + alive(1), Status.CRITICAL, f"1 of 1 clients NOT_RUNNING: {ID} (1 thread ", False, False),
        (ordinal(5) + alive(1), Status.CRITICAL, f"1 of 1 clients PENDING_ERROR: {ID} (1 thread ", False, False),
        (ordinal(6) + alive(0), Status.CRITICAL, f"1 of 1 clients ERROR: {ID} (0 threads alive)", False, False),
        (ordinal(7) + alive(2), Status.UNKNOWN, f"1 of 1 clients in a state never seen before: {ID} (7)", True, False),
        (state("MELTED") + alive(2), Status.UNKNOWN, f"1 of 1 clients in a state never seen before: {ID} (MELTED)",
         True, False),
        (ordinal(2) + alive(0), Status.CRITICAL, f"1 of 1 clients without a living thread: {ID} (state RUNNING)",
         False, False),
        (alive(0), Status.CRITICAL, f"1 of 1 clients without a living thread: {ID} (state not shown)", False, False),
        (ordinal(2) + alive(1) + failed(3), Status.WARNING,
         f"1 of 1 clients with failed threads: {ID} (3 since its start, 1 thread alive)", True, True),
        (failed(0), Status.UNKNOWN, f"1 of 1 clients showing neither state nor threads: {ID}", True, False),
        # The state is a String, or an enum, that jmx_exporter drops unless a rule gives it a value.
        (alive(2), Status.OK, "1 of 1 clients alive, their state is not shown, 2 threads alive", True, False),
        (state("RUNNING") + alive(2), Status.OK, "1 of 1 clients RUNNING, 2 threads alive", True, True),
        (state("ERROR"), Status.CRITICAL, f"1 of 1 clients ERROR: {ID}", False, False),
        (state("RUNNING"), Status.OK, "1 of 1 clients RUNNING", True, True),
        # Old versions: the count alone.
        (count(1.0), Status.CRITICAL, "the metrics count is 1: every stream thread is dead", False, False),
        (count(1.0) + alive(1), Status.CRITICAL, "the metrics count is 1", False, False),
        (count(1.0) + state("RUNNING"), Status.OK, "1 of 1 clients RUNNING", True, True),
        (count(134.0), Status.OK, "metrics count 134; this version shows neither state nor threads", True, False),
        # From 2.8 on a dead client's MBeans are gone.
        ("", Status.CRITICAL, "no Streams MBean, though the JVM answers: its Streams clients have died", False, False),
        (UPTIME, Status.CRITICAL, "no Streams MBean, though the JVM answers (up 1m30s): its", False, False),
        # One that closes takes the count of its siblings with it.
        (ordinal(2) + alive(1) + count(134.0), Status.OK, "1 of 1 clients RUNNING, 1 thread alive", True, True),
        # The thread's state has other numbers and other words.
        (ordinal(2) + alive(1) + THREAD, Status.OK, "1 of 1 clients RUNNING", True, True),
        (ordinal(2) + series("kafka_streams_stream_thread_metrics_state", 1, thread_id="t", state="DEAD"), Status.OK,
         "1 of 1 clients RUNNING", True, True),
    ],
)  # fmt: skip
def test_what_the_exporter_shows_has_its_status(
    text: str, expected: Status, message: str, is_alive: bool, ready: bool
) -> None:
    result = ask(text)

    assert (result.status, result.message.startswith(message)) == (expected, True), result.message
    assert (result.alive, result.ready) == (is_alive, ready)


def test_the_bad_client_is_named_among_good_ones() -> None:
    result = ask(ordinal(2, "a"), alive(2, "a"), failed(0, "a"), ordinal(6, "b"), alive(0, "b"), count(9), UPTIME)

    assert result.message == "1 of 2 clients ERROR: b (0 threads alive)"
    assert result.target == "http://app:9404/metrics"
    assert result.data == {
        "clients": [
            row("a", "RUNNING", 2, 0),
            row("b", "ERROR", 0, None),
        ],
        "threads": None,
        "metrics_count": 9.0,
        "uptime_seconds": 90.0,
    }


def test_one_dead_client_of_two_pages_but_does_not_restart() -> None:
    result = ask(ordinal(2, "a"), alive(2, "a"), ordinal(6, "b"), alive(0, "b"))

    assert (result.status, result.alive, result.ready) == (Status.CRITICAL, True, False)


def test_when_every_client_is_dead_so_is_the_process() -> None:
    result = ask(ordinal(4, "a"), alive(0, "b"), ordinal(2, "b"), ordinal(5, "c"), alive(1, "c"))

    assert (result.status, result.alive) == (Status.CRITICAL, False)


@pytest.mark.parametrize("text", [ordinal(1) + alive(2), ordinal(2) + alive(1) + failed(1), ordinal(0) + alive(2)])
def test_a_rebalance_a_lost_thread_and_a_start_are_no_death(text: str) -> None:
    assert ask(text).alive
    assert ask(text, min_threads="9").alive


@pytest.mark.parametrize(
    ("text", "ready"),
    [
        (ordinal(1) + alive(2), True),
        (alive(2), True),
        (count(134.0), True),
        (ordinal(0) + alive(2), False),
        (ordinal(3) + alive(2), False),
        (ordinal(6) + alive(2), False),
        (ordinal(1) + alive(0), False),
    ],
)
def test_a_rebalance_may_count_as_ready(text: str, ready: bool) -> None:
    assert ask(text, rebalancing="ready").ready is ready


def test_every_client_must_be_ready() -> None:
    assert not ask(ordinal(2, "a"), alive(2, "a"), ordinal(1, "b"), alive(2, "b")).ready


@pytest.mark.parametrize(
    ("text", "least", "expected", "message"),
    [
        (ordinal(2) + alive(2), "2", Status.OK, "1 of 1 clients RUNNING"),
        (ordinal(2) + alive(1), "2", Status.CRITICAL,
         f"1 of 1 clients with fewer than 2 living threads: {ID} (1 thread alive)"),
        (ordinal(2) + alive(2) + failed(7), "2", Status.OK, "1 of 1 clients RUNNING"),
        (ordinal(2) + alive(0), "2", Status.CRITICAL, f"1 of 1 clients without a living thread: {ID}"),
        (ordinal(2), "2", Status.UNKNOWN, f"1 of 1 clients not showing its threads: {ID}"),
    ],
)  # fmt: skip
def test_min_threads_is_the_measure_where_it_is_given(text: str, least: str, expected: Status, message: str) -> None:
    result = ask(text, min_threads=least)

    assert (result.status, result.message.startswith(message)) == (expected, True), result.message


@pytest.mark.parametrize(
    ("text", "grace", "words"),
    [
        (UPTIME, "2m", r"no Streams MBean yet, though the JVM answers \(up 1m30s\); --grace 2m"),
        (f"process_start_time_seconds {NOW - 60}\n", "2m", r"\(up 1m\)"),
        ("java_lang_runtime_uptime 1000.0\n", "2m", r"\(up 1s\)"),
        (
            "",
            "2m",
            "no Streams MBean yet, though the JVM answers; --grace 2m, which cannot end: its uptime is not told",
        ),
    ],
)
def test_within_its_grace_a_jvm_without_streams_is_unknown(text: str, grace: str, words: str) -> None:
    with pytest.raises(ProbeError, match=words):
        ask(text, grace=grace)


@pytest.mark.parametrize("text", [UPTIME, f"process_start_time_seconds {NOW - 90}\n"])
def test_after_its_grace_a_jvm_without_streams_is_dead(text: str) -> None:
    result = ask(text, grace="90s")

    assert (result.status, result.alive, result.ready) == (Status.CRITICAL, False, False)
    assert result.data is not None
    assert result.data["clients"] == []


def test_the_start_of_a_sidecar_is_not_that_of_the_jvm() -> None:
    with pytest.raises(ProbeError, match="no Streams MBean yet, though the JVM answers; --grace 1s"):
        ask(f"process_start_time_seconds {NOW - 90}\n", grace="1s", sidecar="true")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (count(2.0), "metrics count 2 and nothing else: that may be a dead client or not"),
        (count(18.0), "metrics count 18 and nothing else"),
        (THREAD, "Streams MBeans, but none that shows state, threads or count"),
    ],
)
def test_what_cannot_be_told_from_death_is_unknown(text: str, words: str) -> None:
    with pytest.raises(ProbeError, match=words):
        ask(text)


# What rules in circulation make of these metrics.
CONFLUENT = (
    f'{METRICS}{{client_id="{ID}",state="RUNNING"}} 1.0\n'
    f'{METRICS}{{client_id="{ID}",alive_stream_threads="2"}} 1.0\n'
    f'{METRICS}{{client_id="{ID}",version="3.7.0"}} 1.0\n'
)
SHORT = (
    f'kafka_streams_state{{clientId="{ID}",state="RUNNING"}} 1\n'
    f'kafka_streams_alive_stream_threads{{clientId="{ID}"}} 2\n'
)
EACH_STATE = "".join(series(f"{METRICS}_state", float(word == "RUNNING"), state=word) for word in STATES) + alive(2)


# A hand-made StateSet; a series for each state and no other name of the client, as in jmx_exporter's own example; all
# in labels, as a tutorial has it.
STATE_SET = "".join(series(f"{METRICS}_client_state", float(word == "RUNNING"), state=word) for word in STATES) + alive(
    2
)
OBJECT = f'_objectname="kafka.streams<type=stream-metrics, client-id={ID}><>'
EXAMPLE = (
    f'kafka_streams_alive_stream_threads{{{OBJECT}alive-stream-threads"}} 2.0\n'
    f'kafka_streams_state_running{{clientid="{ID}"}} 1.0\n'
    f'kafka_streams_state_rebalancing{{clientid="{ID}"}} 0.0\n'
)
TUTORIAL = f'kafka_streams_app_info{{client="{ID}",state="RUNNING",alive_stream_threads="2.0"}} 1.0\n'


@pytest.mark.parametrize("text", [CONFLUENT, SHORT, EACH_STATE, STATE_SET, EXAMPLE, TUTORIAL])
def test_names_that_rules_in_circulation_give(text: str) -> None:
    by_prometheus = streams.probe(Options.build({"prometheus": "http://p:9090", "app": "orders"}), Scraped(JVM + text))

    for result, instance in ((ask(text), None), (by_prometheus, INSTANCE)):
        assert result.data is not None
        assert result.data["clients"] == [{**row(ID, "RUNNING", 2, None), "instance": instance}]


def test_two_clients_that_a_rule_makes_one_are_not_mixed_up() -> None:
    nameless = ask(alive(2, None), alive(0, None))
    both = ask(ordinal(2), ordinal(5), alive(2))
    by_object = ask(EXAMPLE, EXAMPLE.replace(ID, "b").replace("2.0", "0.0"))

    assert (nameless.status, nameless.alive) == (Status.UNKNOWN, True)
    assert both.message == f"1 of 1 clients in a state never seen before: {ID} (PENDING_ERROR and RUNNING)"
    assert (both.status, both.alive) == (Status.UNKNOWN, True)
    assert by_object.message == "1 of 2 clients without a living thread: b (state RUNNING)"
    assert by_object.alive


# Kafka 4.0.0 behind Confluent's rules, as it was.
GREEDY = f"""kafka_streams_stream_metrics{{alive_stream_threads="2",client_id_orders_1_process_id="22d4"}} 1.0
kafka_streams_stream_metrics_client_id_orders_1_client_state{{process_id="22d4"}} 2.0
kafka_streams_stream_metrics_client_id_orders_1_failed_stream_threads{{process_id="22d4"}} 0.0
kafka_streams_stream_thread_metrics_commit{{thread_id="{ID}-StreamThread-1"}} 0.0
"""


@pytest.mark.parametrize("text", [GREEDY, GREEDY.replace("alive_stream_threads", "other")])
def test_threads_whose_names_do_not_fit_the_clients_are_its_threads_all_the_same(text: str) -> None:
    by_prometheus = streams.probe(Options.build({"prometheus": "http://p:9090", "app": "orders"}), Scraped(JVM + text))

    for result in (ask(text), by_prometheus):
        assert (result.status, result.alive, result.ready) == (Status.OK, True, True)


POLLED = f'kafka_consumer_consumer_metrics_last_poll_seconds_ago{{client_id="{ID}-StreamThread-1-consumer"}} 0.0\n'


def prometheus(text: str, **options: str) -> Result:
    """What Prometheus tells when it has scraped this."""
    built = Options.build({"prometheus": "http://p:9090", "app": "orders", **options})
    return streams.probe(built, Scraped(JVM + text))


def test_the_threads_of_a_client_without_a_name_are_seen_to_poll() -> None:
    text = ordinal(2, None) + alive(1, None) + POLLED

    for result in (ask(text, max_poll_age="10m"), prometheus(text, max_poll_age="10m")):
        assert (result.status, result.message) == (Status.OK, "1 of 1 clients RUNNING, 1 thread alive")


@pytest.mark.parametrize("grace", ["0s", "2m"])
def test_whose_consumers_are_shown_has_not_died(grace: str) -> None:
    words = "Streams MBeans, but none that shows state, threads or count: does a filter drop them?"
    result = prometheus(POLLED, grace=grace)

    assert (result.status, result.alive) == (Status.UNKNOWN, True)
    assert words in result.message
    with pytest.raises(ProbeError) as caught:
        ask(POLLED, grace=grace)
    assert words in str(caught.value)


def test_failed_threads_that_a_rule_declares_a_counter_count() -> None:
    text = ordinal(2) + alive(1) + series(f"{METRICS}_failed_stream_threads_total", 1)

    for result in (ask(text), prometheus(text)):
        assert result.message == f"1 of 1 clients with failed threads: {ID} (1 since its start, 1 thread alive)"


@pytest.mark.parametrize("text", [UPTIME.replace("90000.0", "NaN"), "process_start_time_seconds -Inf\n"])
def test_an_uptime_that_is_none_is_not_told(text: str) -> None:
    assert ask(text).message.startswith("no Streams MBean, though the JVM answers: ")
    with pytest.raises(ProbeError, match="which cannot end: its uptime is not told"):
        ask(text, grace="2m")


def test_a_jvm_whose_clock_is_ahead_has_just_started() -> None:
    with pytest.raises(ProbeError, match=r"\(up 0s\); --grace 2m"):
        ask(f"process_start_time_seconds {NOW + 5}\n", grace="2m")


def test_a_rule_that_takes_in_more_than_the_name_makes_no_second_client() -> None:
    greedy = state("RUNNING", f"{ID}, process-id=3d21")

    assert ask(greedy, alive(2)).message == "1 of 1 clients RUNNING, 2 threads alive"


def test_a_client_without_a_name_is_one_client() -> None:
    assert ask(ordinal(6, None), alive(0, None)).message == "1 of 1 clients ERROR: the client (0 threads alive)"


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1", "1e30"])
def test_a_number_of_threads_that_is_none_is_not_known(value: str) -> None:
    result = ask(f'{METRICS}_alive_stream_threads{{client_id="{ID}"}} {value}\n', min_threads="1")

    assert result.status is Status.UNKNOWN


def test_failed_threads_in_a_label_count() -> None:
    assert ask(f'{METRICS}{{client_id="{ID}",failed_stream_threads="1.0"}} 1.0\n', alive(1)).status is Status.WARNING


def test_a_label_that_is_no_number_of_threads_is_not_known() -> None:
    assert ask(f'{METRICS}{{client_id="{ID}",alive_stream_threads="two"}} 1.0\n').status is Status.UNKNOWN


def test_a_state_of_nan_is_not_known() -> None:
    assert ask(f'{METRICS}_client_state{{client_id="{ID}"}} NaN\n').status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("jmx_scrape_error 1.0\n" + ordinal(2), "jmx_scrape_error 1: the exporter cannot read its JVM"),
        ("node_load1 0.1\n", "neither jmx_scrape_error nor any kafka_streams series: this is no jmx_exporter"),
        (JVM + f"{METRICS}_client_state{{client_id= 2\n", "is not a line of Prometheus text"),
        (JVM + "kafka_streams_kafka_metrics_count_count", "cut off at"),
        ("<html>login</html>", "is not Prometheus text"),
        ('{"status":"UP"}', "is not Prometheus text"),
        ("", "HTTP 200 without a body"),
        ((404, "Not Found"), "HTTP 404 'Not Found'"),
        ((401, ""), "HTTP 401 without a body; give --username"),
        ((503, "x"), "HTTP 503 'x'"),
    ],
)
def test_a_page_that_is_of_no_use_is_an_error_that_shows_it(answer: object, words: str) -> None:
    with pytest.raises(ProbeError, match=words) as caught:
        streams.probe(Options.build({"exporter": "http://app:9404"}), FakeNet({"GET /metrics": answer}))

    assert str(caught.value).startswith("GET http://app:9404/metrics: ")


@pytest.mark.parametrize(
    ("exporter", "asked"),
    [
        ("http://app:9404", "GET /metrics"),
        ("http://app:9404/", "GET /metrics"),
        ("http://app:9404/?name[]=a", "GET /metrics?name[]=a"),
        ("http://app:9404/actuator/prometheus", "GET /actuator/prometheus"),
    ],
)
def test_an_address_without_a_path_means_metrics(exporter: str, asked: str) -> None:
    net = FakeNet({asked: JVM + ordinal(2)})

    result = streams.probe(Options.build({"exporter": exporter}), net)

    assert net.asked == [asked]
    assert ("accept", "text/plain") in net.requests[0].headers
    assert result.target == exporter.partition("?")[0].rstrip("/")


# Jolokia


def entry(value: Any = None, status: int = 200, **fields: Any) -> dict[str, Any]:
    return {"request": {}, "value": value, "status": status, "timestamp": 1795217600, **fields}


GONE = entry(status=404, error_type="javax.management.InstanceNotFoundException", error="No MBean with pattern")
BARE = entry(status=404, error_type="javax.management.AttributeNotFoundException", error="No attribute found for any")
RUNTIME = entry({"Uptime": 90_000})


def client(state: object = "RUNNING", alive: object = 2, failed: object = 0.0, name: str = ID) -> dict[str, Any]:
    told = {"state": state, "alive-stream-threads": alive, "failed-stream-threads": failed}
    return {f"kafka.streams:client-id={name},type=stream-metrics": told}


def bulk(clients: dict[str, Any], number: dict[str, Any] | None = None, runtime: dict[str, Any] = RUNTIME) -> list[Any]:
    return [clients, entry({"count": 134.0}) if number is None else number, runtime]


def jolokia(answer: object, **options: Any) -> Result:
    built = Options.build({"jolokia": "http://app:8778/jolokia", **options})
    return streams.probe(built, Jolokia({"POST /jolokia/": answer}))


class Jolokia(FakeNet):
    """Its answer to the first question; to the second, whether threads or global consumers have MBeans: none has."""

    def request(self, request: Request) -> Reply:
        if self.asked:
            return Reply(200, {}, json.dumps([GONE for _ in json.loads(request.body)]).encode())
        return super().request(request)


@pytest.mark.parametrize(
    ("answer", "expected", "message", "is_alive"),
    [
        (bulk(entry(client())), Status.OK, "1 of 1 clients RUNNING, 2 threads alive", True),
        (bulk(entry(client("REBALANCING"))), Status.OK, f"1 of 1 clients REBALANCING: {ID} (2 threads alive)", True),
        (bulk(entry(client("ERROR", 0, 2.0))), Status.CRITICAL, f"1 of 1 clients ERROR: {ID} (0 threads alive)", False),
        (bulk(entry(client("RUNNING", 1, 1.0))), Status.WARNING, f"1 of 1 clients with failed threads: {ID} (1", True),
        (bulk(entry(client() | client("ERROR", 0, name="b"))), Status.CRITICAL, "1 of 2 clients ERROR: b", True),
        (bulk(GONE, GONE), Status.CRITICAL, "no Streams MBean, though the JVM answers (up 1m30s): its Streams", False),
        (bulk(GONE, entry({"count": 1.0})), Status.CRITICAL, "the metrics count is 1: every stream thread", False),
        (bulk(GONE), Status.OK, "metrics count 134; this version shows neither state nor threads", True),
        # Kafka 2.3 and before: MBeans of threads match the pattern and have none of the attributes.
        (bulk(BARE), Status.OK, "metrics count 134; this version", True),
        (bulk(entry(status=400, error="java.lang.IllegalArgumentException : No matching attributes [state]")),
         Status.OK, "metrics count 134; this version", True),
        # Kafka 2.4: neither living nor failed threads.
        (bulk(entry({f"kafka.streams:client-id={ID},type=stream-metrics": {"state": "ERROR"}}), entry({"count": 6.0})),
         Status.CRITICAL, f"1 of 1 clients ERROR: {ID}", False),
        # NaN and what else has no JSON number is null.
        (bulk(entry(client(failed=None))), Status.OK, "1 of 1 clients RUNNING", True),
        (bulk(entry(client(None, None, None))), Status.UNKNOWN, "1 of 1 clients showing neither state nor", True),
        (bulk(entry(client()), runtime=entry(status=403, error="forbidden")), Status.OK, "1 of 1 clients", True),
    ],
)  # fmt: skip
def test_what_jolokia_tells_has_its_status(answer: object, expected: Status, message: str, is_alive: bool) -> None:
    result = jolokia(answer)

    assert (result.status, result.message.startswith(message)) == (expected, True), result.message
    assert result.alive is is_alive


def test_client_state_in_an_mbean_with_more_tags_is_of_the_same_client() -> None:
    name = f"kafka.streams:application-id=orders,client-id={ID},process-id=8a1f,type=stream-metrics"
    threads = dict(client()[f"kafka.streams:client-id={ID},type=stream-metrics"])
    del threads["state"]
    both = [(name, {"client-state": 6}), (f"kafka.streams:client-id={ID},type=stream-metrics", threads)]

    for told in (dict(both), dict(reversed(both))):
        result = jolokia(bulk(entry(told)))

        assert result.data is not None
        assert result.data["clients"] == [
            row(ID, "ERROR", 2, 0)
        ]  # fmt: skip


def test_a_quoted_client_id_loses_its_quotes() -> None:
    result = jolokia(bulk(entry({'kafka.streams:client-id="a,b=c é",type=stream-metrics': {"state": "ERROR"}})))

    assert result.message == "1 of 1 clients ERROR: a,b=c é"


def test_jolokia_is_asked_once_for_everything() -> None:
    net = FakeNet({"POST /jolokia/": bulk(entry(client()))})

    result = streams.probe(Options.build({"jolokia": "http://app:8778"}), net)

    assert net.asked == ["POST /jolokia/"]
    assert [question["mbean"] for question in json.loads(net.requests[0].body)] == [
        "kafka.streams:type=stream-metrics,*",
        "kafka.streams:type=kafka-metrics-count",
        "java.lang:type=Runtime",
    ]
    assert result.target == "http://app:8778"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (bulk(BARE, GONE), "Streams MBeans, but none that shows state, threads or count"),
        (bulk(entry(status=403, error="forbidden")), "Jolokia answers 403: forbidden"),
        (bulk(entry(client()), entry(status=500, error="x")), "kafka-metrics-count: Jolokia answers 500"),
        (bulk(entry(client(state=3))), "state as text, got 3"),
        (bulk(entry(client(alive="2"))), 'alive-stream-threads as a number, got "2"'),
        (bulk(entry([])), r"as an object, got \[\]"),
        ({"error": "bad", "status": 400}, "Jolokia says bad"),
        ((404, "<h1>404 Not Found</h1>"), "HTTP 404"),
    ],
)
def test_a_jolokia_that_is_of_no_use_is_an_error_that_shows_it(answer: object, words: str) -> None:
    with pytest.raises(ProbeError, match=words) as caught:
        jolokia(answer)

    assert "http://app:8778/jolokia" in str(caught.value)


def test_within_its_grace_a_jvm_that_jolokia_finds_without_streams_is_unknown() -> None:
    with pytest.raises(ProbeError, match=r"\(up 1m30s\); --grace 2m"):
        jolokia(bulk(GONE, GONE), grace="2m")
    with pytest.raises(ProbeError, match="though the JVM answers; --grace 2m"):
        jolokia(bulk(GONE, GONE, entry(status=403, error="forbidden")), grace="2m")
    assert not jolokia(bulk(GONE, GONE), grace="1m").alive


def test_only_a_sidecars_silence_says_nothing_of_the_jvm() -> None:
    assert streams.ASKS(Options.build({"exporter": "http://app:9404"})) == "itself"
    assert streams.ASKS(Options.build({"jolokia": "http://app:8778"})) == "itself"
    assert streams.ASKS(Options.build({"exporter": "http://app:9404", "sidecar": "true"})) == "others"
    with pytest.raises(Unreachable):
        streams.probe(Options.build({"exporter": "http://app:1/metrics"}), FakeNet({"GET /metrics": Unreachable("no")}))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "jmx: is missing: give --jmx, --jolokia, --exporter, or --prometheus and --app"),
        ({"exporter": "http://a:1", "jolokia": "http://a:2"}, "exporter: cannot be combined with --jolokia"),
        (
            {"jolokia": "http://a:2", "sidecar": "true"},
            "sidecar: is about --exporter or --prometheus, which are missing",
        ),
        ({"exporter": "http://a:1", "grace": "30"}, "grace: '30' has no unit"),
        ({"exporter": "http://a:1", "min_threads": "two"}, "min_threads: 'two' is not a whole number"),
        ({"exporter": "http://a:1", "rebalancing": "fine"}, "rebalancing: 'fine' is none of not-ready, ready"),
    ],
)
def test_options_that_do_not_fit_are_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(OptionErrors, match=words):
        Options.build(given)


def test_fifty_thousand_lines_are_read_for_ten() -> None:
    noise = "".join(f'kafka_streams_stream_task_metrics_process_rate{{task_id="0_{n}"}} 1.0\n' for n in range(50_000))

    assert ask(noise, ordinal(2), alive(1), noise).message == "1 of 1 clients RUNNING, 1 thread alive"


def test_the_example_has_the_fields_of_an_answer() -> None:
    result = ask(ordinal(2), alive(1))

    assert result.data is not None
    assert result.data.keys() == streams.EXAMPLE.keys()
    assert result.data["clients"][0].keys() == streams.EXAMPLE["clients"][0].keys()  # type: ignore[index]
