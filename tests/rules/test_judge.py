"""What an answer says of a rule's alerts."""

from pathlib import Path
from typing import Any

import pytest

from probes.kit.condition import Condition, Verdict
from rules.judge import judge, static_labels, unjudged
from rules.load import load
from rules.model import Tick
from rules.questions import Instance, instances
from rules.state import Watched

TICK = Tick(1767225600.0, 60.0, 60.0)
MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN

TASKS = """
    items: data.tasks
    when: item.state == 'FAILED'
    labels: {connector: "{{ $item.connector }}", task: "{{ $item.id }}"}
    annotations: {summary: "{{ $labels.connector }}/{{ $item.id }} is {{ $item.state }} ({{ message }})"}
"""


@pytest.fixture
def rule(tmp_path: Path) -> "Rules":
    return Rules(tmp_path)


class Rules:
    """One rule of `connect`, ready to be judged."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "rules.yml"

    def __call__(self, rest: str = "", url: str = "http://h:8083") -> Instance:
        group = "groups:\n- name: g\n  labels: {team: orders}\n  rules:\n  - alert: A\n"
        self._path.write_text(f"{group}    probe: connect\n    with: {{url: '{url}'}}\n{rest}")
        loaded = load([self._path], {})
        return instances(loaded.rules, loaded.defaults, {})[0]


def answer(status: str = "OK", data: object = None, message: str = "1 of 3 tasks FAILED") -> dict[str, Any]:
    codes = {"OK": 0, "WARNING": 1, "CRITICAL": 2, "UNKNOWN": 3}
    return {
        "schema": 1, "probe": "connect", "target": "http://h:8083", "status": status, "code": codes[status],
        "message": message, "data": data, "time": "2026-01-02T03:04:05Z", "duration_ms": 1.0,
    }  # fmt: skip


def task(number: int, state: str | None = "RUNNING") -> dict[str, Any]:
    return {"connector": "sink", "id": number, "state": state, "worker": "w", "trace": None}


def tasks(*states: str | None) -> dict[str, Any]:
    found = [task(number, state) for number, state in enumerate(states)]
    return answer("CRITICAL", {"connectors": [], "tasks": found, "missing": []})


def verdicts(watched: Watched) -> list[Verdict]:
    return [sighting.verdict for sighting in watched.sightings]


@pytest.mark.parametrize(
    ("status", "verdict"), [("OK", NOT_MET), ("WARNING", MET), ("CRITICAL", MET), ("UNKNOWN", UNKNOWN)]
)
def test_without_when_the_probes_own_status_decides(rule: Rules, status: str, verdict: Verdict) -> None:
    assert verdicts(judge(rule(), answer(status), TICK)) == [verdict]


@pytest.mark.parametrize(
    ("when", "document", "verdict"),
    [
        ("status == 'WARNING'", answer("WARNING"), MET),
        ("status == 'WARNING'", answer("OK"), NOT_MET),
        ("status == 'WARNING'", answer("UNKNOWN"), UNKNOWN),
        ("status == 'UNKNOWN'", answer("UNKNOWN"), MET),
        ("length(data.tasks) > 1", tasks("RUNNING", "RUNNING"), MET),
        ("length(data.tasks) > 1", answer("CRITICAL"), UNKNOWN),  # it refused: data is null
        ("data.tasks[0].state == 'FAILED'", tasks(), UNKNOWN),
    ],
)
def test_when_decides_in_three_values(rule: Rules, when: str, document: dict[str, Any], verdict: Verdict) -> None:
    watched = judge(rule(f'    when: "{when}"'), document, TICK)
    assert verdicts(watched) == [verdict]
    assert bool(watched.sightings[0].reason) is (verdict is UNKNOWN)


def test_an_unknown_says_what_the_probe_says(rule: Rules) -> None:
    [sighting] = judge(rule(), answer("UNKNOWN", message="GET http://h: HTTP 500"), TICK).sightings
    assert sighting.reason == "GET http://h: HTTP 500"


def test_each_item_is_an_alert_with_labels_and_words_of_its_own(rule: Rules) -> None:
    watched = judge(rule(TASKS), tasks("RUNNING", "FAILED"), TICK)
    assert verdicts(watched) == [NOT_MET, MET]
    assert watched.has_items
    failed = watched.sightings[1]
    assert failed.labels == {
        "alertname": "A", "target": "http://h:8083", "team": "orders", "connector": "sink", "task": "1",
    }  # fmt: skip
    assert failed.annotations == {"summary": "sink/1 is FAILED (1 of 3 tasks FAILED)"}
    assert failed.message == "1 of 3 tasks FAILED"


def test_one_item_that_cannot_be_judged_leaves_the_others_alone(rule: Rules) -> None:
    watched = judge(rule(TASKS), tasks("FAILED", None, "RUNNING"), TICK)
    assert verdicts(watched) == [MET, UNKNOWN, NOT_MET]
    assert unjudged(watched) == ""


@pytest.mark.parametrize("document", [answer("UNKNOWN"), answer("CRITICAL", message="refused")])
def test_a_list_that_could_not_be_learnt_is_unknown_as_a_whole(rule: Rules, document: dict[str, Any]) -> None:
    watched = judge(rule(TASKS), document, TICK)
    assert watched.sightings == ()
    assert watched.has_items
    assert document["message"] in watched.unknown
    assert unjudged(watched) == watched.unknown


def test_an_empty_list_is_known_to_be_empty(rule: Rules) -> None:
    watched = judge(rule(TASKS), tasks(), TICK)
    assert (watched.sightings, watched.unknown, unjudged(watched)) == ((), "", "")


def test_all_items_unknown_is_a_rule_that_was_not_judged(rule: Rules) -> None:
    assert "state" in unjudged(judge(rule(TASKS), tasks(None, None), TICK))


def test_an_item_without_the_named_field_pages_all_the_same(rule: Rules) -> None:
    document = answer("CRITICAL", {"tasks": [{"id": 1, "state": "FAILED"}]})
    [sighting] = judge(rule(TASKS), document, TICK).sightings
    assert sighting.verdict is MET
    assert sighting.labels["connector"] == "<missing: connector>"


def test_a_label_that_comes_out_empty_is_none(rule: Rules) -> None:
    document = answer("CRITICAL", {"tasks": [{"connector": "", "id": 1, "state": "FAILED"}]})
    [sighting] = judge(rule(TASKS), document, TICK).sightings
    assert "connector" not in sighting.labels


def test_an_instance_without_a_target_has_no_target_label(tmp_path: Path, rule: Rules) -> None:
    [sighting] = judge(rule(url="${NOT_SET}"), answer("UNKNOWN"), TICK).sightings
    assert sighting.labels == {"alertname": "A", "team": "orders"}


def test_the_labels_of_each_name_the_alert_and_are_known_to_templates(tmp_path: Path) -> None:
    path = tmp_path / "rules.yml"
    path.write_text("""
groups:
- name: g
  rules:
  - alert: A
    each: [{pod: orders-0}]
    probe: connect
    with: {url: "http://{{ $each.pod }}:1"}
    labels: {host: "{{ $each.pod }}.local", severity: critical}
    annotations: {summary: "{{ $labels.pod }} of {{ $each.pod }}: {{ status }}"}
""")
    loaded = load([path], {})
    [instance] = instances(loaded.rules, loaded.defaults, {})
    [sighting] = judge(instance, answer("CRITICAL"), TICK).sightings
    assert sighting.labels["pod"] == "orders-0"
    assert sighting.labels["host"] == "orders-0.local"
    assert sighting.annotations == {"summary": "orders-0 of orders-0: CRITICAL"}
    assert static_labels(instance) == {"pod": "orders-0", "severity": "critical"}


def test_a_fault_of_ours_leaves_the_rule_unjudged_and_raises_nothing(
    rule: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(self: Condition, document: object) -> None:
        raise KeyError("a secret")

    monkeypatch.setattr(Condition, "judge", stumble)
    for one, document in ((rule(TASKS), tasks("FAILED")), (rule("    when: status == 'OK'"), answer())):
        watched = judge(one, document, TICK)
        assert watched.sightings == ()
        assert watched.unknown.startswith("a fault inside stetho: KeyError at tests.rules.test_judge:")
        assert "secret" not in watched.unknown
