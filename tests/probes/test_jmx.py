import json
from pathlib import Path
from typing import Any

import pytest

from probes import jmx
from probes.jmx import Options
from probes.kit.condition import Condition
from probes.kit.jsontext import dumps
from probes.kit.mbeans import MISSING, at, distinct, is_pattern, shown, subject
from probes.kit.net import NAMES, Found, Unreadable
from probes.kit.options import OptionErrors
from probes.kit.result import ProbeError, Result, Status, Unreachable
from probes.kit.run import run
from tests.probes.fakenet import FakeNet
from tests.probes.kit.command import Done, stetho
from tests.probes.kit.rawserver import RawServer, Serve, Talk, answer

GAUGE = "kafka.server:type=ReplicaManager,name=UnderReplicatedPartitions"
SIZES = "kafka.log:type=Log,name=Size,*"
LAGS = "kafka.consumer:type=consumer-fetch-manager-metrics,client-id=*"
MEMORY = "java.lang:type=Memory"
COLLECTOR = "java.lang:name=G1 Young Generation,type=GarbageCollector"
HEAP = {"committed": 2048, "init": 1024, "max": 4294967296, "used": 123456789}
NAN, INFINITY = float("nan"), float("inf")
WAYS = ["jmx", "jolokia"]

MBeans = dict[str, dict[str, object]]


def partition(number: int, size: object = 0, topic: str = "orders") -> MBeans:
    return {f"kafka.log:type=Log,name=Size,topic={topic},partition={number}": {"Value": size}}


def lag(client: str, most: object) -> MBeans:
    return {f"{LAGS[:-1]}{client}": {"records-lag-max": most}}


def gauge(value: object) -> MBeans:
    return {GAUGE: {"Value": value}}


class Jvm(FakeNet):
    """A JVM with these MBeans, behind both ways. As Jolokia, it leaves out of a pattern what has not the attribute."""

    def __init__(self, mbeans: MBeans) -> None:
        super().__init__({})
        self.mbeans = mbeans

    def jmx(self, request: Any) -> list[Found]:
        self.asked += [str(read) for read in request.reads]
        return [self.found(*read) for read in request.reads]

    def request(self, request: Any) -> Any:
        reads = [
            (read["mbean"], NAMES if read["type"] == "search" else tuple(read.get("attribute", ())))
            for read in json.loads(request.body)
        ]
        self.asked += [str(read) for read in reads]
        self.answers = {"POST /jolokia/": [self.told(*read) for read in reads]}
        said = super().request(request)
        self.asked.pop()
        return said

    def found(self, name: str, attributes: tuple[str, ...]) -> Found:
        if attributes == NAMES:
            return Found({each: {} for each in self.mbeans if each == name or is_pattern(name)})
        chosen = {
            each: {key: value for key, value in mbean.items() if not attributes or key in attributes}
            for each, mbean in self.mbeans.items()
            if each == name or is_pattern(name)
        }
        return Found(chosen, bare=bool(chosen) and not any(chosen.values()))

    def told(self, name: str, attributes: tuple[str, ...]) -> dict[str, Any]:
        found = self.found(name, attributes)
        if attributes == NAMES:
            return {"status": 200, "value": list(found.mbeans)}
        lacks = not is_pattern(name) and any(key not in one for one in found.mbeans.values() for key in attributes)
        if found.bare or lacks:
            return {"status": 404, "error_type": "javax.management.AttributeNotFoundException", "error": "No such"}
        if not found.mbeans:
            return {"status": 404, "error_type": "javax.management.InstanceNotFoundException", "error": "No such"}
        there = {each: mbean for each, mbean in found.mbeans.items() if mbean}
        return {"status": 200, "value": there if is_pattern(name) else there[name]}


def options(way: str = "jmx", **given: Any) -> Options:
    address = {"jmx": "app:5555", "jolokia": "http://app:8778"}[way]
    return Options.build({way: address, **given})


def ask(mbeans: MBeans, way: str = "jmx", **given: Any) -> Result:
    return jmx.probe(options(way, **given), Jvm(mbeans))


def refused(mbeans: MBeans, way: str = "jmx", **given: Any) -> str:
    with pytest.raises(ProbeError) as caught:
        ask(mbeans, way, **given)
    return str(caught.value)


ONE = {"read": GAUGE, "attribute": "Value"}
SIZE = {"read": SIZES, "attribute": "Value"}
LAG = {"read": LAGS, "attribute": "records-lag-max"}
UNDER = "UnderReplicatedPartitions Value"
THREE = partition(0, 10) | partition(1, 30) | partition(2, 20)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("mbeans", "given", "expected", "message"),
    [
        # One value.
        (gauge(0), ONE, Status.OK, f"{UNDER} 0"),
        (gauge(0), ONE | {"critical": "0"}, Status.OK, f"{UNDER} 0"),
        (gauge(12), ONE | {"critical": "0"}, Status.CRITICAL, f"{UNDER} 12, outside --critical 0"),
        (gauge(12), ONE | {"warning": "0"}, Status.WARNING, f"{UNDER} 12, outside --warning 0"),
        (gauge(12), ONE | {"warning": "0", "critical": "20"}, Status.WARNING, f"{UNDER} 12, outside --warning 0"),
        (gauge(12), ONE | {"warning": "0", "critical": "5"}, Status.CRITICAL, f"{UNDER} 12, outside --critical 5"),
        (gauge(0), ONE | {"critical": "1:"}, Status.CRITICAL, f"{UNDER} 0, outside --critical 1:"),
        (gauge(3), ONE | {"critical": "@3:4"}, Status.CRITICAL, f"{UNDER} 3, inside --critical @3:4"),
        (gauge(True), ONE | {"critical": "0"}, Status.CRITICAL, f"{UNDER} true, outside --critical 0"),
        (gauge(False), ONE | {"critical": "0"}, Status.OK, f"{UNDER} false"),
        (gauge("RUNNING"), ONE, Status.OK, f"{UNDER} RUNNING"),
        (gauge("RUNNING"), ONE | {"critical": "0"}, Status.UNKNOWN, f'{UNDER} not a number: "RUNNING"'),
        (gauge([1, 2]), ONE, Status.OK, f"{UNDER} [1,2]"),
        (gauge([1, 2]), ONE | {"warning": "0"}, Status.UNKNOWN, f"{UNDER} not a number: [1,2]"),
        (gauge(HEAP), ONE | {"warning": "0"}, Status.UNKNOWN, f'{UNDER} not a number: {{"committed":2048,"init":1024,'),
        (gauge(None), ONE | {"critical": "0"}, Status.UNKNOWN, f"{UNDER} not a number: null"),
        (gauge(None), ONE, Status.OK, f"{UNDER} null"),
        (gauge(10**30), ONE | {"critical": "0"}, Status.UNKNOWN, f"{UNDER} not a number: 1000"),
        # A value for each MBean of a pattern.
        (THREE, SIZE, Status.OK,
         "3 MBeans with Size Value: topic=orders,partition=0 10, topic=orders,partition=1 30, "),
        (THREE, SIZE | {"critical": "~:30"}, Status.OK, "3 MBeans with Size Value: topic=orders,partition=0 10, "),
        (THREE, SIZE | {"critical": "15"}, Status.CRITICAL,
         "2 of 3 MBeans with Size Value outside --critical 15: topic=orders,partition=1 (30), "),
        (THREE, SIZE | {"warning": "15", "critical": "25"}, Status.CRITICAL,
         "1 of 3 MBeans with Size Value outside --critical 25: topic=orders,partition=1 (30); "
         "1 of 3 MBeans with Size Value outside --warning 15: topic=orders,partition=2 (20)"),
        (THREE | partition(3, None), SIZE | {"warning": "~:"}, Status.UNKNOWN,
         "1 of 4 MBeans with Size Value not a number: topic=orders,partition=3 (null)"),
        (THREE | partition(3, None), SIZE | {"critical": "25"}, Status.CRITICAL,
         "1 of 4 MBeans with Size Value outside --critical 25: topic=orders,partition=1 (30); "
         "1 of 4 MBeans with Size Value not a number: topic=orders,partition=3 (null)"),
        (partition(0), SIZE, Status.OK, "1 MBeans with Size Value: topic=orders,partition=0 0"),
        ({"kafka.log:type=Log,name=Size": {"Value": 9}}, SIZE | {"critical": "0"}, Status.CRITICAL,
         "1 of 1 MBeans with Size Value outside --critical 0: kafka.log:type=Log,name=Size (9)"),
        (lag("a", 3) | lag("b", 7), LAG | {"critical": "5"}, Status.CRITICAL,
         "1 of 2 MBeans with consumer-fetch-manager-metrics records-lag-max outside --critical 5: client-id=b (7)"),
        # An MBean of a pattern that lacks the attribute is not meant.
        (THREE | {"kafka.log:type=Log,name=Size,x=y": {"Count": 1}}, SIZE | {"critical": "~:30"}, Status.OK,
         "3 MBeans with Size Value: "),
        # All as one.
        (THREE, SIZE | {"aggregate": "max"}, Status.OK,
         "max of Size Value over 3 MBeans: 30 (topic=orders,partition=1)"),
        (THREE, SIZE | {"aggregate": "max", "critical": "25"}, Status.CRITICAL,
         "max of Size Value over 3 MBeans: 30 (topic=orders,partition=1), outside --critical 25"),
        (THREE, SIZE | {"aggregate": "min", "warning": "15:"}, Status.WARNING,
         "min of Size Value over 3 MBeans: 10 (topic=orders,partition=0), outside --warning 15:"),
        (THREE, SIZE | {"aggregate": "sum", "critical": "60"}, Status.OK, "sum of Size Value over 3 MBeans: 60"),
        (THREE, SIZE | {"aggregate": "sum", "critical": "59"}, Status.CRITICAL,
         "sum of Size Value over 3 MBeans: 60, outside --critical 59"),
        (gauge(5), ONE | {"aggregate": "sum", "critical": "0"}, Status.CRITICAL,
         f"sum of {UNDER} over 1 MBeans: 5, outside --critical 0"),
        (gauge(True) | partition(1, False), SIZE | {"read": "*:*", "aggregate": "sum"}, Status.OK,
         "sum of *:* Value over 2 MBeans: 1"),
        (THREE | partition(3, None), SIZE | {"aggregate": "max", "critical": "25"}, Status.UNKNOWN,
         "max not known; 1 of 4 MBeans with Size Value not a number: topic=orders,partition=3 (null)"),
        (THREE | partition(3, "x"), SIZE | {"aggregate": "sum"}, Status.UNKNOWN,
         'sum not known; 1 of 4 MBeans with Size Value not a number: topic=orders,partition=3 ("x")'),
        # How many there are.
        (THREE, {"read": SIZES, "aggregate": "count", "critical": "3:"}, Status.OK, f"count of MBeans {SIZES}: 3"),
        (THREE, SIZE | {"aggregate": "count", "critical": "4:"}, Status.CRITICAL,
         f"count of MBeans {SIZES}: 3, outside --critical 4:"),
        ({}, SIZE | {"aggregate": "count", "critical": "1:"}, Status.CRITICAL,
         f"count of MBeans {SIZES}: 0, outside --critical 1:"),
        ({}, {"read": GAUGE, "aggregate": "count", "critical": "0"}, Status.OK, f"count of MBeans {GAUGE}: 0"),
        (THREE | partition(3, None), SIZE | {"aggregate": "count"}, Status.OK, f"count of MBeans {SIZES}: 4"),
        # Several attributes, or all.
        ({MEMORY: {"A": 1, "B": 2.5, "C": "x"}}, {"read": MEMORY}, Status.OK, "3 values of Memory: A 1, B 2.5, C x"),
        ({MEMORY: {"A": 1, "B": 2, "C": 3}}, {"read": MEMORY, "attribute": ["C", "A", "C"]}, Status.OK,
         "2 values of Memory: C 3, A 1"),
        ({MEMORY: {"A": 1}}, {"read": MEMORY}, Status.OK, "Memory A 1"),
        ({MEMORY: {"A": 1}}, {"read": MEMORY, "attribute": ["A", "B"]}, Status.UNKNOWN,
         "1 of 2 attributes missing: B (it has A)"),
        (lag("a", 1) | lag("b", 2), {"read": LAGS}, Status.OK,
         "2 values of consumer-fetch-manager-metrics: client-id=a records-lag-max 1, client-id=b records-lag-max 2"),
    ],
)  # fmt: skip
def test_values_have_their_status(
    way: str, mbeans: MBeans, given: dict[str, Any], expected: Status, message: str
) -> None:
    result = ask(mbeans, way, **given)

    assert (result.status, result.message.startswith(message)) == (expected, True), result.message
    assert (result.alive, result.ready) == (True, expected in (Status.OK, Status.WARNING))


# What only RMI can tell.
@pytest.mark.parametrize(
    ("mbeans", "given", "expected", "message"),
    [
        (gauge(NAN), ONE, Status.OK, f"{UNDER} NaN"),
        (gauge(NAN), ONE | {"critical": "0"}, Status.UNKNOWN, f"{UNDER} not a number: NaN"),
        (gauge(INFINITY), ONE | {"critical": "0"}, Status.CRITICAL, f"{UNDER} +Inf, outside --critical 0"),
        (gauge(Unreadable("it threw")), ONE, Status.UNKNOWN, f"{UNDER} unreadable: it threw"),
        (gauge(Unreadable("it threw")), ONE | {"critical": "0"}, Status.UNKNOWN, f"{UNDER} unreadable: it threw"),
        (partition(0, NAN) | partition(1, 9), SIZE | {"aggregate": "max"}, Status.UNKNOWN,
         "max not known; 1 of 2 MBeans with Size Value not a number: topic=orders,partition=0 (NaN)"),
        (partition(0, Unreadable("it threw")) | partition(1, 9), SIZE | {"critical": "5"}, Status.CRITICAL,
         "1 of 2 MBeans with Size Value outside --critical 5: topic=orders,partition=1 (9); "
         "1 of 2 MBeans with Size Value unreadable: topic=orders,partition=0 (it threw)"),
        (partition(0, INFINITY) | partition(1, -INFINITY), SIZE | {"aggregate": "sum", "critical": "0"}, Status.UNKNOWN,
         "sum of Size Value over 2 MBeans: NaN"),
        (partition(0, Unreadable("it threw")), SIZE | {"aggregate": "count", "critical": "1:"}, Status.OK,
         f"count of MBeans {SIZES}: 1"),
        (THREE | {"kafka.log:type=Log,name=Size,x=y": {"Count": 1}}, SIZE | {"aggregate": "sum"}, Status.OK,
         "sum of Size Value over 3 of 4 MBeans: 60"),
        ({MEMORY: {"A": 1, "B": Unreadable("it threw")}}, {"read": MEMORY}, Status.UNKNOWN,
         "1 of 2 values of Memory unreadable: B (it threw)"),
        # Of an MBean that does not even tell what it has, why stands under no name.
        (partition(0, 1) | {f"{SIZES[:-1]}topic=sick": {"": Unreadable("it threw")}}, {"read": SIZES}, Status.UNKNOWN,
         "1 of 2 values of Size unreadable: topic=sick (it threw)"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_not_passed_over(
    mbeans: MBeans, given: dict[str, Any], expected: Status, message: str
) -> None:
    result = ask(mbeans, **given)

    assert (result.status, result.message) == (expected, message)


CLIENTS = "MBeans with consumer-fetch-manager-metrics records-lag-max"
IDLE = lag("a", 3) | lag("b", NAN) | lag("c", 7) | lag("d", NAN)
ALL_IDLE = lag("a", NAN) | lag("b", NAN)
SKIP = LAG | {"skip_nan": "true"}


def as_jolokia_shows(value: object) -> object:
    return None if isinstance(value, float) and value - value != 0 else value


def found(mbeans: MBeans, way: str) -> MBeans:
    """These MBeans as this way shows them: to Jolokia NaN and the infinities are null."""
    if way == "jmx":
        return mbeans
    return {name: {key: as_jolokia_shows(value) for key, value in mbean.items()} for name, mbean in mbeans.items()}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("mbeans", "given", "expected", "message"),
    [
        (IDLE, {"aggregate": "max", "critical": "10"}, Status.OK,
         "max of consumer-fetch-manager-metrics records-lag-max over 2 of 4 MBeans: 7 (client-id=c); "
         "2 left out as NaN"),
        (IDLE, {"aggregate": "max", "critical": "5"}, Status.CRITICAL,
         "max of consumer-fetch-manager-metrics records-lag-max over 2 of 4 MBeans: 7 (client-id=c), "
         "outside --critical 5; 2 left out as NaN"),
        (IDLE, {"aggregate": "min"}, Status.OK,
         "min of consumer-fetch-manager-metrics records-lag-max over 2 of 4 MBeans: 3 (client-id=a); "
         "2 left out as NaN"),
        (IDLE, {"aggregate": "sum"}, Status.OK,
         "sum of consumer-fetch-manager-metrics records-lag-max over 2 of 4 MBeans: 10; 2 left out as NaN"),
        (IDLE | lag("e", "x"), {"aggregate": "sum"}, Status.UNKNOWN,
         f'sum not known; 1 of 3 {CLIENTS} not a number: client-id=e ("x"); 2 left out as NaN'),
        (lag("a", 3) | lag("b", NAN), {"aggregate": "max"}, Status.OK,
         "max of consumer-fetch-manager-metrics records-lag-max over 1 of 2 MBeans: 3; 1 left out as NaN"),
        (lag("a", 3), {"aggregate": "max"}, Status.OK,
         "max of consumer-fetch-manager-metrics records-lag-max over 1 MBeans: 3"),
        # A count is of MBeans, whatever their values.
        (IDLE, {"aggregate": "count", "critical": "4:"}, Status.OK, f"count of MBeans {LAGS}: 4"),
        (ALL_IDLE, {"aggregate": "count", "critical": "2:"}, Status.OK, f"count of MBeans {LAGS}: 2"),
        ({}, {"aggregate": "count", "critical": "1:"}, Status.CRITICAL,
         f"count of MBeans {LAGS}: 0, outside --critical 1:"),
        # Each by itself.
        (IDLE, {"critical": "10"}, Status.OK,
         f"2 {CLIENTS}: client-id=a 3, client-id=c 7; 2 left out as NaN"),
        (IDLE, {"critical": "5"}, Status.CRITICAL,
         f"1 of 2 {CLIENTS} outside --critical 5: client-id=c (7); 2 left out as NaN"),
        # None but those: nobody can tell.
        (ALL_IDLE, {"aggregate": "max", "critical": "10"}, Status.UNKNOWN,
         f"max not known; 2 of 2 {CLIENTS} NaN, so nothing was measured: client-id=a, client-id=b"),
        (ALL_IDLE, {"warning": "10"}, Status.UNKNOWN,
         f"2 of 2 {CLIENTS} NaN, so nothing was measured: client-id=a, client-id=b"),
        (gauge(NAN), ONE | {"warning": "10"}, Status.UNKNOWN,
         f"1 of 1 MBeans with {UNDER} NaN, so nothing was measured: {GAUGE}"),
    ],
)  # fmt: skip
def test_nan_is_left_out_where_that_is_asked_for(
    way: str, mbeans: MBeans, given: dict[str, Any], expected: Status, message: str
) -> None:
    result = ask(found(mbeans, way), way, **SKIP | given)

    assert (result.status, result.message) == (expected, message)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("mbeans", "value"), [(IDLE, 7), (ALL_IDLE, None)])
def test_what_is_left_out_is_still_in_the_data(way: str, mbeans: MBeans, value: int | None) -> None:
    result = ask(found(mbeans, way), way, **SKIP, aggregate="max", critical="10")

    assert result.data is not None
    items: Any = json.loads(dumps(result.data["mbeans"]))
    assert [item["value"] for item in items] == ([3, "NaN", 7, "NaN"] if mbeans is IDLE else ["NaN", "NaN"])
    assert {item["status"] for item in items} == {"OK"}
    assert result.data["value"] == value


@pytest.mark.parametrize("way", WAYS)
def test_without_thresholds_there_is_nothing_to_leave_out(way: str) -> None:
    seen = found(IDLE, way)

    assert ask(seen, way, **SKIP).message == ask(seen, way, **LAG).message


def test_null_and_the_infinities_are_not_nan_where_they_can_be_told_from_it() -> None:
    assert ask(IDLE | lag("e", None), **SKIP, aggregate="max").status == Status.UNKNOWN
    assert ask(IDLE | lag("e", INFINITY), **SKIP, aggregate="max", critical="10").status == Status.CRITICAL


GC = {
    "LastGcInfo": {
        "GcThreadCount": 4,
        "memoryUsageAfterGc": {"G1 Eden Space": {"used": 0}, "a.b": {"c": 1, "d.e": 2}, "a": {"b.c": 3}},
    },
    "Usage.old": 5,
    "Null": None,
    "Bad": Unreadable("it threw"),
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("LastGcInfo.GcThreadCount", 4),
        ("LastGcInfo.memoryUsageAfterGc.G1 Eden Space.used", 0),
        ("LastGcInfo.memoryUsageAfterGc.a.b.c", 1),  # the longest key that fits is meant
        ("LastGcInfo.memoryUsageAfterGc.a.b.d.e", 2),
        ("LastGcInfo.memoryUsageAfterGc.a", {"b.c": 3}),
        ("Usage.old", 5),
        ("Null.anything.below", None),
        ("Bad.anything", "it threw"),
        ("LastGcInfo.memoryUsageAfterGc.a.b.x", MISSING),
        ("LastGcInfo.GcThreadCount.x", MISSING),
        ("LastGcInfo.Gc", MISSING),
        ("Usage", MISSING),
        ("nosuch", MISSING),
    ],
)
def test_a_path_leads_into_what_is_composite(path: str, value: object) -> None:
    assert at(GC, path) == value


@pytest.mark.parametrize("way", WAYS)
def test_jmx_is_asked_for_the_whole_and_shows_the_part(way: str) -> None:
    net = Jvm({MEMORY: {"HeapMemoryUsage": HEAP, "Verbose": False}})
    given = {"read": MEMORY, "attribute": "HeapMemoryUsage.used", "critical": "1000000"}

    result = jmx.probe(options(way, **given), net)

    assert net.asked == [str((MEMORY, ("HeapMemoryUsage",)))]
    assert result.message == "Memory HeapMemoryUsage.used 123456789, outside --critical 1000000"
    assert result.data == {
        "mbeans": [
            {
                "mbean": MEMORY,
                "labels": {"type": "Memory"},
                "attribute": "HeapMemoryUsage.used",
                "value": 123456789,
                "status": "CRITICAL",
            }
        ],
        "aggregate": None,
        "value": None,
    }


@pytest.mark.parametrize("way", WAYS)
def test_a_name_with_dots_is_found_among_all(way: str) -> None:
    net = Jvm({GAUGE: {"orders-0.records-lag": 7}})

    result = jmx.probe(options(way, read=GAUGE, attribute="orders-0.records-lag"), net)

    assert result.message == "UnderReplicatedPartitions orders-0.records-lag 7"
    assert net.asked == [str((GAUGE, ("orders-0",))), str((GAUGE, ()))]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("path", "values", "message"),
    [
        ("orders-0.records-lag", [7, 9], "2 MBeans with consumer-fetch-manager-metrics orders-0.records-lag: "),
        ("a.b.c.lag", [1], "1 MBeans with consumer-fetch-manager-metrics a.b.c.lag: "),
        ("Heap.used", [3], "1 MBeans with "),
        ("Heap.used.max.x", [4], "1 MBeans with "),
    ],
)
def test_a_name_with_dots_is_found_in_each_mbean_of_a_pattern(
    way: str, path: str, values: list[int], message: str
) -> None:
    net = Jvm(
        {
            f"{LAGS[:-1]}a": {"orders-0.records-lag": 7, "a.b.c.lag": 1, "Other": 5},
            f"{LAGS[:-1]}b": {"orders-0.records-lag": 9, "Heap": {"used": 3}},
            f"{LAGS[:-1]}c": {"Heap.used": {"max.x": 4}},
        }
    )

    result = jmx.probe(options(way, read=LAGS, attribute=path), net)

    assert result.data is not None
    items: Any = result.data["mbeans"]
    assert [item["value"] for item in items if isinstance(item["value"], int)] == values
    assert "Other" not in str(net.asked)
    assert len(net.asked) == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("read", [SIZES, GAUGE])
def test_a_count_reads_no_attribute(way: str, read: str) -> None:
    net = Jvm(THREE if read == SIZES else gauge(Unreadable("it threw")))

    result = jmx.probe(options(way, read=read, aggregate="count", critical="1:"), net)

    assert (result.status, net.asked) == (Status.OK, [str((read, NAMES))])


@pytest.mark.parametrize("way", WAYS)
def test_the_aggregate_and_all_values_are_in_the_data(way: str) -> None:
    result = ask(partition(1, 5, "b") | partition(0, 7, "a"), way, **SIZE, aggregate="sum", critical="10")

    assert result.data is not None
    assert (result.data["aggregate"], result.data["value"]) == ("sum", 12)
    items: Any = result.data["mbeans"]
    assert [(item["labels"]["topic"], item["value"], item["status"]) for item in items] == [
        ("a", 7, "OK"),
        ("b", 5, "OK"),
    ]
    assert result.target == {"jmx": "jmx://app:5555", "jolokia": "http://app:8778"}[way]


def test_an_aggregate_that_is_not_known_is_null() -> None:
    result = ask(THREE | partition(3, NAN), **SIZE, aggregate="max")

    assert result.data is not None
    assert (result.data["aggregate"], result.data["value"]) == ("max", None)


def test_what_cannot_be_read_is_null_and_unknown() -> None:
    result = ask(gauge(Unreadable("it threw")), **ONE)

    assert result.data is not None
    items: Any = result.data["mbeans"]
    (item,) = items
    assert (item["value"], item["status"]) == (None, "UNKNOWN")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("mbeans", "given", "said"),
    [
        ({}, ONE, f"no such MBean: {GAUGE}"),
        ({}, SIZE | {"critical": "0"}, f"no MBean matches {SIZES}"),
        ({}, SIZE | {"aggregate": "sum"}, f"no MBean matches {SIZES}"),
        (gauge(0), {"read": GAUGE, "attribute": "Valu"}, f"{GAUGE} has no Valu: it has Value"),
        (gauge(0), {"read": GAUGE, "attribute": "Value.x"}, f"{GAUGE} has no Value.x: it has Value"),
        (gauge(HEAP), {"read": GAUGE, "attribute": "Value.usd"},
         f"{GAUGE} has no Value.usd: Value has committed, init, max, used"),
        (gauge(0), {"read": GAUGE, "attribute": "Valu", "aggregate": "count", "critical": "0"}, f"{GAUGE} has no Valu"),
        (THREE, {"read": SIZES, "attribute": "Valu", "critical": "0"},
         f"no MBean of {SIZES} has Valu; without --attribute it shows what they have"),
        (THREE, {"read": SIZES, "attribute": ["A", "B"]}, f"no MBean of {SIZES} has A or B; without"),
        (THREE, {"read": SIZES, "attribute": "Valu", "aggregate": "count", "critical": "0"}, "no MBean of"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_unknown(way: str, mbeans: MBeans, given: dict[str, Any], said: str) -> None:
    told = refused(mbeans, way, **given)

    assert told.startswith(
        {"jmx": "JMX read of jmx://app:5555: ", "jolokia": "POST http://app:8778/jolokia: "}[way] + said
    )


def test_what_the_jvm_refuses_is_unknown_in_its_words() -> None:
    net = FakeNet({f"JMX app:5555 {GAUGE}": Found({}, refused="SecurityException: Access denied!")})

    with pytest.raises(ProbeError, match="UnderReplicatedPartitions: SecurityException: Access denied!"):
        jmx.probe(options(**ONE), net)
    assert len(net.asked) == 1


@pytest.mark.parametrize("given", [{}, {"attribute": "Value"}, {"attribute": "Value", "aggregate": "count"}])
def test_what_was_listed_and_gone_when_asked_is_not_said_to_be_absent(given: dict[str, Any]) -> None:
    net = FakeNet({f"JMX app:5555 {SIZES}": Found({}, bare=True)})

    with pytest.raises(ProbeError, match=r"the MBeans of kafka\.log:.* were gone when they were asked$"):
        jmx.probe(options(read=SIZES, **given), net)


def test_a_refused_second_look_does_not_hide_what_is_missing() -> None:
    answers = iter([Found({}, bare=True), Found({}, refused="Access denied!")])

    class Guarded(FakeNet):
        def jmx(self, request: Any) -> list[Found]:
            return [next(answers)]

    with pytest.raises(ProbeError, match=f"{GAUGE} lacks Value or Count$"):
        jmx.probe(options(read=GAUGE, attribute=["Value", "Count"]), Guarded({}))


@pytest.mark.parametrize(
    ("error", "expected", "alive"),
    [
        (Unreachable("app:5555: connection refused"), Status.CRITICAL, False),
        (ProbeError("app:5555: authentication failed"), Status.UNKNOWN, True),
    ],
)
def test_who_cannot_be_reached_is_dead_and_who_refuses_is_not(error: Exception, expected: Status, alive: bool) -> None:
    net = FakeNet({f"JMX app:5555 {GAUGE}": error})

    assert run("jmx", jmx, options(**ONE), net).status == expected
    assert run("jmx", jmx, options(**ONE), net, "liveness").code == (not alive)


def test_thresholds_are_no_evidence_of_death() -> None:
    given = options(**ONE, critical="0")

    assert run("jmx", jmx, given, Jvm(gauge(9)), "liveness").code == 0
    assert run("jmx", jmx, given, Jvm(gauge(9)), "readiness").code == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"read": GAUGE}, "jmx: is missing: give --jmx or --jolokia"),
        ({"read": GAUGE, "jmx": "a:1", "jolokia": "http://a"}, "jolokia: cannot be combined with --jmx: ask one"),
        ({"jmx": "a:1"}, "read: is missing"),
        ({"jmx": "a:1", "read": "UnderReplicatedPartitions"},
         "read: 'UnderReplicatedPartitions' is no ObjectName (domain:key=value); write it like kafka.server:type="),
        ({"jmx": "a:1", "read": "kafka.server:ReplicaManager"}, "read: 'kafka.server:ReplicaManager' is no ObjectName"),
        ({"jmx": "a:1", "read": "kafka.server:"}, "read: 'kafka.server:' is no ObjectName"),
        ({"jmx": "a:1", "read": "kafka.server:=x"}, "read: 'kafka.server:=x' is no ObjectName"),
        ({"jmx": "a:1", "read": GAUGE, "attribute": ""},
         "attribute: is empty"),
        ({"jmx": "a:1", "read": GAUGE, "attribute": ".used"},
         "attribute: '.used' names none; write it like Value or HeapMemoryUsage.used"),
        ({"jmx": "a:1", "read": GAUGE, "critical": "0"},
         "attribute: is missing: --critical is about the values of one attribute"),
        ({"jmx": "a:1", "read": GAUGE, "aggregate": "sum"}, "attribute: is missing: --aggregate is about"),
        ({"jmx": "a:1", "read": GAUGE, "attribute": ["A", "B"], "warning": "0"},
         "attribute: can be only one: --warning is about the values of one attribute"),
        ({"jmx": "a:1", "read": GAUGE, "attribute": ["A", "B"], "aggregate": "count"}, "attribute: can be only one"),
        ({"jmx": "a:1", "read": GAUGE, "aggregate": "avg"}, "aggregate: 'avg' is none of sum, max, min, count"),
        ({"jmx": "a:1", "read": GAUGE, "tls_name": "a b"},
         "tls_name: 'a b' is no host name; write it like kafka.example.com"),
        ({"jmx": "a:1", "read": GAUGE, "tls_name": "*.example"}, "tls_name: '*.example' is no host name"),
        ({"jmx": "a:1", "read": GAUGE, "tls_name": "a\nb"}, "tls_name: 'a\\nb' is no host name"),
        ({"jmx": "service:jmx:iiop:///jndi/iiop://a/b", "read": GAUGE},
         "jmx: 'service:jmx:iiop:///jndi/iiop://a/b' is of another protocol than RMI; write it like service:jmx:rmi:"),
        ({"jmx": "service:jmx:jmxmp://a:1", "read": GAUGE},
         "jmx: 'service:jmx:jmxmp://a:1' is of another protocol than RMI; write it like service:jmx:rmi:"),
        ({"jmx": "service:jmx:joe:pw@a:1", "read": GAUGE}, "jmx: 'a:1' is of another protocol than RMI"),
        ({"jmx": "service:jmx:rmi://a:1", "read": GAUGE}, "jmx: 'service:jmx:rmi://a:1' is not a JMX address"),
        ({"jmx": "a:1", "read": GAUGE, "timeout": "0s"}, "timeout: must be longer than 0s"),
    ],
)  # fmt: skip
def test_options_that_do_not_go_together(given: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionErrors) as caught:
        Options.build(given)

    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    "given",
    [
        {"read": "*:*"},
        {"read": "kafka.log:*,type=Log"},
        {"read": ":type=x"},
        {"read": 'kafka.consumer:type=consumer-metrics,client-id="a:b,c"'},
        {"read": GAUGE, "aggregate": "count", "critical": "1:"},
        {"read": GAUGE, "attribute": ["A", "A"], "critical": "1:"},
        {"read": GAUGE, "tls_name": "kafka.example.com"},
        {"read": GAUGE, "jmx": "service:jmx:RMI:///jndi/rmi://a:1/jmxrmi"},
        {"read": GAUGE, "jmx": "Service:JMX:rmi://ignored/jndi/rmi://a:1/jmxrmi"},
    ],
)
def test_options_that_do(given: dict[str, Any]) -> None:
    assert Options.build({"jmx": "a:1", **given}).jmx == "jmx://a:1"


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (GAUGE, "UnderReplicatedPartitions Value"),
        (SIZES, "Size Value"),
        ("kafka.network:type=RequestMetrics,name=TotalTimeMs,request=Produce", "TotalTimeMs request=Produce Value"),
        ("kafka.consumer:type=consumer-metrics,client-id=*", "consumer-metrics Value"),
        ("kafka.consumer:client-id=a,type=consumer-metrics", "consumer-metrics client-id=a Value"),
        ("kafka.server:type=ReplicaManager,name=*", "ReplicaManager Value"),
        ("java.nio:type=Buffer*", "java.nio:type=Buffer* Value"),
        ("kafka.*:name=Lag,*", "Lag Value"),
        ("x:a=b", "a=b Value"),
        ("*:*", "*:* Value"),
    ],
)
def test_an_mbean_is_called_as_people_call_it(read: str, expected: str) -> None:
    assert subject(read, "Value") == expected


@pytest.mark.parametrize(
    ("read", "mbean", "expected"),
    [
        (SIZES, "kafka.log:name=Size,partition=3,topic=a,type=Log", "partition=3,topic=a"),
        (SIZES, "kafka.log:name=Size,type=Log", "kafka.log:name=Size,type=Log"),
        ("kafka.*:type=x,client-id=*", "kafka.consumer:type=x,client-id=a", "kafka.consumer:type=x,client-id=a"),
        ("k:type=x,client-id=*", 'k:type=x,client-id="a,b"', "client-id=a,b"),
        (GAUGE, GAUGE, GAUGE),
    ],
)
def test_an_mbean_is_told_from_its_siblings(read: str, mbean: str, expected: str) -> None:
    assert distinct(read, mbean) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (12.0, "12"), (1e6, "1000000"), (123456789012.0, "123456789012"), (2**62, "4611686018427387904"),
        (0.1 + 0.2, "0.3"), (2.5, "2.5"), (1234567.891, "1234567.891"), (0.98765, "0.9877"), (-3.0, "-3"),
        (0.00012, "0.00012"), (-0.0, "0"), (1e300, "1e+300"), (NAN, "NaN"), (-INFINITY, "-Inf"), (True, "true"),
        (None, "null"), ("RUNNING", "RUNNING"), ([1, "a"], '[1,"a"]'), ({"a": 1.5}, '{"a":1.5}'),
    ],
)  # fmt: skip
def test_numbers_are_written_as_people_read_them(value: object, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ("length(data.mbeans[?value > 15]) == 2", "MET"),
        ("data.mbeans[0].labels.topic == 'orders'", "MET"),
        ("max_by(data.mbeans, &value).value > 30", "NOT MET"),
        ("data.value > 30", "UNKNOWN"),  # without --aggregate there is none
    ],
)
def test_a_condition_can_judge_the_values(condition: str, verdict: str) -> None:
    said = run("jmx", jmx, options(**SIZE), Jvm(THREE))

    assert Condition(condition).judge(said.as_read()).verdict.value == verdict


def test_the_example_has_the_fields_of_an_answer() -> None:
    result = ask(THREE, **SIZE)

    assert result.data is not None
    assert result.data.keys() == jmx.EXAMPLE.keys()
    assert list(result.data["mbeans"][0]) == list(jmx.EXAMPLE["mbeans"][0])  # type: ignore[index]


# By the command


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--read", GAUGE], "--jmx is missing: give --jmx or --jolokia"),
        (["--jmx", "h:1"], "--read is missing"),
        (["--jmx", "h", "--read", GAUGE], "--jmx 'h' is not a JMX address"),
        (
            ["--jmx", "h:1", "--read", "x"],
            "--read 'x' is no ObjectName (domain:key=value); write it like kafka.server:",
        ),
        (["--jmx", "h:1", "--read", GAUGE, "--critical", "0"], "--attribute is missing: --critical is about"),
    ],
)
def test_a_mistake_in_the_call_is_64(arguments: list[str], said: str) -> None:
    done = stetho("probe", "jmx", *arguments, env={"COLUMNS": "300"})

    assert (done.returncode, said in done.stderr) == (64, True), done.stderr


def through_jolokia(*arguments: str) -> Done:
    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(answer(json.dumps([{"status": 200, "value": {"Value": 12, "state": "RUNNING"}}]).encode()))
        talk.finish()

    server = RawServer(script)
    try:
        return stetho("probe", "jmx", "--jolokia", server.url, "--read", GAUGE, *arguments)
    finally:
        server.close()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--attribute", "Value", "--critical", "0"], 2, f"{UNDER} 12, outside --critical 0"),
        (["--attribute=Value", "--critical=~:12"], 0, f"{UNDER} 12"),
        (["--when", "data.mbeans[0].value == 12"], 2, "MET: data.mbeans[0].value == 12; 2 values of Under"),
        (["--when", "data.mbeans[0].value > 12"], 0, "NOT MET: "),
        (["--when", "data.mbeans[1].value > 12"], 3, "UNKNOWN ("),
        (
            ["--attribute", "Value", "--critical", "0", "--as", "liveness", "--timeout", "5s"],
            0,
            "12, outside --critical 0",
        ),
        (
            ["--attribute", "Value", "--critical", "0", "--as", "readiness", "--timeout", "5s"],
            1,
            "12, outside --critical 0",
        ),
    ],
)
def test_the_command_answers_with_its_code(arguments: list[str], code: int, said: str) -> None:
    done = through_jolokia(*arguments)

    assert (done.returncode, said in json.loads(done.stdout)["message"]) == (code, True), done.stdout + done.stderr


RULES = """
groups:
- name: brokers
  rules:
  - alert: PartitionTooBig
    probe: jmx
    with: {jmx: "kafka:9999", read: "kafka.log:type=Log,name=Size,*", attribute: Value%s}
    items: data.mbeans
    when: %s
    labels: {topic: "{{ $item.labels.topic }}", partition: "{{ $item.labels.partition }}", severity: critical}
"""


@pytest.mark.parametrize(
    ("more", "when", "said"),
    [
        ("", "item.value > 1000000", ""),
        (", critical: 10:20", "item.status == 'CRITICAL'", ""),
        ("", "item.value.used == item.value.max", ""),
        (", aggregate: max", "data.value > 5 && item.value > 5", ""),
        ("", "item.status == 'CRIT'", "it is never 'CRIT'"),
        ("", "item.valu > 5", "there is no item.valu"),
        (", aggregate: avg", "item.value > 5", "'avg' is none of sum, max, min, count"),
        (", jolokia: 'http://h'", "item.value > 5", "cannot be combined with --jmx"),
    ],
)
def test_a_rule_may_alert_for_each_mbean(tmp_path: Path, more: str, when: str, said: str) -> None:
    (tmp_path / "rules.yml").write_text(RULES % (more, when))

    done = stetho("rules", "check", str(tmp_path / "rules.yml"))

    assert done.returncode == (64 if said else 0), done.stderr
    assert said in done.stderr


@pytest.mark.parametrize(("answers", "code"), [(True, 0), (False, 1)])
def test_a_slow_getter_is_no_evidence_of_death(serve: Serve, answers: bool, code: int) -> None:
    def script(talk: Talk) -> None:
        if answers and talk.hear().startswith(b"GET /jolokia/version "):
            talk.say(answer(b"{}"))
            talk.finish()
        talk.hang()

    call = ["--jolokia", serve(script).url, "--read", GAUGE, "--as", "liveness", "--timeout", "2s"]
    done = stetho("probe", "jmx", *call, "--output", "text")

    assert (done.returncode, "though it answered another question" in done.stdout) == (code, answers), done.stdout
