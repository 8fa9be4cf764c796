"""What real JVMs hold is what Python gets over RMI: every kind of value, each for itself and all of an MBean."""

from collections.abc import Mapping
from pprint import pformat

import pytest

from probes.kit.net import Unreadable
from tests.stack.jmx_asked import found
from tests.stack.jvm import JmxServer

pytest_plugins = ["tests.stack.jvm_fixtures"]
pytestmark = pytest.mark.stack

NAN, INFINITY = float("nan"), float("inf")
ABC = ["a", "b", "c"]
ONE_TWO = {"a": 1, "b": 2}
ORDERS_0 = {"topic": "orders", "partition": 0, "lag": 12, "rate": 0.5}
ORDERS_1 = {"topic": "orders", "partition": 1, "lag": None, "rate": 0.5}
PAYMENTS_0 = {"topic": "payments", "partition": 0, "lag": 7, "rate": 0.5}
BY_TWO = {"orders": {"0": ORDERS_0, "1": ORDERS_1}, "payments": {"0": PAYMENTS_0}}
CANNOT_BE_SENT = "the JVM gave up its answer: NotSerializableException: "

VALUES = {
    "Integer": 42,
    "IntegerMin": -(2**31),
    "Long": 1_700_000_000_000,
    "LongMin": -(2**63),
    "Short": -300,
    "Byte": -7,
    "Double": 0.1,
    "DoubleMax": 1.7976931348623157e308,
    "NegativeZero": -0.0,
    "NaN": NAN,
    "PlusInfinity": INFINITY,
    "MinusInfinity": -INFINITY,
    "Float": 1.5,
    "FloatNaN": NAN,
    "True": True,
    "False": False,
    "Character": "ä",
    "BigInteger": 123456789012345678901234567890,
    "BigIntegerNegative": -123456789012345678901234567890,
    "BigIntegerZero": 0,
    "BigDecimal": -3.14,
    "AtomicLong": 5_000_000_000,
    "AtomicInteger": -5,
    "AtomicBoolean": True,
    "String": "orders-app",
    "Empty": "",
    "Unicode": "Größe 5 €, 東京, 😀!",
    "LoneSurrogate": "a\ud83d!",
    "Nul": "a\0b",
    "Lines": "one\ntwo\ttab",
    "Null": None,
    "Longest": "x" * 65_535,
    "Long100000": "0123456789" * 10_000,
    "LongUnicode": "€" * 30_000,
    "Enum": "SECONDS",
    "ThreadState": "TIMED_WAITING",
    "EnumWithBody": "DOWN",
    "Ints": [1, -2, 2**31 - 1],
    "NoInts": [],
    "Longs": [1, -2, 2**63 - 1],
    "Shorts": [1, -2],
    "Doubles": [0.5, NAN, -INFINITY],
    "Floats": [0.5, -1.5],
    "Booleans": [True, False, True],
    "Bytes": [0, 1, -1],
    "Chars": ["a", "ä", "€"],
    "Strings": ["a", None, "b", "a"],
    "NoStrings": [],
    "Boxed": [1, None, 3],
    "Objects": [1, "two", 3.0, None, [4], "DAYS"],
    "Table": [["a", "b"], [], None, ["c"]],
    "Enums": ["DAYS", "DAYS", "HOURS"],
    "Names": ["a:type=b", "c:*"],
    "Date": "2023-11-14T22:13:20.123Z",
    "Instant": "2023-11-14T22:13:20.000Z",
    "Duration": 1.5,
    "ObjectName": "kafka.server:type=app-info,id=1",
    "UUID": "00000000-0000-0001-0000-000000000002",
    "Address": {"address": 0x7F000001, "family": 2, "hostName": "broker-0"},
    "Class": "java.lang.String",
    "ClassOfInts": "[I",
    "Throwable": "IllegalStateException: kept",
    "Point": {"x": 1, "y": 2.5, "name": "a point", "marks": [1, 2, 3]},
    "Place": {"x": 7, "y": 46.9, "name": "the place", "marks": [1, 2, 3], "city": "Bern"},
    "Points": [{"x": x, "y": float(x), "name": name, "marks": [1, 2, 3]} for x, name in ((1, "p"), (2, "q"))],
    "Proxy": {"h": {"answer": "yes"}},
    "SameTwice": [["a"], ["a"], "a", "a"],
    "Unserializable": Unreadable(f"{CANNOT_BE_SENT}java.util.Optional"),
    "HoldsUnserializable": Unreadable(f"{CANNOT_BE_SENT}java.lang.Object"),
    "Cycle": Unreadable("its value is nested more than 64 deep, or holds itself"),
    "Deep500": Unreadable("an answer that cannot be understood: objects nested more than 64 deep"),
}
LISTS = """ArrayList AsList ListOf UnmodifiableList UnmodifiableLinked UnmodifiableCollection SynchronizedList
    LinkedList Vector Stack CopyOnWrite ArrayDeque PriorityQueue ConcurrentQueue HashSet LinkedHashSet TreeSet SetOf
    UnmodifiableSet ConcurrentSet"""
MAPS = """HashMap LinkedHashMap TreeMap MapOf ConcurrentHashMap ConcurrentSkipListMap Hashtable IdentityHashMap
    UnmodifiableMap SynchronizedMap"""
COLLECTED = {
    **dict.fromkeys(LISTS.split(), ABC),
    **{name: ["a"] for name in ("ListOfOne", "SingletonList", "SingletonSet")},
    **{name: [] for name in ("ListOfNone", "EmptyList", "EmptySet")},
    "NCopies": ["a", "a", "a"],
    "Numbers": [1, 2, 3.5, None, True],
    "Nested": [[1, 2], [], {"a": ["b"]}],
    "SubList": Unreadable(f"{CANNOT_BE_SENT}java.util.ArrayList$SubList"),
    "EnumSet": ["HOURS", "DAYS"],
    **dict.fromkeys(MAPS.split(), ONE_TWO),
    **{name: {"a": 1} for name in ("MapOfOne", "SingletonMap")},
    **{name: {} for name in ("MapOfNone", "EmptyMap")},
    "EnumMap": {"DAYS": 1},
    "Entry": {"key": "a", "value": 1},
    "Properties": {"a": "1", "b": "2"},
}
OPENED = {
    "Composite": ORDERS_0,
    "Nested": {"group": "orders-app", "worst": ORDERS_0, "none": None},
    "Composites": [ORDERS_0, ORDERS_1, PAYMENTS_0],
    "ByTwo": BY_TWO,
    "ByOne": {"orders": ORDERS_0, "payments": PAYMENTS_0},
    "NoRows": {},
}
SHAPES = {
    "Lags": {"orders": 12, "payments": 7},
    "Sizes": {"orders": {"bytes": 5, "unit": "B"}},
    "Lists": {"1": ["a", "b"], "2": []},
    "Maps": {"orders": {"0": 3}},
    "All": [{"bytes": 1, "unit": "B"}, {"bytes": 2, "unit": "kB"}],
    "One": {"bytes": 1, "unit": "B"},
    "Unit": "SECONDS",
    "Primitive": 5,
    "Reference": "stetho.test:type=Values",
}
MOMENTS = {
    "Duration": -1.5,
    "Instant": "+1000000000-12-31T23:59:59.999Z",
    "Date": "2026-01-02",
    "DateBeforeChrist": "-0044-03-15",
    "Time": "03:04:05.06",
    "Times": ["00:00:00", "12:00:00", "03:04:00", "03:04:05"],
    "DateTime": "2026-01-02T03:04:05.06",
    "Zoned": "2026-01-02T03:04:05.06+01:00[Europe/Zurich]",
    "ZonedByOffset": "2026-01-02T03:04:05.06-03:30",
    "Zone": "Europe/Zurich",
    "Offset": "-03:30",
    "OddOffset": "+01:00:01",
    "OffsetTime": "03:04:05.06-03:30",
    "OffsetDateTime": "2026-01-02T03:04:05.06Z",
    "Year": 2026,
    "YearMonth": "2026-03",
    "MonthDay": "--02-03",
    "Period": "P1Y-3D",
}
FAULTY = {
    "Well": 1,
    "Runtime": Unreadable("IllegalStateException: the store is closed"),
    "Checked": Unreadable("IOException: no such file"),
    "Error": Unreadable("AssertionError: must not happen"),
    "Security": Unreadable("SecurityException: not for you"),
    "WithoutMessage": Unreadable("NullPointerException"),
    "Own": Unreadable("Beans$OwnException: of a class of ours"),
    "Unserializable": Unreadable(f"{CANNOT_BE_SENT}java.lang.Object"),
    "Stream": Unreadable(f"{CANNOT_BE_SENT}java.io.PrintStream"),
}


def exactly(values: Mapping[str, object]) -> list[str]:
    """A line each, so that 1, 1.0 and true differ and NaN is itself; the order of a map or a set tells nothing."""
    lines = []
    for name, value in sorted(values.items()):
        kind = "cannot be read: " if isinstance(value, Unreadable) else ""
        value = sorted(value) if name == "SetOf" and isinstance(value, list) else value
        lines.append(f"{name}: {kind}{pformat(value, width=1 << 30)}")
    return lines


BEANS = [("Values", VALUES), ("Collected", COLLECTED), ("Opened", OPENED), ("Shapes", SHAPES), ("Moments", MOMENTS)]


@pytest.mark.parametrize(("kind", "values"), BEANS, ids=[kind for kind, _ in BEANS])
def test_every_value_of_a_whole_mbean_is_what_java_holds(
    jmx_server: JmxServer, kind: str, values: dict[str, object]
) -> None:
    """Those that cannot be sent cost none of the others."""
    bean = f"stetho.test:type={kind}"
    [whole] = found(jmx_server, (bean, ()))
    assert exactly(whole.mbeans[bean]) == exactly(values)


@pytest.mark.parametrize(("kind", "values"), [*BEANS, ("Faulty", FAULTY)], ids=[*(kind for kind, _ in BEANS), "Faulty"])
def test_asked_for_by_name_together_or_alone_it_is_the_same(
    jmx_server: JmxServer, kind: str, values: dict[str, object]
) -> None:
    bean = f"stetho.test:type={kind}"
    together, *alone = found(jmx_server, (bean, tuple(values)), *((bean, (name,)) for name in values), mode="two-ports")
    assert exactly(together.mbeans[bean]) == exactly(values)
    assert exactly({name: each.mbeans[bean][name] for name, each in zip(values, alone, strict=True)}) == exactly(values)
