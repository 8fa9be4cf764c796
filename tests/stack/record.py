"""Records the cassettes: `python -m tests.stack.record` (`make cassettes`) starts the platform, breaks what there is
to break, and writes what its servers answer in each state to tests/cassettes/SYSTEM-STATE.yaml.

Recorded are the very questions of our probes, asked over plain httpx. No login and no place of this machine is kept,
and of an exporter's page (340 KB) only what tells of Streams, the exporter and the process.
"""

import contextlib
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import vcr

from probes.kit import catalog
from probes.kit.net import Found, JmxRequest, Reply, Request
from probes.kit.run import ALERT, LIVENESS, READINESS, run
from tests.cassettes.replay import CASSETTES
from tests.stack import faults
from tests.stack.faults import Fault
from tests.stack.platform import Platform

KEPT = (b"kafka_streams_stream_metrics_", b"kafka_streams_kafka_metrics_count", b"jmx_", b"process_")

Texts = dict[str, str]  # options by name, as written


@dataclass(frozen=True)
class System:
    """One kind of server: the probe that asks it, and where it is on a platform."""

    probe: str
    given: Callable[[Platform], Texts]
    more: Sequence[Texts] = field(default=({},))


SYSTEMS = {
    "connect": System(
        "connect", lambda p: {"url": p.connect.url}, ({}, {"connector": "orders-sink"}, {"connector": "no-such-sink"})
    ),
    "burrow": System("burrow", lambda p: {"url": p.burrow.url}, ({}, {"group": "no-such-group"})),
    "prometheus": System("targets", lambda p: {"url": p.prometheus.url}),
    "exporter": System("streams", lambda p: {"exporter": p.streams.exporter_url}),
    "jolokia": System("streams", lambda p: {"jolokia": p.streams.jolokia_url}),
}
STREAMS = ("exporter", "jolokia")
SCENES: Sequence[tuple[str, Sequence[str], Fault]] = (
    ("healthy", tuple(SYSTEMS), faults.nothing),
    ("failed-task", ("connect",), faults.failed_task),
    ("failed-connector", ("connect",), faults.failed_connector),
    ("paused", ("connect",), faults.paused_connector),
    ("stopped", ("connect",), faults.stopped_connector),
    ("lost-tasks", ("connect",), faults.lost_tasks),
    ("empty", ("connect",), faults.no_connectors),
    ("stopped", ("burrow",), faults.stopped_consumer),
    ("stalled", ("burrow",), faults.stalled_consumer),
    ("lagging", ("burrow",), faults.lagging_consumer),
    ("target-down", ("prometheus",), faults.target_down),
    ("never-scraped", ("prometheus",), faults.never_scraped),
    ("rebalancing", STREAMS, faults.rebalancing),
    ("lost-thread", STREAMS, faults.lost_thread),
    ("all-threads-dead", STREAMS, faults.all_threads_dead),
    ("dead", STREAMS, faults.dead_client),
    ("closed", STREAMS, faults.closed_client),
    ("created", STREAMS, faults.unstarted_client),
)


class Asking:
    """The Net of a recording: every question goes through httpx, which vcrpy listens to."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def request(self, request: Request) -> Reply:
        # Uncompressed, as the cold client asks: the bytes in the cassette are those that both clients see.
        headers = [*request.headers, ("accept-encoding", "identity")]
        reply = self._client.request(request.method, request.url, headers=headers, content=request.body or None)
        return Reply(reply.status_code, dict(reply.headers), reply.content)

    def jmx(self, request: JmxRequest) -> list[Found]:
        raise AssertionError("what is recorded is HTTP")

    def now(self) -> float:
        return time.time()

    def hurried(self) -> bool:
        return False


def record(platform: Platform, work: Path, system: str, state: str) -> None:
    """Ask one server all that its probe can ask, and write its answers to a new cassette."""
    wanted, path = SYSTEMS[system], CASSETTES / f"{system}-{state}.yaml"
    path.unlink(missing_ok=True)
    module = catalog.load(wanted.probe)
    listener = vcr.VCR(
        record_mode=vcr.mode.NEW_EPISODES,
        filter_headers=["authorization", "host", "connection", "user-agent"],
        before_record_response=lambda response: cleaned(response, str(work)),
    )
    with (
        httpx.Client(trust_env=False) as client,
        listener.use_cassette(str(path), allow_playback_repeats=True),
    ):
        for more in wanted.more:
            options = module.Options.build({**wanted.given(platform), **more})
            for purpose in (ALERT, LIVENESS, READINESS):
                said = run(wanted.probe, module, options, Asking(client), purpose)
                print(f"{path.stem}, {purpose}: {said.status} {said.message}")


def cleaned(response: dict[str, Any], work: str) -> dict[str, Any]:
    """The answer without what only this machine has, and without what no probe reads of an exporter's page."""
    body: bytes = response["body"]["string"]
    if body.startswith(b"# HELP"):
        body = b"".join(line for line in body.splitlines(keepends=True) if _series(line).startswith(KEPT))
    for own, neutral in ((work, "/stack"), (socket.gethostname(), "localhost")):
        body = body.replace(own.encode(), neutral.encode())
    headers = dict(response["headers"])
    headers.update({name: [str(len(body))] for name in headers if name.lower() == "content-length"})
    return {**response, "headers": headers, "body": {"string": body}}


def _series(line: bytes) -> bytes:
    """The name of the series that a line of an exporter's page is about; a comment has it as its third word."""
    return line.split()[2] if line.startswith(b"#") else line


def main() -> None:
    with contextlib.ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stetho-record-")))
        platform = stack.enter_context(Platform(work))
        for state, systems, fault in SCENES:
            with fault(platform):
                for system in systems:
                    record(platform, work, system, state)


if __name__ == "__main__":
    main()
