"""The alerts that stetho raises about itself: it is blind, it cannot judge, it cannot deliver.

Pure: no clock, no network, no store. They are ordinary alerts of a group of their own.
"""

from collections.abc import Collection, Iterable, Mapping

from probes.kit.condition import Verdict
from rules.judge import static_labels
from rules.model import OWN_GROUP, Destination, Failure, Labels, Tick
from rules.questions import Instance, Question
from rules.route import UNDELIVERED
from rules.state import Sighting, Watched

BLIND, UNJUDGED = "StethoBlind", "StethoUnknown"
UNJUDGED_FOR = 300.0  # seconds
FEWEST_HOSTS = 4  # of fewer, half may well be down


def blind(hosts: Mapping[str, bool]) -> str:
    """Why the fault seems to be ours: half or more of at least four hosts failed at network level; else nothing."""
    silent = sorted(host for host, reached in hosts.items() if not reached)
    if len(hosts) < FEWEST_HOSTS or 2 * len(silent) < len(hosts):
        return ""
    return f"{len(silent)} of {len(hosts)} hosts cannot be reached from here, so the fault seems ours: {_first(silent)}"


def watch_blind(hosts: Mapping[str, bool], tick: Tick) -> dict[str, Watched]:
    """Whether we see. With every host silent but too few of them to tell, nothing is raised or ended."""
    why = blind(hosts)
    verdict = Verdict.MET if why else Verdict.NOT_MET if any(hosts.values()) else Verdict.UNKNOWN
    labels = {"alertname": BLIND, "severity": "critical"}
    return {BLIND: _watched(BLIND, labels, verdict, why, "what it cannot see is held as it was", 0.0, tick)}


def watch_unjudged(
    instances: Iterable[Instance], unjudged: Mapping[str, str], seeing: bool, tick: Tick
) -> dict[str, Watched]:
    """One for each endpoint that rules ask. `unjudged`: why, by the key of each instance that could not be judged.

    While we are blind it is not the endpoints' fault: nothing is raised or ended.
    """
    waiting: dict[str, list[Instance]] = {}
    for instance in instances:
        waiting.setdefault(_endpoint(instance.question), []).append(instance)
    found = {}
    for endpoint, mine in waiting.items():
        failed = {instance.rule.name: unjudged[instance.key] for instance in mine if instance.key in unjudged}
        count = sum(instance.key in unjudged for instance in mine)
        why = (
            f"{count} of {len(mine)} rules that ask {endpoint} cannot be judged: {min(failed.values())}"
            if failed
            else ""
        )
        verdict = Verdict.UNKNOWN if not seeing else Verdict.MET if failed else Verdict.NOT_MET
        labels = {**_common(map(static_labels, mine)), "alertname": UNJUDGED, "target": endpoint}
        key, description = f"{UNJUDGED} {endpoint}", f"rules not verified: {_first(sorted(failed))}"
        found[key] = _watched(key, labels, verdict, why, description, UNJUDGED_FOR, tick)
    return found


def watch_undelivered(
    destinations: Iterable[Destination], failures: Iterable[Failure], tick: Tick
) -> dict[str, Watched]:
    """One for each destination: a failure that will not pass by itself is told through the fallback receiver."""
    permanent = {failure.destination: failure for failure in failures if failure.permanent}
    found = {}
    for destination in destinations:
        failure = permanent.get(destination.id)
        why = untold(destination, failure.reason) if failure else ""
        labels = {
            "alertname": UNDELIVERED,
            "severity": "critical",
            "receiver": destination.receiver,
            "destination": destination.id.rpartition("/")[2],
        }
        verdict = Verdict.MET if failure else Verdict.NOT_MET
        key = f"{UNDELIVERED} {destination.id}"
        found[key] = _watched(key, labels, verdict, why, "what it is owed stays owed", 0.0, tick)
    return found


def untold(destination: Destination, reason: str) -> str:
    """That a destination cannot be told, and why."""
    kind = f" ({destination.scheme})" if destination.scheme else ""
    return f"receiver {destination.receiver}{kind} cannot be told: {reason}"


def _endpoint(question: Question) -> str:
    return question.endpoint or f"{question.probe} (no address)"


def _watched(
    key: str, labels: Labels, verdict: Verdict, why: str, description: str, for_seconds: float, tick: Tick
) -> Watched:
    annotations = {"summary": why, "description": description}
    reason = "stetho cannot tell in this sweep"
    sighting = Sighting(OWN_GROUP, labels, annotations, why, key, verdict, reason)
    return Watched(tick, for_seconds, False, (sighting,))


def _common(all_labels: Iterable[Labels]) -> dict[str, str]:
    """The labels that all of them have alike."""
    sets = [set(labels.items()) for labels in all_labels]
    return dict(sorted(set.intersection(*sets)))


def _first(names: Collection[str]) -> str:
    return ", ".join(list(names)[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
