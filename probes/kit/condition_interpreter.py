"""The value of a condition's tree in a document. What cannot be told is raised as Undecided, and caught only by what
can be true or false in spite of it: `&&`, `||`, and equality with parts that differ.
"""

from typing import Any

from jmespath.exceptions import JMESPathTypeError
from jmespath.visitor import _Expression  # its name is how jmespath's functions know an expression reference

from probes.kit.condition_syntax import Node, spelling
from probes.kit.condition_values import (
    ConditionFunctions,
    Undecided,
    Withheld,
    compare,
    described,
    is_nan,
    kind,
    number,
    numeric,
    shown,
)


class Interpreter:
    """Finds the value of a node in a scope, or raises Undecided; a method for each kind of node."""

    def visit(self, node: Node, scope: Any) -> Any:
        """The value of `node`; None is a null that is really there. jmespath's functions call it by this name."""
        value = self._as_it_stands(node, scope)
        if isinstance(value, Withheld):
            raise Undecided(f"{node.path} {value.why}")
        return value

    def present(self, node: Node, scope: Any) -> Any:
        value = self.visit(node, scope)
        if value is None:
            raise Undecided(f"{node.path} is null")
        return value

    def truth(self, node: Node, scope: Any) -> bool:
        value = self.present(node, scope)
        if isinstance(value, bool):
            return value
        raise Undecided(f"{node.path} came out as {shown(value)}, neither true nor false")

    def items(self, node: Node, scope: Any) -> list[object]:
        value = self.present(node, scope)
        if isinstance(value, list):
            return value
        raise Undecided(f"{node.path} is {kind(value)}, not a list")

    def _as_it_stands(self, node: Node, scope: Any) -> Any:
        return getattr(self, node.kind)(node, scope)

    # What is read.

    def field(self, node: Node, scope: Any) -> Any:
        if not isinstance(scope, dict):
            raise Undecided(f"{node.path} cannot be read from {kind(scope)}")
        if node.value not in scope:
            raise Undecided(f"{node.path} is missing{spelling(node)}")
        return scope[node.value]

    def index(self, node: Node, scope: Any) -> Any:
        if not isinstance(scope, list):
            raise Undecided(f"{node.path} cannot be read from {kind(scope)}")
        if not -len(scope) <= node.value < len(scope):
            raise Undecided(f"{node.path} is missing: there are only {len(scope)}")
        return scope[node.value]

    def slice(self, node: Node, scope: Any) -> Any:
        if not isinstance(scope, list):
            raise Undecided(f"{node.path} cannot be read from {kind(scope)}")
        return scope[slice(*node.value)]

    def current(self, _node: Node, scope: Any) -> Any:
        return scope

    identity = current

    def literal(self, node: Node, _scope: Any) -> Any:
        return node.value

    def subexpression(self, node: Node, scope: Any) -> Any:
        *steps, last = node.children
        for step in steps:
            scope = self.present(step, scope)
        return self._as_it_stands(last, scope)

    index_expression = subexpression

    def pipe(self, node: Node, scope: Any) -> Any:
        left, right = node.children
        return self.visit(right, self.visit(left, scope))

    def multi_select_list(self, node: Node, scope: Any) -> list[Any]:
        return [self.visit(child, scope) for child in node.children]

    def multi_select_dict(self, node: Node, scope: Any) -> dict[str, Any]:
        return {pair.value: self.visit(pair.children[0], scope) for pair in node.children}

    # What is judged.

    def comparator(self, node: Node, scope: Any) -> bool:
        left, right = node.children
        found = self._as_it_stands(left, scope), self._as_it_stands(right, scope)
        values = _comparable(left, *found), _comparable(right, *reversed(found))
        if node.value in ("eq", "ne"):
            asked = _asked_for(left, values[1]) if left.kind == "literal" else _asked_for(right, values[0])
            if asked is not None:
                return asked is (node.value == "eq")
        return compare(node.value, *values, left.path, right.path)

    def not_expression(self, node: Node, scope: Any) -> bool:
        return not self.truth(node.children[0], scope)

    def or_expression(self, node: Node, scope: Any) -> Any:
        return self._either(node, scope, deciding=True)

    def and_expression(self, node: Node, scope: Any) -> Any:
        return self._either(node, scope, deciding=False)

    def _either(self, node: Node, scope: Any, deciding: bool) -> Any:
        """The first operand that decides, else the last; after one that cannot be told only true or false decides."""
        undecided: Undecided | None = None
        for operand in node.children:
            try:
                value = self.present(operand, scope)
            except Undecided as why:
                undecided = undecided or why
                continue
            if _is_true(value) is deciding:
                if undecided is None or value is deciding:
                    return value
                break
        if undecided:
            raise undecided
        return value

    # What goes over a list.

    def projection(self, node: Node, scope: Any) -> list[Any]:
        left, right = node.children
        return [
            self._element(self.present, right, element, left, at) for at, element in enumerate(self.items(left, scope))
        ]

    def filter_projection(self, node: Node, scope: Any) -> list[Any]:
        left, right, condition = node.children
        return [
            self._element(self.present, right, element, left, at)
            for at, element in enumerate(self.items(left, scope))
            if self._element(self.truth, condition, element, left, at)
        ]

    def value_projection(self, node: Node, scope: Any) -> list[Any]:
        left, right = node.children
        members = self.present(left, scope)
        if not isinstance(members, dict):
            raise Undecided(f"{left.path} is {kind(members)}, not an object")
        return [self._element(self.present, right, member, left, name) for name, member in members.items()]

    def flatten(self, node: Node, scope: Any) -> list[Any]:
        lists = self.items(node.children[0], scope)
        return [inner for element in lists for inner in (element if isinstance(element, list) else [element])]

    def _element(self, judge: Any, node: Node, element: Any, of: Node, at: int | str) -> Any:
        try:
            return judge(node, element)
        except Undecided as why:
            place = f"[{at}]" if isinstance(at, int) else f".{at}"
            raise Undecided(f"{why} in {of.path}{place}") from None

    # Functions.

    def function_expression(self, node: Node, scope: Any) -> Any:
        wanted = [parameter["types"] for parameter in ConditionFunctions.FUNCTION_TABLE[node.value]["signature"]]
        arguments = [
            self._argument(node.value, argument, scope, wanted[min(at, len(wanted) - 1)])
            for at, argument in enumerate(node.children)
        ]
        try:
            return _FUNCTIONS.call_function(node.value, arguments)
        except Undecided as why:
            raise Undecided(f"{why} in {node.path}") from None
        except JMESPathTypeError as error:
            raise Undecided(f"{node.path} cannot be told from {described(error.current_value)}") from None
        except (TypeError, ValueError, OverflowError) as error:
            raise Undecided(f"{node.path} cannot be told: {error}") from None

    def _argument(self, function: str, node: Node, scope: Any, wanted: list[str]) -> Any:
        if node.kind == "expref":
            visitor = _Keys() if function.endswith("_by") else self
            return _Expression(node.children[0], visitor)  # type: ignore[arg-type]  # it only carries them to `visit`
        if function == "type":
            return self.visit(node, scope)
        return numeric(self.present(node, scope), wanted, node.path)


class _Keys:
    """What max_by() and its kin order by; jmespath's functions call `visit`."""

    def visit(self, node: Node, element: Any) -> Any:
        return numeric(INTERPRETER.present(node, element), ["number"], node.path)


def _is_true(value: Any) -> bool:
    """JMESPath's truth, in which 0 is true."""
    return value is not False and value not in ("", [], {})


def _comparable(node: Node, value: Any, other: Any) -> Any:
    if not isinstance(value, Withheld):
        return value
    if value.comparable_with is not None and value.comparable_with == other:
        return value.comparable_with
    raise Undecided(f"{node.path} {value.why}")


def _asked_for(literal: Node, value: Any) -> bool | None:
    """Whether `value` is the null or NaN that `literal` asks for; None when it asks for neither."""
    if literal.kind == "literal" and literal.value is None:
        return value is None
    found = number(value)
    if literal.kind == "literal" and literal.value == "NaN" and found is not None:
        return is_nan(found)
    return None


INTERPRETER = Interpreter()
_FUNCTIONS = ConditionFunctions()
