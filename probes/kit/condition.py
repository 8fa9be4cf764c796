"""`when:` and `items:`: JMESPath judged in three values. What cannot be told is UNKNOWN, where JMESPath says false.

Pure: no clock, no network. It brings jmespath, so import it only where a rule or `--when` asks.

A document is what a probe's JSON says, as plain dict, list, str, int, float, bool and None; in a chain a mapping of
name to it; with `items` also `item`. What is UNKNOWN beyond the obvious:

- A field that is missing, even where it is compared with `null`: every key is always there, so it is a mistake.
- `data` itself where it is null, and whatever else a result has as null: the probe could not learn it. Only below
  `data` does a null say something, and only to ``== `null` ``, ``!= `null` `` and `type()`; so does NaN to `== 'NaN'`.
- `status` and `code` of an UNKNOWN result, unless compared with 'UNKNOWN' and 3: it may be well or ill.
- What `!`, a filter or the whole condition finds neither true nor false. `&&` and `||` take a value's truth as JMESPath
  does, but not a null's, and `not_null()` is no way around it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from probes.kit.condition_check import complaints, path_complaints
from probes.kit.condition_interpreter import INTERPRETER
from probes.kit.condition_syntax import parse
from probes.kit.condition_text import ConditionError
from probes.kit.condition_values import Undecided, Withheld

__all__ = ["Condition", "ConditionError", "Judgement", "Path", "Verdict", "complaints", "path_complaints"]


class Verdict(StrEnum):
    MET = "MET"
    NOT_MET = "NOT MET"
    UNKNOWN = "UNKNOWN"


class Judgement(NamedTuple):
    """A verdict and, when it is UNKNOWN, what could not be judged."""

    verdict: Verdict
    reason: str


class Condition:
    """A `when:`, compiled once. ConditionError when it is not one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tree = parse(text)

    def judge(self, document: Mapping[str, object]) -> Judgement:
        try:
            met = INTERPRETER.truth(self._tree, _guarded(document))
        except Undecided as why:
            return Judgement(Verdict.UNKNOWN, str(why))
        return Judgement(Verdict.MET if met else Verdict.NOT_MET, "")


class Path:
    """An `items:`, compiled once. ConditionError when it is not a path."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tree = parse(text)

    @property
    def root(self) -> str:
        """The field it begins with; in a chain, the question whose answer has the items."""
        node = self._tree
        while node.children:
            node = node.children[0]
        return node.value if node.kind == "field" else ""

    def elements(self, document: Mapping[str, object]) -> list[object] | None:
        """The list that it leads to; None when it could not be learnt."""
        try:
            return INTERPRETER.items(self._tree, _guarded(document))
        except Undecided:
            return None

    def reason(self, document: Mapping[str, object]) -> str:
        """Why there are no elements, in words; empty when there are."""
        try:
            INTERPRETER.items(self._tree, _guarded(document))
        except Undecided as why:
            return str(why)
        return ""


def _guarded(document: Mapping[str, object]) -> dict[str, object]:
    """`document` with all that must not be taken at its word withheld."""
    if _is_result(document):
        return _guarded_result(document)
    return {
        name: _guarded_result(value) if name != "item" and isinstance(value, dict) and _is_result(value) else value
        for name, value in document.items()
    }


def _is_result(value: Mapping[str, object]) -> bool:
    # In a chain a question may be named `status` or `data`; its value is an object then.
    return "data" in value and isinstance(value.get("status"), str)


def _guarded_result(result: Mapping[str, object]) -> dict[str, object]:
    message = f": {result['message']}" if result.get("message") else ""
    guarded: dict[str, object] = {
        name: Withheld(f"is null{message if name == 'data' else ''}") if value is None and name != "item" else value
        for name, value in result.items()
    }
    if result["status"] == "UNKNOWN":
        guarded |= {
            "status": Withheld(f"is UNKNOWN{message}", "UNKNOWN"),
            "code": Withheld(f"is 3, UNKNOWN{message}", 3),
        }
    return guarded
