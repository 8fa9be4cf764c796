"""The options that rule files give to probes, in `with:` and `defaults:`, checked against each probe's declaration.

What holds `${}` is checked by the sweep, when it is expanded: the environment is not the file's. What depends on
`$each` alone is checked for each entry.
"""

from collections.abc import Iterator, Mapping, Sequence

from probes.kit import catalog
from probes.kit.options import Field, OptionErrors, OptionSet, environment_name, from_environment
from rules.document import Entry, MappingNode, Mistake, Node, ScalarNode, SequenceNode
from rules.expand import Environment, Expandable, With, Written, expand_with
from rules.model import Labels
from rules.template import TemplateError
from rules.wording import did_you_mean

Texts = Mapping[str, str | list[str]]


class Surroundings:
    """What a rule may lean on besides itself. Unless it is `complete`, what is missing may be in an unreadable file."""

    def __init__(self, environment: Environment, defaults: Mapping[str, With], complete: bool) -> None:
        self.defaults, self.complete = defaults, complete
        self.probes = catalog.names()
        self._environment, self._told = environment, dict[str, Texts]()

    def environment_of(self, probe: str) -> Texts:
        """What the environment tells a probe. Only probes that rules name are loaded: one may be broken."""
        if probe not in self._told:
            self._told[probe] = from_environment(catalog.load(probe).Options.fields, probe, self._environment)
        return self._told[probe]


def read_texts(node: MappingNode, templates: bool, mistakes: list[Mistake]) -> With:
    """The values as they will be expanded; those that cannot be read are told and left out."""
    found: dict[str, Written] = {}
    for name, entry in node.entries.items():
        texts = [_expandable(scalar, templates, mistakes) for scalar in scalars(entry.value)]
        usable = tuple(text for text in texts if text is not None)
        if len(usable) < len(texts):
            node.broken.add(name)
        else:
            found[name] = usable if isinstance(entry.value, SequenceNode) else usable[0]
    return found


def scalars(node: Node) -> Iterator[ScalarNode]:
    """The scalar that a value is, or the scalars of a list."""
    match node:
        case ScalarNode():
            yield node
        case SequenceNode():
            for item in node.items:
                yield from scalars(item)


def check_values(options: type[OptionSet], given: With, node: MappingNode, each: Sequence[Labels]) -> Iterator[Mistake]:
    """What is wrong with each value by itself, or with its name."""
    fields = {key: field for field in options.fields for key in field.keys}
    for name, entry in node.entries.items():
        if name not in fields:
            yield Mistake(entry.key.place, f"there is no option `{name}`; {did_you_mean(name, fields)}")
        elif isinstance(entry.value, SequenceNode) and not fields[name].many:
            yield Mistake(entry.value.place, f"`{name}` takes one value, not a list")
        elif name == fields[name].name and name in given:  # else a secret's file, to be read when it is needed
            yield from _unparsable(fields[name], given[name], entry, each)


def missing(probe: str, options: type[OptionSet], given: With, broken: set[str], around: Surroundings) -> Iterator[str]:
    """The options that must be given and are given nowhere."""
    anywhere = {*given, *broken, *around.environment_of(probe), *around.defaults.get(probe, {})}
    for one in options.fields:
        if one.required and around.complete and anywhere.isdisjoint(one.keys):
            variable = environment_name(probe, one.name)
            yield f"`{one.name}` is missing: {one.help} Give it in `with:`, in `defaults:` or as {variable}"


def contradictions(
    probe: str, options: type[OptionSet], given: With, each: Sequence[Labels], around: Surroundings
) -> Iterator[tuple[str, str]]:
    """What is wrong with the options together, as (option, text); each must be well by itself."""
    environment, defaults = around.environment_of(probe), around.defaults.get(probe, {})
    if any(text.references for source in (given, defaults) for value in source.values() for text in all_of(value)):
        return
    for entry in each:
        sources = (expand_with(given, {}, entry), environment, expand_with(defaults, {}))
        try:
            options.build(*(_unread(options.fields, source) for source in sources))
        except OptionErrors as errors:
            yield from ((e.option, f"`{e.option}` {e}") for e in errors.errors if e.option not in environment)
            return


def all_of(value: Written) -> tuple[Expandable, ...]:
    return value if isinstance(value, tuple) else (value,)


def _expandable(scalar: ScalarNode, templates: bool, mistakes: list[Mistake]) -> Expandable | None:
    if not templates and "{{" in scalar.text:
        place = scalar.at(scalar.text.index("{{"))
        mistakes.append(Mistake(place, "`defaults:` holds for all rules and takes no templates; write this in `with:`"))
        return None
    try:
        return Expandable(scalar.text, templates)
    except TemplateError as error:
        mistakes.append(Mistake(scalar.at(error.offset), str(error)))
        return None


def _unparsable(field: Field, value: Written, entry: Entry, each: Sequence[Labels]) -> Iterator[Mistake]:
    for text, scalar in zip(all_of(value), scalars(entry.value), strict=True):
        for one in () if text.references else each if text.lookups else each[:1]:
            try:
                field.parse(text.expand({}, one))
            except ValueError as error:
                yield Mistake(scalar.place, f"`{field.name}`: {error}")
                break


def _unread(fields: Sequence[Field], texts: Texts) -> Texts:
    """With a stand-in for each secret that is in a file: the file may be where the sweep runs, and not here."""
    found = dict(texts)
    for one in fields:
        for key in one.keys:
            if key != one.name and found.pop(key, None) is not None:
                found[one.name] = "stand-in:of-a-secret"  # a header too
    return found
