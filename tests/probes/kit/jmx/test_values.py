"""Java's values as real JVMs wrote them, and what they are in Python."""

import math
import time

import pytest

from probes.kit.jmx.moments import utc
from probes.kit.jmx.source import Malformed
from probes.kit.jmx.thrown import Thrown
from probes.kit.jsontext import dumps
from tests.probes.kit.jmx import java
from tests.probes.kit.jmx.feed import plain, read, shown
from tests.probes.kit.jmx.recordings import exchange, exchanges, versions

ABC, AB = ["a", "b", "c"], {"a": 1, "b": 2}
ORDERS = {"topic": "orders", "partition": 0, "lag": 12, "rate": 0.5}
VALUES: dict[str, dict[str, object]] = {
    "Values": {
        "Integer": 42, "IntegerMin": -(2**31), "Long": 1700000000000, "LongMin": -(2**63), "Short": -300, "Byte": -7,
        "Double": 0.1, "DoubleMax": 1.7976931348623157e308, "PlusInfinity": math.inf, "MinusInfinity": -math.inf,
        "Float": 1.5, "True": True, "False": False, "Character": "ä", "BigInteger": 123456789012345678901234567890,
        "BigIntegerNegative": -123456789012345678901234567890, "BigIntegerZero": 0, "BigDecimal": -3.14,
        "AtomicInteger": -5, "AtomicLong": 5000000000, "AtomicBoolean": True, "String": "orders-app", "Empty": "",
        "Unicode": "Größe 5 €, 東京, 😀!", "LoneSurrogate": "a\ud83d!", "Nul": "a\0b", "Lines": "one\ntwo\ttab",
        "Longest": "x" * 65535, "Long100000": "0123456789" * 10000, "LongUnicode": "€" * 30000, "Null": None,
        "Enum": "SECONDS", "ThreadState": "TIMED_WAITING", "EnumWithBody": "DOWN", "Ints": [1, -2, 2**31 - 1],
        "NoInts": [], "Longs": [1, -2, 2**63 - 1], "Shorts": [1, -2], "Floats": [0.5, -1.5],
        "Booleans": [True, False, True], "Bytes": [0, 1, -1], "Chars": ["a", "ä", "€"],
        "Strings": ["a", None, "b", "a"], "NoStrings": [], "Boxed": [1, None, 3],
        "Objects": [1, "two", 3.0, None, [4], "DAYS"], "Table": [["a", "b"], [], None, ["c"]],
        "Enums": ["DAYS", "DAYS", "HOURS"], "Names": ["a:type=b", "c:*"], "Date": "2023-11-14T22:13:20.123Z",
        "ObjectName": "kafka.server:type=app-info,id=1", "Instant": "2023-11-14T22:13:20.000Z", "Duration": 1.5,
        "UUID": "00000000-0000-0001-0000-000000000002", "Class": "java.lang.String", "ClassOfInts": "[I",
        "Throwable": "IllegalStateException: kept",
        "Point": {"x": 1, "y": 2.5, "marks": [1, 2, 3], "name": "a point"},
        "Place": {"x": 7, "y": 46.9, "marks": [1, 2, 3], "name": "the place", "city": "Bern"},
        "Proxy": {"h": {"answer": "yes"}}, "SameTwice": [["a"], ["a"], "a", "a"],
    },
    "Collected": {
        **dict.fromkeys(
            "ArrayList AsList ListOf UnmodifiableList UnmodifiableLinked UnmodifiableCollection SynchronizedList "
            "LinkedList Vector Stack CopyOnWrite ArrayDeque PriorityQueue ConcurrentQueue TreeSet".split(), ABC
        ),
        **{key: ["a"] for key in "ListOfOne SingletonList SingletonSet".split()},
        **{key: [] for key in "ListOfNone EmptyList EmptySet".split()},
        **{key: {} for key in "MapOfNone EmptyMap".split()},
        **dict.fromkeys(
            "HashMap LinkedHashMap TreeMap MapOf ConcurrentHashMap ConcurrentSkipListMap Hashtable IdentityHashMap "
            "UnmodifiableMap SynchronizedMap".split(), AB
        ),
        **{key: {"a": 1} for key in "MapOfOne SingletonMap".split()},
        "NCopies": ["a", "a", "a"], "Numbers": [1, 2, 3.5, None, True], "Nested": [[1, 2], [], {"a": ["b"]}],
        "EnumMap": {"DAYS": 1}, "Entry": {"key": "a", "value": 1}, "Properties": {"a": "1", "b": "2"},
    },
    "Opened": {"Composite": ORDERS, "Nested": {"group": "orders-app", "none": None, "worst": ORDERS}, "NoRows": {}},
    "Shapes": {
        "Lags": {"orders": 12, "payments": 7}, "Sizes": {"orders": {"bytes": 5, "unit": "B"}},
        "Lists": {"1": ["a", "b"], "2": []}, "Maps": {"orders": {"0": 3}},
        "All": [{"bytes": 1, "unit": "B"}, {"bytes": 2, "unit": "kB"}], "One": {"bytes": 1, "unit": "B"},
        "Unit": "SECONDS", "Primitive": 5, "Reference": "stetho.test:type=Values",
    },
}  # fmt: skip
EACH = [(bean, name, value) for bean, values in VALUES.items() for name, value in values.items()]


def recorded(version: int, bean: str, name: str) -> bytes:
    return exchange(version, "plain", f"getAttribute stetho.test:type={bean} {name}").received


@pytest.mark.parametrize(("bean", "name", "value"), EACH)
@pytest.mark.parametrize("version", versions())
def test_a_value_is_what_java_had(version: int, bean: str, name: str, value: object) -> None:
    found = plain(recorded(version, bean, name))
    assert found == value
    assert type(found) is type(value)
    assert repr(found) == repr(value) or isinstance(value, dict)  # True is no 1, nor 1.0


@pytest.mark.parametrize("name", ["HashSet", "LinkedHashSet", "SetOf", "UnmodifiableSet", "ConcurrentSet"])
@pytest.mark.parametrize("version", versions())
def test_a_set_has_no_order(version: int, name: str) -> None:
    found = plain(recorded(version, "Collected", name))
    assert isinstance(found, list)
    assert sorted(found) == ABC


@pytest.mark.parametrize("version", versions())
def test_a_table_is_by_its_index(version: int) -> None:
    by_one, by_two = (plain(recorded(version, "Opened", name)) for name in ("ByOne", "ByTwo"))
    assert isinstance(by_one, dict)
    assert isinstance(by_two, dict)
    assert by_one["orders"] == ORDERS
    assert by_two["orders"]["0"] == ORDERS
    assert by_two["orders"]["1"]["lag"] is None
    assert list(by_two) == ["orders", "payments"]


@pytest.mark.parametrize("version", versions())
def test_nan_stays_a_float(version: int) -> None:
    for name in ("NaN", "FloatNaN"):
        assert str(plain(recorded(version, "Values", name))) == "nan"
    assert str(plain(recorded(version, "Values", "NegativeZero"))) == "-0.0"


@pytest.mark.parametrize("version", versions())
def test_a_value_within_itself_is_not_readable(version: int) -> None:
    assert shown(recorded(version, "Values", "Cycle")) == "its value is nested more than 64 deep, or holds itself"


@pytest.mark.parametrize("version", versions())
def test_whatever_was_recorded_has_a_json_form(version: int) -> None:
    read_well = 0
    for each in exchanges(version):
        if each.asked.startswith(("getAttribute", "queryNames", "getMBeanInfo")) and not each.closed:
            if each.asked.endswith(("Cycle", "Deep500")):
                continue
            dumps(shown(each.received))
            read_well += 1
    assert read_well > 100


@pytest.mark.parametrize(
    ("bean", "name", "text"),
    [
        ("Faulty", "Runtime", "IllegalStateException"),
        ("Faulty", "Checked", "IOException"),
        ("Faulty", "Security", "SecurityException: not for you"),
        ("Faulty", "NoSuch", "AttributeNotFoundException"),
        ("NoSuch", "Any", "InstanceNotFoundException: stetho.test:type=NoSuch"),
    ],
)
@pytest.mark.parametrize("version", versions())
def test_an_exception_is_told_by_what_it_carries(version: int, bean: str, name: str, text: str) -> None:
    reply = read(recorded(version, bean, name))
    assert reply.thrown
    assert str(Thrown(reply.value)).startswith(text)


@pytest.mark.parametrize(
    ("carrier", "field"),
    [
        ("java.lang.reflect.UndeclaredThrowableException", "undeclaredThrowable"),
        ("java.lang.reflect.InvocationTargetException", "target"),
        ("java.lang.ExceptionInInitializerError", "exception"),
    ],
)
def test_what_reflection_wraps_and_says_nothing_of_is_told(carrier: str, field: str) -> None:
    inner = java.carrying(carrier, field, java.thrown("java.io.IOException", "disk full"))
    outer = java.carrying("javax.management.RuntimeMBeanException", "runtimeException", inner)

    told = Thrown(read(java.reply(outer, 2)).value)

    assert (str(told), told.by_mbean) == ("IOException: disk full", True)


def test_keys_are_text() -> None:
    size = b"\x00\x00\x00\x10\x00\x00\x00\x03"
    keys = [java.integer(1), java.NULL, java.array_list(java.string("a"), java.NULL)]
    pairs = b"".join(key + java.string("v") for key in keys)
    told = java.OBJECT + java.described("java.util.HashMap", 3) + java.block(size) + pairs + java.END
    assert plain(java.reply(told)) == {"1": "v", "null": "v", '["a",null]': "v"}


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("java.math.BigInteger", [("I", "signum")]),
        ("java.math.BigDecimal", [("I", "scale")]),
        ("java.util.Date", []),
        ("java.util.UUID", []),
        ("java.util.Vector", []),
        ("java.util.CollSer", []),
        ("java.util.Calendar", []),
        ("java.util.Collections$CopiesList", [("I", "n")]),
        ("java.util.concurrent.ConcurrentSkipListSet", []),
        ("javax.management.ObjectName", []),
        ("javax.management.openmbean.TabularDataSupport", []),
        ("com.acme.Secret", []),
    ],
)
def test_an_odd_object_is_not_understood(name: str, fields: list[tuple[str, str]]) -> None:
    told = java.OBJECT + java.described(name, 2, fields) + b"\x7f\xff\xff\xff" * len(fields)
    with pytest.raises(Malformed):
        plain(java.reply(told))


def test_a_map_of_half_a_pair_is_not_understood() -> None:
    told = java.OBJECT + java.described("java.util.HashMap", 3) + java.block(bytes(8)) + java.string("k") + java.END
    with pytest.raises(Malformed, match="a HashMap of a form not known"):
        plain(java.reply(told))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.000Z"),
        (951782400, "2000-02-29T00:00:00.000Z"),
        (1767323045, "2026-01-02T03:04:05.000Z"),
        (253402300800, "+10000-01-01T00:00:00.000Z"),
        (-62198755200, "-0001-01-01T00:00:00.000Z"),
    ],
)
def test_dates(seconds: int, text: str) -> None:
    assert utc(seconds, 0) == text


def test_dates_of_four_centuries_are_the_system_s() -> None:
    for day in range(-200 * 365, 200 * 365, 13):
        assert utc(day * 86400, 0)[:10] == time.strftime("%Y-%m-%d", time.gmtime(day * 86400))


def test_what_is_held_many_times_over_does_not_grow_without_bound() -> None:
    """Each list holds the one before twice: 60 of them would be 2**60 values."""
    array = java.described("[Ljava.lang.Object;")
    # The class is handle 0, the outermost array 1; each one's second element refers to its first.
    levels = 60
    data = b""
    for level in range(levels):
        data += java.ARRAY + (array if level == 0 else java.reference(0)) + b"\x00\x00\x00\x02"
    data += java.string("x") + java.reference(levels + 1)
    for level in range(levels - 1, 0, -1):
        data += java.reference(level + 1)
    with pytest.raises(Malformed, match="its value has over 100000 parts"):
        plain(java.reply(data))


def test_a_text_held_many_times_over_does_not_grow_without_bound() -> None:
    text = b"\x74\xff\xff" + b"x" * 65535
    told = java.ARRAY + java.described("[Ljava.lang.Object;") + b"\x00\x00\x10\x00" + text + java.reference(2) * 4095
    with pytest.raises(Malformed, match="its value has over 8 MiB of text"):
        plain(java.reply(told))
