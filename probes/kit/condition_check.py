"""What `rules check` can tell of a condition before anything is asked: fields and words that no answer ever has.

It walks the tree over an example of the document (a probe's EXAMPLE in its JSON object), from value to value.
"""

from collections.abc import Mapping
from typing import Any

from probes.kit.condition_syntax import Node, parse, spelling
from probes.kit.condition_text import ConditionError, did_you_mean
from probes.kit.condition_values import kind
from probes.kit.example import AnyKeys, OneOf

# The example does not show it, so nothing below it can be wrong; an example's own None means the same.
_ANYTHING = None

_KEEPS_THE_LIST = {"sort", "sort_by", "reverse", "to_array"}
_PICKS_ONE = {"max_by", "min_by"}


def complaints(text: str, example: Mapping[str, object], item_path: str | None) -> list[ConditionError]:
    """All that is wrong with a `when:`, by an example of what it judges; `item_path` is the rule's `items:`."""
    document = dict(example)
    if item_path is not None:
        document["item"] = _element(_example_at(item_path, example))
    return _complaints(text, document)


def path_complaints(text: str, example: Mapping[str, object]) -> list[ConditionError]:
    """All that is wrong with an `items:`, by an example of what it leads through."""
    found = _complaints(text, example)
    value = _example_at(text, example)
    if not found and value is not _ANYTHING and not isinstance(value, list):
        found.append(ConditionError(f"{text} is {kind(value)}; `items` wants a list", 0))
    return found


def _complaints(text: str, example: Mapping[str, object]) -> list[ConditionError]:
    checker = _Checker()
    try:
        checker.visit(parse(text), example)
    except ConditionError as error:
        return [error]
    return sorted(checker.found, key=lambda error: error.offset)


def _example_at(path: str, example: Mapping[str, object]) -> Any:
    try:
        return _Checker().visit(parse(path), example)
    except ConditionError:
        return _ANYTHING  # the path's own complaint


def _element(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else _ANYTHING


class _Checker:
    """Follows examples through a tree, as the interpreter follows values, and collects what cannot be right."""

    def __init__(self) -> None:
        self.found: list[ConditionError] = []

    def visit(self, node: Node, scope: Any) -> Any:
        """An example of the node's value; _ANYTHING when there is none."""
        handle = getattr(self, node.kind, None)
        if handle is not None:
            return handle(node, scope)
        for child in node.children:
            self.visit(child, scope)
        return _ANYTHING

    def complain(self, node: Node, text: str) -> None:
        if all(error.offset != node.offset for error in self.found):  # the first says it best
            self.found.append(ConditionError(text, node.offset))

    def literal(self, node: Node, _scope: Any) -> Any:
        return node.value

    def current(self, _node: Node, scope: Any) -> Any:
        return scope

    identity = current

    def field(self, node: Node, scope: Any) -> Any:
        if scope is _ANYTHING or (isinstance(scope, AnyKeys) and node.value not in scope):
            return _ANYTHING
        if not isinstance(scope, Mapping):
            of = node.path.removesuffix(node.value).removesuffix(".")
            instead = f"; write {of}[].{node.value}" if isinstance(scope, list) else ""
            self.complain(node, f"{of or '@'} is {kind(scope)} and has no field {node.value}{instead}")
            return _ANYTHING
        if node.value not in scope:
            instead = spelling(node) or f"; {did_you_mean(node.value, list(scope), 'there are')}"
            self.complain(node, f"there is no {node.path}{instead}")
        return scope.get(node.value, _ANYTHING)

    def index(self, _node: Node, scope: Any) -> Any:
        return _element(scope)

    def slice(self, _node: Node, scope: Any) -> Any:
        return scope

    def subexpression(self, node: Node, scope: Any) -> Any:
        self._refuse_hasty_not(node)
        for child in node.children:
            scope = self.visit(child, scope)
        return scope

    index_expression = pipe = subexpression

    def projection(self, node: Node, scope: Any) -> Any:
        self._refuse_hasty_not(node)
        elements = self.visit(node.children[0], scope)
        return [self.visit(node.children[1], _element(elements))]

    def filter_projection(self, node: Node, scope: Any) -> Any:
        left, right, condition = node.children
        self._refuse_hasty_not(node)
        element = _element(self.visit(left, scope))
        self.visit(condition, element)
        return [self.visit(right, element)]

    def value_projection(self, node: Node, scope: Any) -> Any:
        self._refuse_hasty_not(node)
        members = self.visit(node.children[0], scope)
        first = next(iter(members.values()), _ANYTHING) if isinstance(members, AnyKeys) else _ANYTHING
        return [self.visit(node.children[1], first)]

    def flatten(self, node: Node, scope: Any) -> Any:
        lists = self.visit(node.children[0], scope)
        return _element(lists) if isinstance(_element(lists), list) else lists

    def multi_select_dict(self, node: Node, scope: Any) -> Any:
        return {pair.value: self.visit(pair.children[0], scope) for pair in node.children}

    def multi_select_list(self, node: Node, scope: Any) -> Any:
        for child in node.children:
            self.visit(child, scope)
        return []  # its elements are not alike, so the first speaks for none

    def comparator(self, node: Node, scope: Any) -> Any:
        left, right = node.children
        self._refuse_not_of_comparand(node)
        for side in (left, right):
            self._refuse_misspelt_literal(side, scope)
        values = self.visit(left, scope), self.visit(right, scope)
        for state, word_node in ((values[0], right), (values[1], left)):
            self._check_word(state, word_node)
        return True

    def function_expression(self, node: Node, scope: Any) -> Any:
        values = [self.visit(child, scope) for child in node.children if child.kind != "expref"]
        given = values[0] if values else _ANYTHING
        each = [self.visit(child.children[0], _element(given)) for child in node.children if child.kind == "expref"]
        if node.value == "contains":
            self._check_contains(*node.children, *values)
        if node.value == "map":
            return each
        if node.value in _PICKS_ONE:
            return _element(given)
        return given if node.value in _KEEPS_THE_LIST and isinstance(given, list) else _ANYTHING

    # What is refused.

    def _check_contains(self, subject: Node, search: Node, among: Any, state: Any) -> None:
        self._check_word(_element(among), search)
        for word in subject.children if subject.kind == "multi_select_list" else [subject]:
            self._check_word(state, word)

    def _check_word(self, state: Any, node: Node) -> None:
        if not isinstance(state, OneOf) or node.kind != "literal":
            return
        for word in node.value if isinstance(node.value, list) else [node.value]:
            if isinstance(word, str) and word not in state.words:
                self.complain(node, f"it is never '{word}'; {did_you_mean(word, state.words, 'it is one of')}")

    def _refuse_misspelt_literal(self, node: Node, scope: Any) -> None:
        is_there = isinstance(scope, Mapping) and node.value in scope
        if node.kind == "field" and node.value.isidentifier() and not is_there and spelling(node):
            self.complain(node, f"there is no {node.path}{spelling(node)}")

    def _refuse_hasty_not(self, node: Node) -> None:
        """`!a.b`: the `!` takes `a` alone, which is no boolean."""
        if node.children[0].kind == "not_expression":
            self.complain(node, f"`!` takes only {node.children[0].path[1:]}; write !({node.path[1:]})")

    def _refuse_not_of_comparand(self, node: Node) -> None:
        """`!a.b == 'x'`: the `!` takes less than the comparison."""
        left, right = node.children
        boolean = right.kind != "literal" or isinstance(right.value, bool)
        if left.path.startswith("!") and not (left.kind == "not_expression" and boolean):
            self.complain(node, f"`!` does not take the whole comparison; write !({node.path[1:]})")
