"""What `rules check` finds by an EXAMPLE, before anything is asked."""

import pytest

from probes.kit.condition import complaints, path_complaints
from probes.kit.example import any_keys, one_of

EXAMPLE: dict[str, object] = {
    "status": one_of(("OK", "WARNING", "CRITICAL", "UNKNOWN")),
    "code": 0,
    "data": {
        "up": 1,
        "paused": False,
        "states": [one_of(("RUNNING", "FAILED"))],
        "tasks": [
            {
                "connector": "orders-sink",
                "id": 2,
                "state": one_of(("RUNNING", "FAILED")),
                "trace": None,
                "labels": any_keys({"team": "orders"}),
                "members": [{"host": "a"}],
            }
        ],
        "anything": [],
    },
}


@pytest.mark.parametrize(
    "text",
    [
        "item.state == 'FAILED' && status != 'UNKNOWN' && code < 3",
        "item.labels.pod == 'orders-0'",  # any_keys
        "item.trace.first == 'x'",  # the example's null says nothing
        "length(data.anything[?whatever == 'x']) > 0",  # nor does its empty list
        "data.tasks[?state == 'FAILED'].trace | length(@) > 0",
        "max_by(data.tasks, &id).state == 'FAILED'",
        "sort_by(data.tasks, &id)[0].state == 'FAILED'",
        "contains(map(&state, data.tasks), 'FAILED')",
        "contains(data.tasks[].members[].host, 'a')",
        'contains(`["FAILED"]`, item.state)',
        "data.{n: up}.n > 0 && data.[up, paused][1]",
        "!(data.paused) && !contains(data.states, 'FAILED')",
        "!(data.paused) == `true`",
        "\"status\" == 'OK'",
    ],
)
def test_what_an_example_has_or_leaves_open_is_accepted(text: str) -> None:
    assert complaints(text, EXAMPLE, "data.tasks") == []


@pytest.mark.parametrize(
    ("text", "offset", "what"),
    [
        ("item.statee == 'FAILED'", 5, "there is no item.statee; did you mean 'state'?"),
        ("data.xyz > 3", 5, "there is no data.xyz; there are up, paused, states, tasks, anything"),
        ("length(data.tasks[?statee == 'x']) > 0", 19, "there is no statee; did you mean 'state'?"),
        ("contains(data.tasks[?id > 1].statee, 'x')", 29, "there is no statee; did you mean 'state'?"),
        ("max_by(data.tasks, &idd).id > 1", 20, "there is no idd; did you mean 'id'?"),
        ("max_by(data.tasks, &id).idd > 1", 24, "there is no max_by(data.tasks, &id).idd; did you mean 'id'?"),
        ("data.tasks.state == 'x'", 11, "data.tasks is a list and has no field state; write data.tasks[].state"),
        ("length(data.states[?name == 'x']) > 0", 20, "@ is a string and has no field name"),
        ("data.up.count > 1", 8, "data.up is a number and has no field count"),
        ("item.state == 'failed'", 14, "it is never 'failed'; did you mean 'FAILED'?"),
        ("'STOP' != item.state", 0, "it is never 'STOP'; it is one of RUNNING, FAILED"),
        ("contains(['FAILED', 'STOP'], item.state)", 20, "it is never 'STOP'; it is one of RUNNING, FAILED"),
        ("contains(data.states, 'STOP')", 22, "it is never 'STOP'; it is one of RUNNING, FAILED"),
        ("contains(data.tasks[].state, 'STOP')", 29, "it is never 'STOP'; it is one of RUNNING, FAILED"),
        ("data.tasks[?id > 1].state | contains(@, 'STOP')", 40, "it is never 'STOP'; it is one of RUNNING, FAILED"),
        ("status == 'CRIT'", 10, "it is never 'CRIT'; did you mean 'CRITICAL'?"),
        ("!data.paused", 0, "`!` takes only data; write !(data.paused)"),
        ("!item.state == 'FAILED'", 0, "`!` does not take the whole comparison; write !(item.state == 'FAILED')"),
        ("!(item.state) == 'FAILED'", 0, "`!` does not take the whole comparison; write !(item.state == 'FAILED')"),
        (
            'item.state == "FAILED"',
            14,
            "there is no \"FAILED\" (double quotes name a field; a string is written 'FAILED')",
        ),
        ('item.trace | "a" == first', 13, "there is no \"a\" (double quotes name a field; a string is written 'a')"),
        (
            'contains(data.states, "FAILED")',
            22,
            "there is no \"FAILED\" (double quotes name a field; a string is written 'FAILED')",
        ),
        ("data.paused == true", 15, "there is no true (the constant is written `true`, in backquotes)"),
        ("data.up >", 9, "it ends too early; something is still to come, or a bracket to close"),
    ],
)
def test_what_no_answer_ever_has_is_refused_with_the_fix(text: str, offset: int, what: str) -> None:
    assert [(error.offset, str(error)) for error in complaints(text, EXAMPLE, "data.tasks")] == [(offset, what)]


def test_every_mistake_is_reported_in_the_order_it_was_written() -> None:
    found = complaints("data.upp > 1 && !data.paused && 'x' == status", EXAMPLE, None)
    assert [error.offset for error in found] == [5, 16, 32]


def test_there_is_no_item_without_items() -> None:
    assert [error.offset for error in complaints("item.state == 'FAILED'", EXAMPLE, None)] == [0]


def test_an_item_whose_path_is_wrong_is_not_complained_of_twice() -> None:
    assert complaints("item.state == 'FAILED'", EXAMPLE, "data.task") == []
    assert complaints("item.state == 'FAILED'", EXAMPLE, "data.task[") == []


@pytest.mark.parametrize("path", ["data.tasks", "data.anything", "data.tasks[].members[]", "data.tasks[?id > 1]"])
def test_items_of_a_list_are_accepted(path: str) -> None:
    assert path_complaints(path, EXAMPLE) == []


@pytest.mark.parametrize(
    ("path", "offset", "what"),
    [
        ("data.task", 5, "there is no data.task; did you mean 'tasks'?"),
        ("data.up", 0, "data.up is a number; `items` wants a list"),
        ("data.tasks[", 11, "it ends too early; something is still to come, or a bracket to close"),
    ],
)
def test_items_of_anything_else_are_refused(path: str, offset: int, what: str) -> None:
    assert [(error.offset, str(error)) for error in path_complaints(path, EXAMPLE)] == [(offset, what)]


def test_a_chain_is_checked_by_the_examples_of_its_probes() -> None:
    chain = {"broker": EXAMPLE, "lag": EXAMPLE}
    assert complaints("broker.status == 'OK' && item.state == 'FAILED'", chain, "lag.data.tasks") == []
    assert [str(error) for error in complaints("brokr.status == 'OK'", chain, None)] == [
        "there is no brokr; did you mean 'broker'?"
    ]
