"""What a probe's EXAMPLE says beyond its values: which words a state can be, which objects have keys of their own.

    EXAMPLE = {"tasks": [{"connector": "orders-sink", "state": one_of(TASK_STATES), "trace": None}],
               "series": [{"labels": any_keys({"job": "kafka"}), "value": 1.0}]}

An example is plain data all the same. Its None says nothing of the value's shape; a list's first element speaks for
all. Part of the cold path: imports nothing.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class OneOf(str):
    """The first word of a state-like field's value set, knowing all of them."""

    __slots__ = ("words",)
    words: tuple[str, ...]


def one_of(words: "Iterable[str]") -> OneOf:
    """An example of a field whose value is always one of `words`; rules that name another are refused."""
    known = tuple(words)
    example = OneOf(known[0])
    example.words = known
    return example


class AnyKeys(dict[str, object]):
    """An object whose keys are not ours to know, such as a series' labels."""

    __slots__ = ()


def any_keys(example: "Mapping[str, object]") -> AnyKeys:
    """An example of an object that may have any keys; rules may name keys that it does not show."""
    return AnyKeys(example)
