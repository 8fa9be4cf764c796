"""JSON without the `json` package, whose import costs a third of a cold probe (it brings `re`).

The C scanner and string encoder are the very ones that `json` uses; a test feeds both the same texts.
Should an interpreter lack them, `json` itself answers.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Settings:
    """What `json.JSONDecoder()` hands to the C scanner."""

    strict, memo = True, None
    object_hook = object_pairs_hook = None
    parse_float, parse_int = float, int

    @staticmethod
    def parse_constant(name: str) -> float:
        return {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}[name]


def loads(text: str) -> "Any":
    """The value of a JSON text; ValueError when it is none."""
    try:
        from _json import make_scanner
    except ImportError:
        from json import loads as full

        return full(text)
    body = text.strip(" \t\n\r")
    try:
        value, end = make_scanner(_Settings)(body, 0)  # type: ignore[arg-type]
    except StopIteration as stop:
        raise ValueError(f"no value, at {stop.value}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except SystemError:  # the scanner wants to raise the error of a module that is not loaded
        from json import loads as full

        return full(text)
    if end != len(body):
        raise ValueError(f"text after the JSON value, at {end}")
    return value


def dumps(value: object, most: int | None = None) -> str:
    """`value` as JSON on one line; NaN and infinities become the strings "NaN", "+Inf" and "-Inf".

    With `most`, so many characters of it, which cost no more however large the whole is.
    """
    try:
        from _json import encode_basestring as quoted
    except ImportError:
        from json.encoder import py_encode_basestring as quoted
    pieces: list[str] = []
    todo = [value]  # no recursion: what can be read can be written, however deep
    while todo and (most is None or len(pieces) < most):  # no piece is empty
        one = todo.pop()
        if isinstance(one, _Verbatim):
            pieces.append(one)
        elif isinstance(one, dict):
            todo += reversed(_object(one, quoted, most))
        elif isinstance(one, (list, tuple)):
            todo += reversed(_array(one if most is None else one[:most]))
        else:
            pieces.append(_scalar(one[:most] if isinstance(one, str) else one, quoted))
    return "".join(pieces)[:most]


class _Verbatim(str):
    """JSON already."""

    __slots__ = ()


def _object(value: "dict[Any, Any]", quoted: "Any", most: int | None) -> "list[Any]":
    parts: list[Any] = []
    opening = "{"
    for key, inner in value.items():
        parts += (_Verbatim(f"{opening}{quoted(str(key)[:most])}:"), inner)
        opening = ","
        if most is not None and len(parts) >= most:
            break
    return [*parts, _Verbatim("}" if parts else "{}")]


def _array(value: "list[Any] | tuple[Any, ...]") -> "list[Any]":
    parts: list[Any] = []
    opening = _Verbatim("[")
    for inner in value:
        parts += (opening, inner)
        opening = _Verbatim(",")
    return [*parts, _Verbatim("]" if parts else "[]")]


def _scalar(value: object, quoted: "Any") -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str(quoted(str(value)))
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return _number(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _number(value: float) -> str:
    if value != value:
        return '"NaN"'
    if value in (float("inf"), float("-inf")):
        return '"+Inf"' if value > 0 else '"-Inf"'
    return float.__repr__(value)
