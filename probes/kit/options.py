"""A probe's options, declared once; command line, environment, rule files, schema and docs derive from it.

    class Options(OptionSet):
        url: Url = option(help="Connect REST address.")
        connector: list[str] = option(default=(), help="Only these connectors.")

Part of the cold path: no `typing`, `inspect` or `dataclasses`.
"""

from probes.kit.types import Choice, Duration, JmxAddress, Range, Secret, Url, parse_bool, parse_float, parse_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Self

    Given = Mapping[str, str | Sequence[str]]  # option name -> the text, or texts, that were written

__all__ = [
    "Choice",
    "Duration",
    "JmxAddress",
    "OptionError",
    "OptionErrors",
    "OptionSet",
    "ProbeOptions",
    "Range",
    "Secret",
    "Url",
    "option",
]

_REQUIRED = object()
LONGEST_TIMEOUT = 86400  # seconds; poll() takes no more than 24 days


class OptionError(ValueError):
    """One option's value cannot be used; the text says why and what would be right.

    `lacking`: it is in a file that gives none at the moment, which is no mistake in the call.
    """

    def __init__(self, option: str, text: str, *, lacking: bool = False) -> None:
        super().__init__(text)
        self.option, self.lacking = option, lacking


class Lacking(ValueError):
    """The file that an option names cannot be read, or is empty."""


class OptionErrors(ValueError):
    """All that is wrong with one set of options."""

    def __init__(self, errors: "list[OptionError]") -> None:
        super().__init__("; ".join(f"{error.option}: {error}" for error in errors))
        self.errors = errors


class Field:
    """One option: its name, type, default and help."""

    __slots__ = ("attribute", "choices", "default", "help", "many", "name", "required", "type")

    def __init__(self, name: str, annotation: "Any", default: object, help: str, choices: "tuple[str, ...]") -> None:
        self.attribute, self.name, self.help, self.choices = name, name.rstrip("_"), help, choices
        self.many = getattr(annotation, "__origin__", None) is list
        self.type: type = annotation.__args__[0] if self.many else _without_none(annotation)
        self.required = default is _REQUIRED
        self.default = tuple(default) if self.many and not self.required else default  # type: ignore[arg-type]

    @property
    def secret(self) -> bool:
        return self.type is Secret

    @property
    def flag(self) -> str:
        """The option on the command line; a secret's takes a file, for argv is there for all to read."""
        return f"--{self.name}{'_file' if self.secret else ''}".replace("_", "-")

    @property
    def keys(self) -> tuple[str, ...]:
        """The names it goes by in rule files and, upper case, in the environment."""
        return (self.name, f"{self.name}_file") if self.secret else (self.name,)

    @property
    def metavar(self) -> str:
        plain = {str: "TEXT", int: "INTEGER", float: "NUMBER", bool: ""}
        return "|".join(self.choices) or plain.get(self.type) or str(getattr(self.type, "METAVAR", ""))

    def parse(self, text: str) -> object:
        """The value that `text` stands for; ValueError says what would be right."""
        if not text.isascii():
            _check_unicode("this secret" if self.secret else repr(text), text)
        if self.choices:
            if text not in self.choices:
                raise ValueError(f"{text!r} is none of {', '.join(self.choices)}")
            return Choice(text)
        plain = {bool: parse_bool, int: parse_int, float: parse_float}.get(self.type)
        if plain:
            return plain(text)
        parse = getattr(self.type, "parse", None)
        if not parse and not self.secret and not text.strip():
            raise ValueError("is empty")
        return parse(text) if parse else self.type(text)


def _check_unicode(shown: str, text: str) -> None:
    """Bytes that are no UTF-8 come from argv and environment as lone surrogates, which nobody can send."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{shown} is not UTF-8") from None


def option(*, default: "Any" = _REQUIRED, help: str, choices: "Sequence[str]" = ()) -> "Any":
    """Declare an option. Without `default` it must be given; a list's default is what it holds when none is given."""
    return default, help, tuple(choices)


def _without_none(annotation: "Any") -> "Any":
    kinds = [kind for kind in getattr(annotation, "__args__", (annotation,)) if kind is not type(None)]
    return kinds[0]


class OptionSet:
    """The base of every declaration; an instance holds checked values as attributes."""

    fields: "tuple[Field, ...]" = ()

    def __init_subclass__(cls) -> None:
        own = [Field(name, kind, *cls.__dict__[name]) for name, kind in cls.__annotations__.items() if name != "fields"]
        cls.fields = (*own, *super(cls, cls).fields)  # type: ignore[misc]

    def __init__(self, **values: object) -> None:
        for field in self.fields:
            setattr(self, field.attribute, values.get(field.attribute, field.default))

    def check(self) -> None:
        """Rules across options; raise OptionError naming the one to change."""

    @classmethod
    def build(cls, *sources: "Given") -> "Self":
        """Options from texts, the first source that has one wins. Raises OptionErrors with all that is wrong."""
        errors: list[OptionError] = []
        values: dict[str, object] = {}
        known = {key for field in cls.fields for key in field.keys}
        for name in sources[0] if sources else ():
            if name not in known:
                errors.append(OptionError(name, f"is no option; there are {', '.join(sorted(known))}"))
        for field in cls.fields:
            try:
                values[field.attribute] = _value(field, sources)
            except ValueError as error:
                errors.append(OptionError(field.name, str(error), lacking=isinstance(error, Lacking)))
        if not errors:
            options = cls(**values)
            try:
                options.check()
            except OptionError as error:
                errors.append(error)
            else:
                return options
        raise OptionErrors(errors)

    @classmethod
    def address(cls, *sources: "Given") -> "Url":
        """Whom these texts mean to ask, whatever else is wrong with them; empty where that cannot be told."""
        for field in cls.fields:
            try:
                value = issubclass(field.type, Url) and _value(field, sources)
            except ValueError:
                continue
            if isinstance(value, Url) and value:
                return value
        return Url("")

    @property
    def key(self) -> "tuple[object, ...]":
        """Equal for equal options: two questions with one key are one question."""
        return tuple(getattr(self, field.attribute) for field in self.fields)

    @property
    def target(self) -> "Url":
        """The address that these options ask: the first that is given."""
        values = (getattr(self, field.attribute) for field in self.fields if issubclass(field.type, Url))
        return next((value for value in values if value), Url(""))


class ProbeOptions(OptionSet):
    """What every probe can be told. In the environment also without the probe's name: `STETHO_TIMEOUT`."""

    timeout: Duration | None = option(
        default=None, help="Total deadline, name resolution included; 5s, or 800ms under liveness and readiness."
    )

    def check(self) -> None:
        if self.timeout is not None and not 0 < self.timeout <= LONGEST_TIMEOUT:
            raise OptionError("timeout", "must be longer than 0s and at most 1d")


def _value(field: Field, sources: "Sequence[Given]") -> object:
    for source in sources:
        for key in field.keys:
            given = source.get(key)
            if given is None:
                continue
            if key != field.name:
                from probes.kit.secretfile import secret_in  # few questions need one

                return secret_in(_one(key, given), field.parse)
            if field.many:
                return tuple(field.parse(text) for text in ([given] if isinstance(given, str) else given))
            return field.parse(_one(key, given))
    if field.required:
        raise ValueError("is missing")
    return field.default


def _one(key: str, given: "str | Sequence[str]") -> str:
    if isinstance(given, str):
        return given
    raise ValueError(f"{key} takes one value, not a list")


def from_environment(
    fields: "Sequence[Field]", probe: str, environ: "Mapping[str, str]"
) -> "dict[str, str | list[str]]":
    """What `STETHO_<PROBE>_<OPTION>` says of these options; empty is not set.

    `STETHO_<OPTION>` for those of every probe, and for all where `probe` is empty. Commas part a list's elements.
    """
    found: dict[str, str | list[str]] = {}
    for field in fields:
        for key in field.keys:
            text = environ.get(environment_name(probe, key))
            if not text and field in ProbeOptions.fields:
                text = environ.get(environment_name("", key))
            value = [part.strip() for part in (text or "").split(",") if part.strip()] if field.many else text
            if value:
                found[key] = value
    return found


def environment_name(probe: str, key: str) -> str:
    """`STETHO_CONNECT_URL`; `STETHO_TIMEOUT` where `probe` is empty."""
    return "_".join(part for part in ("STETHO", probe, key) if part).replace("-", "_").upper()
