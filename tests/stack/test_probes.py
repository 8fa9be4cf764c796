"""The installed command against the real platform: what each probe says of it healthy, and of each way it can break."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from probes.kit import catalog
from tests.stack import faults
from tests.stack.faults import LAG, Fault
from tests.stack.platform import Platform
from tests.stack.said import Said

STETHO = Path(sys.executable).with_name("stetho")
Ask = tuple[Sequence[str], tuple[int, int, int], str]  # more options; exit codes as in `expect`; the message
KEYS = ["schema", "probe", "target", "status", "code", "message", "data", "time", "duration_ms"]


def asked(*argv: str) -> Said:
    done = subprocess.run([STETHO, "probe", *argv], capture_output=True, text=True, timeout=60)
    assert len(done.stdout.splitlines()) == 1, done
    return Said(done.returncode, json.loads(done.stdout), done.stderr)


def both_ways(probe: str, flag: str, address: str, *more: str) -> tuple[Said, Said]:
    """The answers of the cold path and of the full command line, which a `--flag=value` takes: alike."""
    with ThreadPoolExecutor() as pool:
        asking = [pool.submit(asked, probe, *how, *more) for how in ((flag, address), (f"{flag}={address}",))]
    cold, full = (each.result() for each in asking)
    assert (cold.code, cold.document["status"]) == (full.code, full.document["status"]), (cold, full)
    assert cold.document["target"] == full.document["target"] == address
    return cold, full


def address(platform: Platform, system: str) -> tuple[str, str, str]:
    """Probe, flag and address of one kind of server."""
    return {
        "connect": ("connect", "--url", platform.connect.url),
        "burrow": ("burrow", "--url", platform.burrow.url),
        "targets": ("targets", "--url", platform.prometheus.url),
        "exporter": ("streams", "--exporter", platform.streams.exporter_url),
        "jolokia": ("streams", "--jolokia", platform.streams.jolokia_url),
        "jmx": ("streams", "--jmx", f"jmx://{platform.streams.jmx}"),
    }[system]


def expect(where: tuple[str, str, str], more: Sequence[str], codes: tuple[int, int, int], message: str) -> None:
    """The exit codes for an alert, as liveness and as readiness; the message names what is wrong."""
    for said in both_ways(*where, *more):
        assert said.code == codes[0], said.message
        assert fnmatchcase(said.message, message), said.message
    for purpose, code in zip(("liveness", "readiness"), codes[1:], strict=True):
        # A loaded machine may take long for an exporter's first page; silence is asked for with its own timeout.
        deadline = () if "--timeout" in more else ("--timeout", "5s")
        kubelet = asked(*where, *more, *deadline, "--as", purpose)
        assert kubelet.code == code, (purpose, kubelet.message)
        assert kubelet.document["status"] == ("CRITICAL" if code else "OK")


@pytest.mark.parametrize("system", ["connect", "burrow", "targets", "exporter", "jolokia", "jmx"])
def test_a_healthy_platform_is_exit_0_and_the_whole_json(platform: Platform, system: str) -> None:
    where = address(platform, system)
    said, _ = both_ways(*where)
    assert (said.code, said.document["code"], said.document["status"]) == (0, 0, "OK"), said.message
    assert list(said.document) == KEYS
    assert (said.document["schema"], said.document["probe"], said.stderr) == (1, where[0], "")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", said.document["time"])
    example, data = catalog.load(where[0]).EXAMPLE, said.document["data"]
    assert data.keys() == example.keys()
    lists = [key for key in example if isinstance(example[key], list) and isinstance(example[key][0], dict)]
    for name in (key for key in lists if key != "threads"):  # which only --max-poll-age asks for
        assert data[name]
        assert all(item.keys() == example[name][0].keys() for item in data[name]), name
    for purpose in ("liveness", "readiness"):
        assert asked(*where, "--timeout", "5s", "--as", purpose).code == 0


@pytest.mark.parametrize(
    ("fault", "more", "codes", "message"),
    [
        (faults.failed_task, (), (2, 0, 0), "1 of 9 tasks FAILED: orders-sink/2 (*ConnectException: *)"),
        (faults.failed_connector, (), (2, 0, 0), "1 of 3 connectors FAILED: orders-sink (*cannot reach its warehouse)"),
        (
            faults.paused_connector,
            (),
            (1, 0, 0),
            "1 of 3 connectors PAUSED: orders-sink; 3 of 9 tasks PAUSED: orders-sink/0, orders-sink/1, orders-sink/2",
        ),
        (faults.stopped_connector, (), (1, 0, 0), "1 of 3 connectors STOPPED: orders-sink"),
        (faults.lost_tasks, (), (2, 0, 0), "1 of 3 connectors without tasks: orders-sink"),
        (
            faults.nothing,
            ("--connector", "orders-sink", "--connector", "no-such-sink"),
            (2, 0, 0),
            "1 of 2 connectors asked about do not exist: no-such-sink",
        ),
    ],
)
def test_a_broken_connector_is_named_among_healthy_ones(
    platform: Platform, fault: Fault, more: Sequence[str], codes: tuple[int, int, int], message: str
) -> None:
    where = address(platform, "connect")
    with fault(platform):
        expect(where, more, codes, message)
        assert asked(*where, "--connector", "payments-sink").message == "1 of 1 connectors and 3 of 3 tasks RUNNING"
    assert asked(*where).code == 0


def test_a_killed_worker_is_dead_and_all_is_well_when_it_is_back(platform: Platform) -> None:
    where = address(platform, "connect")
    with faults.killed_worker(platform):
        expect(where, (), (2, 1, 1), f"GET {where[2]}*: connection refused")
    assert asked(*where).code == 0


@pytest.mark.parametrize(
    ("fault", "asks"),
    [
        (faults.stopped_consumer, [((), (2, 0, 1), "1 of 6 groups ERR: billing (4 of 4 *: orders/0 STOP, lag *)")]),
        (faults.stalled_consumer, [((), (2, 0, 1), "1 of 6 groups ERR: billing (4 of 4 *: orders/0 STALL, lag *)")]),
        (
            faults.lagging_consumer,
            [
                (("--warning", f"~:{LAG}"), (1, 0, 0), f"*1 of 6 groups outside --warning ~:{LAG}: billing (lag *)"),
                (("--critical", f"~:{LAG}"), (2, 0, 1), f"1 of 6 groups outside --critical ~:{LAG}: billing (lag *)*"),
                (
                    ("--critical", f"~:{LAG // 5}", "--per-partition"),
                    (2, 0, 1),
                    f"1 of 6 groups outside --critical ~:{LAG // 5}: billing (orders/0 *, orders/3 *)*",
                ),
            ],
        ),
        (faults.nothing, [(("--group", "no-such-group"), (3, 0, 1), "1 of 1 groups NOTFOUND: no-such-group")]),
    ],
)
def test_a_group_that_stops_or_falls_behind_is_named_among_healthy_ones(
    platform: Platform, fault: Fault, asks: list[Ask]
) -> None:
    where = address(platform, "burrow")
    with fault(platform):
        for ask in asks:
            expect(where, *ask)
        assert asked(*where, "--group", "shipping").message.startswith("1 of 1 groups OK")
    assert asked(*where, "--warning", f"~:{LAG}").code == 0


@pytest.mark.parametrize(
    ("fault", "asks"),
    [
        (
            faults.target_down,
            [
                ((), (2, 0, 1), "4 of 5 targets up; 1 of 5 targets down: shop/{} (*connection refused)"),
                (
                    ("--job", "shop", "--min-up", "1"),
                    (0, 0, 0),
                    "1 of 2 targets up, enough for --min-up 1; 1 of 2 targets down: shop/{} (*)",
                ),
            ],
        ),
        (
            faults.never_scraped,
            [((), (3, 0, 1), "5 of 6 targets up; 1 of 6 targets never scraped yet: batch/127.0.0.1:*")],
        ),
        (
            faults.nothing,
            [
                (
                    ("--job", "shop", "--job", "payments"),
                    (2, 0, 1),
                    "2 of 2 targets up; 1 of 2 jobs asked for without targets: payments",
                ),
                (
                    ("--expect", "shop=3", "--expect", "burrow=1"),
                    (2, 0, 1),
                    "3 of 3 targets up; 1 of 2 jobs asked for with too few targets: shop (2 of 3)",
                ),
            ],
        ),
    ],
)
def test_a_target_that_is_not_up_is_named_among_healthy_ones(platform: Platform, fault: Fault, asks: list[Ask]) -> None:
    where = address(platform, "targets")
    with fault(platform):
        for more, codes, message in asks:
            expect(where, more, codes, message.format(platform.shop[0].instance))
        assert asked(*where, "--job", "burrow").message == "1 of 1 targets up"
    assert asked(*where).code == 0


@pytest.mark.parametrize(
    ("fault", "asks"),
    [
        (
            faults.rebalancing,
            [
                ((), (0, 0, 1), "1 of 1 clients REBALANCING: orders-app-* (3 threads alive)"),
                (("--rebalancing", "ready"), (0, 0, 0), "1 of 1 clients REBALANCING: orders-app-*"),
            ],
        ),
        (
            faults.lost_thread,
            [
                ((), (1, 0, 0), "1 of 1 clients with failed threads: orders-app-* (1 since *, 1 thread alive)"),
                (("--min-threads", "2"), (2, 0, 1), "1 * with fewer than 2 living threads: orders-app-* (1 thread *)"),
            ],
        ),
        (faults.all_threads_dead, [((), (2, 1, 1), "1 of 1 clients without a living thread: orders-app-*")]),
        (
            faults.dead_client,
            [
                ((), (2, 1, 1), "no Streams MBean, though the JVM answers (up *): its Streams clients have died *"),
                (("--grace", "1h"), (3, 0, 1), "* no Streams MBean yet, * --grace 1h"),
            ],
        ),
        (faults.closed_client, [((), (2, 1, 1), "no Streams MBean, * its Streams clients have died *")]),
        (faults.unstarted_client, [((), (1, 0, 1), "1 of 1 clients CREATED: orders-app-* (2 threads alive)")]),
        (faults.frozen_jvm, [(("--timeout", "300ms"), (2, 1, 1), "*: not a byte in 0.3s: process * is stopped")]),
        (faults.killed_jvm, [((), (2, 1, 1), "*: connection refused")]),
    ],
)
def test_a_streams_application_in_trouble_says_which_and_how(platform: Platform, fault: Fault, asks: list[Ask]) -> None:
    with fault(platform):
        for system in ("exporter", "jolokia", "jmx"):
            for ask in asks:
                expect(address(platform, system), *ask)
    for system in ("exporter", "jolokia", "jmx"):
        assert asked(*address(platform, system)).message == "1 of 1 clients RUNNING, 2 threads alive"
