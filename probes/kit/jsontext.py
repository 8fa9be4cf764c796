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
        value, end = make_scanner(_Settings)(body, 0)
    except StopIteration:
        raise ValueError("not JSON") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if end != len(body):
        raise ValueError(f"text after the JSON value, at {end}")
    return value


def dumps(value: object) -> str:
    """`value` as JSON on one line; NaN and infinities become the strings "NaN", "+Inf" and "-Inf"."""
    try:
        from _json import encode_basestring as quoted
    except ImportError:
        from json.encoder import py_encode_basestring as quoted
    pieces: list[str] = []
    _write(value, pieces.append, quoted)
    return "".join(pieces)


def _write(value: object, put: "Any", quoted: "Any") -> None:
    if value is None:
        put("null")
    elif value is True or value is False:
        put("true" if value else "false")
    elif isinstance(value, str):
        put(quoted(str(value)))
    elif isinstance(value, int):
        put(int.__repr__(value))
    elif isinstance(value, float):
        put(_number(value))
    elif isinstance(value, dict):
        opening = "{"
        for key, inner in value.items():
            put(f"{opening}{quoted(str(key))}:")
            _write(inner, put, quoted)
            opening = ","
        put("}" if value else "{}")
    elif isinstance(value, (list, tuple)):
        opening = "["
        for inner in value:
            put(opening)
            _write(inner, put, quoted)
            opening = ","
        put("]" if value else "[]")
    else:
        raise TypeError(f"{type(value).__name__} has no JSON form")


def _number(value: float) -> str:
    if value != value:
        return '"NaN"'
    if value in (float("inf"), float("-inf")):
        return '"+Inf"' if value > 0 else '"-Inf"'
    return float.__repr__(value)
