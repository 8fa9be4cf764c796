"""The text of a condition or path as a tree: JMESPath by jmespath's own parser, plus bare numbers and places.

jmespath's tree says neither where a node was written nor what to call it, and knows wrong functions only when it
runs. Ours says both, and refuses those at once.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from jmespath.exceptions import IncompleteExpressionError, ParseError
from jmespath.lexer import Lexer
from jmespath.parser import Parser

from probes.kit.condition_text import ConditionError, did_you_mean, what_is_wrong, with_literals
from probes.kit.condition_values import ConditionFunctions

_DEEPEST = 50  # levels; what is interpreted must not meet Python's own limit at 3 a.m.
_TOO_DEEP = f"it is nested more than {_DEEPEST} levels deep; split it into several rules"
_OPERATORS = {"eq": "==", "ne": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


class Node(NamedTuple):
    """One node, of a kind that jmespath's parser names. `path` is what people call its value: `data.lag_total`."""

    kind: str
    value: Any
    children: tuple["Node", ...]
    offset: int
    path: str
    quoted: bool = False  # a field written in double quotes


def parse(text: str) -> Node:
    """The tree of `text`; ConditionError when it is not JMESPath, or calls a function wrongly."""
    if not text.strip():
        raise ConditionError("it is empty; write something like status == 'CRITICAL'", 0)
    try:
        spelled, origins = with_literals(text)
        tree = Parser().parse(spelled).parsed
        tokens: Sequence[Mapping[str, Any]] = list(Lexer().tokenize(spelled))
        return _Tree(tokens, origins).node(tree)
    except IncompleteExpressionError:
        raise ConditionError(
            "it ends too early; something is still to come, or a bracket to close", len(text)
        ) from None
    except ParseError as error:
        raise ConditionError(what_is_wrong(error), origins[error.lex_position]) from None
    except RecursionError:
        raise ConditionError(_TOO_DEEP, 0) from None


def spelling(field: Node) -> str:
    """What a field that is not there was probably meant to be, to go behind `x is missing`."""
    if field.quoted and field.path == f'"{field.value}"':
        return f" (double quotes name a field; a string is written '{field.value}')"
    if field.path in ("true", "false", "null"):
        return f" (the constant is written `{field.value}`, in backquotes)"
    return ""


_NAMED = ("field", "function_expression", "key_val_pair")
_LOOSE = ("pipe", "or_expression", "and_expression", "comparator")  # binding less than `!`, the loosest first
_STEPS = ("subexpression", "index_expression")  # each child reads from the value of the one before

_MISPLACED = "`&` stands only before a function's argument, as in max_by(data.partitions, &lag)"


class _Tree:
    """Turns jmespath's tree into ours, in the order it was written, so that each node meets its own token."""

    def __init__(self, tokens: Sequence[Mapping[str, Any]], origins: Sequence[int]) -> None:
        self.names = (token for token in tokens if token["type"] in ("unquoted_identifier", "quoted_identifier"))
        self.others = {
            "literal": (token for token in tokens if token["type"] == "literal"),
            "not_expression": (token for token in tokens if token["type"] == "not"),
        }
        self.origins = origins

    def node(self, tree: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Node:
        kind = tree["type"]
        token = next(self.names) if kind in _NAMED else next(self.others[kind]) if kind in self.others else None
        if depth > _DEEPEST:
            raise ConditionError(_TOO_DEEP, 0)
        if kind == "slice":
            return self._slice(tree, prefix)
        children = self._children(kind, tree, prefix, depth + 1)
        value = tree.get("value")
        offset = self.origins[token["start"]] if token else children[0].offset if children else 0
        if kind == "function_expression":
            _check_call(str(value), children, offset)
        elif any(child.kind == "expref" for child in children):
            raise ConditionError(_MISPLACED, offset)
        if kind == "expref" and not depth:
            raise ConditionError(_MISPLACED, 0)
        quoted = token is not None and token["type"] == "quoted_identifier"
        return Node(kind, value, children, offset, _path(kind, value, children, prefix, quoted), quoted)

    def _children(self, kind: str, tree: Mapping[str, Any], prefix: str, depth: int) -> tuple[Node, ...]:
        written = list(tree["children"])
        if kind in ("or_expression", "and_expression"):
            return tuple(self.node(child, prefix, depth) for child in _operands(kind, tree))
        if kind in _STEPS:
            steps: list[Node] = []
            for child in written:
                steps.append(self.node(child, steps[-1].path if steps else prefix, depth))
            return tuple(steps)
        if kind == "filter_projection":
            left = self.node(written[0], prefix, depth)
            condition = self.node(written[2], "", depth)  # written before what is read from the kept ones
            return (left, self.node(written[1], "", depth), condition)
        if kind in ("projection", "value_projection", "pipe"):
            return (self.node(written[0], prefix, depth), self.node(written[1], "", depth))
        return tuple(self.node(child, "" if kind == "expref" else prefix, depth) for child in written)

    def _slice(self, tree: Mapping[str, Any], prefix: str) -> Node:
        if tree["children"][2] == 0:
            raise ConditionError("a slice cannot step by 0; write [start:stop] or [start:stop:step]", 0)
        text = ":".join("" if part is None else str(part) for part in tree["children"][:2])
        return Node("slice", tuple(tree["children"]), (), 0, f"{prefix}[{text}]")


def _operands(kind: str, tree: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """`a || b || c` as one list, for generated rules have hundreds."""
    operands: list[Mapping[str, Any]] = []
    while tree["type"] == kind:
        operands.append(tree["children"][1])
        tree = tree["children"][0]
    return [tree, *reversed(operands)]


def _path(kind: str, value: Any, children: tuple[Node, ...], prefix: str, quoted: bool) -> str:
    """What to call the value of such a node."""
    paths = [child.path for child in children]
    match kind:
        case "field":
            return ".".join(filter(None, (prefix, f'"{value}"' if quoted else value)))
        case "index":
            return f"{prefix}[{value}]"
        case "identity" | "current":
            return prefix or "@"
        case "literal":
            return f"'{value}'" if isinstance(value, str) else json.dumps(value)
        case "subexpression" | "index_expression":
            return paths[-1]
        case "function_expression":
            return f"{value}({', '.join(paths)})"
        case "comparator":
            return f" {_OPERATORS[value]} ".join(paths)
        case "or_expression" | "pipe":
            return (" | " if kind == "pipe" else " || ").join(paths)
        case "and_expression":
            return " && ".join(f"({child.path})" if child.kind in _LOOSE[:2] else child.path for child in children)
        case "not_expression":
            return f"!({paths[0]})" if children[0].kind in _LOOSE else f"!{paths[0]}"
        case "expref":
            return f"&{paths[0]}"
        case "projection" | "filter_projection" | "value_projection":
            return _projection_path(kind, children)
        case "flatten":
            return f"{paths[0].removeprefix('@')}[]"
        case "multi_select_list":
            return f"[{', '.join(paths)}]"
        case "multi_select_dict":
            return f"{{{', '.join(paths)}}}"
    return f"{value}: {paths[0]}"  # key_val_pair


def _projection_path(kind: str, children: tuple[Node, ...]) -> str:
    left, right = children[0].path.removeprefix("@"), children[1].path.removeprefix("@")
    if kind == "filter_projection":
        left += f"[?{children[2].path}]"
    elif kind == "value_projection":
        left = f"{left}.*".removeprefix(".")
    elif children[0].kind != "flatten" and not _is_slice(children[0]):
        left += "[*]"
    return f"{left}{'.' if right[:1] not in ('', '[') else ''}{right}"


def _is_slice(node: Node) -> bool:
    return bool(node.children) and node.children[-1].kind == "slice"


def _check_call(name: str, arguments: Sequence[Node], offset: int) -> None:
    functions = ConditionFunctions.FUNCTION_TABLE
    if name not in functions:
        known = sorted(functions)
        raise ConditionError(f"there is no function {name}(); {did_you_mean(name, known, 'there are')}", offset)
    signature = functions[name]["signature"]
    least, more = len(signature), signature[-1].get("variadic", False)
    if len(arguments) < least or (len(arguments) > least and not more):
        takes = f"{least}{' or more' if more else ''} argument{'' if least == 1 and not more else 's'}"
        raise ConditionError(f"{name}() takes {takes}, not {len(arguments)}", offset)
    for place, (wanted, argument) in enumerate(zip(signature, arguments, strict=False), 1):
        if (wanted["types"] == ["expref"]) != (argument.kind == "expref"):
            right = f"an expression such as &{argument.path}" if wanted["types"] == ["expref"] else "a value, without &"
            raise ConditionError(f"{name}() wants {right} as argument {place}", argument.offset)
