from collections.abc import Mapping

import pytest

from probes.kit.condition import Condition, Path, Verdict

MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN

TASKS = [
    {"connector": "orders-sink", "id": 0, "state": "RUNNING", "trace": None},
    {"connector": "orders-sink", "id": 1, "state": "FAILED", "trace": "java.lang.Error"},
]
DATA: dict[str, object] = {
    "lag": 5,
    "ratio": 0.5,
    "name": "orders",
    "paused": False,
    "unread": None,
    "huge": "+Inf",
    "low": "-Inf",
    "nan": "NaN",
    "tasks": TASKS,
    "none": [],
    "states": ["RUNNING", "FAILED"],
    "gaps": ["RUNNING", None],
    "lags": [3, 1, 2],
    "unbounded": ["+Inf", 1, "-Inf"],
    "labels": {"team": "orders", "tier": "1"},
    "partitions": [{"topic": "a", "lag": 7}, {"topic": "b", "lag": None}],
    "groups": [{"members": [1, 2]}, {"members": [3]}],
}
ANSWER: dict[str, object] = {
    "schema": 1,
    "probe": "connect",
    "target": None,
    "status": "CRITICAL",
    "code": 2,
    "message": "1 of 2 tasks FAILED",
    "data": DATA,
    "time": "2026-01-02T03:04:05Z",
    "duration_ms": 12.3,
}
SILENCE: dict[str, object] = {**ANSWER, "status": "UNKNOWN", "code": 3, "message": "connection refused", "data": None}


def judged(text: str, document: Mapping[str, object] = ANSWER) -> Verdict:
    return Condition(text).judge(document).verdict


def reason(text: str, document: Mapping[str, object] = ANSWER) -> str:
    return Condition(text).judge(document).reason


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("data.lag > 3", MET),
        ("data.lag > `3`", MET),
        ("data.lag >= 5.5", NOT_MET),
        ("data.ratio >= 0.5", MET),
        ("-1 < data.lag", MET),
        ("data.lag < 1e3 && data.lag > -2.5E-1", MET),
        ("data.lag == 5.0", MET),
        ("data.tasks[0].id == 0", MET),
        ("data.tasks[-1].id == 1", MET),
        ("length(data.lags[0:2]) == 2", MET),
        ("data.lags[:1] == [3, 9][0:1]", MET),
        ("contains([1, 5], data.lag)", MET),
        ("{limit: 3}.limit < data.lag", MET),
        ("data.name == '5' || data.name == 'orders'", MET),
        ("'[5' == '[5'", MET),
        ('"data".lag == 5', MET),
    ],
)
def test_numbers_stand_bare_and_keep_their_place_in_brackets(text: str, verdict: Verdict) -> None:
    assert judged(text) == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("status == 'CRITICAL'", MET),
        ("status != 'CRITICAL'", NOT_MET),
        ("!data.paused", UNKNOWN),  # (!data).paused
        ("!(data.paused)", MET),
        ("data.paused == `false`", MET),
        ("data.name < 'z'", MET),
        ("contains(data.states, 'FAILED')", MET),
        ("contains(data.name, 'ord')", MET),
        ("starts_with(data.name, 'x')", NOT_MET),
        ("length(data.tasks[?state == 'FAILED']) > 0", MET),
        ("data.tasks[?state == 'FAILED'].connector | [0] == 'orders-sink'", MET),
        ("max(data.lags) == 3 && min(data.lags) == 1 && sum(data.lags) == 6", MET),
        ("max_by(data.tasks, &id).state == 'FAILED'", MET),
        ("sort_by(data.tasks, &id)[0].state == 'FAILED'", NOT_MET),
        ("map(&id, data.tasks) == [0, 1]", MET),
        ("length(data.groups[].members[]) == 3", MET),
        ("contains(data.labels.*, 'orders')", MET),
        ("data.{a: lag, b: name} == {a: 5, b: 'orders'}", MET),
        ("data.[lag, name][0] == 5", MET),
        ('data.labels == `{"team": "orders"}`', NOT_MET),
        ("data.none == `[]`", MET),
        ("length(data.none[?state == 'FAILED']) > 0", NOT_MET),
        ("(data.none || data.lags)[0] == 3", MET),
    ],
)
def test_what_can_be_judged_is_judged_as_jmespath_does(text: str, verdict: Verdict) -> None:
    assert judged(text) == verdict


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("data.lag_total > 3", "data.lag_total is missing"),
        ("data.unread > 3", "data.unread is null"),
        ("data.unread == data.unread", "data.unread is null"),
        ("data.name > 3", "data.name is a string ('orders'), but 3 is a number"),
        ("data.lag == '5'", "data.lag is a number (5), but '5' is a string"),
        ("data.lag != '5'", "data.lag is a number (5), but '5' is a string"),
        ("data.paused > `false`", "data.paused is false, which is neither more nor less than anything"),
        ("data.paused == 0", "data.paused is a boolean (false), but 0 is a number"),
        ("data.lags == ['3', 1, 2]", "data.lags[0] is a number (3), but ['3', 1, 2][0] is a string ('3')"),
        ("!(data.lag)", "data.lag came out as 5, neither true nor false"),
        ("!(data.unread)", "data.unread is null"),
        ("data.unread.deeper == 'x'", "data.unread is null"),
        ("data.name.deeper == 'x'", "data.name.deeper cannot be read from a string"),
        ("data.tasks.state == 'x'", "data.tasks.state cannot be read from a list"),
        ("data.tasks[2].id == 2", "data.tasks[2] is missing: there are only 2"),
        ("data.lag[0] == 5", "data.lag[0] cannot be read from a number"),
        ("data.lag[0:1] == [5]", "data.lag[0:1] cannot be read from a number"),
        ("data.unread | x == 'x'", "x cannot be read from null"),
        ("length(data.lag) > 0", "length(data.lag) cannot be told from a number (5)"),
        ("length(data.unread) > 0", "data.unread is null"),
        ("not_null(data.unread, `0`) > 3", "data.unread is null"),
        ("max(data.states) == max(data.gaps)", "max(data.gaps) cannot be told from null"),
        ("max(data.none) > 3", "max(data.none) is null"),
        ("max_by(data.partitions, &lag).topic == 'a'", "lag is null in max_by(data.partitions, &lag)"),
        ("contains(data.name, 5)", "5 is not a string, so no string contains it in contains(data.name, 5)"),
        ("target == 'x'", "target is null"),
        ("data.paused == true", "true is missing (the constant is written `true`, in backquotes)"),
        ('status == "OK"', "\"OK\" is missing (double quotes name a field; a string is written 'OK')"),
    ],
)
def test_what_is_missing_null_or_of_the_wrong_type_is_unknown_and_named(text: str, why: str) -> None:
    assert Condition(text).judge(ANSWER) == (UNKNOWN, why)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("length(data.partitions[?lag > 5]) > 0", "lag is null in data.partitions[1]"),
        ("length(data.tasks[?trace]) > 0", "trace is null in data.tasks[0]"),
        (
            "length(data.tasks[?connector]) > 0",
            "connector came out as 'orders-sink', neither true nor false in data.tasks[0]",
        ),
        ("contains(data.tasks[].trace, 'x')", "trace is null in data.tasks[][0]"),
        ("contains(data.partitions[*].lag, 7)", "lag is null in data.partitions[1]"),
        ("length(data.partitions[0:2].lag) > 0", "lag is null in data.partitions[0:2][1]"),
        ("length(data.tasks[?id == 0].trace) > 0", "trace is null in data.tasks[0]"),
        ("length(data.gaps[]) == 1", "@ is null in data.gaps[][1]"),
        ("length(data.*) > 0", "@ is null in data.unread"),
        ("length(data.lag[?@ > 1]) > 0", "data.lag is a number, not a list"),
        ("length(data.unread[*]) > 0", "data.unread is null"),
        ("length(data.lags.*) > 0", "data.lags is a list, not an object"),
        ("contains(data.gaps, 'FAILED')", "an element is null in contains(data.gaps, 'FAILED')"),
        ("contains(data.lags, '3')", "an element is a number (3), but '3' is a string in contains(data.lags, '3')"),
    ],
)
def test_a_list_in_which_something_cannot_be_told_is_unknown(text: str, why: str) -> None:
    assert Condition(text).judge(ANSWER) == (UNKNOWN, why)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("data.unread == 'x' && data.paused", NOT_MET),
        ("data.paused && data.unread == 'x'", NOT_MET),
        ("data.unread == 'x' || data.lag > 3", MET),
        ("data.lag > 3 || data.unread == 'x'", MET),
        ("data.unread == 'x' && data.lag > 3", UNKNOWN),
        ("data.unread == 'x' || data.lag > 9", UNKNOWN),
        ("data.unread || data.lag > 9", UNKNOWN),  # JMESPath takes a null for false
        ("data.unread || data.name || data.lag > 3", UNKNOWN),  # it may well be the name
        ("(data.unread || data.lag) > 3", UNKNOWN),
        ("!(data.unread == 'x' && data.paused)", MET),
        ("length(data.partitions[?topic == 'a' || lag > 5]) == 1", UNKNOWN),
        ("length(data.partitions[?topic == 'a' && lag > 5]) == 1", MET),
        ("length(data.partitions[?topic < 'c' || lag > 5]) == 2", MET),
        ("contains(data.gaps, 'RUNNING')", MET),
        ("data.gaps == ['FAILED', 'x']", NOT_MET),
        ("data.gaps == ['RUNNING', 'x']", UNKNOWN),
        ("data.gaps == ['RUNNING']", NOT_MET),
    ],
)
def test_false_and_unknown_is_false_and_true_or_unknown_is_true(text: str, verdict: Verdict) -> None:
    assert judged(text) == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("data.unread == `null`", MET),
        ("data.unread != `null`", NOT_MET),
        ("`null` == data.lag", NOT_MET),
        ("data.lag != `null`", MET),
        ("type(data.unread) == 'null'", MET),
        ("type(data.lag) == 'number'", MET),
        ("length(data.tasks[?trace == `null`]) == 1", MET),
        ("max(data.none) == `null`", MET),
        ("data.lag_total == `null`", UNKNOWN),  # every key is always there; a missing one is a mistake
        ("type(data.lag_total) == 'null'", UNKNOWN),
        ("target == `null`", UNKNOWN),  # only below `data` does a null say something
    ],
)
def test_null_can_be_asked_for_below_data(text: str, verdict: Verdict) -> None:
    assert judged(text) == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("data.huge > 5", MET),
        ("data.low > 5", NOT_MET),
        ("data.low < data.huge", MET),
        ("data.huge == '+Inf'", MET),
        ("data.lag == '+Inf'", NOT_MET),
        ("data.nan > 5", UNKNOWN),
        ("data.nan == 5", UNKNOWN),
        ("data.nan != 5", UNKNOWN),
        ("data.nan == data.nan", UNKNOWN),
        ("data.nan == 'NaN'", MET),  # asks for NaN itself
        ("data.huge == 'NaN'", NOT_MET),
        ("'NaN' != data.lag", MET),
        ("data.name == 'NaN'", NOT_MET),
        ("max(data.unbounded) > 5", MET),
        ("min(data.unbounded) > 5", NOT_MET),
        ("abs(data.low) > 5", MET),
        ("max([data.lag, data.nan]) > 3", UNKNOWN),
        ("abs(data.nan) > 3", UNKNOWN),
        ("ceil(data.huge) > 3", UNKNOWN),
        ("max_by([{lag: data.huge}, {lag: data.lag}], &lag).lag == '+Inf'", MET),
        ("max_by([{lag: data.lag}, {lag: data.nan}], &lag).lag == 5", UNKNOWN),
    ],
)
def test_infinities_are_numbers_and_nan_is_none(text: str, verdict: Verdict) -> None:
    assert judged(text) == verdict


def test_infinities_and_nan_may_still_be_floats() -> None:
    document = {**ANSWER, "data": {"huge": float("inf"), "nan": float("nan")}}
    assert judged("data.huge > 5 && data.huge == '+Inf'", document) == MET
    assert judged("data.nan > 5", document) == UNKNOWN
    assert judged("data.nan == 'NaN'", document) == MET


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("data.lag", "data.lag came out as 5, neither true nor false"),
        ("data.name", "data.name came out as 'orders', neither true nor false"),
        ("data.tasks", "data.tasks came out as a list of 2, neither true nor false"),
        ("data", "data came out as an object, neither true nor false"),
        ("data.unread", "data.unread is null"),
        ("data.name && data.lag", "data.name && data.lag came out as 5, neither true nor false"),
        ("data.lags[?@ > 1]", "data.lags[?@ > 1] came out as a list of 2, neither true nor false"),
    ],
)
def test_a_result_neither_true_nor_false_is_unknown_and_says_what_it_was(text: str, why: str) -> None:
    assert Condition(text).judge(ANSWER) == (UNKNOWN, why)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("status == 'UNKNOWN'", MET),
        ("'UNKNOWN' != status", NOT_MET),
        ("status == 'OK'", UNKNOWN),
        ("status != 'OK'", UNKNOWN),
        ("status == 'OK' || status == 'UNKNOWN'", MET),
        ("code == 3", MET),
        ("code >= 3", MET),
        ("code < 3", NOT_MET),
        ("code > 1", UNKNOWN),
        ("code == 0", UNKNOWN),
        ("contains(['OK', 'UNKNOWN'], status)", UNKNOWN),
        ("[status] == ['UNKNOWN']", UNKNOWN),
        ("length(status) == 7", UNKNOWN),
        ("values(@)[3] == 'CRITICAL'", UNKNOWN),
        ("contains(values(@), 'CRITICAL')", UNKNOWN),
        ("data == `null`", UNKNOWN),
        ("data != `null`", UNKNOWN),
        ("data.lag == `null`", UNKNOWN),
        ("type(data.lag) == 'null'", UNKNOWN),
        ("type(data) == 'null'", UNKNOWN),
        ("length(data.tasks) == 0", UNKNOWN),
        ("message == 'connection refused'", MET),
    ],
)
def test_an_unknown_result_says_only_that_it_is_unknown(text: str, verdict: Verdict) -> None:
    assert judged(text, SILENCE) == verdict


def test_the_reason_carries_what_the_probe_could_not_learn() -> None:
    assert reason("data.lag > 3", SILENCE) == "data is null: connection refused"
    assert reason("status == 'OK'", SILENCE) == "status is UNKNOWN: connection refused"


def test_data_that_an_unknown_result_does_have_can_be_judged() -> None:
    assert judged("data.lag > 3", {**SILENCE, "data": DATA}) == MET


def test_a_chain_names_its_results() -> None:
    chain = {"broker": ANSWER, "lag": SILENCE, "item": {"status": None, "state": "STOP"}}
    assert judged("broker.status == 'CRITICAL' && item.state == 'STOP'", chain) == MET
    assert judged("broker.status == 'OK' && lag.data.lag > 3", chain) == NOT_MET
    assert judged("lag.status == 'UNKNOWN'", chain) == MET
    assert judged("item.status == `null`", chain) == MET
    assert reason("lag.data.lag > 3", chain) == "lag.data is null: connection refused"
    assert reason("lag.status == 'OK'", chain) == "lag.status is UNKNOWN: connection refused"
    assert reason("lagg.status == 'OK'", chain) == "lagg is missing"


def test_a_chain_may_have_questions_named_like_the_fields_of_a_result() -> None:
    chain: dict[str, object] = {"status": ANSWER, "data": SILENCE}
    assert judged("status.status == 'CRITICAL'", chain) == MET
    assert judged("data.status == 'OK'", chain) == UNKNOWN


def test_an_item_is_judged_beside_its_result() -> None:
    document = {**ANSWER, "item": TASKS[1]}
    assert judged("item.state == 'FAILED' && status == 'CRITICAL'", document) == MET
    assert judged("item == `null`", {**ANSWER, "item": None}) == MET


def test_an_item_is_no_result_whatever_its_fields_are_called() -> None:
    chain: dict[str, object] = {"lag": ANSWER, "item": {"status": "UNKNOWN", "data": None}}
    assert judged("item.status == 'OK'", chain) == NOT_MET
    assert judged("item.data == `null`", chain) == MET


def test_judging_leaves_the_document_as_it_is() -> None:
    document = {**SILENCE, "data": {"lags": [3, 1, 2]}}
    judged("sort(data.lags)[0] == 1 && status == 'OK'", document)
    assert document == {**SILENCE, "data": {"lags": [3, 1, 2]}}


def test_a_path_leads_to_a_list() -> None:
    assert Path("data.tasks").elements(ANSWER) == TASKS
    assert Path("lag.data.tasks").elements({"lag": ANSWER}) == TASKS
    assert Path("data.tasks[?state == 'FAILED']").elements(ANSWER) == TASKS[1:]
    assert Path("data.none").elements(ANSWER) == []


def test_a_path_knows_where_it_begins() -> None:
    assert Path("lag.data.partitions[?lag > 5].topic").root == "lag"
    assert Path("sort_by(data.tasks, &id)").root == "data"
    assert Path("@").root == ""


@pytest.mark.parametrize(
    ("text", "document", "why"),
    [
        ("data.tasks", SILENCE, "data is null: connection refused"),
        ("data.unread", ANSWER, "data.unread is null"),
        ("data.task", ANSWER, "data.task is missing"),
        ("data.lag", ANSWER, "data.lag is a number, not a list"),
        ("data.partitions[?lag > 5]", ANSWER, "lag is null in data.partitions[1]"),
    ],
)
def test_a_list_that_could_not_be_learnt_is_not_an_empty_one(
    text: str, document: Mapping[str, object], why: str
) -> None:
    assert Path(text).elements(document) is None
    assert Path(text).reason(document) == why
