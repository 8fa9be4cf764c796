"""The alerts that stetho raises about itself."""

from pathlib import Path

import pytest

from probes.kit.condition import Verdict
from rules import own
from rules.load import load
from rules.model import OWN_GROUP, Destination, Failure, Tick
from rules.questions import Instance, instances
from rules.state import Sighting, Watched

NOW = 1767225600.0
TICK = Tick(NOW, 60.0, 60.0)
MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN


def only(watched: dict[str, Watched]) -> tuple[str, Sighting]:
    [(key, one)] = watched.items()
    [sighting] = one.sightings
    assert (sighting.instance, sighting.group) == (key, OWN_GROUP)
    return key, sighting


@pytest.mark.parametrize(
    ("reached", "silent", "verdict"),
    [
        (0, 0, UNKNOWN),  # nothing was asked
        (1, 0, NOT_MET),
        (0, 3, UNKNOWN),  # too few to tell
        (1, 2, NOT_MET),
        (3, 1, NOT_MET),
        (2, 2, MET),  # half
        (3, 2, NOT_MET),
        (0, 4, MET),
        (50, 50, MET),
        (51, 49, NOT_MET),
    ],
)
def test_half_of_at_least_four_hosts_silent_is_our_own_fault(reached: int, silent: int, verdict: Verdict) -> None:
    hosts = {f"up{n}": True for n in range(reached)} | {f"down{n}": False for n in range(silent)}
    assert bool(own.blind(hosts)) is (verdict is MET)
    key, sighting = only(own.watch_blind(hosts, TICK))
    assert (key, sighting.verdict) == ("StethoBlind", verdict)
    assert sighting.labels == {"alertname": "StethoBlind", "severity": "critical"}


def test_being_blind_names_the_first_hosts_and_counts_the_others() -> None:
    why = own.blind({f"h{n}": False for n in range(7)})
    assert why == "7 of 7 hosts cannot be reached from here, so the fault seems ours: h0, h1, h2, h3, h4 and 2 more"


RULES = """
groups:
- name: g
  labels: {team: orders}
  rules:
  - {alert: A, probe: connect, with: {url: "http://u:p@one:1/x?q=1"}, labels: {severity: critical, area: connect}}
  - {alert: B, probe: connect, with: {url: "http://one:1/y"}, labels: {severity: warning, area: connect}}
  - {alert: C, probe: targets, with: {url: "http://two:9090"}, labels: {severity: warning}}
  - {alert: D, probe: connect, with: {url: "${NOT_SET}"}}
"""


@pytest.fixture
def rules(tmp_path: Path) -> dict[str, Instance]:
    path = tmp_path / "rules.yml"
    path.write_text(RULES)
    loaded = load([path], {})
    return {instance.rule.name: instance for instance in instances(loaded.rules, loaded.defaults, {})}


def unjudged(rules: dict[str, Instance], reasons: dict[str, str], seeing: bool = True) -> dict[str, Sighting]:
    found = own.watch_unjudged(
        rules.values(), {rules[name].key: reason for name, reason in reasons.items()}, seeing, TICK
    )
    assert {watched.for_seconds for watched in found.values()} == {300.0}
    return {watched.sightings[0].labels["target"]: watched.sightings[0] for watched in found.values()}


def test_each_endpoint_is_watched_with_the_labels_that_its_rules_have_alike(rules: dict[str, Instance]) -> None:
    found = unjudged(rules, {})
    name = {"alertname": "StethoUnknown", "team": "orders"}
    assert {target: sighting.labels for target, sighting in found.items()} == {
        "http://one:1": {**name, "target": "http://one:1", "area": "connect"},
        "http://two:9090": {**name, "target": "http://two:9090", "severity": "warning"},
        "connect (no address)": {**name, "target": "connect (no address)"},
    }
    assert {sighting.verdict for sighting in found.values()} == {NOT_MET}


def test_what_cannot_be_judged_is_one_alert_for_each_endpoint_and_names_the_rules(rules: dict[str, Instance]) -> None:
    found = unjudged(rules, {"A": "HTTP 500", "B": "HTTP 404", "D": "NOT_SET is not set"})
    assert {target: sighting.verdict for target, sighting in found.items()} == {
        "http://one:1": MET, "http://two:9090": NOT_MET, "connect (no address)": MET,
    }  # fmt: skip
    one = found["http://one:1"]
    assert one.message == "2 of 2 rules that ask http://one:1 cannot be judged: HTTP 404"
    assert one.annotations == {"summary": one.message, "description": "rules not verified: A, B"}
    assert found["connect (no address)"].message.endswith("cannot be judged: NOT_SET is not set")


def test_while_we_are_blind_no_endpoint_is_blamed_or_cleared(rules: dict[str, Instance]) -> None:
    found = unjudged(rules, {"A": "not a byte"}, seeing=False)
    assert {sighting.verdict for sighting in found.values()} == {UNKNOWN}


def failure(destination: Destination, permanent: bool) -> Failure:
    return Failure(destination.id, "g", 1, NOW, 1, permanent, "JSON: answered HTTP 404 Not Found")


def test_only_a_failure_that_will_not_pass_by_itself_is_reported() -> None:
    slack, mail = Destination("ops", "slack://${TOKEN}"), Destination("ops", "${MAIL}")
    for permanent, verdict in ((True, MET), (False, NOT_MET)):
        found = own.watch_undelivered([slack, mail], [failure(slack, permanent)], TICK)
        first, second = (watched.sightings[0] for watched in found.values())
        assert (first.verdict, second.verdict) == (verdict, NOT_MET)
        assert first.labels["receiver"] == "ops"
        assert first.labels["destination"] != second.labels["destination"], "two of one receiver are two alerts"
    one = own.watch_undelivered([slack], [failure(slack, True)], TICK)
    assert only(one)[1].message == "receiver ops (slack) cannot be told: JSON: answered HTTP 404 Not Found"
    assert "TOKEN" not in repr(one)
