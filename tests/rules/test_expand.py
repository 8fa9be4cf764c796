import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.kit.secretfile import LARGEST
from rules.expand import Expandable, ExpandError, With, expand, expand_with
from rules.template import TemplateError

ENVIRONMENT = {"HOST": "kafka", "TOKEN": "s3cr3t", "NESTED": "${TOKEN} {{ $each.pod }}", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "yields"),
    [
        ("plain", "plain"),
        ("", ""),
        ("http://${HOST}:8083", "http://kafka:8083"),
        ("${HOST}${TOKEN}", "kafkas3cr3t"),
        ("${EMPTY}x", "x"),
        ("$HOST costs $5 $$ $", "$HOST costs $5 $$ $"),
        ("$${HOST}", "${HOST}"),
        ("$${${HOST}}", "${kafka}"),
        ("${NESTED}", "${TOKEN} {{ $each.pod }}"),
        ("{{ $each.pod }}.${HOST}", "orders-0.kafka"),
        ("{{ $each.trap }}", "${TOKEN} {{ $each.pod }}"),
        ("${HOST} {{- $each.pod -}} ${HOST}", "kafkaorders-0kafka"),
        ("{{ $each.nope }}", "<missing: nope>"),
    ],
)
def test_a_text_is_read_once(text: str, yields: str) -> None:
    each = {"pod": "orders-0", "trap": "${TOKEN} {{ $each.pod }}"}
    assert Expandable(text, templates=True).expand(ENVIRONMENT, each) == yields


def test_a_receivers_text_has_no_templates() -> None:
    assert expand("json://h/?t={{ message }}${TOKEN}", ENVIRONMENT) == "json://h/?t={{ message }}s3cr3t"


@pytest.mark.parametrize(
    ("text", "offset", "said"),
    [
        ("a ${HOST", 2, "`${` is never closed; end it with }, or write $${ for a plain ${"),
        ("${}", 0, "`${` wants a variable's name or a file: ${NAME}, ${file:/path}; $${ is a plain ${"),
        ("${A B}", 0, "`${` wants a variable's name or a file"),
        ("${file:}", 0, "`${` wants a variable's name or a file"),
        ("${env:X}", 0, "`${` wants a variable's name or a file"),
        ("x${HOST:-kafka}", 1, "${HOST:-…} of the shell is not supported; write ${HOST}"),
        ("{{ $each.pod }} ${", 16, "`${` is never closed"),
        ("  {{- $each.pod -}}  ${", 21, "`${` is never closed"),
        ("${A{{ $each.pod }}}", 0, "`${` is never closed"),
    ],
)
def test_a_broken_reference_is_told_with_its_place(text: str, offset: int, said: str) -> None:
    with pytest.raises(TemplateError) as caught:
        Expandable(text, templates=True)
    assert caught.value.offset == offset
    assert str(caught.value).startswith(said)


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(ExpandError, match=r"^the environment variable NOPE is not set$"):
        expand("slack://${TOKEN}/${NOPE}", ENVIRONMENT)


def test_the_real_environment_will_do() -> None:
    os.environ["STETHO_TEST_EXPAND"] = "here"
    assert expand("${STETHO_TEST_EXPAND}", os.environ) == "here"


@pytest.mark.parametrize(("content", "yields"), [(b"s3cr3t\n", "s3cr3t"), (b"a\n\n", "a"), (b"a\r\n", "a"), (b"", "")])
def test_a_file_is_read_without_the_newlines_at_its_end(tmp_path: Path, content: bytes, yields: str) -> None:
    (tmp_path / "token").write_bytes(content)
    assert expand(f"x${{file:{tmp_path}/token}}", {}) == f"x{yields}"


def test_what_a_file_holds_is_not_read_again(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("${TOKEN}")
    assert expand(f"${{file:{tmp_path}/token}}", ENVIRONMENT) == "${TOKEN}"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_bytes("é".encode() * LARGEST)
    os.mkfifo(tmp_path / "pipe")
    for name, said in {
        "nope": f"cannot read {tmp_path}/nope: No such file or directory",
        "": f"cannot read {tmp_path}/: Is a directory",
        "pipe": f"nothing came out of {tmp_path}/pipe in time",
        "nul\0": f"cannot read {tmp_path}/nul\0: embedded null byte",
        "binary": f"{tmp_path}/binary is not UTF-8 text",
        "large": f"{tmp_path}/large is larger than 65536 bytes, too large to be a secret",
    }.items():
        with pytest.raises(ExpandError) as caught:
            expand(f"${{file:{tmp_path}/{name}}}", {})
        assert str(caught.value) == said


def test_no_repr_shows_the_text() -> None:
    assert "s3cr3t" not in repr(Expandable("slack://s3cr3t"))


def test_all_of_a_with_is_expanded_and_a_miss_names_the_option() -> None:
    given: With = {"url": Expandable("http://${HOST}"), "connector": (Expandable("a"), Expandable("${TOKEN}"))}
    assert expand_with(given, ENVIRONMENT) == {"url": "http://kafka", "connector": ["a", "s3cr3t"]}
    with pytest.raises(ExpandError, match=r"^url: the environment variable HOST is not set$"):
        expand_with(given, {})


@given(st.lists(st.sampled_from(["${", "}", "$${", "{{", "}}", "$", "A", "file:", " ", "$each.x", "-"])))
def test_any_text_expands_or_is_refused(pieces: list[str]) -> None:
    with contextlib.suppress(TemplateError, ExpandError):
        Expandable("".join(pieces), templates=True).expand({"A": "${A} {{ $each.A }}"})
