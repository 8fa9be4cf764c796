"""However a JVM is asked, the answer is the same."""

from typing import Any

import pytest

from probes import streams
from probes.kit.net import Unreadable
from probes.kit.result import ProbeError, Result, Status
from probes.streams import Options
from tests.probes.streams_ways import INSTANCE, WAYS, Jvm, MBeans

ID = "orders-1f0c"
NAN = float("nan")


def client(client_id: str = ID, **attributes: Any) -> dict[str, dict[str, Any]]:
    """A client's MBean as since 2.8; the attributes' names with _ for -."""
    return {f"kafka.streams:type=stream-metrics,client-id={client_id}": dashed(attributes)}


def dashed(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("_", "-"): value for name, value in attributes.items()}


def ordinal(state: int, client_id: str = ID) -> dict[str, dict[str, Any]]:
    """The MBean that 4.x adds, with more tags."""
    name = f"kafka.streams:type=stream-metrics,process-id=8a1f,application-id=orders,client-id={client_id}"
    return {name: {"client-state": state}}


def running(threads: int = 2, failed: float = 0.0) -> dict[str, dict[str, Any]]:
    return client(state="RUNNING", alive_stream_threads=threads, failed_stream_threads=failed) | ordinal(2)


def count(value: float) -> dict[str, dict[str, Any]]:
    return {"kafka.streams:type=kafka-metrics-count": {"count": value}}


def polls(*ages: float, client_id: str = ID) -> dict[str, dict[str, Any]]:
    """The consumer of each thread, and the one that restores its state."""
    name = "kafka.consumer:type=consumer-metrics,client-id={}-StreamThread-{}-{}"
    return {
        name.format(client_id, number, kind): {"last-poll-seconds-ago": age if kind == "consumer" else 99_999.0}
        for number, age in enumerate(ages, start=1)
        for kind in ("consumer", "restore-consumer")
    }


def threads(*names: str, kind: str = "stream-metrics,client-id") -> dict[str, dict[str, Any]]:
    return {f"kafka.streams:type={kind}={name}": {"commit-total": 7.0} for name in names}


def global_consumer(client_id: str = ID) -> dict[str, dict[str, Any]]:
    """Of the thread that reads a client's global tables."""
    name = f"kafka.consumer:type=consumer-metrics,client-id={client_id}-global-consumer"
    return {name: {"connection-count": 2.0, "last-poll-seconds-ago": 0.0}}


T1, T2 = f"{ID}-StreamThread-1", f"{ID}-StreamThread-2"
OTHERS = {"kafka.streams:type=stream-task-metrics,task-id=0_0": {"process-rate": 1.0}}


def ask(way: str, mbeans: MBeans, **options: str) -> Result:
    return streams.probe(Options.build({**WAYS[way], **options}), Jvm(mbeans))


CASES: dict[str, tuple[MBeans, Status, str, bool, bool]] = {
    "running": (running() | count(398), Status.OK, "1 of 1 clients RUNNING, 2 threads alive", True, True),
    "rebalancing": (
        client(state="REBALANCING", alive_stream_threads=3) | ordinal(1),
        Status.OK, f"1 of 1 clients REBALANCING: {ID} (3 threads alive)", True, False,
    ),
    "created": (
        client(state="CREATED", alive_stream_threads=2) | ordinal(0),
        Status.WARNING, f"1 of 1 clients CREATED: {ID} (2 threads alive)", True, False,
    ),
    "one thread dead": (
        running(1, 1.0), Status.WARNING,
        f"1 of 1 clients with failed threads: {ID} (1 since its start, 1 thread alive)", True, True,
    ),
    "all threads dead": (
        running(0, 2.0) | count(18), Status.CRITICAL, f"1 of 1 clients without a living thread: {ID} (state RUNNING)",
        False, False,
    ),
    # A topology of global tables alone has no stream thread; so it is in 2.7 too.
    "global tables": (
        client(state="RUNNING", alive_stream_threads=0) | global_consumer(),
        Status.OK, "1 of 1 clients RUNNING, 0 threads alive", True, True,
    ),
    "global tables, not restored": (
        client(state="REBALANCING", alive_stream_threads=0) | ordinal(1) | global_consumer(),
        Status.OK, f"1 of 1 clients REBALANCING: {ID} (0 threads alive)", True, False,
    ),
    "all threads but the global one dead": (
        running(0, 2.0) | global_consumer(), Status.CRITICAL,
        f"1 of 1 clients without a living thread: {ID} (state RUNNING)", False, False,
    ),
    "the global thread of another client": (
        client(state="RUNNING", alive_stream_threads=0) | client("b", state="RUNNING", alive_stream_threads=2)
        | global_consumer("b"), Status.CRITICAL,
        f"1 of 2 clients without a living thread: {ID} (state RUNNING)", True, False,
    ),
    "pending error": (
        client(state="PENDING_ERROR", alive_stream_threads=1) | ordinal(5),
        Status.CRITICAL, f"1 of 1 clients PENDING_ERROR: {ID} (1 thread alive)", False, False,
    ),
    "created, 2.7": (  # where threads not started do not count
        client(state="CREATED", alive_stream_threads=0), Status.WARNING,
        f"1 of 1 clients CREATED: {ID} (0 threads alive)", True, False,
    ),
    # As real ones do: a thread that is told to end no longer counts as alive.
    "closing": (
        client(state="PENDING_SHUTDOWN", alive_stream_threads=0) | ordinal(3),
        Status.WARNING, f"1 of 1 clients PENDING_SHUTDOWN: {ID} (0 threads alive)", True, False,
    ),
    "two clients, one dead": (
        running() | client("b", state="ERROR", alive_stream_threads=0),
        Status.CRITICAL, "1 of 2 clients ERROR: b (0 threads alive)", True, False,
    ),
    "2.7": (
        client(state="RUNNING", alive_stream_threads=2) | threads(T1, T2, kind="stream-thread-metrics,thread-id"),
        Status.OK, "1 of 1 clients RUNNING, 2 threads alive", True, True,
    ),
    "2.5": (
        client(state="RUNNING") | threads(T1, T2, kind="stream-thread-metrics,thread-id") | count(200),
        Status.OK, "1 of 1 clients RUNNING, 2 threads alive", True, True,
    ),
    "2.4": (
        client(state="RUNNING") | threads(T1, T2) | count(200),
        Status.OK, "1 of 1 clients RUNNING, 2 threads alive", True, True,
    ),
    "2.4, dead": (
        client(state="ERROR") | count(6), Status.CRITICAL, f"1 of 1 clients ERROR: {ID}", False, False,
    ),
    "2.3": (
        threads(T1, T2) | count(100),
        Status.OK, "1 of 1 clients alive, their state is not shown, 2 threads alive", True, False,
    ),
    # The count is that of the client which was created last.
    "2.3, one of two dead": (
        threads(T1) | count(1.0),
        Status.OK, "1 of 1 clients alive, their state is not shown, 1 thread alive", True, False,
    ),
    # Who shows no state and is about to end, or in 2.6 not started, has no thread that counts as alive; MBeans it has.
    "closing, the state not shown": (
        client(alive_stream_threads=0, failed_stream_threads=1.0) | threads(T1, kind="stream-thread-metrics,thread-id"),
        Status.WARNING, f"1 of 1 clients closing or not started: {ID} (state not shown)", True, False,
    ),
    "dead, the state not shown": (
        client(alive_stream_threads=0, failed_stream_threads=1.0), Status.CRITICAL,
        f"1 of 1 clients without a living thread: {ID} (state not shown)", False, False,
    ),
    "global tables, the state not shown": (
        client(alive_stream_threads=0) | global_consumer(), Status.UNKNOWN,
        f"1 of 1 clients with a global thread only: {ID} (state not shown)", True, False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_the_same_answer(way: str, case: str) -> None:
    mbeans, status, message, alive, ready = CASES[case]

    result = ask(way, mbeans)

    assert (result.status, result.message, result.alive, result.ready) == (status, message, alive, ready)
    told, first = result.data or {}, ask("jmx", mbeans).data or {}
    instance = INSTANCE if way == "prometheus" else None
    assert told == {**first, "clients": [{**each, "instance": instance} for each in first["clients"]]}  # type: ignore[attr-defined]


GONE = {
    "since 2.8": ({}, "no Streams MBean, though the JVM answers (up 1m30s): its Streams clients have died or were "
                  "never started"),
    "2.3": (count(1.0), "the metrics count is 1: every stream thread is dead"),
}  # fmt: skip


@pytest.mark.parametrize("case", GONE)
@pytest.mark.parametrize("way", WAYS)
def test_a_jvm_whose_clients_are_gone_is_dead_by_every_way(way: str, case: str) -> None:
    mbeans, why = GONE[case]

    result = ask(way, mbeans)

    shown = f"1 of 1 JVMs: {INSTANCE} ({why})" if way == "prometheus" else why
    assert (result.status, result.message, result.alive, result.ready) == (Status.CRITICAL, shown, False, False)


@pytest.mark.parametrize("way", WAYS)
def test_within_its_grace_a_jvm_without_streams_is_unknown_by_every_way(way: str) -> None:
    words = "no Streams MBean yet, though the JVM answers (up 1m30s); --grace 2m"
    if way == "prometheus":
        result = ask(way, {}, grace="2m")
        assert (result.status, result.alive, words in result.message) == (Status.UNKNOWN, True, True)
        return
    with pytest.raises(ProbeError) as caught:
        ask(way, {}, grace="2m")
    assert words in str(caught.value)


@pytest.mark.parametrize("way", WAYS)
def test_streams_mbeans_without_any_that_tells_are_unknown_by_every_way(way: str) -> None:
    mbeans = {"kafka.streams:type=stream-metrics,client-id=x": {"version": "4.3.1"}} | OTHERS
    words = "Streams MBeans, but none that shows state, threads or count: does a filter drop them?"
    if way == "prometheus":
        result = ask(way, mbeans)
        assert (result.status, result.message) == (Status.UNKNOWN, f"1 of 1 JVMs: {INSTANCE} ({words})")
        return
    with pytest.raises(ProbeError) as caught:
        ask(way, mbeans)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("ages", "status", "message", "statuses"),
    [
        ((0.1, 0.2), Status.OK, "1 of 1 clients RUNNING, 2 threads alive", ["OK", "OK"]),
        (
            (0.1, 700.4),
            Status.CRITICAL,
            f"1 of 2 stream threads not polling for over 10m: {T2} (last poll 11m40s ago)",
            ["OK", "CRITICAL"],
        ),
        (
            (-1.0, -1.0),
            Status.UNKNOWN,
            f"1 of 1 clients not showing when its threads last polled: {ID} (that is told since Kafka 2.4)",
            ["UNKNOWN", "UNKNOWN"],
        ),
        (
            (),
            Status.UNKNOWN,
            f"1 of 1 clients not showing when its threads last polled: {ID} (that is told since Kafka 2.4)",
            [],
        ),
    ],
)
@pytest.mark.parametrize("way", WAYS)
def test_a_stuck_thread_is_named_and_tells_nothing_to_a_kubelet(
    way: str, ages: tuple[float, ...], status: Status, message: str, statuses: list[str]
) -> None:
    result = ask(way, running() | polls(*ages), max_poll_age="10m")

    assert (result.status, result.message, result.alive, result.ready) == (status, message, True, True)
    rows: Any = (result.data or {})["threads"]
    assert [row["status"] for row in rows] == statuses


@pytest.mark.parametrize("way", WAYS)
def test_who_was_not_started_has_not_polled_and_who_died_is_judged_by_that(way: str) -> None:
    created = ask(way, client(state="CREATED", alive_stream_threads=2) | polls(-1.0, -1.0), max_poll_age="10m")
    dead = ask(way, running(0), max_poll_age="10m")

    assert (created.status, dead.message) == (
        Status.WARNING,
        f"1 of 1 clients without a living thread: {ID} (state RUNNING)",
    )


@pytest.mark.parametrize("way", WAYS)
def test_an_id_that_needs_quotes_is_the_same_id(way: str) -> None:
    stuck = {name.replace(ID, f'"{ID}') + '"': values for name, values in polls(700.4).items()}

    result = ask(way, running() | stuck, max_poll_age="10m")

    assert result.message == f"1 of 1 stream threads not polling for over 10m: {T1} (last poll 11m40s ago)"


@pytest.mark.parametrize("count_value", [60.0, 141.0])
@pytest.mark.parametrize("way", WAYS)
def test_a_global_thread_alone_may_be_all_that_is_left(way: str, count_value: float) -> None:
    words = "a global thread lives, and no other: that may be a dead client or not"
    if way == "prometheus":
        result = ask(way, count(count_value) | global_consumer())
        assert (result.status, result.alive, words in result.message) == (Status.UNKNOWN, True, True)
        return
    with pytest.raises(ProbeError, match=words):
        ask(way, count(count_value) | global_consumer())


def test_a_getter_that_throws_hides_no_dead_sibling() -> None:
    thrown = Unreadable("IllegalStateException: closed")

    result = ask("jmx", client("b", state=thrown) | client(state="ERROR"))

    assert (result.status, result.alive) == (Status.CRITICAL, True)
    assert result.message.startswith(f"1 of 2 clients ERROR: {ID}; 1 of 2 clients showing neither state nor threads: b")
    assert "IllegalStateException: closed" in result.message


def test_a_count_that_is_no_number_is_no_absence() -> None:
    with pytest.raises(ProbeError, match="Streams MBeans, but none that shows state, threads or count"):
        ask("jmx", count(float("inf")))


def test_nan_is_no_number_of_threads() -> None:
    result = ask("jmx", client(state="RUNNING", alive_stream_threads=NAN), min_threads="1")

    assert (result.status, result.message) == (Status.UNKNOWN, f"1 of 1 clients not showing its threads: {ID}")
