"""Where all is there, a condition is plain JMESPath; where something is not, it may only become UNKNOWN."""

import json
from collections.abc import Iterator
from typing import Any

import jmespath
from hypothesis import given
from hypothesis import strategies as st

from probes.kit.condition import Condition, ConditionError, Path, Verdict, complaints, path_complaints

WORDS = st.sampled_from(["OK", "FAILED", "RUNNING", "", "5"])
NUMBERS = st.integers(-3, 3) | st.sampled_from([0.5, -1.5, 1e6])
ROWS = st.fixed_dictionaries(
    {"lag": NUMBERS, "state": WORDS, "ok": st.booleans(), "tags": st.lists(WORDS, min_size=1, max_size=3)}
)
DOCUMENTS = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["OK", "WARNING", "CRITICAL"]),
        "code": st.integers(0, 2),
        "data": st.fixed_dictionaries(
            {
                "lag": NUMBERS,
                "name": WORDS,
                "ok": st.booleans(),
                "lags": st.lists(NUMBERS, min_size=1, max_size=3),
                "states": st.lists(WORDS, min_size=1, max_size=3),
                "rows": st.lists(ROWS, min_size=1, max_size=3),
            }
        ),
    }
)

# Expressions have bare numbers as `«5»`, so that one text can be written for us and for plain JMESPath.
NUMBER = NUMBERS.map(lambda number: f"«{json.dumps(number)}»")
STRING = WORDS.map(lambda word: f"'{word}'")


def comparisons(numbers: st.SearchStrategy[str], strings: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    order = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    return st.one_of(
        st.tuples(numbers, order, numbers | NUMBER).map(" ".join),
        st.tuples(NUMBER, order, numbers).map(" ".join),
        st.tuples(strings, order, strings | STRING).map(" ".join),
    )


def conditions(atoms: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            inner.map(lambda one: f"!({one})"),
            st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        ),
        max_leaves=5,
    )


ROW_CONDITIONS = conditions(
    st.one_of(
        st.just("ok"),
        comparisons(st.sampled_from(["lag", "abs(lag)", "length(tags)"]), st.sampled_from(["state", "tags[0]"])),
        STRING.map(lambda word: f"contains(tags, {word})"),
    )
)
FILTERED = ROW_CONDITIONS.map(lambda condition: f"data.rows[?{condition}]")
LISTS_OF_STRINGS = st.one_of(
    st.just("data.states"),
    st.just("data.rows[].tags[]"),
    st.just("data.rows[0:2].state"),
    st.just("map(&state, data.rows)"),
    FILTERED.map(lambda rows: f"{rows}.state"),
)
CONDITIONS = conditions(
    st.one_of(
        st.just("data.ok"),
        st.just("data.rows[-1].ok"),
        comparisons(
            st.one_of(
                st.sampled_from(["data.lag", "code", "max(data.lags)", "sum(data.rows[*].lag)", "data.rows[0].lag"]),
                st.sampled_from(["max_by(data.rows, &lag).lag", "data.{x: lag}.x", "data.[lag][0]"]),
                FILTERED.map(lambda rows: f"length({rows})"),
            ),
            st.sampled_from(["data.name", "status", "data.rows[0].tags[0]", "sort_by(data.rows, &lag)[0].state"]),
        ),
        st.tuples(LISTS_OF_STRINGS, STRING).map(lambda pair: f"contains({pair[0]}, {pair[1]})"),
        st.tuples(LISTS_OF_STRINGS, LISTS_OF_STRINGS).map(" == ".join),
        ROW_CONDITIONS.map(lambda condition: f"(data.rows[0] | {condition})"),
    )
)


def judged(text: str, document: dict[str, Any]) -> Verdict:
    return Condition(text.replace("«", "").replace("»", "")).judge(document).verdict


@given(CONDITIONS, DOCUMENTS)
def test_where_all_is_there_a_condition_is_plain_jmespath(text: str, document: dict[str, Any]) -> None:
    plain = jmespath.search(text.replace("«", "`").replace("»", "`"), document)
    assert judged(text, document) == {True: Verdict.MET, False: Verdict.NOT_MET}[plain]


def gaps(value: Any) -> Iterator[None]:
    """Nulls and removes each part of `value` in turn, putting it back each time."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        part = value[key]
        value[key] = None
        yield
        if isinstance(value, dict):
            del value[key]
            yield
        value[key] = part
        if isinstance(part, (dict, list)):
            yield from gaps(part)


@given(CONDITIONS, DOCUMENTS)
def test_what_is_null_or_missing_may_only_make_a_verdict_unknown(text: str, document: dict[str, Any]) -> None:
    whole = judged(text, document)
    for _ in gaps(document):
        assert judged(text, document) in (whole, Verdict.UNKNOWN)


TOKENS = ["data", "rows", "lag", "ok", "x", "5", "0.5", "-1", "'a'", '"b"', "`null`", "`[1]`", "@", "*", ".", ",", ":"]
TOKENS += [
    "[",
    "]",
    "[]",
    "[?",
    "(",
    ")",
    "{",
    "}",
    "==",
    "!=",
    "<",
    ">=",
    "&&",
    "||",
    "!",
    "|",
    "&",
    "=",
    "'",
    "`",
    "-",
]
TOKENS += ["length(", "max(", "max_by(", "contains(", "type(", "not_null(", "to_number(", "ceil("]


@given(st.lists(st.sampled_from(TOKENS), max_size=12).map("".join) | st.text(max_size=12), DOCUMENTS)
def test_no_text_and_no_document_is_met_with_anything_but_an_answer(text: str, document: dict[str, Any]) -> None:
    found = complaints(text, document, text) + path_complaints(text, document)
    assert all(0 <= error.offset <= len(text) for error in found)
    try:
        condition, path = Condition(text), Path(text)
    except ConditionError:
        assert found
        return
    assert condition.judge(document).verdict in Verdict
    assert (path.elements(document) is None) == bool(path.reason(document))
