"""One rule, checked: its question, condition and alert, each mistake at its place."""

from collections.abc import Mapping
from dataclasses import dataclass

from probes.kit import catalog
from probes.kit.condition import Condition, ConditionError, Path
from probes.kit.options import Url
from rules.document import MappingNode, Mistake, Place, ScalarNode
from rules.each import check_each
from rules.expand import With, texts
from rules.fit import find, mapping, mappings
from rules.given import Surroundings, all_of, check_values, contradictions, missing, read_texts, scalars
from rules.judged import condition, condition_complaints, items_complaints, path
from rules.model import Labels
from rules.rule import Rule
from rules.shape import GroupShape, RuleShape
from rules.template import Template
from rules.texts import Known, check_lookups, read_annotations, read_labels
from rules.wording import did_you_mean


@dataclass(frozen=True, slots=True)
class Group:
    """A group's shape with its node, and what its rules may lean on."""

    shape: GroupShape
    node: MappingNode
    around: Surroundings


def check_rule(shape: RuleShape, node: MappingNode, group: Group, mistakes: list[Mistake]) -> Rule | None:
    """The rule; None where it has mistakes, which are told."""
    check = _Check(shape, node, group)
    rule = check.rule()
    mistakes += check.mistakes
    return None if check.mistakes or node.broken else rule


def identity(rule: Rule, each: Labels) -> tuple[object, ...]:
    """Equal for two instances whose alerts cannot be told apart: one name, the same labels, the same address."""
    labels = {name: template.text for name, template in rule.labels.items()}
    addresses = {field.name for field in catalog.load(rule.probe).Options.fields if issubclass(field.type, Url)}
    asked = {name: texts(value) for name, value in rule.given.items() if name in addresses}
    return (rule.group, rule.name, *(tuple(sorted(part.items())) for part in (labels, each, asked)))


class _Check:
    """Collects the mistakes of one rule."""

    def __init__(self, shape: RuleShape, node: MappingNode, group: Group) -> None:
        self.shape, self.node, self.group = shape, node, group
        self.mistakes: list[Mistake] = []
        self.each: tuple[Labels, ...] = tuple(shape.each or ({},))
        self.own_labels, self.group_labels = mapping(node, "labels"), mapping(group.node, "labels")
        self.label_entries = {**self.group_labels.entries, **self.own_labels.entries}
        self.probe = self._probe()
        self.known = self._known()

    def rule(self) -> Rule:
        self.mistakes += check_each(self.node, self.each, self.own_labels)
        return Rule(
            group=self.group.shape.name,
            name=self.shape.alert,
            probe=self.shape.probe,
            given=self._options(),
            items=self._items(),
            when=self._when(),
            for_seconds=self.shape.for_,
            labels=self._labels(),
            annotations=read_annotations(mapping(self.node, "annotations").entries, self.known, self.mistakes),
            each=self.each,
            interval=self.group.shape.interval,
            max_gap=self.group.shape.max_gap,
            place=f"{self.node.place.file}:{self.node.place.line}",
        )

    def _tell(self, place: Place, text: str) -> None:
        self.mistakes.append(Mistake(place, text))

    def _written(self, key: str) -> bool:
        """Whether the rule has the key, be its value well or not."""
        value = find(self.node, [key])
        null = isinstance(value, ScalarNode) and value.null
        return key in self.node.broken or (value is not None and not null)

    # --- the question ---------------------------------------------------------------------------------------------

    def _probe(self) -> str | None:
        """The probe's name; None where nobody knows it."""
        known, probe = self.group.around.probes, self.shape.probe
        if "probe" in self.node.broken or probe in known:
            return None if "probe" in self.node.broken else probe
        self._tell(self.node.entries["probe"].value.place, f"there is no probe `{probe}`; {did_you_mean(probe, known)}")
        return None

    def _options(self) -> With:
        node = mapping(self.node, "with")
        given = dict(read_texts(node, templates=True, mistakes=self.mistakes))
        for name, value in list(given.items()):
            told = len(self.mistakes)
            for text, scalar in zip(all_of(value), scalars(node.entries[name].value), strict=True):
                check_lookups(text.lookups, scalar, self.known, "with", self.mistakes)
            if len(self.mistakes) > told:
                node.broken.add(name)
                del given[name]
        if self.probe is not None and "with" not in self.node.broken:
            self._check_options(self.probe, given, node)
        return given

    def _check_options(self, probe: str, given: With, node: MappingNode) -> None:
        options, around, told = catalog.load(probe).Options, self.group.around, len(self.mistakes)
        self.mistakes += check_values(options, given, node, self.each)
        place = self.node.entries["with" if "with" in self.node.entries else "probe"].key.place
        for text in missing(probe, options, given, node.broken, around):
            self._tell(place, text)
        if len(self.mistakes) == told and not node.broken:
            for option, text in contradictions(probe, options, given, self.each, around):
                self._tell(node.entries[option].key.place if option in node.entries else place, text)

    # --- the answer -----------------------------------------------------------------------------------------------

    def _items(self) -> Path | None:
        scalar = find(self.node, ["items"])
        if not isinstance(scalar, ScalarNode) or scalar.null:
            return None
        if not self._written("when"):
            self._tell(scalar.place, "`items` needs a `when:`, which says what to alert on, of `item`")
        try:
            found = path(scalar.text)
        except ConditionError as error:
            self._tell(scalar.at(error.offset), f"`items`: {error}")
            return None
        for complaint in items_complaints(scalar.text, self.probe) if self.probe else ():
            self._tell(scalar.at(complaint.offset), f"`items`: {complaint}")
        return found

    def _when(self) -> Condition | None:
        scalar = find(self.node, ["when"])
        if not isinstance(scalar, ScalarNode) or scalar.null:
            return None
        try:
            found = condition(scalar.text)
        except ConditionError as error:
            self._tell(scalar.at(error.offset), f"`when`: {error}")
            return None
        if self.probe and "items" not in self.node.broken:
            for complaint in condition_complaints(scalar.text, self.probe, self.shape.items):
                self._tell(scalar.at(complaint.offset), f"`when`: {complaint}")
        return found

    def _item_complaint(self, field: str) -> str:
        """Why an item never has such a field."""
        if self.probe is None or self.shape.items is None:
            return ""
        return next(map(str, condition_complaints(field, self.probe, self.shape.items)), "")

    # --- the alert ------------------------------------------------------------------------------------------------

    def _known(self) -> Known:
        names = {"alertname", "target", *self.label_entries, *self.own_labels.broken, *self.group_labels.broken}
        names.update(name for entry in self.each for name in entry)
        entries = mappings(self.node, "each")
        each = [{**dict.fromkeys(node.broken, ""), **one} for one, node in zip(self.each, entries, strict=False)]
        told = "each" in self.node.broken or "labels" in self.node.broken or "labels" in self.group.node.broken
        return Known(
            labels=None if told or any(node.broken for node in entries) else frozenset(names),
            each=each if self._written("each") else None,
            items=self._written("items"),
            item_complaint=self._item_complaint,
        )

    def _labels(self) -> Mapping[str, Template]:
        told = len(self.mistakes)
        labels = read_labels(self.label_entries, self.known, self.mistakes)
        broken = self.own_labels.broken or self.group_labels.broken or "labels" in self.node.broken
        whole = len(self.mistakes) == told and not broken
        if self.shape.items and whole and not any("$item" in template.names for template in labels.values()):
            place = self.node.entries["items"].key.place
            said = '`items` needs a label that tells its items apart, such as `topic: "{{ $item.topic }}"`'
            self._tell(place, said)
        return labels
