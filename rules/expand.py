"""`${NAME}` and `${file:path}` in receivers, `with:` and `defaults:`, beside the templates of `with:`.

A text is parsed once, so that what a template or another `${}` yields is never read again, whatever comes first.
Values come from the environment when they are needed and go nowhere else: no error, repr or log holds one, nor the
text itself, in which a token may be written out. `$${` stands for a plain `${`; a `$` before anything else is itself.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from probes.kit.secretfile import text_in
from rules.model import Labels
from rules.template import Literal, Lookup, TemplateError, parse

_MARK = re.compile(r"\$\$\{|\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Environment = Mapping[str, str]


class ExpandError(ValueError):
    """A reference that cannot be resolved here and now; names what is missing, never a value."""


@dataclass(frozen=True, slots=True)
class Reference:
    """`${NAME}`, or `${file:path}` with the path as any command takes it: absolute, or from the working directory."""

    name: str
    file: bool

    def read(self, environment: Environment) -> str:
        if self.file:
            try:
                return text_in(self.name)
            except ValueError as error:
                raise ExpandError(str(error)) from None
        value = environment.get(self.name)
        if value is None:
            raise ExpandError(f"the environment variable {self.name} is not set")
        return value


@dataclass(frozen=True, slots=True)
class Expandable:
    """A text that may hold `${}` and, where `templates` is set, templates. TemplateError says what is wrong with it."""

    text: str = field(repr=False)
    templates: bool = False
    parts: tuple[str | Lookup | Reference, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(_parts(self.text, self.templates)))

    @property
    def references(self) -> tuple[Reference, ...]:
        return tuple(part for part in self.parts if isinstance(part, Reference))

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        return tuple(part for part in self.parts if isinstance(part, Lookup))

    def expand(self, environment: Environment, each: Labels | None = None) -> str:
        """The text that is meant; ExpandError names the first variable or file that is missing."""
        return "".join(self._expanded(environment, {"$each": each or {}}))

    def _expanded(self, environment: Environment, scope: Mapping[str, object]) -> Iterator[str]:
        for part in self.parts:
            match part:
                case str():
                    yield part
                case Lookup():
                    yield part.render(scope)
                case Reference():
                    yield part.read(environment)


Written = Expandable | tuple[Expandable, ...]  # an option's value, or its list of values
With = Mapping[str, Written]


def texts(value: Written) -> tuple[str, ...]:
    """An option's value or values as they were written."""
    return tuple(one.text for one in value) if isinstance(value, tuple) else (value.text,)


def expand(text: str, environment: Environment) -> str:
    """A receiver's text with its references resolved."""
    return Expandable(text).expand(environment)


def expand_with(given: With, environment: Environment, each: Labels | None = None) -> dict[str, str | list[str]]:
    """All of a `with:` or of a probe's defaults, as an OptionSet takes it. ExpandError names the option too."""
    found: dict[str, str | list[str]] = {}
    for option, value in given.items():
        try:
            if isinstance(value, tuple):
                found[option] = [one.expand(environment, each) for one in value]
            else:
                found[option] = value.expand(environment, each)
        except ExpandError as error:
            raise ExpandError(f"{option}: {error}") from None
    return found


def _parts(text: str, templates: bool) -> Iterator[str | Lookup | Reference]:
    for part in parse(text) if templates else (Literal(text, 0),):
        if isinstance(part, Lookup):
            yield part
        else:
            yield from _references(part)


def _references(literal: Literal) -> Iterator[str | Reference]:
    text, at = literal.text, 0
    while mark := _MARK.search(text, at):
        if text[at : mark.start()]:
            yield text[at : mark.start()]
        if mark[0] == "$${":
            yield "${"
            at = mark.end()
            continue
        end = text.find("}", mark.end())
        if end < 0:
            said = "`${` is never closed; end it with }, or write $${ for a plain ${"
            raise TemplateError(said, literal.offset + mark.start())
        yield _reference(text[mark.end() : end], literal.offset + mark.start())
        at = end + 1
    if text[at:]:
        yield text[at:]


def _reference(inner: str, offset: int) -> Reference:
    if _NAME.fullmatch(inner):
        return Reference(inner, file=False)
    kind, colon, path = inner.partition(":")
    if kind == "file" and path.strip():
        return Reference(path, file=True)
    if colon and _NAME.fullmatch(kind) and path[:1] in ("-", "+", "?"):
        raise TemplateError(f"${{{kind}:{path[0]}…}} of the shell is not supported; write ${{{kind}}}", offset)
    raise TemplateError("`${` wants a variable's name or a file: ${NAME}, ${file:/path}; $${ is a plain ${", offset)
