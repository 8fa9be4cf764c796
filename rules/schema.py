"""The JSON Schema of rule files, for editors: the shape, and each probe's options by the probe that a rule names."""

from typing import Any

from probes.kit import catalog, derive
from rules.shape import SCALAR, FileShape

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def schema() -> Schema:
    """The schema of a whole rule file."""
    found: Schema = {"$schema": DIALECT, **FileShape.model_json_schema(by_alias=True)}
    options = {name: _options(name) for name in catalog.names()}
    found["properties"]["defaults"] |= {"properties": options, "additionalProperties": False}
    rule = found["$defs"]["RuleShape"]
    rule["properties"]["probe"]["enum"] = list(options)
    rule["allOf"] = [_when_asked(name, given) for name, given in options.items()]
    return found


def _when_asked(probe: str, options: Schema) -> Schema:
    return {
        "if": {"properties": {"probe": {"const": probe}}, "required": ["probe"]},
        "then": {"properties": {"with": options}},
    }


def _options(probe: str) -> Schema:
    """A probe's options as a file gives them: none is required, since each may come from elsewhere."""
    declared: Schema = derive.json_schema(catalog.load(probe).Options)
    properties = {name: _expandable(option) for name, option in declared["properties"].items()}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _expandable(option: Schema) -> Schema:
    """What the option takes, or a text that becomes that once it is expanded."""
    described: Schema = {key: option[key] for key in ("description", "default") if key in option}
    plain = {key: value for key, value in option.items() if key not in described}
    if plain.get("type") == "array":
        one = _written(plain["items"])
        return {**described, "anyOf": [one, {**plain, "items": one}]}
    return {**described, **_written(plain)}


def _written(option: Schema) -> Schema:
    """One value, as YAML's editors read what is written: a text may look like a number to them."""
    if option == {"type": "string"}:
        return SCALAR
    return {"anyOf": [option, {"type": "string", "pattern": r"\{\{|\$\{"}]}
