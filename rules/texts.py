"""The labels and annotations of one rule, and the templates in them and in `with:`, checked: what each may use."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rules.document import Entry, Mistake, ScalarNode
from rules.model import Labels
from rules.template import Lookup, Template, TemplateError
from rules.wording import did_you_mean

OURS = {"alertname": "that is the text of `alert:`", "target": "that is the address the probe asks"}


@dataclass(frozen=True, slots=True)
class Known:
    """What the templates of one rule can find."""

    labels: frozenset[str] | None  # of its alerts, stetho's own among them; None: they cannot be told
    each: Sequence[Labels] | None  # None: the rule has no `each`
    items: bool
    item_complaint: Callable[[str], str]  # why an item never has such a field; empty where it may


def read_labels(entries: Mapping[str, Entry], known: Known, mistakes: list[Mistake]) -> dict[str, Template]:
    """The labels; one whose text is empty is none, as in Prometheus."""
    for name, entry in entries.items():
        if name in OURS:
            said = f"stetho sets the label `{name}` itself, {OURS[name]}; choose another name"
            mistakes.append(Mistake(entry.key.place, said))
    found = _templates(entries, known, "labels", mistakes)
    return {name: template for name, template in found.items() if template.text}


def read_annotations(entries: Mapping[str, Entry], known: Known, mistakes: list[Mistake]) -> dict[str, Template]:
    return _templates(entries, known, "annotations", mistakes)


def check_lookups(
    lookups: Sequence[Lookup], scalar: ScalarNode, known: Known, where: str, mistakes: list[Mistake]
) -> None:
    """What the templates of one text name and will never find; `where` is `with`, `labels` or `annotations`."""
    for lookup in lookups:
        said = _not_here(lookup, where) or _not_there(lookup, known)
        if said:
            mistakes.append(Mistake(scalar.at(lookup.offset), said))


def _templates(entries: Mapping[str, Entry], known: Known, where: str, mistakes: list[Mistake]) -> dict[str, Template]:
    found: dict[str, Template] = {}
    for name, entry in entries.items():
        if not isinstance(entry.value, ScalarNode):
            continue
        try:
            template = Template("" if entry.value.null else entry.value.text)
        except TemplateError as error:
            mistakes.append(Mistake(entry.value.at(error.offset), str(error)))
            continue
        check_lookups(template.lookups, entry.value, known, where, mistakes)
        found[name] = template
    return found


def _not_here(lookup: Lookup, where: str) -> str:
    """Why such a name cannot stand in this part of a rule."""
    if where == "with" and lookup.name != "$each":
        return f"`{lookup}` is not known in `with:`, which is read before the answer is there; it may use $each"
    if where == "labels" and lookup.name == "$labels":
        return f"`{lookup}`: labels are made here and cannot be read yet; use $item or $each, or write it as annotation"
    return ""


def _not_there(lookup: Lookup, known: Known) -> str:
    """Why such a name, or its field, is never found."""
    name, field = lookup.name, lookup.fields[0] if lookup.fields else ""
    if name == "$item":
        return known.item_complaint(".".join(("item", *lookup.fields))) if known.items else "`$item` needs an `items:`"
    if name == "$labels" and field and known.labels is not None and field not in known.labels:
        return f"the alerts of this rule have no label `{field}`; {did_you_mean(field, sorted(known.labels))}"
    if name == "$each" and known.each is None:
        return "`$each` needs an `each:`"
    if name == "$each" and field:
        return _not_in_each(field, known.each or ())
    return ""


def _not_in_each(field: str, each: Sequence[Labels]) -> str:
    lacking = [number for number, entry in enumerate(each, 1) if field not in entry]
    if not lacking:
        return ""
    if len(lacking) == len(each):
        return (
            f"no entry of `each` has `{field}`; {did_you_mean(field, sorted({name for one in each for name in one}))}"
        )
    return f"entry {lacking[0]} of `each` has no `{field}`; give it one, or leave it out of all"
