"""What holds for every probe, those to come too: it declares itself whole, and answers as its EXAMPLE."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from probes.kit import catalog, derive
from probes.kit.example import AnyKeys, OneOf
from probes.kit.jsontext import dumps
from probes.kit.net import Found, JmxRequest, Reply, Request
from probes.kit.options import OptionSet, Secret, Url, environment_name
from probes.kit.result import Status
from probes.kit.run import RunOptions, run
from tests.probes.fakenet import NOW
from tests.probes.kit.healthy import body_of, found_of

PROBES = catalog.names()
JVM = ({"jolokia": "http://h/jolokia"}, {"jmx": "h:5555"})
# Each way a probe can be asked. A probe that is not in here is asked with --url.
ASKED = {
    "streams": [
        {"exporter": "http://h/metrics"},
        {"jolokia": "http://h/jolokia"},
        {"jmx": "h:5555"},
        {"prometheus": "http://h:9090", "app": "j"},
    ],
    "jmx": [{"read": "java.lang:type=Runtime", "attribute": "Uptime"} | way for way in JVM],
}
QUESTIONS = [(probe, given) for probe in PROBES for given in ASKED.get(probe, [{"url": "http://h"}])]
JUDGED = ("tasks", "partitions", "targets", "clients", "series", "mbeans")


class Healthy:
    """The Net of a platform that is well."""

    def request(self, request: Request) -> Reply:
        return Reply(200, {}, body_of("/" + request.url.partition("://")[2].partition("/")[2], request.body))

    def jmx(self, request: JmxRequest) -> list[Found]:
        return [found_of(name) for name, _ in request.reads]

    def now(self) -> float:
        return NOW

    def hurried(self) -> bool:
        return False


def answer(probe: str, given: dict[str, str]) -> dict[str, Any]:
    module = catalog.load(probe)
    said = run(probe, module, module.Options.build(given), Healthy())
    assert said.status == Status.OK, said.message
    document: dict[str, Any] = json.loads(dumps(said.document()))
    return document


@pytest.mark.parametrize("probe", PROBES)
def test_a_probe_declares_what_it_asks(probe: str) -> None:
    module = catalog.load(probe)
    assert re.fullmatch(r"[A-Z][^\n]*: [^\n]*\.", catalog.summary(module)), "`System: what is so when all is well.`"
    assert issubclass(module.Options, OptionSet)
    assert callable(module.ASKS) or module.ASKS in ("itself", "others")
    assert callable(module.probe)
    assert isinstance(module.EXAMPLE, dict)


@pytest.mark.parametrize("probe", PROBES)
def test_asks_of_any_options_is_one_of_two_words(probe: str) -> None:
    module = catalog.load(probe)
    if callable(module.ASKS):
        assert module.ASKS(module.Options()) in ("itself", "others")


@pytest.mark.parametrize("probe", PROBES)
def test_every_option_is_told_in_a_sentence(probe: str) -> None:
    for field in catalog.load(probe).Options.fields:
        assert re.fullmatch(r"\S.*\.", field.help), field.name
        assert "  " not in field.help
        assert re.fullmatch(r"[a-z][a-z_]*", field.name), field.name
        assert "default" not in field.help.lower() or field.default in (None, ()), "the default is derived"


@pytest.mark.parametrize("probe", PROBES)
def test_no_two_options_share_a_name(probe: str) -> None:
    fields = (*catalog.load(probe).Options.fields, *RunOptions.fields)
    common = [environment_name("", key) for field in RunOptions.fields for key in field.keys]
    own = [environment_name(probe, key) for field in catalog.load(probe).Options.fields for key in field.keys]
    for names in ([field.attribute for field in fields], [field.flag for field in fields], common + own):
        assert len(names) == len(set(names))
    assert not {"--help", "--version", "--state"} & {field.flag for field in fields}


@pytest.mark.parametrize("probe", PROBES)
def test_an_address_goes_first_and_secrets_are_never_required(probe: str) -> None:
    fields = catalog.load(probe).Options.fields
    assert issubclass(fields[0].type, Url)
    assert not [field for field in fields if field.type is Secret and field.required]


@pytest.mark.parametrize("probe", PROBES)
def test_every_default_is_one_that_could_be_given(probe: str) -> None:
    for field in catalog.load(probe).Options.fields:
        if field.default not in (None, (), "") and not field.required:
            for value in field.default if field.many else [field.default]:
                assert field.parse(str(value).lower() if isinstance(value, bool) else str(value)) == value


@pytest.mark.parametrize("probe", PROBES)
def test_the_schema_of_with_is_a_schema(probe: str) -> None:
    options = catalog.load(probe).Options
    schema = json.loads(dumps(derive.json_schema(options)))
    assert schema["type"] == "object"
    assert set(schema["properties"]) == {key for field in options.fields for key in field.keys}
    for name, one in schema["properties"].items():
        assert one["description"].endswith("."), name
        assert "type" in one or one["anyOf"], name
        for pattern in patterns(one):
            re.compile(pattern)


def patterns(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        for inner in schema.values():
            yield from patterns(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from patterns(inner)


@pytest.mark.parametrize("probe", PROBES)
def test_an_example_is_json_in_snake_case_with_units(probe: str) -> None:
    example = catalog.load(probe).EXAMPLE
    assert json.loads(dumps(example)) == example
    for path, _ in leaves(example):
        for key in path:
            assert re.fullmatch(r"[a-z][a-z0-9_]*", key), path
        assert not re.search(r"(_s|_sec|_secs|_millis|_size|_time)$", path[-1]), f"{path}: say _seconds, _ms, _bytes"


@pytest.mark.parametrize("probe", PROBES)
def test_an_example_knows_all_words_of_its_states(probe: str) -> None:
    states = [value for path, value in leaves(catalog.load(probe).EXAMPLE) if path[-1] in ("state", "status")]
    assert states
    for value in states:
        assert isinstance(value, OneOf)
        assert len(value.words) > 1


@pytest.mark.parametrize("probe", PROBES)
def test_what_is_judged_is_a_list_of_flat_items_with_a_state(probe: str) -> None:
    example = catalog.load(probe).EXAMPLE
    lists = [name for name in JUDGED if name in example]
    assert lists
    for name in lists:
        assert {"state", "status"} & set(example[name][0])
        assert not [
            key for key, value in example[name][0].items() if isinstance(value, (dict, list)) and key != "labels"
        ]


@pytest.mark.parametrize(("probe", "given"), QUESTIONS)
def test_an_answer_has_the_keys_of_the_example(probe: str, given: dict[str, str]) -> None:
    differ(catalog.load(probe).EXAMPLE, answer(probe, given)["data"], "data")


@pytest.mark.parametrize(("probe", "given"), QUESTIONS)
def test_an_answer_shows_its_target(probe: str, given: dict[str, str]) -> None:
    assert answer(probe, given)["target"].startswith(("http://h", "jmx://h"))


def differ(example: object, real: object, path: str) -> None:
    """The same keys all the way down; of what is null, or of a list that is empty, nothing can be told."""
    if isinstance(example, OneOf) and real is not None:
        assert real in example.words, path
    if isinstance(example, dict) and isinstance(real, dict) and not isinstance(example, AnyKeys):
        assert set(real) == set(example), path
        for key, inner in example.items():
            differ(inner, real[key], f"{path}.{key}")
    elif isinstance(example, list) and isinstance(real, list):
        for at, inner in enumerate(real):
            differ(example[0], inner, f"{path}[{at}]")
    elif example is not None and real is not None:
        assert kind(example) == kind(real), path


def kind(value: object) -> str:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return "number" if number else "text" if isinstance(value, str) else type(value).__name__.replace("AnyKeys", "dict")


def leaves(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every plain value with the keys that lead to it, but for those below keys that are not ours."""
    if isinstance(value, dict) and not isinstance(value, AnyKeys):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield path, value
