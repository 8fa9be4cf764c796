"""What a sweep saw: each instance's answer judged by its rule, as sightings of alerts.

Pure: no clock, no network, no store.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from probes.kit.condition import Condition, Judgement, Verdict
from probes.kit.run import fault
from rules.model import Labels, Tick
from rules.questions import Instance
from rules.state import Sighting, Watched
from rules.template import Template

BY_STATUS = {"OK": Verdict.NOT_MET, "WARNING": Verdict.MET, "CRITICAL": Verdict.MET, "UNKNOWN": Verdict.UNKNOWN}

Document = Mapping[str, Any]


def judge(instance: Instance, document: Document, tick: Tick) -> Watched:
    """What one instance's answer (the JSON object of its probe) says of its alerts.

    Never raises: a rule that brings up a fault of ours is not judged, and all others are.
    """
    rule = instance.rule
    around = tick, rule.for_seconds, rule.items is not None
    try:
        if rule.items is None:
            return Watched(*around, (_sighting(instance, document, document, {}),))
        elements = rule.items.elements(document)
        if elements is None:
            return Watched(*around, unknown=_why(document, rule.items.reason(document)))
        found = (_sighting(instance, document, {**document, "item": item}, {"$item": item}) for item in elements)
        return Watched(*around, tuple(found))
    except Exception as error:  # noqa: BLE001 - whatever it is, it says nothing about what was asked
        return Watched(*around, unknown=f"a fault inside stetho: {fault(error)}")


def unjudged(watched: Watched) -> str:
    """Why nothing at all could be judged; empty where something was, or there was nothing to judge."""
    verdicts = {sighting.verdict for sighting in watched.sightings}
    return watched.unknown or (watched.sightings[0].reason if verdicts == {Verdict.UNKNOWN} else "")


def _sighting(instance: Instance, document: Document, scope: Document, item: Mapping[str, object]) -> Sighting:
    rule = instance.rule
    judgement = _judgement(rule.when, scope)
    known = {**item, "$each": instance.each, "message": document["message"], "status": document["status"]}
    labels = dict(_labels(instance, known))
    annotations = _rendered(rule.annotations, {**known, "$labels": labels})
    reason = _why(document, judgement.reason) if judgement.verdict is Verdict.UNKNOWN else ""
    return Sighting(rule.group, labels, annotations, document["message"], instance.key, judgement.verdict, reason)


def _judgement(when: Condition | None, scope: Document) -> Judgement:
    return when.judge(scope) if when else Judgement(BY_STATUS[scope["status"]], "")


def _labels(instance: Instance, known: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """An alert's labels. An empty one is none, as in Prometheus."""
    own = _rendered(instance.rule.labels, known)
    all_labels = {"alertname": instance.rule.name, "target": instance.question.target, **instance.each, **own}
    return ((name, value) for name, value in all_labels.items() if value)


def _rendered(templates: Mapping[str, Template], known: Mapping[str, object]) -> dict[str, str]:
    return {name: template.render(known) for name, template in templates.items()}


def _why(document: Document, reason: str) -> str:
    """Why it could not be judged: the probe's own words when it could not learn, else what the condition missed."""
    return document["message"] if document["status"] == "UNKNOWN" or not reason else reason


def static_labels(instance: Instance) -> Labels:
    """The labels that an instance's alerts have whatever the answer is."""
    written = {name: template.text for name, template in instance.rule.labels.items() if not template.lookups}
    return {name: value for name, value in {**instance.each, **written}.items() if value}
