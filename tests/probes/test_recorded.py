"""What the real servers answered, healthy and broken, replayed to both HTTP clients: one Answer, and the right one."""

import socket
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from probes.kit import catalog, http
from probes.kit.net import Found, JmxRequest, Reply, Request
from probes.kit.pooled import Pool
from probes.kit.run import ALERT, LIVENESS, READINESS, Answer, run
from tests.cassettes.replay import CASSETTES, Replay, load, names, recorded_at

PROBES = {
    "connect": ("connect", "url", ""),
    "burrow": ("burrow", "url", ""),
    "prometheus": ("targets", "url", ""),
    "exporter": ("streams", "exporter", "/metrics"),
    "jolokia": ("streams", "jolokia", "/jolokia"),
}

# What a probe is asked in each recorded state, how it answers (* is any text), and the exit codes by who asks:
# alert, liveness, readiness.
ANSWERS: list[tuple[str, dict[str, str], str, tuple[int, int, int]]] = [
    ("connect-healthy", {}, "3 of 3 connectors and 9 of 9 tasks RUNNING", (0, 0, 0)),
    ("connect-healthy", {"connector": "orders-sink"}, "1 of 1 connectors and 3 of 3 tasks RUNNING", (0, 0, 0)),
    (
        "connect-healthy",
        {"connector": "no-such-sink"},
        "1 of 1 connectors asked about do not exist: no-such-sink",
        (2, 0, 0),
    ),
    ("connect-failed-task", {}, "1 of 9 tasks FAILED: orders-sink/2 (*ConnectException: Exiting *)", (2, 0, 0)),
    ("connect-failed-task", {"connector": "audit-sink"}, "1 of 1 connectors and 3 of 3 tasks RUNNING", (0, 0, 0)),
    ("connect-failed-connector", {}, "1 of 3 connectors FAILED: orders-sink (*ConnectException: *)", (2, 0, 0)),
    ("connect-paused", {}, "1 of 3 connectors PAUSED: orders-sink; 3 of 9 tasks PAUSED: orders-sink/0, *", (1, 0, 0)),
    ("connect-stopped", {}, "1 of 3 connectors STOPPED: orders-sink", (1, 0, 0)),
    ("connect-lost-tasks", {}, "1 of 3 connectors without tasks: orders-sink", (2, 0, 0)),
    ("connect-empty", {}, "* has no connectors at all; *--allow-empty", (3, 0, 0)),
    ("connect-empty", {"allow_empty": "true"}, "no connectors, which is allowed", (0, 0, 0)),
    ("burrow-healthy", {}, "6 of 6 groups OK, the largest lag is *", (0, 0, 0)),
    ("burrow-healthy", {"group": "no-such-group"}, "1 of 1 groups NOTFOUND: no-such-group", (3, 0, 1)),
    (
        "burrow-stopped",
        {},
        "1 of 6 groups ERR: billing (4 of 4 partitions: orders/0 STOP, lag *, orders/3 STOP, *)",
        (2, 0, 1),
    ),
    ("burrow-stalled", {}, "1 of 6 groups ERR: billing (4 of 4 partitions: orders/0 STALL, lag *)", (2, 0, 1)),
    (
        "burrow-lagging",
        {"warning": "~:50", "critical": "~:1000000"},
        "*1 of 6 groups outside --warning ~:50: billing (lag *)",
        (1, 0, 0),
    ),
    ("burrow-lagging", {"critical": "~:50"}, "1 of 6 groups outside --critical ~:50: billing (lag *)*", (2, 0, 1)),
    ("prometheus-healthy", {}, "5 of 5 targets up", (0, 0, 0)),
    ("prometheus-healthy", {"job": "payments"}, "0 of 0 targets up; 1 of 1 jobs *without targets: payments", (2, 0, 1)),
    (
        "prometheus-target-down",
        {},
        "4 of 5 targets up; 1 of 5 targets down: shop/127.0.0.1:* (dial tcp * connection refused)",
        (2, 0, 1),
    ),
    ("prometheus-target-down", {"job": "shop", "min_up": "1"}, "1 of 2 targets up, enough *down: shop/*", (0, 0, 0)),
    ("prometheus-never-scraped", {}, "5 of 6 targets up; 1 of 6 targets never scraped yet: batch/*", (3, 0, 1)),
    *(
        (f"{by}-{state}", given, message, codes)
        for by in ("exporter", "jolokia")
        for state, given, message, codes in (
            ("healthy", {}, "1 of 1 clients RUNNING, 2 threads alive", (0, 0, 0)),
            ("rebalancing", {}, "1 of 1 clients REBALANCING: orders-app-* (3 threads alive)", (0, 0, 1)),
            ("rebalancing", {"rebalancing": "ready"}, "1 of 1 clients REBALANCING: orders-app-*", (0, 0, 0)),
            ("lost-thread", {}, "1 of 1 clients with failed threads: orders-app-* (1 *, 1 thread alive)", (1, 0, 0)),
            ("lost-thread", {"min_threads": "2"}, "1 of 1 clients with fewer than 2 living threads: *", (2, 0, 1)),
            ("all-threads-dead", {}, "1 of 1 clients without a living thread: orders-app-* (state *)", (2, 1, 1)),
            ("dead", {}, "no Streams MBean, though the JVM answers (up *): its Streams clients have died *", (2, 1, 1)),
            ("dead", {"grace": "1h"}, "*: no Streams MBean yet, though the JVM answers (up *); --grace 1h", (3, 0, 1)),
            ("closed", {}, "no Streams MBean, though the JVM answers *", (2, 1, 1)),
            ("created", {}, "1 of 1 clients CREATED: orders-app-* (2 threads alive)", (1, 0, 1)),
        )
    ),
]


class Frozen:
    """A Net with one of our HTTP clients, at the time of the recording: ages come out as they were."""

    def __init__(self, fetch: Callable[[Request, float], Reply], now: float) -> None:
        self._fetch, self._now = fetch, now

    def request(self, request: Request) -> Reply:
        return self._fetch(request, monotonic() + 10)

    def jmx(self, request: JmxRequest) -> list[Found]:
        raise AssertionError("what is recorded is HTTP")

    def now(self) -> float:
        return self._now

    def hurried(self) -> bool:
        return False


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool()
    yield pool
    pool.close()


def told(answer: Answer) -> dict[str, Any]:
    return {**answer.document(), "duration_ms": None}


@pytest.mark.parametrize(("cassette", "given", "message", "codes"), ANSWERS)
def test_both_clients_judge_a_recorded_state_alike_and_rightly(
    pool: Pool, cassette: str, given: dict[str, str], message: str, codes: tuple[int, int, int]
) -> None:
    probe, option, path = PROBES[cassette.partition("-")[0]]
    module = catalog.load(probe)
    with Replay(cassette) as server:
        options = module.Options.build({option: server.url + path, **given})
        for purpose, code in zip((ALERT, LIVENESS, READINESS), codes, strict=True):
            cold, pooled = (
                run(probe, module, options, Frozen(fetch, recorded_at(cassette)), purpose)
                for fetch in (http.fetch, pool.fetch)
            )
            assert told(cold) == told(pooled)
            assert cold.code == code, cold.message
            if purpose == ALERT:
                assert fnmatchcase(cold.message, message), cold.message


def test_every_cassette_is_judged() -> None:
    assert {cassette for cassette, *_ in ANSWERS} == set(names())


@pytest.mark.parametrize("cassette", names())
def test_both_clients_see_the_very_bytes_of_a_recorded_answer(pool: Pool, cassette: str) -> None:
    with Replay(cassette) as server:
        for question, recorded in load(cassette).items():
            method, _, path = question.partition(" ")
            request = Request(server.url + path, server.url, method=method)
            for fetch in (http.fetch, pool.fetch):
                reply = fetch(request, monotonic() + 10)
                assert (reply.status, reply.body) == (recorded.status, recorded.body)
                assert reply.headers["content-type"] == dict(recorded.headers)["content-type"]


def test_what_was_not_recorded_is_answered_so(pool: Pool) -> None:
    with Replay("connect-healthy") as server:
        reply = pool.fetch(Request(f"{server.url}/secrets?all", server.url), monotonic() + 10)
    assert (reply.status, reply.body) == (501, b"not recorded: GET /secrets?all\n")


@pytest.mark.parametrize("cassette", names())
def test_no_cassette_holds_a_login_or_a_place_of_the_machine_that_recorded_it(cassette: str) -> None:
    text = (CASSETTES / f"{cassette}.yaml").read_text()
    for private in (
        "authorization",
        "user-agent",
        "/tmp/",
        "/home/",
        str(Path.home()),
        str(Path.cwd()),
        f"//{socket.gethostname()}:",
    ):
        assert private not in text.lower()
    assert len(text) < 20_000
