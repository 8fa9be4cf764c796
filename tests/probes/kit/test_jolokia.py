import json
from typing import Any

import pytest

from probes.kit.mbeans import Answer, JvmOptions, is_pattern, properties, read
from probes.kit.net import NAMES, Unreadable
from probes.kit.result import ProbeError
from tests.probes.fakenet import FakeNet

JVM = JvmOptions.build({"jolokia": "http://app:8778"})
PATTERN = "kafka.streams:type=stream-metrics,*"


def ask(answer: object) -> list[Answer]:
    return read(
        JVM, FakeNet({"POST /jolokia/": answer}), (PATTERN, ("state",)), ("java.lang:type=Runtime", ("Uptime",))
    )


def told(value: Any = None, status: int = 200, **fields: Any) -> list[dict[str, Any]]:
    return [{"request": {}, "value": value, "status": status, "timestamp": 1, **fields}, {"status": 200, "value": {}}]


def test_all_questions_are_one_post() -> None:
    net = FakeNet({"POST /jolokia/": told({})})

    read(JVM, net, (PATTERN, ("state",)), ("a:b=c", ()))

    config = {"ignoreErrors": True, "maxCollectionSize": 0}
    assert json.loads(net.requests[0].body) == [
        {"type": "read", "mbean": PATTERN, "attribute": ["state"], "config": config},
        {"type": "read", "mbean": "a:b=c", "config": config},
    ]


@pytest.mark.parametrize("name", [PATTERN, "a:b=c"])
def test_where_names_are_enough_it_is_a_search(name: str) -> None:
    net = FakeNet({"POST /jolokia/": [{"status": 200, "value": ["a:b=c", "a:b=d"]}]})

    (answer,) = read(JVM, net, (name, NAMES))

    assert json.loads(net.requests[0].body) == [{"type": "search", "mbean": name, "config": {"maxCollectionSize": 0}}]
    assert ({name: mbean.attributes for name, mbean in answer.mbeans().items()}, answer.found.bare) == (
        {"a:b=c": {}, "a:b=d": {}},
        False,
    )


def test_a_search_that_gives_no_list_of_names_is_a_probe_error() -> None:
    with pytest.raises(ProbeError, match=r"expected the names of kafka.streams.* as a list, got \{"):
        read(JVM, FakeNet({"POST /jolokia/": [{"status": 200, "value": {}}]}), (PATTERN, NAMES))


def test_each_mbean_of_a_pattern_has_its_attributes() -> None:
    answer, _ = ask(told({"kafka.streams:client-id=x,type=stream-metrics": {"state": "RUNNING", "n": 2, "nan": None}}))

    (name, mbean), *others = answer.mbeans().items()
    assert (properties(name)["client-id"], others) == ("x", [])
    assert (mbean.text("state"), mbean.number("n"), mbean.number("nan"), mbean.text("no")) == ("RUNNING", 2, None, None)


@pytest.mark.parametrize(
    ("fields", "bare"),
    [
        ({"status": 404, "error_type": "javax.management.InstanceNotFoundException"}, False),
        ({"status": 404, "error_type": "javax.management.AttributeNotFoundException"}, True),
        (
            {"status": 400, "error": "java.lang.IllegalArgumentException : No matching attributes [state] found on"},
            True,
        ),
    ],
)
def test_what_is_not_there_has_no_attributes(fields: dict[str, Any], bare: bool) -> None:
    answer, _ = ask(told(**fields))

    assert (answer.mbeans(), answer.one().number("n"), answer.found.bare) == ({}, None, bare)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            told(status=403, error="Reading attribute\nis forbidden"),
            f"{PATTERN[:20]}.*: Jolokia answers 403: Reading attribute is",
        ),
        (told(status=500, error="x"), "Jolokia answers 500: x"),
        (told(status=400, error="bad"), "Jolokia answers 400: bad"),
        (told([]), r"expected the attributes of kafka.streams.* as an object, got \[\]"),
        (told(None), "as an object, got null"),
        (told({"a:b=c": 1}), "expected the attributes of a:b=c as an object, got 1"),
        (told({"a:b=c": {"state": 1}}), "expected a:b=c state as text, got 1"),
        ({"error": "no access", "status": 403}, "Jolokia says no access"),
        ({"status": 200}, "expected a list of answers, got {"),
        ([], "2 questions, 0 answers"),
        ([1, 2], "each an object, got 1"),
        ("<html>", "'<html>' is not JSON"),
        ((404, "<h1>404 Not Found</h1>No context found for request"), "HTTP 404 .*No context found"),
        ((401, ""), "HTTP 401 without a body; give --username"),
    ],
)
def test_a_refusal_is_an_error_that_shows_it(answer: object, words: str) -> None:
    with pytest.raises(ProbeError, match=words) as caught:
        _ = [mbean.text("state") for mbean in ask(answer)[0].mbeans().values()]

    assert str(caught.value).startswith("POST http://app:8778/jolokia: ")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kafka.streams:type=stream-metrics,client-id=a-1", {"type": "stream-metrics", "client-id": "a-1"}),
        ('k:client-id="a,b=c:d",type=t', {"client-id": "a,b=c:d", "type": "t"}),
        (r'k:client-id="q\"q\\",type=t', {"client-id": 'q"q\\', "type": "t"}),
        (r'k:client-id="s\*\?\n\\n"', {"client-id": "s*?\n\\n"}),
        ('k:client-id="été"', {"client-id": "été"}),
        ("k:a=", {"a": ""}),
        ('k:a="open', {"a": "open"}),
        ("nonsense", {}),
        ("", {}),
    ],
)
def test_properties_of_an_object_name(name: str, expected: dict[str, str]) -> None:
    assert properties(name) == expected


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("kafka.streams:type=stream-metrics,*", True),
        ("kafka.*:type=a", True),
        ("k:client-id=a?", True),
        ("k:type=a", False),
        (r'k:client-id="a\*b\?"', False),
        (r'k:client-id="a\\*"', True),
        (r'k:client-id="\"",type=a', False),
        (r'k:client-id="\"*"', True),
        # Outside quotes a backslash is a letter like others.
        (r"k:type=C\*", True),
        (r"k:type=C\\?", True),
        (r"k\*:type=a", True),
        (r"k:type=C\dir", False),
        (r'k:dir=C\,client-id="a\*b"', False),
    ],
)
def test_a_quoted_wildcard_is_no_pattern(name: str, pattern: bool) -> None:
    assert is_pattern(name) is pattern


# As Jolokia 2.6.0 answers; 1.x has text that begins with "ERROR: " in their place.
LACKS = {
    "error_type": "javax.management.AttributeNotFoundException",
    ".error": True,
    "error_type_jmx": "javax.management.AttributeNotFoundException",
    "error": "No such attribute: Nope",
}
THROWS = {
    "error_type": "java.lang.UnsupportedOperationException",
    ".error": True,
    "error": "Boot class path mechanism is not supported",
}

# What a getter throws that asks another MBean in vain.
OF_ANOTHER = {
    "error_type": "javax.management.RuntimeMBeanException",
    ".error": True,
    "error": "javax.management.InstanceNotFoundException: a:b=other",
}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (5, 5),
        ({"used": 1}, {"used": 1}),
        ({".error": 1}, {".error": 1}),
        (THROWS, "UnsupportedOperationException: Boot class path mechanism is not supported"),
        (OF_ANOTHER, "RuntimeMBeanException: javax.management.InstanceNotFoundException: a:b=other"),
        ("ERROR: No way (class java.lang.X)", "X: No way"),
        ("ERROR: No way", "No way"),
        ("[Object limit exceeded]", "Jolokia says the object limit is exceeded"),
    ],
)
def test_an_attribute_that_cannot_be_read_costs_none_of_the_others(value: object, found: object) -> None:
    answer, _ = ask(told({"a:b=c": {"Odd": value, "Uptime": 7, "Nope": LACKS}}))

    mbean = answer.mbeans()["a:b=c"]
    assert mbean.attributes == {"Odd": found, "Uptime": 7}
    assert isinstance(mbean.attributes["Odd"], Unreadable) is (found != value)


@pytest.mark.parametrize("kind", ["AttributeNotFoundException", "InstanceNotFoundException"])
def test_what_is_not_there_jolokia_1_says_at_the_end_of_its_words(kind: str) -> None:
    answer, _ = ask(told({"a:b=c": {"Nope": f"ERROR: no such thing (class javax.management.{kind})", "Uptime": 7}}))

    gone = kind == "InstanceNotFoundException"
    assert answer.found.mbeans == ({} if gone else {"a:b=c": {"Uptime": 7}})


def test_what_has_only_other_attributes_is_bare() -> None:
    answer, _ = ask(told({"a:b=c": {"Nope": LACKS}}))

    assert (answer.found.bare, answer.mbeans()["a:b=c"].attributes) == (True, {})


def test_an_mbean_that_is_not_there_is_not_there_though_errors_are_ignored() -> None:
    gone = {"error_type": "javax.management.InstanceNotFoundException", ".error": True, "error": "java.lang:type=Nope"}
    _, answer = ask([told({})[0], {"status": 200, "value": {"Uptime": gone}}])

    assert (answer.found.mbeans, answer.found.bare, answer.one().number("Uptime")) == ({}, False, None)
