"""The shape of a rule file, as pydantic models: which keys there are, and of what kind.

What needs more than one value to be judged (a probe's options, conditions, receivers) is checked in `check` and
`delivery`. A key whose value is null is as a key left out, as in Prometheus.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticKnownError

from probes.kit.types import Duration, parse_bool
from rules.route import ALL_LABELS, Matcher, parse_matchers

LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")  # Prometheus's
DURATION = r"^(0|([0-9]+(y|w|d|h|m|s|ms))+)$"

ALERTMANAGERS = (
    "discord", "email", "jira", "msteams", "opsgenie", "pagerduty", "pushover", "slack", "sns", "telegram", "victorops",
    "webex", "webhook", "wechat",
)  # fmt: skip

SCALAR = {"type": ["string", "number", "boolean"]}  # how an editor reads what stays text here


def _parsed(parse: Callable[[str], object]) -> PlainValidator:
    """A scalar's text, made into what it stands for; ValueError says what would be right."""

    def validate(value: object) -> object:
        if not isinstance(value, str):
            raise PydanticKnownError("string_type")
        return parse(value)

    return PlainValidator(validate)


def _positive(text: str) -> float:
    found = float(Duration.parse(text))
    if not found:
        raise ValueError("must be longer than 0; write it like 30s or 5m")
    return found


def _named(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty; give it a name")
    return text


def _label_name(text: str) -> str:
    if not LABEL.fullmatch(text):
        raise ValueError(f"{text!r} is no label name; use letters, digits and _, and begin with a letter or _")
    return text


def _grouped_by(text: str) -> str:
    return text if text == ALL_LABELS else _label_name(text)


def _values(value: object) -> str | list[str]:
    if isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        return value
    if value is None:
        raise ValueError("has no value; give it one, or leave the key out")
    raise ValueError("is neither a text nor a list of texts")


def _blank(value: object) -> object:
    return "" if value is None else value  # as Prometheus reads a label without a value


_DURATION = WithJsonSchema({"type": "string", "pattern": DURATION, "examples": ["90s", "5m", "1h30m"]})
_ONE_OR_MORE = WithJsonSchema({"anyOf": [SCALAR, {"type": "array", "items": SCALAR}]})

Name = Annotated[str, AfterValidator(_named)]
LabelName = Annotated[str, AfterValidator(_label_name)]
Text = Annotated[str, BeforeValidator(_blank), WithJsonSchema({"type": [*SCALAR["type"], "null"]})]
Value = Annotated[str | list[str], PlainValidator(_values), _ONE_OR_MORE]
Seconds = Annotated[float, _parsed(Duration.parse), _DURATION]
Period = Annotated[float, _parsed(_positive), _DURATION]  # longer than 0
Flag = Annotated[bool, _parsed(parse_bool), WithJsonSchema({"type": "boolean"})]
Matchers = Annotated[tuple[Matcher, ...], _parsed(parse_matchers), WithJsonSchema({"type": "string"})]


class Shape(BaseModel):
    """A mapping with these keys and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    LATER: ClassVar[dict[str, str]] = {}  # keys of Prometheus, Alertmanager or a later stetho, and what to do instead

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        known = {field.alias or name for name, field in cls.model_fields.items()}
        return {key: value for key, value in data.items() if value is not None or key not in known}


class RuleShape(Shape):
    """One rule: what to ask, how to judge the answer, and the alert to raise."""

    alert: Name = Field(description="the alert's name, such as `alert: ConnectTaskFailed`")
    probe: Name = Field(description="the probe to ask, such as `probe: connect`")
    with_: dict[str, Value] = Field(default={}, alias="with", description="The probe's options.")
    items: Name | None = Field(default=None, description="The list to judge one by one, such as `data.tasks`.")
    when: Name | None = Field(default=None, description="The condition to alert on, such as `item.state == 'FAILED'`.")
    for_: Seconds = Field(default=0.0, alias="for", description="How long the condition must hold before it fires.")
    labels: dict[LabelName, Text] = Field(default={}, description="The alert's labels; templates.")
    annotations: dict[LabelName, Text] = Field(default={}, description="What to say of the alert; templates.")
    each: list[dict[LabelName, Text]] | None = Field(
        default=None, description="One alert for each entry; its names become labels, and `$each` in templates."
    )

    LATER = {
        "expr": "ask Prometheus with `probe: targets` or keep this rule in Prometheus",
        "record": "recording rules stay in Prometheus",
        "probes": "write one rule for each probe",
        "keep_firing_for": "an alert resolves as soon as its condition no longer holds",
        "window": "use `for`",
        "clear_when": "an alert resolves as soon as `when` is false",
        "on_unknown": "what cannot be judged is held",
        "on_missing": "an item that has gone is held for 15m, then closed",
        "limit": "there is no limit",
        "depends_on": "every alert is told by itself",
    }


class GroupShape(Shape):
    """Rules that share a name, labels and an interval."""

    name: Name = Field(description="the group's name, such as `name: orders`")
    interval: Period | None = Field(default=None, description="The usual time from sweep to sweep.")
    max_gap: Period | None = Field(
        default=None, description="The most that one gap between sweeps counts towards `for`; default three intervals."
    )
    labels: dict[LabelName, Text] = Field(default={}, description="Labels of every alert of the group.")
    rules: list[RuleShape] = []

    LATER = {"limit": "there is no limit", "query_offset": "it is only for `expr`"}


class RouteShape(Shape):
    """Where alerts go, as in Alertmanager."""

    receiver: Name | None = Field(default=None, description="The receiver's name; default: the parent route's.")
    matchers: list[Matchers] = Field(default=[], description='All must match, such as `severity="critical"`.')
    group_by: list[Annotated[str, AfterValidator(_grouped_by)]] | None = Field(
        default=None,
        description="One message for all alerts with the same values of these labels; `...`: of all labels.",
    )
    group_wait: Seconds | None = Field(default=None, description="How long a new group waits for more. Default 0s.")
    group_interval: Period | None = Field(default=None, description="How long news of a told group waits. Default 5m.")
    repeat_interval: Period | None = Field(default=None, description="When to repeat what still fires. Default 4h.")
    continue_: Flag = Field(default=False, alias="continue", description="Also try the routes after this one.")
    routes: "list[RouteShape]" = []

    LATER = {
        "match": 'write `matchers: [severity="critical"]`',
        "match_re": 'write `matchers: [severity=~"warning|critical"]`',
        "mute_time_intervals": "routes are never mute",
        "active_time_intervals": "routes are always active",
    }


class ReceiverShape(Shape):
    """A name, and the Apprise URLs to tell."""

    name: Name = Field(description="the receiver's name, such as `name: oncall`")
    apprise: list[Name] = Field(default=[], description='Apprise URLs, such as `"${SLACK_URL}"`; none: tells nobody.')

    LATER = {f"{kind}_configs": "write an Apprise URL: `apprise: [...]`" for kind in ALERTMANAGERS}


class FileShape(Shape):
    """A whole rule file."""

    defaults: dict[str, dict[str, Value]] = Field(default={}, description="Options for every rule that asks a probe.")
    groups: list[GroupShape] = []
    route: RouteShape | None = None
    receivers: list[ReceiverShape] = []
    fallback: Name | None = Field(
        default=None, description="The receiver for what has no other; default: the root route's."
    )

    LATER = {
        "inhibit_rules": "every alert is told by itself",
        "time_intervals": "routes are always active",
        "mute_time_intervals": "routes are always active",
        "silences": "remove the rule, or its route, for the time",
        "templates": "messages have one form",
        "global": "give each receiver its Apprise URL",
        "apiVersion": "give the rule file itself: what stands under `spec:`",
        "kind": "give the rule file itself: what stands under `spec:`",
        "metadata": "give the rule file itself: what stands under `spec:`",
        "spec": "give the rule file itself: what stands under `spec:`",
    }
