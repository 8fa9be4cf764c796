"""What a person at a terminal sees of an answer."""

import pytest

from probes.kit.outputs.text import cell, table


def test_each_field_has_a_column_whatever_the_first_row_holds() -> None:
    heap = {
        "mbean": "java.lang:type=Memory",
        "labels": {"type": "Memory"},
        "value": {"max": 9, "used": 3},
        "trace": "x",
    }
    other = {**heap, "mbean": "kafka:type=a", "value": 42}
    assert table("mbeans", [heap, other]) == [
        "",
        "  mbeans",
        "    mbean                  value",
        '    java.lang:type=Memory  {"max":9,"used":3}',
        "    kafka:type=a           42",
    ]


def test_of_many_rows_the_first_are_shown_and_the_others_counted() -> None:
    assert table("tasks", [{"id": number} for number in range(25)])[-2:] == ["    19", "    and 5 more"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (True, "true"),
        (float("nan"), "NaN"),
        ("a\nb\x1b[31m", "a b [31m"),
        ("x" * 300, "x" * 239 + "…"),
        (["\x9b", "b"], '[" ","b"]'),
        (list(range(100)), "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,2…"),
    ],
)
def test_a_cell_is_one_line_and_drives_no_terminal(value: object, shown: str) -> None:
    assert cell(value) == shown
