"""The template language of rule files: the part of Go's that Prometheus's users know, `{{ $labels.job }}`.

Pure. A rule pages whatever its template finds: a field that is missing prints `<missing: x>` and nothing raises. What a
template yields is text for people or for an option, and is never read again.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

VARIABLES = ("$labels", "$item", "$each")
FUNCTIONS = ("message", "status")  # without arguments
KNOWN = f"{', '.join(FUNCTIONS)} and fields of {', '.join(VARIABLES)}"

Scope = Mapping[str, object]  # what the names stand for, each as it is written: {"$item": {…}, "message": "…"}

_ID = r"[A-Za-z_][A-Za-z0-9_]*"
_TOKEN = re.compile(
    rf"(?P<end>(?P<trim>(?<=\s)-)?\}}\}})|(?P<name>\$?{_ID})(?P<fields>(?:\.{_ID})*)|(?P<other>[^\s}}]+|\}})"
)
_SPACE = re.compile(r"\s*")
_BLANKS = " \t\r\n"  # what Go's trim markers trim


class TemplateError(ValueError):
    """A text that is no template; `offset` is where in it."""

    def __init__(self, text: str, offset: int) -> None:
        super().__init__(text)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Literal:
    text: str
    offset: int

    def render(self, scope: Scope) -> str:  # noqa: ARG002 - a text is the same in any
        return self.text


@dataclass(frozen=True, slots=True)
class Lookup:
    """`$item.connector`, or a function without arguments such as `message`."""

    name: str
    fields: tuple[str, ...]
    offset: int

    def render(self, scope: Scope) -> str:
        value = scope.get(self.name)
        for name in self.fields:
            value = value.get(name) if isinstance(value, Mapping) else None
        return f"<missing: {'.'.join(self.fields) or self.name}>" if value is None else show(value)

    def __str__(self) -> str:
        return ".".join((self.name, *self.fields))


@dataclass(frozen=True, slots=True)
class Template:
    """A text of a rule file, parsed once. TemplateError says what is wrong with it, and where."""

    text: str
    parts: tuple[Literal | Lookup, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(parse(self.text)))

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        return tuple(part for part in self.parts if isinstance(part, Lookup))

    @property
    def names(self) -> frozenset[str]:
        """The variables and functions it uses, as written: `$item`, `message`."""
        return frozenset(lookup.name for lookup in self.lookups)

    def render(self, scope: Scope) -> str:
        return "".join(part.render(scope) for part in self.parts)


def show(value: object) -> str:
    """A value as people write it: text as it is, 3 and not 3.0, lists and objects as JSON."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float() if value != value:
            return "NaN"
        case float() if value in (float("inf"), float("-inf")):
            return "+Inf" if value > 0 else "-Inf"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case int() | float():
            return str(value)
        case Mapping():
            value = dict(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def parse(text: str) -> Iterator[Literal | Lookup]:
    """The parts of a template, in order."""
    at, trim = 0, False
    while at < len(text):
        opens = text.find("{{", at)
        stops = opens if opens >= 0 else len(text)
        literal = _literal(text, at, stops, trim, text.startswith("{{-", stops))
        if literal.text:
            yield literal
        if opens < 0:
            return
        lookup, at, trim = _action(text, opens)
        yield lookup


def _literal(text: str, start: int, stop: int, trim_left: bool, trim_right: bool) -> Literal:
    found = text[start:stop]
    if trim_right:
        found = found.rstrip(_BLANKS)
    if trim_left:
        start += len(found) - len(found.lstrip(_BLANKS))
        found = found.lstrip(_BLANKS)
    return Literal(found, start)


def _action(text: str, opens: int) -> tuple[Lookup, int, bool]:
    """What stands from `{{` to `}}`, where the text goes on, and whether blanks are to be trimmed there."""
    at = opens + 2
    if text.startswith("-", at):
        at += 1
        if text[at : at + 1] not in tuple(_BLANKS):
            raise TemplateError("`{{-` wants a space after the dash", opens)
    lookup: Lookup | None = None
    while True:
        at = _skip(text, at)
        token = _TOKEN.match(text, at)
        if not token:
            raise TemplateError("`{{` is never closed; end it with }}", opens)
        if token["end"]:
            if lookup is None:
                raise TemplateError("nothing stands between {{ and }}; write for instance {{ message }}", opens)
            return lookup, token.end(), bool(token["trim"])
        if lookup is not None:
            raise TemplateError(f"after `{lookup}` comes {_shown(text, at)}: {_ONLY}", at)
        lookup, at = _lookup(text, token), token.end()


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


_ONLY = "this version knows no pipes, functions or arguments here; end with }}"


def _lookup(text: str, token: re.Match[str]) -> Lookup:
    name, at = token["name"], token.start()
    fields = tuple((token["fields"] or "").split(".")[1:])
    if name in VARIABLES or (name in FUNCTIONS and not fields):
        return Lookup(name, fields, at)
    if name is None:
        raise TemplateError(f"{_shown(text, at)} cannot stand here; there are {KNOWN}", at)
    if f"${name}" in VARIABLES:
        raise TemplateError(f"`{name}` wants a dollar sign: ${name}{token['fields']}", at)
    if name in FUNCTIONS:
        raise TemplateError(f"`{name}` has no fields; write {{{{ {name} }}}}", at)
    raise TemplateError(f"`{name}` is not known to this version; there are {KNOWN}", at)


def _shown(text: str, at: int) -> str:
    """What stands at `at`, up to the end of its action, short enough for a line."""
    found = text[at:].partition("}}")[0].partition("\n")[0].strip()
    return f"`{found if len(found) <= 40 else found[:40] + '…'}`"
