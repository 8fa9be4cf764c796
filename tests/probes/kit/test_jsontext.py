"""Our JSON is json's, but for NaN and infinities, which become strings."""

import json
import math
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from probes.kit.jsontext import dumps, loads

ROOT = Path(__file__).parents[3]

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
NEARLY_JSON = st.text('{}[]",:\\/ \t\r\n0123456789.eE+-truefalsnNaInfity\x00\x7fé\ud800\ufeff', max_size=40)


def theirs(text: str) -> Any:
    try:
        return repr(json.loads(text))
    except ValueError:
        return ValueError


def ours(text: str) -> Any:
    try:
        return repr(loads(text))
    except ValueError:
        return ValueError


@given(NEARLY_JSON | st.text())
@example("")
@example("\ufeff{}")
@example(" [1, 2 ]\n")
@example("[1,]")
@example('{"a":1,"a":2}')
@example('"\\ud800\\udc00 \\ud800"')
@example("NaN")
@example("-Infinity")
@example("1" * 5000)
@example("1e999")
@example("\u00a01")
@example("-")
@example('"\n"')
@example("nul")
@example("{'a': 1}")
@example("1 2")
def test_any_text_is_read_as_json_reads_it(text: str) -> None:
    assert ours(text) == theirs(text)


@given(VALUES)
def test_what_json_writes_we_read(value: object) -> None:
    assert loads(json.dumps(value)) == value
    assert loads(json.dumps(value, ensure_ascii=False, indent=2)) == value


@given(VALUES)
def test_we_write_what_json_writes(value: object) -> None:
    assert dumps(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@given(VALUES)
def test_an_answer_is_one_line_of_valid_utf8_json(value: object) -> None:
    line = dumps(value).encode("utf-8", "backslashreplace")  # as the command prints it
    assert b"\n" not in line
    json.loads(line.decode("utf-8"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.nan, '"NaN"'),
        (math.inf, '"+Inf"'),
        (-math.inf, '"-Inf"'),
        ([math.nan, {"a": math.inf}], '["NaN",{"a":"+Inf"}]'),
        (-0.0, "-0.0"),
        ((1, 2), "[1,2]"),
        ({}, "{}"),
        ([[], {}], "[[],{}]"),
        ("\ud800", '"\ud800"'),
    ],
)
def test_what_json_has_no_word_for_is_written_as_a_text(value: object, text: str) -> None:
    assert dumps(value) == text


@given(VALUES, st.integers(0, 40))
def test_the_beginning_is_that_of_the_whole(value: object, most: int) -> None:
    assert dumps(value, most) == dumps(value)[:most]


@pytest.mark.parametrize(
    "value", [[1] * 500_000, {"a": [1] * 500_000}, dict.fromkeys(map(str, range(100_000))), "x" * 5_000_000]
)
def test_the_beginning_of_much_costs_little(value: object) -> None:
    tracemalloc.start()
    dumps(value, 80)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000  # bytes


def test_a_subclass_is_written_as_what_it_is() -> None:
    from probes.kit.example import one_of
    from probes.kit.result import Status
    from probes.kit.types import Duration

    assert dumps([one_of(["UP", "DOWN"]), Status.CRITICAL, Duration(1.5)]) == '["UP",2,1.5]'


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", [1, {"a": object()}]])
def test_what_is_no_json_value_is_an_error(value: object) -> None:
    with pytest.raises(TypeError, match="has no JSON form"):
        dumps(value)


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":[', "[" * 30 + "1,"])
def test_a_text_nested_too_deeply_is_not_json(opening: str) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        loads(opening * 200_000)


def test_what_could_be_read_can_be_written_however_deep() -> None:
    value: object = 1
    for _ in range(100_000):
        value = [value]
    assert dumps(value) == "[" * 100_000 + "1" + "]" * 100_000


@pytest.mark.parametrize(
    ("text", "said"), [("", "no value, at 0"), ("[1,", "no value, at 3"), ("1 x", "text after the JSON value, at 1")]
)
def test_an_error_says_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        loads(text)


def test_json_itself_answers_where_an_interpreter_lacks_its_c_part() -> None:
    code = (
        "import sys; sys.modules['_json'] = None; from probes.kit.jsontext import dumps, loads; "
        """assert dumps(loads('{"a": ["\\\\u00e9", 1.5]}')) == '{"a":["\\u00e9",1.5]}'"""
    )
    subprocess.run([sys.executable, "-c", code], check=True)


BROKEN = ['"abc', '"\\u001;"', '"a\\q"', '"\x01"', '{"a" 1}', '{"a":1,}', "{1:2}", "[1 2]"]
READ = """
import sys
sys.path[:] = [*sys.argv[1:2], *sys.path]
from probes.kit.jsontext import loads
try:
    loads(sys.argv[2])
except ValueError as error:
    print(error)
"""


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_no_json_is_so_where_the_json_package_is_not_loaded(text: str) -> None:
    """The C scanner then cannot raise its error, and says SystemError instead."""
    call = [sys.executable, "-S", "-c", READ, str(ROOT), text]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    assert re.match(r".*: line 1 column \d+|not JSON|text after", done.stdout), done.stdout
