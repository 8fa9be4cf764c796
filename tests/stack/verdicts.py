"""What the streams probe has to say in every situation, to whoever asks, by every way of asking.

The table is the design's; test_verdicts.py holds it against real applications, and docs/streams.md shows it.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.probes.kit.command import stetho
from tests.stack.process import get, wait_for
from tests.stack.prometheus import Prometheus
from tests.stack.situations import Situation, situations
from tests.stack.versioned_app import VersionedApp, all_versions, numbers

PURPOSES = ("alert", "liveness", "readiness")
OK, WARNING, CRITICAL, UNKNOWN = range(4)
STUCK_FOR = "3s"  # less than a situation lasts before it is measured


@dataclass(frozen=True)
class Verdict:
    """Exit codes: to an alert, to a livenessProbe, to a readinessProbe; and to an alert with `--max-poll-age`."""

    alert: int
    liveness: int
    readiness: int
    polls: int


WELL = Verdict(OK, 0, 0, OK)
DEAD = Verdict(CRITICAL, 1, 1, CRITICAL)

VERDICTS = {
    "no client": DEAD,  # --grace forgives it for as long as an application may take to start
    "created": Verdict(WARNING, 0, 1, WARNING),
    "starting": Verdict(OK, 0, 1, CRITICAL),  # a thread that makes its tasks ready for so long does not poll
    "running": WELL,
    "rebalancing": Verdict(OK, 0, 1, CRITICAL),
    "one thread wedged": Verdict(OK, 0, 0, CRITICAL),
    "two clients": WELL,
    "one of two closed": WELL,
    "one thread replaced": Verdict(WARNING, 0, 0, WARNING),
    "one thread dead": Verdict(WARNING, 0, 0, WARNING),
    "all threads dead": DEAD,
    "closed after that": DEAD,
    "pending error": DEAD,
    "error": DEAD,
    "pending shutdown": Verdict(WARNING, 0, 1, CRITICAL),  # it hangs in the wedged thread
    "closed": DEAD,
    "global table only": WELL,
    "JVM stopped": DEAD,
    "JVM killed": DEAD,
}
# Prometheus that cannot scrape a JVM is no evidence that it is dead.
UNSCRAPED = {name: Verdict(CRITICAL, 0, 1, CRITICAL) for name in ("JVM stopped", "JVM killed")}


def expected(version: str, situation: str, way: str) -> Verdict:
    """The verdict in a situation, for what this version of Kafka Streams tells."""
    verdict = VERDICTS[situation]
    if way == "prometheus" and situation in UNSCRAPED:
        return UNSCRAPED[situation]
    if situation == "one thread dead" and numbers(version) < (2, 8):
        verdict = WELL  # failed threads are counted since 2.8; before it, --min-threads tells
    if situation == "global table only" and numbers(version) < (2, 6):
        return Verdict(OK, 0, 0, UNKNOWN)  # nothing tells that it needs no thread, so none is seen to poll
    if numbers(version) < (2, 4) and verdict != DEAD:
        # Neither a state nor the last poll: a client with a living thread is well, and never known to be ready.
        return Verdict(OK, 0, 1, UNKNOWN)
    return verdict


def ways(app: VersionedApp, prometheus: Prometheus) -> dict[str, list[str]]:
    """Each way of asking, as the command line says it."""
    matcher = f'instance="{app.exporter_target}"'
    return {
        "jmx": ["--jmx", app.jmx],
        "jolokia": ["--jolokia", app.jolokia_url],
        "exporter": ["--exporter", app.exporter_url],
        "prometheus": ["--prometheus", prometheus.url, "--app", matcher],
    }


def asked(app: VersionedApp, prometheus: Prometheus, each: Situation) -> Iterator[tuple[str, Verdict, str]]:
    """Every way of asking, what it said, and the messages that came with it."""
    scraped(prometheus, app, each)
    for way, arguments in ways(app, prometheus).items():
        calls = [["--as", purpose] for purpose in PURPOSES] + [["--max-poll-age", STUCK_FOR]]
        said = [stetho("probe", "streams", *arguments, *call, *patience(each, call)) for call in calls]
        codes = [done.returncode for done in said]
        yield way, Verdict(*codes), "; ".join(message(done.stdout) for done in said)


def patience(each: Situation, call: list[str]) -> list[str]:
    """A JVM that answers may take its time on a loaded machine; one that does not is not worth a person's waiting."""
    if each.answers:
        return ["--timeout", "5s"]
    return ["--timeout", "1s"] if call[-1] not in PURPOSES[1:] else []


def message(said: str) -> str:
    document: dict[str, Any] = json.loads(said)
    return f"{document['status']} {document['message']}"


def scraped(prometheus: Prometheus, app: VersionedApp, each: Situation) -> None:
    """Wait until Prometheus has seen what there is now: the second scrape that begins from now on has ended."""
    began = time.time()

    def seen() -> bool:
        (target,) = (one for one in targets(prometheus) if one["labels"]["instance"] == app.exporter_target)
        return str(target["lastScrape"]) > stamp(began + 1) and (target["health"] == "up") == each.answers

    wait_for(f"Prometheus to scrape {app.exporter_target}, {each.name}", seen, 60)


def targets(prometheus: Prometheus) -> list[dict[str, Any]]:
    _, body = get(prometheus.port, "/api/v1/targets?state=active")
    found: list[dict[str, Any]] = json.loads(body)["data"]["activeTargets"]
    return found


def stamp(moment: float) -> str:
    """As Prometheus writes a time, to the second: such texts sort as their times do."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))


def table() -> list[str]:
    """The verdicts as docs/streams.md shows them; where versions or ways differ, each in its words."""
    lines = [
        "| situation | `--as alert` | with `--max-poll-age` | `--as liveness` | `--as readiness` |",
        "|---" * 5 + "|",
    ]
    words = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
    newest = all_versions()[-1]
    for each in situations(newest):
        one = expected(newest, each.name, "jmx")
        lines.append(f"| {each.name} | {words[one.alert]} | {words[one.polls]} | {one.liveness} | {one.readiness} |")
    return lines
