from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.document import MappingNode, Mistake, Node, Place, ScalarNode, SequenceNode, plain
from rules.yamltext import parse, read


def parsed(text: str) -> Node:
    node, mistakes = parse(text, "f.yml")
    assert not mistakes
    assert node is not None
    return node


def scalar(text: str) -> ScalarNode:
    """The value of the one key of `text`."""
    node = parsed(text)
    assert isinstance(node, MappingNode)
    [entry] = node.entries.values()
    assert isinstance(entry.value, ScalarNode)
    return entry.value


def test_a_scalar_stays_the_text_that_was_written() -> None:
    text = (
        "[10:20, no, 1_000, 0x1F, 1e3, 2026-01-02, .inf, =, 'a', \"b\\t\", !!str 5, !!int 6, 007, null, ~, '', 'null']"
    )
    assert plain(parsed(text)) == [
        "10:20", "no", "1_000", "0x1F", "1e3", "2026-01-02", ".inf", "=", "a", "b\t", "5", "6", "007", None, None, "",
        "null",
    ]  # fmt: skip


def test_everything_knows_its_place() -> None:
    node = parsed("a:\n- b: é\n  ü: x\n")
    assert isinstance(node, MappingNode)
    items = node.entries["a"].value
    assert isinstance(items, SequenceNode)
    inner = items.items[0]
    assert isinstance(inner, MappingNode)
    assert [str(one.place) for one in (node, items, inner)] == ["f.yml:1:1", "f.yml:2:1", "f.yml:2:3"]
    assert [str(entry.key.place) for entry in inner.entries.values()] == ["f.yml:2:3", "f.yml:3:3"]
    assert [str(entry.value.place) for entry in inner.entries.values()] == ["f.yml:2:6", "f.yml:3:6"]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: so X", 1, 7),
        ("a: 'so X'", 1, 8),
        ("a: 's'' X'", 1, 9),
        ('a: "so X"', 1, 8),
        ("a: &anchor !!str 'so X'", 1, 22),
        ("a: |\n  first\n   so X\n", 3, 7),
        ("a: |-\n\n  X", 3, 3),
        ("a: éé X", 1, 7),
        # hidden by escapes or folding: the scalar's own place
        ('a: "\\x20 X"', 1, 4),
        ("a: >\n  so\n  X\n", 1, 4),
        ("a: so\n  X", 1, 4),
    ],
)
def test_the_place_of_a_character(text: str, line: int, column: int) -> None:
    found = scalar(text)
    assert found.at(found.text.index("X")) == Place("f.yml", line, column)


def test_an_alias_is_a_copy_of_what_it_stands_for() -> None:
    node = parsed("a: &x {k: [v]}\nb: *x\nc: *x\n")
    assert isinstance(node, MappingNode)
    assert plain(node) == {key: {"k": ["v"]} for key in "abc"}
    assert node.entries["b"].value is not node.entries["c"].value


def test_keys_are_merged_in_and_what_is_written_wins() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: *a, y: 3}\nd: {x: 3, <<: [*b, *a]}\ne: {'<<': 1}"
    merged = plain(parsed(text))
    assert merged["c"] == {"x": "1", "y": "3"}
    assert merged["d"] == {"x": "3", "y": "2", "z": "2"}
    assert merged["e"] == {"<<": "1"}


def test_a_broken_value_is_left_out_and_its_key_remembered() -> None:
    node, mistakes = parse("a: *x\nb: [*x, 1]\nc: 2", "f.yml")
    assert isinstance(node, MappingNode)
    assert plain(node) == {"b": ["1"], "c": "2"}
    assert node.broken == {"a"}
    assert [mistake.place.line for mistake in mistakes] == [1, 2]


def test_a_byte_order_mark_and_windows_lines_are_taken(tmp_path: Path) -> None:
    (tmp_path / "f.yml").write_bytes("\ufeffa: é\r\nb: c\r\n".encode())
    node, mistakes = read(tmp_path / "f.yml")
    assert not mistakes
    assert node is not None
    assert plain(node) == {"a": "é", "b": "c"}


def test_a_million_brackets_do_not_kill_the_process() -> None:
    assert parse("[" * 1_000_000, "f.yml")[1] == [
        Mistake(Place("f.yml", 1, 66), "this is nested more than 64 deep; no rule file needs that")
    ]


@given(st.text("ab:-[]{},&*!|>'\"%@#?\n\t \u00e9\x01\ud800<~", max_size=40).filter(lambda text: "\ud800" not in text))
def test_any_text_is_a_document_or_a_mistake(text: str) -> None:
    node, mistakes = parse(text, "f.yml")
    assert node is not None or mistakes
    for mistake in mistakes:
        assert mistake.place.line >= 1
        assert mistake.place.column >= 1
