import json
from typing import Any

import pytest

from probes import burrow
from probes.burrow import Options
from probes.kit.options import OptionErrors
from probes.kit.result import ProbeError, Result, Status, Unreachable
from tests.probes.fakenet import NOW, FakeNet

CLUSTERS = "GET /v3/kafka"
GROUPS = "GET /v3/kafka/local/consumer"

# Burrow 1.2.1, /lag of a group that has stalled on one of four partitions (facts/live-servers.md, 3).
STALLED = json.loads(
    '{"error":false,"message":"consumer status returned","status":{"cluster":"local","group":"orders-app",'
    '"status":"ERR","complete":1,"partitions":['
    '{"topic":"orders","partition":0,"owner":"","client_id":"","status":"OK","start":{"offset":12,"timestamp":'
    '1795217542185,"lag":12},"end":{"offset":21,"timestamp":1795217555685,"lag":3},"current_lag":3,"complete":1},'
    '{"topic":"orders","partition":1,"owner":"","client_id":"","status":"OK","start":{"offset":12,"timestamp":'
    '1795217542185,"lag":14},"end":{"offset":21,"timestamp":1795217555685,"lag":5},"current_lag":5,"complete":1},'
    '{"topic":"orders","partition":2,"owner":"","client_id":"","status":"STALL","start":{"offset":5,"timestamp":'
    '1795217542185,"lag":19},"end":{"offset":5,"timestamp":1795217555685,"lag":19},"current_lag":19,"complete":1},'
    '{"topic":"orders","partition":3,"owner":"","client_id":"","status":"OK","start":{"offset":12,"timestamp":'
    '1795217542185,"lag":14},"end":{"offset":21,"timestamp":1795217555685,"lag":5},"current_lag":5,"complete":1}],'
    '"partition_count":4,"maxlag":{"topic":"orders","partition":2,"status":"STALL"},"totallag":32},'
    '"request":{"url":"/v3/kafka/local/consumer/orders-app/lag","host":"vm"}}'
)
NOT_FOUND = (
    404,
    '{"error":false,"message":"consumer status returned","status":{"cluster":"local","group":"nope",'
    '"status":"NOTFOUND","complete":1,"partitions":[],"partition_count":0,"maxlag":null,"totallag":0},"request":{"url":"…","host":"vm"}}',
)


def part(number: int, status: object = "OK", lag: int | None = 0, **fields: Any) -> dict[str, Any]:
    end = {"offset": 24, "timestamp": (NOW - 5) * 1000, "lag": lag}
    told = {"topic": "orders", "partition": number, "owner": "10.0.0.9", "client_id": "c", "status": status}
    return told | {"start": end, "end": end, "current_lag": lag, "complete": 1} | fields


def group(status: str, *parts: dict[str, Any], total: object = 0, complete: float = 1, maxlag: object = None) -> Any:
    told = {"cluster": "local", "group": "g", "status": status, "complete": complete, "partitions": list(parts)}
    return {"error": False, "status": told | {"partition_count": len(parts), "maxlag": maxlag, "totallag": total}}


def lag(name: str) -> str:
    return f"GET /v3/kafka/local/consumer/{name}/lag"


def table(groups: dict[str, object]) -> dict[str, object]:
    return {
        CLUSTERS: {"error": False, "clusters": ["local"]},
        GROUPS: {"error": False, "consumers": list(groups)},
        **{lag(name): answer for name, answer in groups.items()},
    }


def ask(groups: dict[str, object], **options: Any) -> Result:
    return burrow.probe(Options.build({"url": "http://burrow:8000", **options}), FakeNet(table(groups)))


@pytest.mark.parametrize(
    ("told", "expected", "message"),
    [
        (group("OK", part(0)), Status.OK, "1 of 1 groups OK, the largest lag is 0 (g)"),
        (group("WARN", part(0, "WARN", 401), total=401), Status.WARNING,
         "1 of 1 groups WARN: g (1 of 1 partitions: orders/0 WARN, lag 401)"),
        (STALLED, Status.CRITICAL, "1 of 1 groups ERR: g (1 of 4 partitions: orders/2 STALL, lag 19)"),
        (group("ERR", part(0, "STOP", 7), part(1)), Status.CRITICAL,
         "1 of 1 groups ERR: g (1 of 2 partitions: orders/0 STOP, lag 7)"),
        (group("ERR", part(0, "REWIND", 457)), Status.CRITICAL,
         "1 of 1 groups ERR: g (1 of 1 partitions: orders/0 REWIND, lag 457)"),
        (group("ERR", part(0)), Status.CRITICAL, "1 of 1 groups ERR: g"),
        (NOT_FOUND, Status.UNKNOWN, "1 of 1 groups NOTFOUND: g"),
        (group("OK"), Status.UNKNOWN, "1 of 1 groups of which Burrow knows no partition: g"),
        (group("MELTED", part(0)), Status.UNKNOWN, "1 of 1 groups in a state never seen before: g (MELTED)"),
        (group("OK", part(0, "MELTED")), Status.UNKNOWN,
         "1 partitions in a state never seen before: g orders/0 (MELTED)"),
        # A window that is not full makes only STOP and STALL doubtful.
        (group("ERR", part(0, "STOP", 7, complete=0.5), complete=0), Status.UNKNOWN,
         "1 of 1 groups ERR by windows not yet full: g (1 of 1 partitions: orders/0 unknown, lag 7)"),
        (group("ERR", part(0, "STALL", 7, complete=0.5), part(1, "WARN"), complete=0.5), Status.UNKNOWN,
         "1 of 1 groups ERR by windows not yet full: g (2 of 2 partitions: orders/1 WARN, lag 0, orders/0 unknown"),
        (group("ERR", part(0, "STALL", complete=0.5), part(1, "STOP"), complete=0.5), Status.CRITICAL,
         "1 of 1 groups ERR: g (2 of 2 partitions: orders/1 STOP, lag 0, orders/0 unknown, lag 0)"),
        (group("ERR", part(0, "REWIND", complete=0.5), complete=0), Status.CRITICAL, "1 of 1 groups ERR: g"),
        (group("WARN", part(0, "WARN", complete=0.5), complete=0), Status.WARNING, "1 of 1 groups WARN: g"),
        (group("OK", part(0, complete=0.5), complete=0), Status.OK, "1 of 1 groups OK"),
    ],
)  # fmt: skip
def test_a_verdict_has_its_status(told: object, expected: Status, message: str) -> None:
    result = ask({"g": told})

    assert (result.status, result.message.startswith(message)) == (expected, True), result.message
    assert result.alive


def test_the_bad_group_is_named_among_good_ones_and_all_partitions_are_items() -> None:
    result = ask({"a": group("OK", part(0)), "orders-app": STALLED})

    assert result.message == "1 of 2 groups ERR: orders-app (1 of 4 partitions: orders/2 STALL, lag 19)"
    assert result.target == "http://burrow:8000"
    assert result.data is not None
    assert result.data["cluster"] == "local"
    groups: Any = result.data["groups"]
    partitions: Any = result.data["partitions"]
    assert groups[1] == {
        "name": "orders-app",
        "status": "ERR",
        "total_lag": 32,
        "worst_lag": 19,
        "complete": 1,
        "last_commit_age_seconds": 44.315,
    }
    assert partitions[3] == {
        "group": "orders-app",
        "topic": "orders",
        "partition": 2,
        "status": "STALL",
        "lag": 19,
        "complete": 1,
        "owner": None,
        "client_id": None,
        "last_commit_age_seconds": 44.315,
    }
    assert len(partitions) == 5


def items(result: Result, which: str, key: str) -> list[object]:
    assert result.data is not None
    listed: Any = result.data[which]
    return [item[key] for item in listed]


def test_a_doubtful_verdict_is_null_and_so_is_a_groups_that_rests_on_it() -> None:
    result = ask({"g": group("ERR", part(0, "STOP", complete=0.5), part(1), complete=0.5)})

    assert items(result, "partitions", "status") == [None, "OK"]
    assert items(result, "groups", "status") == [None]


def test_without_a_window_of_its_own_a_partition_has_its_groups() -> None:
    stop = part(0, "STOP")
    del stop["complete"]

    assert ask({"g": group("ERR", stop, complete=0.9)}).status is Status.UNKNOWN
    assert ask({"g": group("ERR", stop, complete=1)}).status is Status.CRITICAL


def test_a_group_of_which_nothing_is_known_has_no_lag() -> None:
    for told in (NOT_FOUND, group("OK", total=0)):
        result = ask({"g": told}, critical="10")

        assert result.status is Status.UNKNOWN
        assert items(result, "groups", "total_lag") == [None]
    assert items(ask({"g": group("OK")}), "groups", "status") == [None]


@pytest.mark.parametrize(
    ("notfound", "expected"),
    [("unknown", Status.UNKNOWN), ("ok", Status.OK), ("warning", Status.WARNING), ("critical", Status.CRITICAL)],
)
def test_a_group_that_burrow_does_not_know_is_what_notfound_says(notfound: str, expected: Status) -> None:
    result = ask({"a": group("OK", part(0)), "g": NOT_FOUND}, group=["a", "g"], notfound=notfound)

    assert (result.status, result.message) == (expected, "1 of 2 groups NOTFOUND: g")


@pytest.mark.parametrize(
    ("options", "expected", "message"),
    [
        ({"warning": "31"}, Status.WARNING, "1 of 1 groups outside --warning 31: g (lag 32)"),
        ({"warning": "32"}, Status.OK, "1 of 1 groups OK, the largest lag is 32 (g)"),
        ({"critical": "10", "warning": "1"}, Status.CRITICAL,
         "1 of 1 groups outside --critical 10: g (lag 32); 1 of 1 groups outside --warning 1: g (lag 32)"),
        ({"critical": "@30:40"}, Status.CRITICAL, "1 of 1 groups inside --critical @30:40: g (lag 32)"),
        ({"critical": "18", "per_partition": "true"}, Status.CRITICAL,
         "1 of 1 groups outside --critical 18: g (orders/1 20)"),
        ({"critical": "20", "per_partition": "true"}, Status.OK, "1 of 1 groups OK"),
    ],
)  # fmt: skip
def test_lag_is_judged_in_total_or_by_partition(options: dict[str, str], expected: Status, message: str) -> None:
    result = ask({"g": group("OK", part(0, lag=12), part(1, lag=20), total=32)}, **options)

    assert (result.status, result.message.startswith(message)) == (expected, True), result.message


def test_thresholds_are_judged_in_windows_not_yet_full() -> None:
    told = group("ERR", part(0, "STOP", 500, complete=0.1), total=500, complete=0)

    assert ask({"g": told}, critical="100").status is Status.CRITICAL
    assert ask({"g": told}, critical="100", per_partition="true").status is Status.CRITICAL


def test_a_lag_that_is_not_told_is_unknown_where_it_is_judged() -> None:
    told = group("OK", part(0, lag=None), part(1, lag=3), total=3)

    assert ask({"g": told}).status is Status.OK
    assert ask({"g": told}, critical="100").status is Status.OK
    result = ask({"g": told}, critical="100", per_partition="true")
    assert (result.status, result.message) == (
        Status.UNKNOWN,
        "1 of 1 groups with a lag that Burrow does not tell: g (orders/0)",
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"current_lag": 7}, 7),
        ({"current-lag": 8}, 8),  # consumer detail spells it so
        ({"end": {"timestamp": 1, "lag": 9}}, 9),  # Burrow 1.0
    ],
)
def test_lag_is_found_under_each_of_its_names(fields: dict[str, Any], expected: int | None) -> None:
    told = {key: value for key, value in part(0).items() if key != "current_lag"} | fields

    assert items(ask({"g": group("OK", told)}), "partitions", "lag") == [expected]


def test_age_is_judged_only_when_asked_for() -> None:
    old = part(0, end={"timestamp": (NOW - 720) * 1000, "lag": 0})

    assert ask({"g": group("OK", old)}).status is Status.OK
    result = ask({"g": group("OK", old)}, max_age="10m")
    assert result.status is Status.UNKNOWN
    assert result.message == "1 of 1 groups without a commit for 10m: g (the last 12m ago)"
    assert items(result, "groups", "status") == [None]
    assert items(result, "partitions", "status") == [None]


def test_the_newest_commit_tells_the_age_of_a_group() -> None:
    old = part(0, end={"timestamp": (NOW - 720) * 1000, "lag": 0})

    result = ask({"g": group("OK", old, part(1))}, max_age="10m")

    assert result.status is Status.OK
    assert items(result, "groups", "last_commit_age_seconds") == [5.0]


def test_a_stale_group_in_trouble_is_still_in_trouble() -> None:
    stop = part(0, "STOP", 9, end={"timestamp": (NOW - 720) * 1000, "lag": 9})

    result = ask({"g": group("ERR", stop, part(1, end=None))}, max_age="10m")

    assert result.status is Status.CRITICAL
    assert result.message.startswith("1 of 1 groups ERR: g (2 of 2 partitions: orders/0 STOP, lag 9, orders/1 unknown")


def test_a_group_without_any_commit_is_stale_when_age_is_asked_for() -> None:
    result = ask({"g": group("OK", part(0, end=None))}, max_age="10m")

    assert result.message == "1 of 1 groups without a commit for 10m: g (none seen)"


def test_burrows_own_groups_are_left_out_unless_named() -> None:
    own = group("ERR", part(0, "STOP"))

    assert ask({"a": group("OK", part(0)), "burrow-local": own}).message.startswith("1 of 1 groups OK")
    assert ask({"burrow-local": own}, group=["burrow-local"]).status is Status.CRITICAL
    with pytest.raises(ProbeError, match=r"none of 1 groups matches 'burrow-\.\*'"):
        ask({"burrow-local": own}, group_regex="burrow-.*")


def test_groups_are_chosen_by_their_whole_name() -> None:
    groups = {name: group("OK", part(0)) for name in ("orders", "orders-eu", "my-orders")}

    assert items(ask(groups, group_regex="orders.*"), "groups", "name") == ["orders", "orders-eu"]
    assert items(ask(groups, group=["my-orders", "orders"]), "groups", "name") == ["my-orders", "orders"]
    with pytest.raises(ProbeError, match="none of 3 groups matches 'x'"):
        ask(groups, group_regex="x")


def test_no_groups_at_all_is_unknown() -> None:
    with pytest.raises(ProbeError, match="Burrow at http://burrow:8000, cluster local: there are no groups"):
        ask({})


def test_of_a_thousand_bad_groups_the_message_names_five() -> None:
    bad = group("ERR", *(part(number, "STOP", 10**9) for number in range(10)))
    result = ask({f"group-{number:04}": bad for number in range(1000)})

    assert result.message.startswith("1000 of 1000 groups ERR: group-0000, group-0001, group-0002, group-0003, group-")
    assert result.message.endswith("and 995 more")
    assert len(result.message) < 400


@pytest.mark.parametrize(
    ("clusters", "options", "words"),
    [
        ([], {}, "Burrow at http://burrow:8000 watches no cluster at all"),
        (["eu", "us"], {}, "watches eu, us: choose one with --cluster"),
    ],
)
def test_without_a_name_there_must_be_one_cluster(clusters: list[str], options: dict[str, str], words: str) -> None:
    with pytest.raises(ProbeError, match=words):
        burrow.probe(
            Options.build({"url": "http://burrow:8000", **options}), FakeNet({CLUSTERS: {"clusters": clusters}})
        )


def test_a_cluster_that_burrow_does_not_watch_is_critical() -> None:
    result = ask({"g": group("OK", part(0))}, cluster="locl", group=["g"])

    assert (result.status, result.data) == (Status.CRITICAL, None)
    assert result.message == "Burrow knows no cluster 'locl'; it watches local"


def test_names_are_quoted_in_the_address() -> None:
    net = FakeNet(
        {
            CLUSTERS: {"clusters": ["eu 1"]},
            "GET /v3/kafka/eu%201/consumer/a%25b%20%C3%A9%3F/lag": group("OK", part(0)),
        }
    )

    result = burrow.probe(Options.build({"url": "http://burrow:8000", "group": ["a%b é?"]}), net)

    assert result.message == "1 of 1 groups OK, the largest lag is 0 (a%b é?)"


@pytest.mark.parametrize("name", ["a/b", "", ".", ".."])
def test_a_name_that_burrow_cannot_be_asked_about_hides_no_other_group(name: str) -> None:
    result = ask({name: (404, "never asked"), "orders-app": STALLED})

    assert result.message == (
        "1 of 2 groups ERR: orders-app (1 of 4 partitions: orders/2 STALL, lag 19); "
        f"1 of 2 groups of which Burrow knows no partition: {name} (it cannot be asked about such a name)"
    )
    assert items(result, "groups", "status") == [None, "ERR"]


def test_a_partition_without_a_commit_has_no_lag_whatever_burrow_says() -> None:
    bare = part(0, start=None, end=None, complete=0)

    result = ask({"g": group("OK", bare, part(1, lag=3), total=3, complete=0.5)}, critical="100")

    assert result.status is Status.OK
    assert items(result, "partitions", "lag") == [None, 3]
    judged = ask({"g": group("OK", bare, part(1, lag=3), total=3)}, critical="100", per_partition="true")
    assert (judged.status, judged.message) == (
        Status.UNKNOWN,
        "1 of 1 groups with a lag that Burrow does not tell: g (orders/0)",
    )


@pytest.mark.parametrize(
    ("question", "answer", "words"),
    [
        (CLUSTERS, (404, {"error": True, "message": "invalid request type", "result": {}}), "HTTP 404 .*invalid"),
        (CLUSTERS, {"error": False, "clusters": None}, "expected `clusters` as a list, got null"),
        (CLUSTERS, {"error": False, "clusters": [1]}, "expected `clusters` as names, got 1"),
        (CLUSTERS, "[]", r"expected an object, got \[\]"),
        (CLUSTERS, "GOOD", "HTTP 200 'GOOD' is not JSON"),
        (GROUPS, (404, {"error": True, "message": "cluster not found"}), "HTTP 404 .*cluster not found"),
        (GROUPS, (500, ""), "HTTP 500 without a body"),
        (lag("g"), (404, {"error": True, "message": "cluster module not found"}), "HTTP 404 .*module not found"),
        (lag("g"), (404, "404 page not found"), "'404 page not found' is not JSON"),
        (lag("g"), (503, "x"), "HTTP 503 'x'"),
        (lag("g"), (401, "x"), "HTTP 401 'x'; give --username"),
        (lag("g"), {"error": True, "message": "x"}, "HTTP 200 .*error"),
        (lag("g"), "null", "expected an object, got null"),
        (lag("g"), {"error": False}, "expected `status` as an object, got null"),
        (lag("g"), {"error": False, "status": {}}, "expected `status` of the group as text, got null"),
        (lag("g"), {"error": False, "status": {"status": "OK"}}, "expected `partitions` as a list, got null"),
        (lag("g"), group("OK", part(0), total="32"), 'expected `totallag` as a number, got "32"'),
        (lag("g"), group("OK", part(0), total=10**30), "`totallag` as a number, got 1000"),
        (lag("g"), group("OK", part(0, topic=None)), "expected `topic` of a partition as text, got null"),
        (lag("g"), group("OK", part(0, partition="0")), 'expected `partition` as a number, got "0"'),
        (lag("g"), group("OK", part(0, status=1)), "expected `status` of a partition as text, got 1"),
        (lag("g"), group("OK", part(0, current_lag="3")), 'expected `current_lag` of a partition as a number, got "3"'),
        (lag("g"), group("OK", part(0, complete="1")), "expected `complete` of .* as a number"),
        (lag("g"), group("OK", part(0, end=5)), "expected `end` of a partition as an object, got 5"),
        (lag("g"), group("OK", part(0, end={"timestamp": "x"})), "expected `timestamp` of .* as a number"),
    ],
)  # fmt: skip
def test_an_answer_that_is_of_no_use_is_an_error_that_shows_it(question: str, answer: object, words: str) -> None:
    answers = table({"g": group("OK", part(0))}) | {question: answer}

    with pytest.raises(ProbeError, match=words) as caught:
        burrow.probe(Options.build({"url": "http://burrow:8000"}), FakeNet(answers))

    assert str(caught.value).startswith(question.replace("GET ", "GET http://burrow:8000"))


def test_an_unreachable_burrow_says_nothing_about_the_group() -> None:
    assert burrow.ASKS == "others"
    with pytest.raises(Unreachable):
        ask({"g": Unreachable("refused")})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "url: is missing"),
        ({"url": "http://b:1", "group": "a", "group_regex": "b"}, "group_regex: cannot be combined with --group"),
        ({"url": "http://b:1", "group_regex": "("}, r"group_regex: '\(' is not a regular expression: "),
        ({"url": "http://b:1", "group_regex": "a{99999999999}"}, "group_regex: .* is not a regular expression: "),
        ({"url": "http://b:1", "group_regex": "(" * 9999}, "group_regex: .* is not a regular expression: "),
        ({"url": "http://b:1", "per_partition": "true"}, "per_partition: needs --warning or --critical"),
        ({"url": "http://b:1", "notfound": "fine"}, "notfound: 'fine' is none of unknown, ok"),
        ({"url": "http://b:1", "max_age": "5"}, "max_age: '5' has no unit"),
    ],
)
def test_options_that_do_not_fit_are_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(OptionErrors, match=words):
        Options.build(given)


def test_the_example_has_the_fields_of_an_answer() -> None:
    result = ask({"g": STALLED})

    assert result.data is not None
    assert result.data.keys() == burrow.EXAMPLE.keys()
    for which in ("groups", "partitions"):
        assert result.data[which][0].keys() == burrow.EXAMPLE[which][0].keys()  # type: ignore[index, attr-defined]
