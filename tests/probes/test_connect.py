from typing import Any

import pytest

from probes import connect
from probes.connect import Options
from probes.kit.net import Reply
from probes.kit.result import ProbeError, Result, Status, Unreachable
from tests.probes.fakenet import FakeNet

ALL = "GET /connectors?expand=status"
NAMES = "GET /connectors"
TRACE = (
    "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to unrecoverable exception.\n"
    "\tat org.apache.kafka.connect.runtime.WorkerSinkTask.deliverMessages(WorkerSinkTask.java:637)\n"
    "Caused by: java.io.IOException: Connection reset by peer\n"
)
WHY = f"{TRACE.splitlines()[0].removesuffix('.')}; {TRACE.splitlines()[-1]}"


def status(name: str, *tasks: str, state: str = "RUNNING", trace: str | None = None) -> dict[str, Any]:
    """What /connectors/{name}/status says; a trace is given to whatever FAILED."""

    def part(state: str) -> dict[str, Any]:
        return {"state": state, "worker_id": "10.0.0.7:8083"} | (
            {"trace": trace} if trace and state == "FAILED" else {}
        )

    return {
        "name": name,
        "connector": part(state),
        "tasks": [{"id": number, **part(task)} for number, task in enumerate(tasks)],
        "type": "sink",
    }


def expanded(*statuses: dict[str, Any]) -> dict[str, Any]:
    return {told["name"]: {"status": told} for told in statuses}


def ask(answers: dict[str, object] | object, **options: Any) -> Result:
    table = answers if isinstance(answers, dict) and ALL in answers else {ALL: answers}
    return connect.probe(Options.build({"url": "http://connect:8083", **options}), FakeNet(table))


@pytest.mark.parametrize(
    ("told", "expected", "message"),
    [
        (status("a", "RUNNING"), Status.OK, "1 of 1 connectors and 1 of 1 tasks RUNNING"),
        (status("a", "RUNNING", "FAILED"), Status.CRITICAL, "1 of 2 tasks FAILED: a/1"),
        (status("a", "FAILED", trace=TRACE), Status.CRITICAL, f"1 of 1 tasks FAILED: a/0 ({WHY})"),
        (status("a", "RUNNING", state="FAILED"), Status.CRITICAL, "1 of 1 connectors FAILED: a"),
        (status("a"), Status.CRITICAL, "1 of 1 connectors without tasks: a"),
        (status("a", state="PAUSED"), Status.CRITICAL, "1 of 1 connectors without tasks: a; 1 of 1 connectors PAUSED"),
        (status("a", state="STOPPED"), Status.WARNING, "1 of 1 connectors STOPPED: a"),
        (status("a", "UNASSIGNED"), Status.WARNING, "1 of 1 tasks UNASSIGNED: a/0"),
        (status("a", "RESTARTING"), Status.WARNING, "1 of 1 tasks RESTARTING: a/0"),
        (status("a", "PAUSED"), Status.WARNING, "1 of 1 tasks PAUSED: a/0"),
        (status("a", "RUNNING", state="UNASSIGNED"), Status.WARNING, "1 of 1 connectors UNASSIGNED: a"),
        (status("a", "RUNNING", state="RESTARTING"), Status.WARNING, "1 of 1 connectors RESTARTING: a"),
        (status("a", "MELTED"), Status.UNKNOWN, "1 of 1 tasks in a state never seen before: a/0 (MELTED)"),
        (status("a", "X", state="Y"), Status.UNKNOWN, "1 of 1 connectors in a state never seen before: a (Y); "),
        (status("a", "PAUSED", "MELTED", "FAILED"), Status.CRITICAL, "1 of 3 tasks FAILED: a/2; 1 of 3 tasks in a"),
    ],
)  # fmt: skip
def test_a_state_has_its_status(told: dict[str, Any], expected: Status, message: str) -> None:
    result = ask(expanded(told))

    assert (result.status, result.message.startswith(message)) == (expected, True), result.message
    assert result.alive


def test_the_failed_task_of_one_connector_is_named_among_healthy_ones() -> None:
    result = ask(expanded(status("payments", "RUNNING"), status("orders-sink", "RUNNING", "FAILED", trace=TRACE)))

    assert result.message == f"1 of 3 tasks FAILED: orders-sink/1 ({WHY})"
    assert result.target == "http://connect:8083"
    assert result.data == {
        "connectors": [
            {"name": "orders-sink", "type": "sink", "state": "RUNNING", "worker": "10.0.0.7:8083", "trace": None},
            {"name": "payments", "type": "sink", "state": "RUNNING", "worker": "10.0.0.7:8083", "trace": None},
        ],
        "tasks": [
            {"connector": "orders-sink", "id": 0, "state": "RUNNING", "worker": "10.0.0.7:8083", "trace": None},
            {"connector": "orders-sink", "id": 1, "state": "FAILED", "worker": "10.0.0.7:8083", "trace": TRACE},
            {"connector": "payments", "id": 0, "state": "RUNNING", "worker": "10.0.0.7:8083", "trace": None},
        ],
        "missing": [],
    }


def test_tasks_with_one_reason_show_it_once() -> None:
    result = ask(expanded(status("a", "FAILED", "FAILED", trace=TRACE), status("b", "FAILED", trace="other: reason")))

    assert result.message == f"3 of 3 tasks FAILED: a/0, a/1 ({WHY}), b/0 (other: reason)"


def test_of_ten_thousand_failed_tasks_the_message_names_five() -> None:
    result = ask(expanded(*(status(f"c{number:04}", *["FAILED"] * 10, trace="x" * 500) for number in range(1000))))

    assert result.message.startswith("10000 of 10000 tasks FAILED: c0000/0, c0000/1, c0000/2, c0000/3, c0000/4 (xxx")
    assert result.message.endswith("…) and 9995 more")
    assert len(result.message) < 400
    assert result.data is not None
    assert len(result.data["tasks"]) == 10_000  # type: ignore[arg-type]


def test_all_connectors_cost_one_request() -> None:
    net = FakeNet({ALL: expanded(status("a", "RUNNING"), status("b", "RUNNING"))})

    connect.probe(Options.build({"url": "http://connect:8083/"}), net)

    assert net.asked == [ALL]


def test_named_connectors_cost_one_request_and_are_judged_alone() -> None:
    net = FakeNet({ALL: expanded(status("a", "FAILED"), status("b", "RUNNING"), status("c", "PAUSED"))})

    result = connect.probe(Options.build({"url": "http://connect:8083", "connector": ["b", "b"]}), net)

    assert (result.status, result.message) == (Status.OK, "1 of 1 connectors and 1 of 1 tasks RUNNING")
    assert net.asked == [ALL]


def test_a_named_connector_that_does_not_exist_is_critical() -> None:
    result = ask({ALL: expanded(status("a", "RUNNING")), NAMES: ["a"]}, connector=["a", "nope"])

    assert (result.status, result.message) == (Status.CRITICAL, "1 of 2 connectors asked about do not exist: nope")
    assert result.data is not None
    assert result.data["missing"] == ["nope"]


def test_a_named_connector_that_is_listed_without_a_status_was_created_just_now() -> None:
    result = ask({ALL: expanded(status("a", "RUNNING")), NAMES: ["a", "new"]}, connector=["new"])

    assert result.status is Status.UNKNOWN
    assert result.message == "1 of 1 connectors without a status, created just now: new"
    assert result.data is not None
    assert result.data["connectors"] == [{"name": "new", "state": None, "type": None, "worker": None, "trace": None}]


def test_an_entry_without_a_status_is_unknown() -> None:
    assert ask({"a": {"info": {}}, "b": {"status": None}}).status is Status.UNKNOWN


def test_no_connectors_at_all_is_unknown() -> None:
    with pytest.raises(ProbeError, match=r"http://connect:8083 has no connectors at all; .*--allow-empty"):
        ask({ALL: {}, NAMES: []})


def test_no_connectors_at_all_can_be_allowed() -> None:
    result = ask({ALL: {}, NAMES: []}, allow_empty="true")

    assert (result.status, result.message) == (Status.OK, "no connectors, which is allowed")
    assert result.data == {"connectors": [], "tasks": [], "missing": []}


def test_an_allowed_emptiness_is_not_one_of_connectors_without_a_status() -> None:
    assert ask({ALL: {}, NAMES: ["new"]}, allow_empty="true").status is Status.UNKNOWN


@pytest.mark.parametrize("name", ["orders/2024 été", "a%2Fb", "a b?c#d", "名前", 'q"uote'])
def test_an_old_worker_is_asked_for_each_status_by_its_quoted_name(name: str) -> None:
    from urllib.parse import quote

    one = f"GET /connectors/{quote(name, safe='')}/status"
    net = FakeNet({ALL: [name], one: status(name, "FAILED")})

    result = connect.probe(Options.build({"url": "http://connect:8083"}), net)

    assert result.message == f"1 of 1 tasks FAILED: {name}/0"
    assert net.asked == [ALL, one]


def test_an_old_worker_is_asked_for_the_named_connectors_only() -> None:
    net = FakeNet({ALL: ["a", "b"], "GET /connectors/b/status": status("b", "RUNNING")})

    result = connect.probe(Options.build({"url": "http://connect:8083", "connector": ["b", "nope"]}), net)

    assert result.message == "1 of 2 connectors asked about do not exist: nope"
    assert net.asked == [ALL, "GET /connectors/b/status"]


def test_an_old_workers_no_status_found_is_a_connector_created_just_now() -> None:
    none = (404, {"error_code": 404, "message": "No status found for connector a"})

    assert ask({ALL: ["a"], "GET /connectors/a/status": none}).status is Status.UNKNOWN


@pytest.mark.parametrize("other", [(404, "<html>404</html>"), (404, "{}"), (500, {"error_code": 500}), (404, "[]")])
def test_an_old_workers_other_refusals_are_unknown(other: tuple[int, object]) -> None:
    with pytest.raises(ProbeError, match=r"GET http://connect:8083/connectors/a/status: "):
        ask({ALL: ["a"], "GET /connectors/a/status": other})


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((409, {"error_code": 409, "message": "Cannot complete request momentarily"}), "HTTP 409 .*momentarily"),
        ((404, "<html>Jetty has no resources yet</html>"), "HTTP 404 '<html>Jetty"),
        ((500, {"error_code": 500, "message": "Request timed out"}), "HTTP 500 .*timed out"),
        ((401, "Unauthorized"), "HTTP 401 'Unauthorized'; give --username"),
        ((503, "Service Unavailable"), "HTTP 503 'Service Unavailable'"),
        ("<html>login</html>", "'<html>login</html>' is not JSON"),
        ("", "HTTP 200 without a body is not JSON"),
        ("null", "expected an object of connectors or a list of names, got null"),
        ('"RUNNING"', 'got "RUNNING"'),
        ([1], "expected names of connectors as text, got 1"),
        ({"error_code": 500, "message": "x"}, "expected an object for connector error_code, got 500"),
        ({"a": {"status": []}}, r"expected a status object for connector a, got \[\]"),
        ({"a": {"status": {}}}, "expected `connector` of a as an object, got null"),
        ({"a": {"status": {"connector": {}, "tasks": []}}}, "expected `state` of connector a as text, got null"),
        ({"a": {"status": {"connector": {"state": "RUNNING"}}}}, "expected `tasks` of a as a list, got null"),
        ({"a": {"status": {"connector": {"state": "RUNNING"}, "tasks": {}}}}, "`tasks` of a as a list, got {}"),
        ({"a": {"status": {"connector": {"state": "RUNNING"}, "tasks": [7]}}}, "each an object, got 7"),
        ({"a": {"status": {"connector": {"state": "RUNNING"}, "tasks": [{"id": "0"}]}}}, '`id` .* a number, got "0"'),
        ({"a": {"status": {"connector": {"state": "RUNNING"}, "tasks": [{"id": True}]}}}, "got true"),
        ({"a": {"status": {"connector": {"state": "RUNNING"}, "tasks": [{"id": 0, "state": 3}]}}}, "as text, got 3"),
    ],
)
def test_an_answer_that_is_of_no_use_is_an_error_that_shows_it(answer: object, words: str) -> None:
    with pytest.raises(ProbeError, match=words) as caught:
        ask({ALL: answer})

    assert "GET http://connect:8083/connectors" in str(caught.value)
    assert not isinstance(caught.value, Unreachable)


def test_unknown_keys_are_ignored() -> None:
    told = status("a", "RUNNING") | {"version": "4.1", "connector": {"state": "RUNNING", "version": "1"}}

    assert ask(expanded(told)).status is Status.OK


def test_an_unreachable_worker_is_left_to_run() -> None:
    assert connect.ASKS == "itself"
    with pytest.raises(Unreachable):
        ask({ALL: Unreachable("refused")})


@pytest.mark.parametrize("listed", [[["a"]], [{"name": "a"}], [None], [7]])
def test_a_plain_list_of_what_is_no_name_is_unknown(listed: list[object]) -> None:
    with pytest.raises(ProbeError, match="GET http://connect:8083/connectors: expected names of connectors as text"):
        ask({ALL: {}, NAMES: listed})


@pytest.mark.parametrize("answer", [{"version": "4.1.0"}, (404, "no resources yet"), (409, ""), (500, "x"), "<html>"])
def test_a_worker_lives_when_it_answers_whatever_it_says(answer: object) -> None:
    net = FakeNet({"GET /": answer})

    result = connect.live(Options.build({"url": "http://connect:8083"}), net)

    assert (result.alive, result.status) == (True, Status.OK)
    assert net.asked == ["GET /"]


@pytest.mark.parametrize(
    ("way", "said"), [("", ""), ("through the proxy squid:3128", ", through the proxy squid:3128")]
)
def test_who_else_may_have_answered_for_a_worker_is_named(way: str, said: str) -> None:
    net = FakeNet({"GET /": Reply(503, {}, b"", way)})

    result = connect.live(Options.build({"url": "http://connect:8083"}), net)

    assert (result.alive, result.message) == (True, f"GET / answers{said}: HTTP 503")


def test_a_worker_is_ready_when_it_lists_its_connectors_failed_ones_too() -> None:
    net = FakeNet({NAMES: ["broken"]})

    result = connect.ready(Options.build({"url": "http://connect:8083"}), net)

    assert (result.ready, net.asked) == (True, [NAMES])


@pytest.mark.parametrize("answer", [(503, "starting"), (404, ""), (409, "{}"), "<html>", {"version": "4.1"}])
def test_a_worker_that_does_not_list_its_connectors_is_not_ready(answer: object) -> None:
    with pytest.raises(ProbeError):
        connect.ready(Options.build({"url": "http://connect:8083"}), FakeNet({NAMES: answer}))


def test_below_a_path_and_with_a_login() -> None:
    net = FakeNet({"GET /proxy/connectors?expand=status&team=a": Reply(200, {}, b'{"a":{"status":null}}')})
    options = Options.build({"url": "http://gate/proxy/?team=a", "username": "u", "password": "p"})

    result = connect.probe(options, net)

    assert result.target == "http://gate/proxy"
    assert ("authorization", "Basic dTpw") in net.requests[0].headers


def test_the_example_has_the_fields_of_an_answer() -> None:
    result = ask(expanded(status("a", "RUNNING")))

    assert result.data is not None
    assert result.data.keys() == connect.EXAMPLE.keys()
    for items in ("connectors", "tasks"):
        assert result.data[items][0].keys() == connect.EXAMPLE[items][0].keys()  # type: ignore[index]
