"""`defaults` and `groups` of all files: the rules of a sweep, and that no two of them raise the same alert."""

from collections.abc import Iterator, Mapping, Sequence

from probes.kit import catalog
from rules.check import Group, check_rule, identity
from rules.document import MappingNode, Mistake, Place
from rules.expand import Environment, With, Written
from rules.fit import Fitted, mapping, mappings
from rules.given import Surroundings, check_values, read_texts
from rules.rule import Rule
from rules.shape import GroupShape
from rules.wording import did_you_mean


def read_defaults(files: Sequence[Fitted], mistakes: list[Mistake]) -> Mapping[str, With]:
    """The options that all files' `defaults:` give, by probe."""
    found: dict[str, dict[str, Written]] = {}
    places: dict[tuple[str, str], Place] = {}
    known = catalog.names()
    for file in files:
        for probe, entry in mapping(file.node, "defaults").entries.items():
            if probe not in known:
                mistakes.append(Mistake(entry.key.place, f"there is no probe `{probe}`; {did_you_mean(probe, known)}"))
                continue
            node = mapping(mapping(file.node, "defaults"), probe)
            given = read_texts(node, templates=False, mistakes=mistakes)
            mistakes += check_values(catalog.load(probe).Options, given, node, ({},))
            for option, value in given.items():
                place = node.entries[option].key.place
                first = places.setdefault((probe, option), place)
                if found.setdefault(probe, {}).setdefault(option, value) != value:
                    said = f"the default of `{option}` differs from that at {first}; defaults hold for all files"
                    mistakes.append(Mistake(place, said))
    return found


def read_rules(
    files: Sequence[Fitted],
    environment: Environment,
    defaults: Mapping[str, With],
    whole: bool,
    mistakes: list[Mistake],
) -> list[Rule]:
    """The rules of all groups. Unless the files are `whole`, what is missing may stand in what could not be read."""
    around = Surroundings(environment, defaults, whole and not any("defaults" in file.node.broken for file in files))
    rules: list[Rule] = []
    raised: dict[tuple[object, ...], Place] = {}
    for group in (Group(shape, node, around) for file in files for shape, node in _groups(file)):
        for shape, node in zip(group.shape.rules, mappings(group.node, "rules"), strict=True):
            rule = check_rule(shape, node, group, mistakes)
            if rule is not None:
                rules.append(rule)
                mistakes += _twins(rule, node, raised)
    return rules


def check_groups(files: Sequence[Fitted]) -> Iterator[Mistake]:
    """What is wrong with groups beside their rules."""
    first: dict[str, tuple[GroupShape, Place]] = {}
    for file in files:
        seen: dict[str, Place] = {}
        for shape, node in _groups(file):
            if "name" in node.broken:
                continue
            place = node.entries["name"].value.place
            other, where = first.setdefault(shape.name, (shape, place))
            if shape.name in seen:
                said = f"the group `{shape.name}` stands at {seen[shape.name]} already; make them one, or rename one"
                yield Mistake(place, said)
            elif (shape.interval, shape.max_gap) != (other.interval, other.max_gap):
                said = f"the group `{shape.name}` at {where} has another `interval` or `max_gap`; make them alike"
                yield Mistake(place, said)
            seen.setdefault(shape.name, place)
            yield from _check_gap(shape, node)


def _check_gap(shape: GroupShape, node: MappingNode) -> Iterator[Mistake]:
    if shape.interval is not None and shape.max_gap is not None and shape.max_gap < shape.interval:
        said = "`max_gap` is shorter than `interval`, so no `for` would pass in its time; make it longer"
        yield Mistake(node.entries["max_gap"].value.place, said)


def _groups(file: Fitted) -> Iterator[tuple[GroupShape, MappingNode]]:
    yield from zip(file.shape.groups, mappings(file.node, "groups"), strict=True)


def _twins(rule: Rule, node: MappingNode, raised: dict[tuple[object, ...], Place]) -> Iterator[Mistake]:
    """The mistake that a rule's alerts cannot be told from those of one before it."""
    place = node.entries["alert"].value.place
    for each in rule.each:
        first = raised.setdefault(identity(rule, each), place)
        if first != place:
            said = f"group `{rule.group}` raises this alert with these labels at {first} already"
            yield Mistake(place, f"{said}; give one of the two another name or a label")
            return
