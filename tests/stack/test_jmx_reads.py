"""What a read finds in a real JVM: MBeans by name and pattern, all of a JVM, parts of composite and tabular data."""

import json
import re

import pytest

from probes.kit.net import Unreadable
from tests.stack.jmx_asked import asked, found
from tests.stack.jvm import Asked, JmxServer

pytest_plugins = ["tests.stack.jvm_fixtures"]
pytestmark = pytest.mark.stack

QUOTED = {
    r'"a,b\*\?\"c"': 'a,b*?"c',
    r'"two\nlines"': "two\nlines",
    r'"back\\slash"': "back\\slash",
    '"a=b:c"': "a=b:c",
    '""': "",
}


def test_what_is_not_there_is_absent_and_no_error(jmx_server: JmxServer) -> None:
    bean = "stetho.test:type=Faulty"
    some, none, no_bean, no_match, no_name = found(
        jmx_server,
        (bean, ("Well", "NoSuch", "WriteOnly")),
        (bean, ("NoSuch",)),
        ("stetho.test:type=NoSuch", ("Any",)),
        ("stetho.test:type=NoSuch,*", ()),
        ("no colon", ("Any",)),
    )
    assert (some.mbeans, some.bare) == ({bean: {"Well": 1}}, False)
    assert (none.mbeans, none.bare) == ({bean: {}}, True)
    for nothing in (no_bean, no_match):
        assert (nothing.mbeans, nothing.bare, nothing.refused) == ({}, False, "")
    assert no_name.refused.startswith("no ObjectName: ")


def test_names_with_quotes_and_letters_of_all_kinds_are_found_by_pattern_and_by_name(jmx_server: JmxServer) -> None:
    names = {f"stetho.test:type=Quoted,client-id={quoted}": text for quoted, text in QUOTED.items()}
    names["stetho.test:type=Größe,name=Ü 😀"] = "größer"
    quoted, others, *each = found(
        jmx_server,
        ("stetho.test:type=Quoted,*", ()),
        ("stetho.test:type=Grö?e,*", ("Value",)),
        *((name, ("Value",)) for name in names),
    )
    assert {**quoted.mbeans, **others.mbeans} == {name: {"Value": text} for name, text in names.items()}
    assert [one.mbeans for one in each] == [{name: {"Value": text}} for name, text in names.items()]


@pytest.mark.parametrize("wanted", [(), ("Value",), ("Value", "NoSuch")])
def test_a_pattern_over_a_thousand_mbeans_has_them_all(jmx_server: JmxServer, wanted: tuple[str, ...]) -> None:
    """As a broker's `kafka.log:type=Log,name=Size,*` has."""
    [many] = found(jmx_server, ("stetho.test:type=Many,*", wanted))
    assert many.mbeans == {f"stetho.test:type=Many,name=many-{number:03}": {"Value": number} for number in range(1_000)}


def test_fifty_thousand_strings_are_there_or_too_many(jmx_server: JmxServer) -> None:
    bean = "stetho.test:type=Big"
    [big] = found(jmx_server, (bean, ()))
    strings = big.mbeans[bean]["Strings"]
    assert strings == [f"a string, number {number}" for number in range(50_000)] or (
        isinstance(strings, Unreadable) and "the reply has over 100000 elements" in strings
    )


def names_by_java(server: JmxServer, pattern: str) -> set[str]:
    """As Java's own client finds them."""
    [told] = server.read(Asked("plain", pattern, "?"))
    return set(told.partition(": [")[2].removesuffix("]").split(", "))


@pytest.mark.parametrize("wanted", [("ObjectName",), ("ObjectName", "Value", "NoSuch")])
def test_the_whole_jvm_has_every_mbean_that_java_finds(jmx_server: JmxServer, wanted: tuple[str, ...]) -> None:
    [everything] = found(jmx_server, ("*:*", wanted))
    assert everything.mbeans.keys() == names_by_java(jmx_server, "*:*")
    assert everything.mbeans["java.lang:type=Memory"] == {"ObjectName": "java.lang:type=Memory"}
    assert everything.mbeans["stetho.test:type=Opened"] == {}


@pytest.mark.parametrize(
    "pattern", ["java*:*", "com.sun*:*", "jdk*:*", "JMImplementation:*", "stetho.test:type=Con*,*"]
)
def test_a_whole_domain_has_every_attribute_that_java_finds(jmx_server: JmxServer, pattern: str) -> None:
    """16 getters throw in java.lang alone."""
    [domain] = found(jmx_server, (pattern, ()))
    assert domain.mbeans.keys() == names_by_java(jmx_server, pattern)
    asking = [(bean, sorted(values)) for bean, values in domain.mbeans.items()]
    told = jmx_server.read(*(Asked("plain", bean, f"{','.join(names)},NoSuch") for bean, names in asking))
    for (bean, names), line in zip(asking, told, strict=True):
        unreadable = [name for name in names if isinstance(domain.mbeans[bean][name], Unreadable)]
        if line.startswith("!"):
            assert unreadable, (bean, line)  # one value that cannot be sent spoils them all
        else:
            there = set(re.findall(r"[ \[](\w+) = ", line))
            assert [name for name in names if name not in there] == unreadable, bean


@pytest.mark.long
def test_really_all_of_a_jvm_takes_only_as_long_as_its_slowest_getter(jmx_server: JmxServer) -> None:
    """Which sleeps for 30 s, and is asked twice: once among the others, which one of them spoils, and once alone."""
    [everything] = found(jmx_server, ("*:*", ()), within=120)
    assert everything.mbeans.keys() == names_by_java(jmx_server, "*:*")
    assert everything.mbeans["stetho.test:type=Faulty"]["Slow"] == 1
    assert len(everything.mbeans["stetho.test:type=Values"]) > 70


@pytest.mark.parametrize(
    ("read", "path", "value"),
    [
        ("stetho.test:type=Opened", "Composite.lag", 12),
        ("stetho.test:type=Opened", "Nested.worst.topic", "orders"),
        ("stetho.test:type=Opened", "Nested.none.topic", None),
        ("stetho.test:type=Opened", "ByTwo.orders.0.lag", 12),
        ("stetho.test:type=Opened", "ByTwo.orders.1.lag", None),
        ("stetho.test:type=Opened", "ByOne.payments.rate", 0.5),
        ("stetho.test:type=Shapes", "Lags.payments", 7),
        ("stetho.test:type=Shapes", "Sizes.orders.bytes", 5),
        ("stetho.test:type=Shapes", "Lists.1", ["a", "b"]),
        ("stetho.test:type=Shapes", "Maps.orders.0", 3),
        ("stetho.test:type=Collected", "LinkedHashMap.b", 2),
        ("stetho.test:type=Values", "Place.city", "Bern"),
        ("stetho.test:type=Values", "NaN", "NaN"),
        ("stetho.test:type=Values", "MinusInfinity", "-Inf"),
        ("stetho.test:type=Values", "Unicode", "Größe 5 €, 東京, 😀!"),
        ("stetho.test:type=Values", "LoneSurrogate", "a\ud83d!"),
        (r'stetho.test:type=Quoted,client-id="a,b\*\?\"c"', "Value", 'a,b*?"c'),
    ],
)
def test_a_path_leads_into_a_value(jmx_server: JmxServer, read: str, path: str, value: object) -> None:
    said = asked("jmx", jmx_server.address("plain"), "--read", read, "--attribute", path)
    assert (said.code, said.values) == (0, {path: value}), said.message


@pytest.mark.parametrize(
    ("attribute", "options", "code", "words"),
    [
        ("NaN", "--critical 5", 3, "not a number: type=Values (NaN)"),
        ("NaN", "--critical 5 --skip-nan", 3, "NaN, so nothing was measured"),
        ("FloatNaN", "--aggregate max --skip-nan", 3, "NaN, so nothing was measured"),
        ("NaN", "--aggregate count --critical 1:1 --skip-nan", 0, "count of MBeans stetho.test:type=Val*: 1"),
        ("MinusInfinity", "--critical 5 --skip-nan", 2, "-Inf"),
        ("Integer", "--aggregate max --critical 50 --skip-nan", 0, "over 1 MBeans: 42"),
    ],
)
def test_nan_is_no_measure_whether_it_is_left_out_or_not(
    jmx_server: JmxServer, attribute: str, options: str, code: int, words: str
) -> None:
    read = ("--read", "stetho.test:type=Val*", "--attribute", attribute)
    said = asked("jmx", jmx_server.address("plain"), *read, *options.split())
    assert (said.code, words in said.message) == (code, True), said.message


def test_paths_lead_into_what_the_jvm_tells_of_itself(jmx_server: JmxServer) -> None:
    jmx_server.collect()  # so that there is a LastGcInfo
    address, collector = jmx_server.address("plain"), "java.lang:name=MarkSweepCompact,type=GarbageCollector"
    eden = "LastGcInfo.memoryUsageAfterGc.Eden Space.max"
    for read, path, least in (
        ("java.lang:type=Memory", "HeapMemoryUsage.used", 1_000_000),
        ("java.lang:type=Threading", "ThreadCount", 5),
        (collector, "LastGcInfo.id", 1),
        (collector, eden, 1_000_000),
    ):
        well = asked("jmx", address, "--read", read, "--attribute", path, "--critical", f"{least}:")
        assert (well.code, type(well.values[path])) == (0, int), well.message
        too_much = asked("jmx", address, "--read", read, "--attribute", path, "--critical", "0:0")
        assert (too_much.code, path in too_much.message) == (2, True), too_much.message


def test_a_path_that_leads_nowhere_says_what_there_is(jmx_server: JmxServer) -> None:
    read = ("--read", "java.lang:type=Memory", "--attribute")
    for path, words in (
        ("HeapMemoryUsage.NoSuch", "HeapMemoryUsage has committed, init, max, used"),
        ("NoSuch", "java.lang:type=Memory has no NoSuch: it has HeapMemoryUsage, "),
    ):
        said = asked("jmx", jmx_server.address("plain"), *read, path)
        assert (said.code, words in said.message) == (3, True), said.message


def test_a_whole_mbean_names_what_cannot_be_read_and_shows_the_rest(jmx_server: JmxServer) -> None:
    said = asked("jmx", jmx_server.address("plain"), "--read", "stetho.test:type=Values")
    assert (said.code, said.message.partition(":")[0]) == (3, "4 of 71 values of Values unreadable")
    assert [name for name, value in said.values.items() if value is None] == [
        *("Cycle", "Deep500", "HoldsUnserializable", "Null", "Unserializable")
    ]
    assert json.loads(json.dumps(said.values))["Integer"] == 42
