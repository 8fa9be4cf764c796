"""However a JVM is asked, the answer is the same."""

from typing import Any

import pytest

from probes import streams
from probes.kit.net import Found, JmxRequest, Unreadable
from probes.kit.result import ProbeError, Status
from probes.streams import Options
from tests.probes.streams_mbeans import (
    ID,
    OTHERS,
    T1,
    T2,
    client,
    count,
    global_consumer,
    ordinal,
    polls,
    running,
    threads,
)
from tests.probes.streams_ways import INSTANCE, WAYS, Jvm, MBeans, ask

NAN = float("nan")

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
    "2.5, and what is left of a thread": (
        client(state="RUNNING") | threads(T1, kind="stream-thread-metrics,thread-id")
        | {f"kafka.streams:type=stream-thread-metrics,thread-id={T2}": {"blocked-time-ns-total": 7.0}},
        Status.OK, "1 of 1 clients RUNNING, 1 thread alive", True, True,
    ),
    "its MBean has gone with another client of its name": (
        threads(T1, kind="stream-thread-metrics,thread-id"),
        Status.OK, "1 of 1 clients alive, their state is not shown, 1 thread alive", True, False,
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


@pytest.mark.parametrize("way", WAYS)
def test_a_client_whose_name_looks_like_a_threads_is_a_client(way: str) -> None:
    name = "eu-StreamThread-x"
    dead = client(name, state="ERROR", alive_stream_threads=0)
    well = client(name, state="RUNNING", alive_stream_threads=1) | polls(0.1, client_id=name)

    assert ask(way, dead).message == f"1 of 1 clients ERROR: {name} (0 threads alive)"
    assert ask(way, well, max_poll_age="1m").message == "1 of 1 clients RUNNING, 1 thread alive"


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"state": "RUNNING", "alive_stream_threads": 0, "failed_stream_threads": 0.0},
         f"1 of 1 clients whose name another has too: {ID} (alive_threads 0 and 2)"),
        ({"state": "RUNNING", "alive_stream_threads": 2, "failed_stream_threads": 1.0},
         f"1 of 1 clients whose name another has too: {ID} (failed_threads 0 and 1)"),
        ({"state": "ERROR", "alive_stream_threads": 2, "failed_stream_threads": 0.0},
         f"1 of 1 clients in a state never seen before: {ID} (ERROR and RUNNING)"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("way", WAYS)
def test_two_clients_of_one_name_are_not_taken_for_the_better_one(
    way: str, order: int, second: dict[str, Any], message: str
) -> None:
    # In 4.0 and 4.1 each has an MBean of its own.
    first = {"state": "RUNNING", "alive_stream_threads": 2, "failed_stream_threads": 0.0}
    both = [client(f"{ID},process-id=1", **first), client(f"{ID},process-id=2", **second)]
    result = ask(way, both[::order][0] | both[::order][1])

    assert (result.status, result.message, result.alive, result.ready) == (Status.UNKNOWN, message, True, False)


@pytest.mark.parametrize("asked", [{"min_threads": "2"}, {"max_poll_age": "10m"}])
@pytest.mark.parametrize("way", WAYS)
def test_who_asks_about_threads_is_not_answered_by_the_metrics_count(way: str, asked: dict[str, str]) -> None:
    words = "metrics count 134; this version shows neither state nor threads"
    if way == "prometheus":
        result = ask(way, count(134.0), **asked)
        assert (result.status, result.alive, words in result.message) == (Status.UNKNOWN, True, True)
        return
    with pytest.raises(ProbeError, match=words):
        ask(way, count(134.0), **asked)


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


@pytest.mark.parametrize("late", [False, True], ids=["refused", "late"])
def test_who_cannot_see_the_threads_sees_that_the_clients_have_gone(late: bool) -> None:
    class Guarded(Jvm):
        def jmx(self, request: JmxRequest) -> list[Found]:
            if not any("type=stream-thread-metrics" in name for name, _ in request.reads):
                return super().jmx(request)
            if late:
                raise ProbeError("not a byte in 0.4s, though it answered another question just before")
            return [Found({}, refused="access denied") for _ in request.reads]

    result = streams.probe(Options.build(WAYS["jmx"]), Guarded({}))

    assert (result.status, result.alive) == (Status.CRITICAL, False)


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
