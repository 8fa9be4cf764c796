"""A thread that is alive and does not poll."""

from typing import Any

import pytest

from probes.kit.result import Status
from tests.probes.streams_mbeans import ID, T1, T2, client, polls, running
from tests.probes.streams_ways import WAYS, ask


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
            f"2 of 2 stream threads that have not polled yet: {T1}, {T2}",
            ["UNKNOWN", "UNKNOWN"],
        ),
        (
            (0.1, -1.0),
            Status.UNKNOWN,
            f"1 of 2 stream threads that have not polled yet: {T2}",
            ["OK", "UNKNOWN"],
        ),
        (
            (float("inf"),),
            Status.UNKNOWN,
            f"1 of 1 stream threads that have not polled yet: {T1}",
            ["UNKNOWN"],
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
