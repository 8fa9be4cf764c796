"""The fast parser only ever says yes: what it accepts, typer parses alike."""

import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any
from unittest import mock

import pytest
import typer
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from probes.kit import argv as fast
from probes.kit import catalog, cli, cold
from probes.kit.options import Field, OptionErrors
from probes.kit.run import RunOptions

Built = tuple[Any, ...]
Given = dict[str, str | list[str]]


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("STETHO_")]:
        monkeypatch.delenv(name)
    with mock.patch.object(sys, "excepthook", sys.excepthook):  # typer sets its own
        yield


def fields(probe: str) -> tuple[Field, ...]:
    return (*catalog.load(probe).Options.fields, *RunOptions.fields)


def built(probe: str, given: Given) -> Built:
    """What comes of the texts: options and how to run, or all that is wrong with them."""
    try:
        options, how = cold.built(probe, catalog.load(probe), given)
    except OptionErrors as errors:
        return tuple((error.option, str(error)) for error in errors.errors)
    return options.key, how.key


def by_typer(probe: str, argv: Sequence[str]) -> Built:
    """What typer makes of argv, just before it would ask."""
    seen: list[Built] = []

    def answer(name: str, module: Any, given: Given) -> int:
        seen.append(built(name, given))
        return 0

    with mock.patch.object(cold, "answer", answer):
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(context_settings=cli.HELP)(cli.command(probe, catalog.load(probe)))
        app(args=list(argv), standalone_mode=False)
    (only,) = seen
    return only


PLAIN = "http://h:1 http://h 5s 5 10:20 true alert liveness json text a=1 é [bold] \\ @file $HOME ~ * unknown 80% None"
WORDS = st.sampled_from(["", "a b", "'", "\n", "\udcff", "/no/such", *PLAIN.split()]) | st.text(max_size=8)


def argvs(probe: str) -> st.SearchStrategy[list[str]]:
    """Mostly options of the probe with a value, and now and then something odd."""
    declared = fields(probe)
    usual = st.sampled_from(declared).flatmap(
        lambda field: st.just([field.flag]) if field.type is bool else WORDS.map(lambda word: [field.flag, word])
    )
    flags = [field.flag for field in declared]
    shortened = [flag[:-1] for flag in flags]
    odd = st.sampled_from([*shortened, "--", "-", "-h", "--help", "--no-allow-empty", *(f"{flag}=x" for flag in flags)])
    words = st.one_of(usual, usual, usual, usual, usual, usual, odd.map(lambda word: [word]), WORDS.map(lambda w: [w]))
    return st.lists(words, max_size=6).map(lambda parts: [word for part in parts for word in part])


@pytest.mark.parametrize("probe", catalog.names())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_the_fast_parser_accepts_typer_parses_alike(probe: str, data: st.DataObject) -> None:
    argv = data.draw(argvs(probe))
    accepted = fast.read(argv, fields(probe))
    if accepted is not None:
        assert built(probe, accepted) == by_typer(probe, argv), argv


@settings(max_examples=100)
@given(st.lists(st.sampled_from(["--connector", "--url", "--allow-empty", "http://h", "a", ""]), max_size=8))
@example(["--connector", "a", "--connector", "b"])
@example(["--connector", ""])
@example(["--allow-empty", "--allow-empty"])
@example(["--url", "--connector"])
def test_lists_flags_and_empty_values_are_parsed_alike(argv: list[str]) -> None:
    accepted = fast.read(argv, fields("connect"))
    if accepted is not None:
        assert built("connect", accepted) == by_typer("connect", argv)


@pytest.mark.parametrize(
    ("argv", "given"),
    [
        ([], {}),
        (["--url", "http://h"], {"url": "http://h"}),
        (["--connector", "a", "--connector", "b"], {"connector": ["a", "b"]}),
        (["--allow-empty", "--timeout", "1s"], {"allow_empty": "true", "timeout": "1s"}),
        (["--token-file", "/f", "--as", "liveness"], {"token_file": "/f", "as": "liveness"}),
    ],
)
def test_a_plain_call_takes_the_fast_way(argv: list[str], given: Given) -> None:
    assert fast.read(argv, fields("connect")) == given


@pytest.mark.parametrize(
    "argv",
    [
        ["--url=http://h"],
        ["--url"],
        ["--url", "-x"],
        ["--url", "a", "--url", "b"],
        ["--ur", "a"],
        ["-h"],
        ["--help"],
        ["--no-allow-empty"],
        ["--allow-empty", "true"],
        ["http://h"],
        ["--"],
        ["--password", "secret"],
        [""],
    ],
)
def test_what_is_not_plain_is_left_to_typer(argv: list[str]) -> None:
    assert fast.read(argv, fields("connect")) is None
