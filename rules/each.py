"""A rule's `each`, checked: entries of plain texts, all different, whose names become labels."""

from collections.abc import Iterator, Mapping, Sequence

from rules.document import Entry, MappingNode, Mistake, ScalarNode, SequenceNode
from rules.fit import find, mappings
from rules.model import Labels
from rules.texts import OURS


def check_each(rule: MappingNode, each: Sequence[Labels], own_labels: MappingNode) -> Iterator[Mistake]:
    found = find(rule, ["each"])
    if not isinstance(found, SequenceNode):
        return
    if not found.items and not found.broken:
        said = "`each` is empty, so nothing would be asked; give it entries, or leave the key out"
        yield Mistake(found.place, said)
    seen: set[frozenset[tuple[str, str]]] = set()
    for entry, node in zip(each, mappings(rule, "each"), strict=False):
        key = frozenset(entry.items())
        if not node.broken and not entry:
            yield Mistake(node.place, "an entry of `each` needs a name and a value, such as {pod: orders-0}")
        elif not node.broken and key in seen:
            yield Mistake(node.place, "`each` has this entry twice; take one out")
        seen.add(key)
        yield from _values(node.entries)
    for name, label in own_labels.entries.items():
        if any(name in entry for entry in each):
            yield Mistake(label.key.place, f"`each` makes the label `{name}` already; take one of the two out")


def _values(entries: Mapping[str, Entry]) -> Iterator[Mistake]:
    for name, entry in entries.items():
        if name in OURS:
            said = f"stetho sets the label `{name}` itself, {OURS[name]}; choose another name"
            yield Mistake(entry.key.place, said)
        value = entry.value
        if not isinstance(value, ScalarNode):
            continue
        if value.null or not value.text:
            yield Mistake(value.place, f"`{name}` is empty; give it a value, or leave the name out")
        elif "{{" in value.text or "${" in value.text:
            said = f"`{name}`: `each` takes plain texts; templates and ${{}} are for `with:`"
            yield Mistake(value.place, said)
