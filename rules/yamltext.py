"""YAML to a document: PyYAML's parser, and none of its opinions on what a text means.

YAML 1.1 would make 620 of `10:20` and false of `no`; here every scalar stays text.
Nodes are built from libyaml's events, not from its nodes: a file nested a million deep overflows its C stack.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from rules.document import Entry, MappingNode, Mistake, Node, Place, ScalarNode, SequenceNode

DEEPEST = 64  # mappings and lists within each other
MOST_COPIED = 100_000  # nodes that all aliases of a file may stand for

_TAB = "a tab indents this line; use spaces"
_QUOTE = "a text that starts with {{ must be quoted"
_NULLS = ("", "~", "null", "Null", "NULL")


def read(path: Path) -> tuple[Node | None, list[Mistake]]:
    """The file's one document, and all mistakes of its YAML; None where nothing can be made of it."""
    whole = Place(str(path))
    try:
        data = path.read_bytes()
    except OSError as error:
        return None, [Mistake(whole, f"cannot be read: {error.strerror}")]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = _after(whole.file, data[: error.start].decode())
        return None, [Mistake(place, f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8")]
    return parse(text, whole.file)


def parse(text: str, file: str) -> tuple[Node | None, list[Mistake]]:
    """As `read`, of a text that is at hand."""
    builder = _Builder(text, file)
    try:
        node = builder.document()
    except _UnusableError as stop:
        return None, [*builder.mistakes, stop.mistake]
    except yaml.reader.ReaderError as error:
        place = _after(file, text.encode()[: error.position].decode(errors="ignore"))
        said = f"the control character U+{error.character:04X} is not allowed in YAML; remove it"
        return None, [*builder.mistakes, Mistake(place, said)]
    except yaml.MarkedYAMLError as error:
        return None, [*builder.mistakes, _syntax(error, text, file)]
    return node, builder.mistakes


class _UnusableError(Exception):
    """Nothing of this file can be used."""

    def __init__(self, place: Place, text: str) -> None:
        self.mistake = Mistake(place, text)


class _Builder:
    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.mistakes: list[Mistake] = []
        self.anchors: dict[str, Node | None] = {}
        self.copied = 0
        self.events: Iterator[Any] = iter(yaml.parse(text, Loader=yaml.CSafeLoader))

    def document(self) -> Node | None:
        next(self.events)
        start = next(self.events)
        if isinstance(start, yaml.StreamEndEvent):
            said = "the file is empty; a rule file has `groups`, `route`, `receivers`, `fallback` or `defaults`"
            raise _UnusableError(Place(self.file, 1, 1), said)
        node = self.node(next(self.events), 0)
        next(self.events)
        second = next(self.events)
        if isinstance(second, yaml.DocumentStartEvent):
            said = "a second document starts here; move what follows `---` into a file of its own"
            self.mistakes.append(Mistake(self.place(second), said))
        return node

    def place(self, event: Any) -> Place:
        return Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def node(self, event: Any, depth: int) -> Node | None:
        """What `event` starts; None, its mistake noted, where it cannot be used."""
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, depth)
        place = self.place(event)
        if depth > DEEPEST:
            raise _UnusableError(place, f"this is nested more than {DEEPEST} deep; no rule file needs that")
        if event.anchor:
            self.anchors[event.anchor] = None  # not to be used before it is complete
        made: Node | None
        if isinstance(event, yaml.ScalarEvent):
            raw = self.text[event.start_mark.index : event.end_mark.index]  # type: ignore[union-attr]
            null = event.implicit[0] and not event.style and event.value in _NULLS
            made = ScalarNode(event.value, place, raw, event.style or "", null)
        elif isinstance(event, yaml.SequenceStartEvent):
            made = self.sequence(place, depth)
        else:
            made = self.mapping(event, place, depth)
        if event.tag and not event.tag.startswith("tag:yaml.org,2002:"):
            said = f"the tag {event.tag} is not supported; a text that starts with ! must be quoted"
            self.mistakes.append(Mistake(place, said))
            made = None
        if event.anchor:
            self.anchors[event.anchor] = made
        return made

    def sequence(self, place: Place, depth: int) -> SequenceNode:
        made = SequenceNode([], place)
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            item = self.node(event, depth + 1)
            if item is None:
                made.broken = True
            else:
                made.items.append(item)
        return made

    def mapping(self, start: Any, place: Place, depth: int) -> MappingNode | None:
        made, usable = MappingNode({}, place), True
        opens = self.text[start.start_mark.index : start.start_mark.index + 2]
        merged: list[tuple[ScalarNode, Node | None]] = []
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.node(event, depth + 1)
            value = self.node(next(self.events), depth + 1)
            if not isinstance(key, ScalarNode):
                usable = False
            elif key.text == "<<" and not key.style:
                merged.append((key, value))
            elif key.text in made.entries or key.text in made.broken:
                self.repeated(key, made)
            elif value is None:
                made.broken.add(key.text)
            else:
                made.entries[key.text] = Entry(key, value)
        if not usable:
            self.mistakes.append(Mistake(place, _QUOTE if opens.startswith("{{") else "a key must be a text"))
            return None
        for key, value in merged:
            self.merge(made, key, value)
        return made

    def repeated(self, key: ScalarNode, made: MappingNode) -> None:
        first = made.entries.get(key.text)
        above = f" in line {first.key.place.line}" if first else ""
        self.mistakes.append(Mistake(key.place, f"the key `{key.text}` was given before{above}; keep one of the two"))

    def merge(self, into: MappingNode, key: ScalarNode, value: Node | None) -> None:
        """YAML's `<<: *name`: keys that are written here win over those that are merged in."""
        for source in value.items if isinstance(value, SequenceNode) else [value]:
            if isinstance(source, MappingNode):
                for name, entry in source.entries.items():
                    if name not in into.broken:
                        into.entries.setdefault(name, entry)
            elif source is not None:
                self.mistakes.append(Mistake(key.place, "`<<` takes a mapping or a list of mappings, such as *name"))

    def alias(self, event: Any, depth: int) -> Node | None:
        """A copy of what the alias stands for, because each use is checked, and mended, on its own."""
        place, name = self.place(event), event.anchor
        if name not in self.anchors:
            said = f"*{name} stands for nothing: no &{name} comes before it; a text that starts with * must be quoted"
            self.mistakes.append(Mistake(place, said))
            return None
        node = self.anchors[name]
        if node is None:
            self.mistakes.append(Mistake(place, f"*{name} stands inside what &{name} names, or for what is broken"))
            return None
        return self.copy(node, place, depth)

    def copy(self, node: Node, place: Place, depth: int) -> Node:
        self.copied += 1
        if self.copied > MOST_COPIED:
            raise _UnusableError(
                place, f"the aliases of this file stand for more than {MOST_COPIED} values; write fewer"
            )
        if depth > DEEPEST:
            raise _UnusableError(place, f"this alias nests values more than {DEEPEST} deep; no rule file needs that")
        match node:
            case ScalarNode():
                return node
            case SequenceNode():
                items = [self.copy(item, place, depth + 1) for item in node.items]
                return SequenceNode(items, node.place, node.broken)
            case MappingNode():
                entries = {k: Entry(e.key, self.copy(e.value, place, depth + 1)) for k, e in node.entries.items()}
                return MappingNode(entries, node.place, set(node.broken))


def _after(file: str, text: str) -> Place:
    """The place that follows `text`."""
    return Place(file, text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1)


_SYNTAX = (  # what libyaml says, and in which context; whether that context's beginning is the place; how to put it
    ("mapping values are not allowed", "", False, "`: ` cannot stand here; quote a text that holds it"),
    ("unexpected end of stream", "quoted scalar", True, "the quote that opens here is never closed"),
    ("", "flow", True, "what opens here is never closed, or lacks a comma; end it with ] or }"),
    ("", "scanning an a", True, "a text that starts with * or & must be quoted"),  # an alias, an anchor
    ("tab character", "", False, _TAB),
    ("", "block", False, "this does not fit here; look at the indent, and quote texts whole"),
)


def _syntax(error: yaml.MarkedYAMLError, text: str, file: str) -> Mistake:
    problem, context = error.problem or "", error.context or ""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Mistake(Place(file), f"this is not YAML: {problem}")
    place = Place(file, mark.line + 1, mark.column + 1)
    template = re.search(r"(?<=[:-] )\{\{", "".join(text.splitlines()[mark.line : mark.line + 1]))
    if template:
        return Mistake(Place(file, place.line, template.start() + 1), _QUOTE)
    if "cannot start any token" in problem:
        first = text[mark.index : mark.index + 1]
        return Mistake(place, _TAB if first == "\t" else f"a text that starts with {first} must be quoted")
    for words, around, opened, said in _SYNTAX:
        if words in problem and around in context:
            at = error.context_mark if opened and error.context_mark else mark
            return Mistake(Place(file, at.line + 1, at.column + 1), said)
    return Mistake(place, f"this is not YAML: {problem}")
