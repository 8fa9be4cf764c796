"""Options: where a value comes from, which source wins, and that every mistake is told at once."""

import itertools
import os
import threading
from pathlib import Path

import pytest

from probes.kit import secretfile
from probes.kit.derive import json_schema
from probes.kit.options import (
    Choice,
    Duration,
    OptionError,
    OptionErrors,
    OptionSet,
    ProbeOptions,
    Range,
    Secret,
    Url,
    environment_name,
    from_environment,
    option,
)
from probes.kit.rest import HttpOptions
from probes.kit.run import RunOptions


class Options(HttpOptions):
    url: Url = option(help="Where.")
    name: list[str] = option(default=(), help="Which.")
    port: list[int] = option(default=(1, 2), help="Ports.")
    count: int | None = option(default=None, help="How many.")
    ratio: float = option(default=0.5, help="How much.")
    deep: bool = option(default=False, help="Whether.")
    grace: Duration = option(default=Duration(0), help="How long.")
    limit: Range | None = option(default=None, help="Within.")
    mode: Choice = option(default="a", choices=("a", "b"), help="How.")
    from_: str = option(default="", help="From.")

    def check(self) -> None:
        super().check()
        if self.count == 13:
            raise OptionError("count", "is bad luck")


URL = {"url": "http://host:1"}


def build(*sources: dict[str, str | list[str]]) -> Options:
    return Options.build({**URL, **(sources[0] if sources else {})}, *sources[1:])


def wrong(*sources: dict[str, str | list[str]]) -> dict[str, str]:
    with pytest.raises(OptionErrors) as errors:
        Options.build(*sources)
    return {error.option: str(error) for error in errors.value.errors}


def these(*values: object) -> object:
    """What a list option holds: declared a list, it is a tuple, so that options can be compared."""
    return values


@pytest.mark.parametrize("present", list(itertools.product([True, False], repeat=3)))
def test_argv_goes_before_the_environment_and_that_before_a_files_defaults(present: tuple[bool, ...]) -> None:
    sources = [{"count": str(number)} if there else {} for number, there in enumerate(present)]
    expected = next((number for number, there in enumerate(present) if there), None)
    assert build(*sources).count == expected  # type: ignore[arg-type]


def test_the_first_source_with_a_list_gives_all_of_it() -> None:
    assert build({"name": ["a", "b"]}, {"name": ["c"]}).name == these("a", "b")
    assert build({}, {"name": ["c"]}).name == these("c")
    assert build({"name": "a"}).name == these("a")
    assert build({"port": ["7", "8"]}).port == these(7, 8)
    assert build().port == these(1, 2)
    assert build({"port": []}).port == these()


def test_each_type_is_parsed() -> None:
    given = {"count": "3", "ratio": "1.5", "deep": "yes", "grace": "5m", "limit": "10:", "mode": "b", "from": "x"}
    built = build(given)  # type: ignore[arg-type]
    expected = {"count": 3, "ratio": 1.5, "deep": True, "grace": 300, "mode": "b", "from_": "x"}
    assert {name: getattr(built, name) for name in expected} == expected
    assert (str(built.limit), built.target) == ("10:", "http://host:1")


def test_a_bad_value_in_a_source_that_does_not_win_is_not_looked_at() -> None:
    assert build({"count": "3"}, {"count": "x"}).count == 3


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert wrong({"count": "x", "mode": "c", "grace": "5", "limit": "?", "nmae": "a", "deep": ["true"]}) == {
        "nmae": "is no option; there are ca_file, cert_file, count, deep, from, grace, header, headers,"
        " headers_file, key_file, limit, mode, name, password, password_file, port, ratio, timeout, token, token_file,"
        " url, username",
        "url": "is missing",
        "count": "'x' is not a whole number",
        "mode": "'c' is none of a, b",
        "grace": "'5' has no unit; write 5s for seconds, 5m for minutes",
        "limit": "'?' is not a range; write 10 (well from 0 to 10), 10: (at least), ~:10 (at most) or @10:20 (outside)",
        "deep": "deep takes one value, not a list",
    }


def test_all_that_is_wrong_reads_as_one_text() -> None:
    with pytest.raises(OptionErrors, match=r"^url: is missing; count: 'x' is not a whole number$"):
        Options.build({"count": "x"})


def test_a_rule_across_options_is_checked_when_each_is_well() -> None:
    assert wrong({**URL, "count": "13"}) == {"count": "is bad luck"}
    assert wrong({**URL, "count": "13", "mode": "c"}) == {"mode": "'c' is none of a, b"}


@pytest.mark.parametrize("text", ["\udcff", "caf\udce9"])
def test_what_is_not_utf8_is_refused(text: str) -> None:
    assert wrong({**URL, "name": [text]}) == {"name": f"{text!r} is not UTF-8"}


def test_a_secret_that_is_not_utf_8_is_not_shown() -> None:
    assert wrong({**URL, "password": "hunter2\udcff"}) == {"password": "this secret is not UTF-8"}


@pytest.mark.parametrize(
    ("timeout", "well"), [("1ms", True), ("1d", True), ("0", False), ("0s", False), ("1d1s", False), ("292y", False)]
)
def test_a_deadline_is_above_zero_and_one_that_the_system_can_wait_for(timeout: str, well: bool) -> None:
    if well:
        assert build({"timeout": timeout}).timeout
    else:
        assert wrong({**URL, "timeout": timeout}) == {"timeout": "must be longer than 0s and at most 1d"}


@pytest.mark.parametrize(
    ("given", "option", "said"),
    [
        ({"username": "u", "token": "t"}, "token", "cannot be combined with --username: give one login"),
        ({"password": "p"}, "username", "is missing: a password needs a user"),
    ],
)
def test_a_login_is_whole(given: dict[str, str], option: str, said: str) -> None:
    assert wrong({**URL, **given}) == {option: said}


@pytest.fixture
def secret(tmp_path: Path) -> str:
    (tmp_path / "secret").write_text("hunter2\r\n")
    return str(tmp_path / "secret")


def test_a_secret_comes_from_a_file_without_its_last_newline(secret: str) -> None:
    assert build({"token_file": secret}).token == "hunter2"
    assert build({}, {"token_file": secret}).token == "hunter2"
    assert isinstance(build({"token_file": secret}).token, Secret)


def test_a_secret_of_an_earlier_source_wins_whichever_way_it_is_given(secret: str) -> None:
    assert build({"token_file": secret}, {"token": "other"}).token == "hunter2"
    assert build({"token": "other"}, {"token_file": secret}).token == "other"


def test_a_secret_file_that_cannot_be_read_is_named() -> None:
    assert wrong({**URL, "token_file": "/no/such"}) == {"token": "cannot read /no/such: No such file or directory"}
    assert "cannot read" in wrong({**URL, "token_file": "a\0b"})["token"]
    assert "cannot read" in wrong({**URL, "token_file": "/"})["token"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"hunter2\xff\xfe", "is not UTF-8 text"),
        (b"x" * 65537, "is larger than 65536 bytes, too large to be a secret"),
    ],
)
@pytest.mark.parametrize("name", ["token", "password", "headers"])
def test_a_secret_file_of_no_use_is_named_and_not_shown(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    assert wrong({**URL, f"{name}_file": str(path)}) == {name: f"{path} {said}"}


@pytest.mark.parametrize("content", ["", "\n", "\r\n\n"])
def test_a_secret_file_that_is_empty_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret").write_text(content)
    assert wrong({**URL, "token_file": str(tmp_path / "secret")}) == {"token": f"{tmp_path}/secret is empty"}


def test_what_a_file_lacks_is_told_from_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "headers").write_text("no header")
    given = {"url": "x", "token_file": "/no", "headers_file": str(tmp_path / "headers")}
    with pytest.raises(OptionErrors) as caught:
        Options.build(given)
    assert {error.option: error.lacking for error in caught.value.errors} == {"url": False, "token": True}

    with pytest.raises(OptionErrors) as caught:
        Options.build({**URL, "headers_file": given["headers_file"]})
    assert [error.lacking for error in caught.value.errors] == [False]


def test_a_password_may_be_any_text(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(" pass wörd \n")
    assert build({"username": "u", "password_file": str(tmp_path / "secret")}).password == " pass wörd "


@pytest.fixture
def pipe(tmp_path: Path) -> str:
    os.mkfifo(tmp_path / "pipe")
    return str(tmp_path / "pipe")


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(pipe: str) -> None:
    for _ in range(2):
        assert wrong({**URL, "token_file": pipe}) == {"token": f"nothing came out of {pipe} in time"}


def test_a_pipe_that_is_written_to_late_or_never_closed(pipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secretfile, "WRITER_WRITES", 0.1)
    number = os.open(pipe, os.O_RDWR)
    os.write(number, b"hunter2")
    try:
        assert "nothing came out of " in wrong({**URL, "token_file": pipe})["token"]
    finally:
        os.close(number)


def test_what_came_out_of_a_pipe_is_there_when_options_are_built_again(pipe: str) -> None:
    writer = threading.Thread(target=Path(pipe).write_text, args=("hunter2\n",))
    writer.start()
    assert [build({"token_file": pipe}).token for _ in range(2)] == ["hunter2", "hunter2"]
    writer.join()


def test_what_never_ends_is_refused() -> None:
    assert "is larger than" in wrong({**URL, "token_file": "/dev/zero"})["token"]


@pytest.mark.parametrize("text", ["", " "])
@pytest.mark.parametrize("name", ["name", "ca_file", "from"])
def test_an_empty_text_is_refused(name: str, text: str) -> None:
    assert wrong({**URL, name: text}) == {name: "is empty"}
    if name == "name":
        assert wrong({**URL, name: ["a", text]}) == {name: "is empty"}


def test_a_secret_is_in_no_error_about_other_options() -> None:
    with pytest.raises(OptionErrors) as errors:
        Options.build({**URL, "token": "hunter2", "username": "u", "password": "hunter2"})
    assert "hunter2" not in f"{errors.value}{errors.value.errors}"


def test_a_secret_has_no_option_that_takes_it_on_the_command_line() -> None:
    flags = {field.name: field.flag for field in Options.fields}
    assert (flags["token"], flags["password"], flags["from"]) == ("--token-file", "--password-file", "--from")


def test_the_environment_names_probe_and_option() -> None:
    environment = {
        "STETHO_X_Y_URL": "http://env:1",
        "STETHO_X_Y_NAME": "a, b,,c,",
        "STETHO_X_Y_COUNT": "",
        "STETHO_X_Y_TOKEN_FILE": "/f",
        "STETHO_X_Y_FROM": "z",
        "STETHO_X_Y_NO_SUCH": "ignored",
        "STETHO_URL": "not of every probe",
        "STETHO_TIMEOUT": "3s",
        "OTHER": "x",
    }
    assert from_environment(Options.fields, "x-y", environment) == {
        "url": "http://env:1",
        "name": ["a", "b", "c"],
        "token_file": "/f",
        "from": "z",
        "timeout": "3s",
    }


@pytest.mark.parametrize("text", [",", " , ", " "])
def test_a_list_of_nothing_in_the_environment_is_not_set(text: str) -> None:
    given = from_environment(Options.fields, "x", {"STETHO_X_NAME": text})
    assert given == {}
    assert list(build({}, given, {"name": "a file's"}).name) == ["a file's"]


def test_a_probes_own_variable_goes_before_the_common_one() -> None:
    environment = {"STETHO_X_TIMEOUT": "1s", "STETHO_TIMEOUT": "3s"}
    assert from_environment(ProbeOptions.fields, "x", environment) == {"timeout": "1s"}
    assert from_environment(RunOptions.fields, "", {"STETHO_AS": "liveness"}) == {"as": "liveness"}


@pytest.mark.parametrize(
    ("probe", "key", "name"),
    [("connect", "url", "STETHO_CONNECT_URL"), ("a-b", "c_d", "STETHO_A_B_C_D"), ("", "timeout", "STETHO_TIMEOUT")],
)
def test_variables_are_upper_case_with_underscores(probe: str, key: str, name: str) -> None:
    assert environment_name(probe, key) == name


def test_equal_options_are_one_question() -> None:
    assert build({"count": "3"}).key == build({}, {"count": "3"}).key != build().key


def test_the_target_is_the_first_address_given() -> None:
    class Two(OptionSet):
        one: Url | None = option(default=None, help="One.")
        two: Url | None = option(default=None, help="Two.")

    assert Two.build({"two": "http://b"}).target == "http://b"
    assert Two.build({}).target == ""


def test_the_schema_of_with_says_what_each_option_takes() -> None:
    schema = json_schema(Options)
    properties = schema["properties"]
    assert schema["additionalProperties"] is False
    assert sorted(properties) == sorted(key for field in Options.fields for key in field.keys)
    expandable = {"type": "string", "pattern": r"\{\{|\$\{"}
    assert properties["deep"] == {
        "description": "Whether.",
        "anyOf": [{"type": "boolean"}, expandable],
        "default": False,
    }
    assert properties["mode"]["anyOf"][0] == {"enum": ["a", "b"]}
    assert properties["token"] == {"description": "File holding a bearer token.", "type": "string"}


# Each pattern of the schema, against what the type itself takes.
@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("limit", ["10", "10:", "~:10", "@10:20", "-1.5:2", "1e3", "~:", ":5"]),
        ("grace", ["0", "90s", "1h30m", "500ms"]),
        ("url", ["http://host:1", "https://host/x?y"]),
    ],
)
def test_the_schema_lets_pass_what_the_type_takes(name: str, texts: list[str]) -> None:
    import re

    field = next(field for field in Options.fields if field.name == name)
    pattern = json_schema(Options)["properties"][name]["anyOf"][0]["pattern"]
    for text in texts:
        field.parse(text)
        assert re.search(pattern, text)
