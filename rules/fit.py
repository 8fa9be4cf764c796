"""Fit a document to its shape. What does not fit is told and taken out, so that the rest can be checked as well."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rules.document import Entry, MappingNode, Mistake, Node, Place, ScalarNode, SequenceNode, plain
from rules.shape import FileShape, GroupShape, ReceiverShape, RouteShape, RuleShape, Shape
from rules.wording import did_you_mean, near

_SHAPES: dict[str, type[Shape]] = {
    "groups": GroupShape,
    "rules": RuleShape,
    "route": RouteShape,
    "routes": RouteShape,
    "receivers": ReceiverShape,
}
_WANTED = {
    "string_type": "a text",
    "list_type": "a list, `[a, b]` or lines that begin with `- `",
    "dict_type": "a mapping, lines of `key: value`",
    "model_type": "a mapping, lines of `key: value`",
}
_INSTEAD = {"expr": {"probe"}, "record": {"alert", "probe"}, "probes": {"probe"}}  # not missing beside these

Keys = Sequence[int | str]
FILLER = "?"  # stands for a text that is missing or broken; its key is in the mapping's `broken`


@dataclass(frozen=True, slots=True)
class Fitted:
    """A rule file as far as it has the shape, and its document cut down to the same."""

    shape: FileShape
    node: MappingNode


def fit(root: MappingNode) -> tuple[Fitted, list[Mistake]]:
    """What of the document has the shape, and a mistake for all that was cut."""
    mistakes: list[Mistake] = []
    while True:
        try:
            return Fitted(FileShape.model_validate(plain(root)), root), mistakes
        except ValidationError as error:
            for detail in reversed(error.errors()):  # from the end, so that the places of lists' elements stay
                mistakes += _cut(root, detail)


def find(root: Node, keys: Keys) -> Node | None:
    """The node at a path of keys and indices."""
    node: Node | None = root
    for key in keys:
        if isinstance(node, MappingNode):
            entry = node.entries.get(str(key))
            node = entry.value if entry else None
        elif isinstance(node, SequenceNode) and isinstance(key, int) and key < len(node.items):
            node = node.items[key]
        else:
            return None
    return node


def mappings(root: Node, key: str) -> list[MappingNode]:
    """The mappings in the list that a key of `root` has."""
    found = find(root, [key])
    return [item for item in found.items if isinstance(item, MappingNode)] if isinstance(found, SequenceNode) else []


def mapping(root: Node, key: str) -> MappingNode:
    """The mapping that a key of `root` has; an empty one where it has none."""
    found = find(root, [key])
    return found if isinstance(found, MappingNode) else MappingNode({}, root.place)


def listed(root: Node, key: str) -> list[ScalarNode]:
    """The scalars in the list that a key of `root` has."""
    found = find(root, [key])
    return [item for item in found.items if isinstance(item, ScalarNode)] if isinstance(found, SequenceNode) else []


def _cut(root: MappingNode, error: ErrorDetails) -> list[Mistake]:
    """Take out, or fill in, what `error` is about; a mistake for it, unless it follows from one before."""
    *path, last = error["loc"]
    if last == "[key]":
        *path, last = path
    parent = find(root, path)
    if isinstance(parent, SequenceNode) and isinstance(last, int) and last < len(parent.items):
        parent.broken = True
        return [Mistake(parent.items.pop(last).place, _said(error, path, last))]
    if not isinstance(parent, MappingNode):
        return []
    key = str(last)
    entry = parent.entries.pop(key, None)
    told = key in parent.broken
    parent.broken.add(key)
    if error["type"] == "missing":
        place = entry.key.place if entry else parent.place
        parent.entries[key] = Entry(_filler(place), _filler(place))
        if told or _stands_as_another(key, parent.broken - {key}):
            return []
        return [Mistake(place, _missing(path, key, empty=entry is not None))]
    if entry is None:
        return []
    at_key = error["type"] == "extra_forbidden" or error["loc"][-1] == "[key]"
    return [Mistake(entry.key.place if at_key else entry.value.place, _said(error, path, last))]


def _stands_as_another(key: str, broken: set[str]) -> bool:
    """Whether a key that is missing was meant by one that was told: misspelt, or of a kind that needs no such key."""
    return any(key in _INSTEAD.get(other, ()) for other in broken) or bool(near(key, broken))


def _filler(place: Place) -> ScalarNode:
    return ScalarNode(FILLER, place, FILLER, "", null=False)


def _shape(path: Keys) -> type[Shape]:
    """The shape of the mapping at `path`."""
    names = [key for key in path if isinstance(key, str)]
    return _SHAPES[names[-1]] if names else FileShape


def _missing(path: Keys, key: str, empty: bool) -> str:
    field = next(f for name, f in _shape(path).model_fields.items() if (f.alias or name) == key)
    return f"`{key}` {'has no value' if empty else 'is missing'}: {field.description}"


def _said(error: ErrorDetails, path: Keys, last: int | str) -> str:
    name = f"`{last}`" if isinstance(last, str) else f"an entry of `{path[-1]}`"
    if error["type"] == "extra_forbidden":
        return _unknown(_shape(path), str(last))
    if error["type"] == "value_error":
        said = str(error["ctx"]["error"])
        if said[:1] not in "'\"":
            return f"{name} {said}"
        return said if error["loc"][-1] == "[key]" else f"`{_key(path, last)}`: {said}"
    wanted = _WANTED.get(error["type"])
    return f"{name} must be {wanted}; this is {_kind(error['input'])}" if wanted else f"{name}: {error['msg']}"


def _key(path: Keys, last: int | str) -> str:
    return next(str(key) for key in (last, *reversed(path)) if isinstance(key, str))


def _unknown(shape: type[Shape], key: str) -> str:
    if key in shape.LATER:
        return f"`{key}` is not supported by this version of stetho: {shape.LATER[key]}"
    known = [field.alias or name for name, field in shape.model_fields.items()]
    return f"the key `{key}` is not known here; {did_you_mean(key, known)}"


def _kind(value: object) -> str:
    if value is None:
        return "empty"
    return "a list" if isinstance(value, list) else "a mapping" if isinstance(value, dict) else "a text"
