"""Alertmanager's routing tree: which receivers an alert goes to, batched how, timed how.

Pure. What Alertmanager's users know of `matchers`, `continue`, `group_by` and inheritance holds here as it is.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from rules.model import GROUP_INTERVAL, GROUP_WAIT, OWN_GROUP, REPEAT_INTERVAL, Alert, Destination, Labels, Receiver
from rules.schemes import LOUD

Op = Literal["=", "!=", "=~", "!~"]
ALL_LABELS = "..."  # `group_by: ['...']`
UNDELIVERED = "StethoUndelivered"  # told to the fallback receiver: its own route may be what doesn't work

_NAME = r'"(?:[^"\\]|\\.)*"|[^\s{}!=~,\\"\'`]+'
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_MATCHER = re.compile(rf"\s*(?P<name>{_NAME})\s*(?P<op>=~|!~|!=|=)\s*(?P<value>{_QUOTED}|[^\",{{}}]*?)\s*(?=,|$)")
_ESCAPE = re.compile(r'\\([\\"n])')


@dataclass(frozen=True, slots=True)
class Matcher:
    """One test of one label; a label that is not there is the empty string."""

    name: str
    op: Op
    value: str

    def matches(self, labels: Labels) -> bool:
        text = labels.get(self.name, "")
        found = text == self.value if self.op in ("=", "!=") else re.fullmatch(self.value, text) is not None
        return found is (self.op in ("=", "=~"))

    def __str__(self) -> str:
        return f"{self.name}{self.op}{_quote(self.value)}"


@dataclass(frozen=True, slots=True)
class Route:
    """One node as a file declares it. What is None is its parent's, at the root the default; durations in seconds."""

    receiver: str | None = None
    matchers: tuple[Matcher, ...] = ()  # all must match; the root's are not asked
    group_by: tuple[str, ...] | None = None
    group_wait: float | None = None
    group_interval: float | None = None
    repeat_interval: float | None = None
    continue_: bool = False
    routes: tuple["Route", ...] = ()


@dataclass(frozen=True, slots=True)
class Routed:
    """One route that an alert ended up at, with what it inherits."""

    receiver: str
    group_by: tuple[str, ...]
    group_wait: float
    group_interval: float
    repeat_interval: float
    group_key: str  # of the node; with the group's labels once an alert is routed: `{}/{team="a"}:{alertname="X"}`


_DEFAULTS = Routed("", (), GROUP_WAIT, GROUP_INTERVAL, REPEAT_INTERVAL, "")


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """The matchers of one string: `severity="critical"`, or several as in `{team="a",severity=~"b|c"}`.

    ValueError says what would be right.
    """
    inner = text.strip()
    if inner.startswith("{"):
        if not inner.endswith("}"):
            raise ValueError(f'{text!r}: the closing brace is missing: {{severity="critical"}}')
        inner = inner.removeprefix("{").removesuffix("}").rstrip().removesuffix(",")
    matchers, at = [], 0
    while at < len(inner):
        found = _MATCHER.match(inner, at)
        if not found:
            raise ValueError(_complaint(inner[at:].strip()))
        matchers.append(_matcher(found["name"], found["op"], found["value"]))
        at = found.end() + 1  # past the comma
    if not matchers or inner.endswith(","):
        raise ValueError(f'{text!r} is not a matcher: write label="value", or with one of != =~ !~')
    return tuple(matchers)


def routes_for(root: Route, labels: Labels) -> list[Routed]:
    """Where an alert goes: at each node the first child that matches, and those after it while `continue` holds."""
    return [_grouped(routed, labels) for routed in _descend(root, resolve(root), labels)]


def resolve(root: Route) -> Routed:
    """The root with the defaults, for what no route leads to any more."""
    return _inherit(_DEFAULTS, root)


@dataclass(frozen=True, slots=True)
class Routing:
    """Where news goes, as the files now say."""

    root: Route
    receivers: Mapping[str, Receiver]
    fallback: str  # the receiver for what has no other
    schemes: Mapping[str, str] = field(default_factory=dict)  # of the destinations whose text hides it, by their id

    def destinations(self, receiver: str) -> tuple[Destination, ...]:
        found = self.receivers.get(receiver)
        return found.destinations if found else ()

    def reached_by(self, alert: Alert) -> dict[str, tuple[Destination, Routed]]:
        """The destinations of an alert by their id, each once: the first route that leads there batches and times."""
        found: dict[str, tuple[Destination, Routed]] = {}
        for routed in self._routes(alert.group, alert.labels):
            for destination in self.destinations(routed.receiver):
                found.setdefault(destination.id, (destination, routed))
        return found

    def heirs(self, receiver: str) -> tuple[Destination, ...]:
        """Who is told instead of a destination that has gone from its receiver."""
        return self.destinations(receiver) or self.destinations(self.fallback)

    def hears_late(self, destination: Destination) -> bool:
        """Whether a late notice goes there. It does when the scheme isn't known: better a needless one than none."""
        return (destination.scheme or self.schemes.get(destination.id, "")).lower() not in LOUD

    def _routes(self, group: str, labels: Labels) -> list[Routed]:
        if group == OWN_GROUP and labels["alertname"] == UNDELIVERED:
            root = resolve(self.root)
            key = f'{{}}/fallback:{{alertname="{UNDELIVERED}"}}'
            return [Routed(self.fallback, (), root.group_wait, root.group_interval, root.repeat_interval, key)]
        return routes_for(self.root, labels)


def _inherit(parent: Routed, route: Route) -> Routed:
    """A node with all that it leaves to its parent."""
    key = "{" + ",".join(str(matcher) for matcher in sorted(route.matchers, key=str)) + "}"

    def either(own: float | None, inherited: float) -> float:
        return inherited if own is None else own

    return Routed(
        receiver=parent.receiver if route.receiver is None else route.receiver,
        group_by=parent.group_by if route.group_by is None else route.group_by,
        group_wait=either(route.group_wait, parent.group_wait),
        group_interval=either(route.group_interval, parent.group_interval),
        repeat_interval=either(route.repeat_interval, parent.repeat_interval),
        group_key=f"{parent.group_key}/{key}" if parent.group_key else key,
    )


def _descend(route: Route, resolved: Routed, labels: Labels) -> Iterator[Routed]:
    matched = False
    for child in route.routes:
        if all(matcher.matches(labels) for matcher in child.matchers):
            matched = True
            yield from _descend(child, _inherit(resolved, child), labels)
            if not child.continue_:
                break
    if not matched:
        yield resolved


def _grouped(routed: Routed, labels: Labels) -> Routed:
    names = labels.keys() if ALL_LABELS in routed.group_by else labels.keys() & set(routed.group_by)
    group = ",".join(f"{name}={_quote(labels[name])}" for name in sorted(names))
    return replace(routed, group_key=f"{routed.group_key}:{{{group}}}")


def _matcher(name: str, op: str, value: str) -> Matcher:
    if not value:
        raise ValueError(f'{name}{op} has no value: write {name}{op}"" for an empty or missing label')
    if value[0] in "=~!":
        raise ValueError(f"{name}{op}{value}: the operators are = != =~ !~; a value that starts so is quoted")
    if value[0] in "'`":
        raise ValueError(f'{name}{op}{value}: write the value in double quotes: label="value"')
    value = _unquote(value)
    if op in ("=~", "!~"):
        try:
            re.compile(value)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"{name}{op}{_quote(value)}: not a regular expression: {error}") from None
    known = next(one for one in get_args(Op) if one == op)
    return Matcher(_unquote(name), known, value)


def _complaint(text: str) -> str:
    if text.count('"') % 2:
        return f"{text!r}: a double quote is missing"
    if "'" in text or "`" in text or "{" in text or "}" in text:
        return f'{text!r}: write the value in double quotes: label="value"'
    return f'{text!r} is not a matcher: write label="value", or with one of != =~ !~'


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _unquote(text: str) -> str:
    if not text.startswith('"'):
        return text
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], text[1:-1])
