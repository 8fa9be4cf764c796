import json
from typing import Any

import pytest

from probes.kit import catalog
from rules.schema import schema


def rule_schema() -> dict[str, Any]:
    rule: dict[str, Any] = schema()["$defs"]["RuleShape"]
    return rule


def test_the_schema_is_json_and_names_its_dialect() -> None:
    assert json.loads(json.dumps(schema()))["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_a_rule_has_the_keys_that_are_written_and_no_others() -> None:
    rule = rule_schema()
    assert set(rule["properties"]) == {
        "alert", "probe", "with", "items", "when", "for", "labels", "annotations", "each",
    }  # fmt: skip
    assert rule["required"] == ["alert", "probe"]
    assert rule["additionalProperties"] is False
    assert rule["properties"]["probe"]["enum"] == list(catalog.names())


@pytest.mark.parametrize("probe", catalog.names())
def test_each_probes_options_hold_for_rules_that_ask_it(probe: str) -> None:
    [found] = [case["then"] for case in rule_schema()["allOf"] if case["if"]["properties"]["probe"]["const"] == probe]
    keys = {key for field in catalog.load(probe).Options.fields for key in field.keys}
    given = found["properties"]["with"]
    assert set(given["properties"]) == keys
    assert "required" not in given  # it may come from `defaults:` or the environment
    assert set(schema()["properties"]["defaults"]["properties"][probe]["properties"]) == keys


def test_any_option_may_be_a_text_that_is_expanded_first() -> None:
    [connect] = [
        case["then"] for case in rule_schema()["allOf"] if case["if"]["properties"]["probe"]["const"] == "connect"
    ]
    flag = connect["properties"]["with"]["properties"]["allow_empty"]
    assert {"type": "string", "pattern": r"\{\{|\$\{"} in flag["anyOf"]
    assert flag["description"]
