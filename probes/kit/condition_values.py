"""Values as a condition sees them: what can be compared, what cannot, and how to say so.

Our JSON writes NaN and infinities as the strings "NaN", "+Inf" and "-Inf"; here they are numbers again.
"""

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from jmespath.functions import Functions, signature

_NUMBER_WORDS = {"NaN": math.nan, "+Inf": math.inf, "-Inf": -math.inf}
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


class Undecided(Exception):  # not an error but the third answer
    """What was asked cannot be judged; the text says why."""


class Withheld(NamedTuple):
    """A field of a result that says nothing: reading it is undecided, but for the one value it may be compared with."""

    why: str  # follows the field's path
    comparable_with: str | int | None = None


def kind(value: object) -> str:
    """What JSON calls it, in the words of the reasons that people read."""
    if isinstance(value, str):
        return "a string"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    return "null" if value is None else type(value).__name__


def shown(value: object) -> str:
    """`value` in a sentence, and no longer than a sentence."""
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else f"{value[:59]}…")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return str(value) if isinstance(value, (int, float)) else kind(value)


def described(value: object) -> str:
    """`a string ('abc')`, `a list`: what it is and, where it is short, its value."""
    return f"{kind(value)} ({shown(value)})" if isinstance(value, (str, int, float)) else kind(value)


def number(value: object) -> float | None:
    """`value` as a number, when it is one; None when it is something else."""
    if isinstance(value, str):
        return _NUMBER_WORDS.get(value)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def is_nan(value: float) -> bool:
    return value != value  # math.isnan() fails on integers beyond a float's range


def compare(operation: str, left: Any, right: Any, left_name: str, right_name: str) -> bool:
    """Whether `left` `operation` `right`; both must be there and of one kind."""
    for value, name in ((left, left_name), (right, right_name)):
        if value is None:
            raise Undecided(f"{name} is null")
    left_number, right_number = number(left), number(right)
    if left_number is not None and right_number is not None:
        for value, name in ((left_number, left_name), (right_number, right_name)):
            if is_nan(value):
                raise Undecided(f"{name} is NaN")
        return _COMPARE[operation](left_number, right_number)
    if kind(left) != kind(right):
        raise Undecided(_mismatch(left, right, left_name, right_name))
    if operation in ("eq", "ne"):
        return _equal(left, right, left_name, right_name) == (operation == "eq")
    if not isinstance(left, str):
        raise Undecided(f"{left_name} is {shown(left)}, which is neither more nor less than anything")
    return _COMPARE[operation](left, right)


def _mismatch(left: Any, right: Any, left_name: str, right_name: str) -> str:
    return ", but ".join(
        f"{name} is {kind(value) if name == shown(value) else described(value)}"  # a literal says its value itself
        for name, value in ((left_name, left), (right_name, right))
    )


def _equal(left: Any, right: Any, left_name: str, right_name: str) -> bool:
    """Equality of two values of one kind, part by part: one part that differs decides, whatever the others are."""
    if isinstance(left, dict):
        if left.keys() != right.keys():
            return False
        parts = [(left[key], right[key], f".{key}") for key in left]
    elif isinstance(left, list):
        if len(left) != len(right):
            return False
        parts = [(one, other, f"[{at}]") for at, (one, other) in enumerate(zip(left, right, strict=True))]
    else:
        return bool(left == right)
    return not any_holds(
        partial(compare, "ne", one, other, left_name + at, right_name + at) for one, other, at in parts
    )


def any_holds(answers: Iterable[Callable[[], bool]]) -> bool:
    """Whether one of `answers` is true; one that is outweighs those that cannot be told."""
    undecided: Undecided | None = None
    for answer in answers:
        try:
            if answer():
                return True
        except Undecided as why:
            undecided = undecided or why
    if undecided:
        raise undecided
    return False


def numeric(value: Any, wanted: Iterable[str], name: str) -> Any:
    """A function's argument with "+Inf" and "-Inf" as numbers where it wants numbers; no order and no sum has a NaN."""
    if "number" in wanted:
        found = number(value)
        if found is not None and is_nan(found):
            raise Undecided(f"{name} is NaN")
        return value if found is None else found
    if "array-number" in wanted and isinstance(value, list):
        numbers = [number(element) for element in value]
        if None in numbers:
            return value
        if any(found is not None and is_nan(found) for found in numbers):
            raise Undecided(f"{name} has a NaN in it")
        return numbers
    return value


class ConditionFunctions(Functions):
    """jmespath's functions, but for `contains`, which must not miss what a null may have been."""

    @signature({"types": ["array", "string"]}, {"types": []})
    def _func_contains(self, subject: Any, search: Any) -> bool:
        if isinstance(subject, list):
            wanted = shown(search)
            return any_holds(partial(compare, "eq", element, search, "an element", wanted) for element in subject)
        if not isinstance(search, str):
            raise Undecided(f"{shown(search)} is not a string, so no string contains it")
        return search in subject
