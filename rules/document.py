"""A rule file's document: every scalar is the text that was written, and everything knows its file, line and column."""

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)+")  # an anchor or tag before the scalar itself


class Place(NamedTuple):
    """Where in a file; lines and columns count from 1, line 0 is the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Mistake(NamedTuple):
    """What is wrong at one place, and what would be right."""

    place: Place
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


@dataclass(slots=True)
class ScalarNode:
    text: str
    place: Place
    raw: str  # as it stands in the file, quotes and all
    style: str  # '', "'", '"', '|' or '>'
    null: bool  # nothing, or a bare `null` or `~`

    def at(self, offset: int) -> Place:
        """The place of the text's character at `offset`; the scalar's own where escapes or folding hide it."""
        start = _PROPERTIES.match(self.raw)
        skipped = start.end() if start else 0
        if self.style == "|":
            return self._in_block(offset)
        written = self.text
        if self.style:
            skipped += 1
        if self.style == "'":
            written = self.text.replace("'", "''")
            offset += self.text.count("'", 0, offset)
        if not self.raw.startswith(written, skipped):
            return self.place
        return Place(self.place.file, self.place.line, self.place.column + skipped + offset)

    def _in_block(self, offset: int) -> Place:
        above = self.text.count("\n", 0, offset)
        lines, written = self.text.splitlines(), self.raw.splitlines()[1:]
        if above >= min(len(lines), len(written)) or not written[above].endswith(lines[above]):
            return self.place
        indent = len(written[above]) - len(lines[above])
        within = offset - (self.text.rfind("\n", 0, offset) + 1)
        return Place(self.place.file, self.place.line + 1 + above, indent + within + 1)


@dataclass(slots=True)
class SequenceNode:
    items: "list[Node]"
    place: Place
    broken: bool = False  # an element is told of as a mistake and left out


@dataclass(slots=True)
class Entry:
    key: ScalarNode
    value: "Node"


@dataclass(slots=True)
class MappingNode:
    entries: dict[str, Entry]
    place: Place
    broken: set[str] = field(default_factory=set)  # keys whose values are told of as mistakes and cannot be used


Node = ScalarNode | SequenceNode | MappingNode


def plain(node: Node) -> Any:
    """The node as texts, lists and dicts; None for null."""
    match node:
        case ScalarNode():
            return None if node.null else node.text
        case SequenceNode():
            return [plain(item) for item in node.items]
        case MappingNode():
            return {key: plain(entry.value) for key, entry in node.entries.items()}
