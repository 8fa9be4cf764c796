"""What follows from a probe's declared options beyond parsing: the JSON Schema of `with:`."""

from probes.kit.options import Field, OptionSet, Secret
from probes.kit.types import Duration, JmxAddress, Range, Url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PLAIN = {int: "integer", float: "number", bool: "boolean"}
_PATTERNS = {
    Duration: r"^([0-9]+(ms|[smhdwy]))+$|^0$",
    Range: r"^@?((~|[-+.0-9eE]+)?:)?[-+.0-9eE]*$",
    Url: r"^(https?|http\+unix)://",
    JmxAddress: r"^(jmx://|service:jmx:.*/jndi/rmi://)?[^/]+:[0-9]+(/jmxrmi)?$",
}


def json_schema(options: type[OptionSet]) -> "dict[str, Any]":
    """The schema of the mapping under `with:`. A text may hold a template or `${NAME}` in any value's place."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {key: _of(field, key) for field in options.fields for key in field.keys},
    }


def _of(field: Field, key: str) -> "dict[str, Any]":
    told = {"description": field.help}
    one = {"type": "string"} if field.type is Secret or key != field.name else _value(field)
    if field.many:
        return {**told, "anyOf": [one, {"type": "array", "items": one}]}
    return {**told, **one} | ({"default": default} if (default := _default(field)) is not None else {})


def _value(field: Field) -> "dict[str, Any]":
    expandable = {"type": "string", "pattern": r"\{\{|\$\{"}
    if field.choices:
        return {"anyOf": [{"enum": list(field.choices)}, expandable]}
    if field.type in _PLAIN:
        return {"anyOf": [{"type": _PLAIN[field.type]}, expandable]}
    pattern = _PATTERNS.get(field.type)
    if pattern is None:
        return {"type": "string"}
    # YAML reads `10:20` and a bare 10 as numbers where stetho reads the text.
    kinds = ["string", "number"] if field.type is Range else ["string"]
    return {"anyOf": [{"type": kinds, "pattern": pattern}, expandable]}


def _default(field: Field) -> "Any":
    if field.required or field.default in (None, ()):
        return None
    return str(field.default) if isinstance(field.default, (Duration, Range)) else field.default
