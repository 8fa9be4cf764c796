"""The alert state machine: a row for each of its rules, and what holds over any sequence of sweeps."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.kit.condition import Verdict
from rules.model import OWN_GROUP, Alert, Ending, State, Tick
from rules.state import MISSING, UNWATCHED, Settled, Sighting, Watched, removed, settle, step

MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN
PENDING, FIRING, RESOLVED = State.PENDING, State.FIRING, State.RESOLVED
NOW = 1_767_348_000.0
MINUTE = 60.0


def sighting(verdict: Verdict, instance: str = "orders/Down", *, reason: str = "", **labels: str) -> Sighting:
    named = {"alertname": instance.split("/")[-1], **labels}
    return Sighting("orders", named, {"summary": "new"}, "0 of 3 RUNNING", instance, verdict, reason)


def alert(state: State = FIRING, instance: str = "orders/Down", *, active: float = 0.0, **labels: str) -> Alert:
    fired = NOW - 5 * MINUTE if state is FIRING else None
    return Alert(
        "orders",
        {"alertname": instance.split("/")[-1], **labels},
        instance,
        state,
        {"summary": "old"},
        "1 of 3 RUNNING",
        started_at=NOW - 10 * MINUTE,
        active_seconds=active,
        fired_at=fired,
        last_firing_at=NOW - MINUTE if fired else None,
    )


def watching(*sightings: Sighting, items: bool = True, unknown: str = "", gap: float = MINUTE) -> Watched:
    return Watched(Tick(NOW, gap, MINUTE), 0.0, items, sightings, unknown)


def settled(live: Sequence[Alert], watched: Watched | None, now: float = NOW) -> Settled:
    return settle(live, {"orders/Down": watched} if watched else {"orders/Other": watching()}, now)


INACTIVE = None


@pytest.mark.parametrize(
    ("state", "active", "verdict", "wanted", "gap", "interval", "then"),
    [
        (INACTIVE, 0, MET, 0, 60, 60, FIRING),
        (INACTIVE, 0, MET, 120, 60, 60, PENDING),
        (INACTIVE, 0, MET, 10, 3600, 60, PENDING),  # a `for` above zero always needs a second sweep
        (INACTIVE, 0, MET, 1, None, 0, PENDING),  # a name's first sweep
        (INACTIVE, 0, NOT_MET, 0, 60, 60, INACTIVE),
        (INACTIVE, 0, UNKNOWN, 0, 60, 60, INACTIVE),
        (PENDING, 0, MET, 120, 60, 60, PENDING),
        (PENDING, 60, MET, 120, 60, 60, FIRING),
        (PENDING, 60, MET, 120, 31, 60, FIRING),  # a CronJob started late, and on time again
        (PENDING, 60, MET, 120, 30, 60, PENDING),  # half an interval is not forgiven
        (PENDING, 60, MET, 120, 59, 0, PENDING),  # the interval is not known yet: nothing is forgiven
        (PENDING, 60, MET, 120, 60, 0, FIRING),
        (PENDING, 0, MET, 10, 0, 60, FIRING),  # the second sweep, though the clock stepped back
        (PENDING, 60, NOT_MET, 120, 60, 60, INACTIVE),
        (PENDING, 110, UNKNOWN, 120, 60, 60, PENDING),
        (FIRING, 120, MET, 120, 60, 60, FIRING),
        (FIRING, 120, UNKNOWN, 120, 3600, 60, FIRING),
        (FIRING, 120, NOT_MET, 120, 60, 60, RESOLVED),
    ],
)
def test_an_alert_takes_the_step_that_its_verdict_asks_for(
    state: State | None,
    active: float,
    verdict: Verdict,
    wanted: float,
    gap: float | None,
    interval: float,
    then: State | None,
) -> None:
    before = alert(state, active=active) if state else None
    after = step(before, sighting(verdict), wanted, Tick(NOW, gap, interval))
    assert (after.state if after else None) is then


def test_a_pending_alert_counts_gaps_and_not_the_clock() -> None:
    after = step(alert(PENDING, active=60), sighting(MET), 600, Tick(NOW, 45.0, 60))
    assert after
    assert after.active_seconds == 105
    assert (after.fired_at, after.last_firing_at) == (None, None)


def test_the_gap_before_an_unknown_answer_counts_nothing() -> None:
    after = step(alert(PENDING, active=60), sighting(UNKNOWN, reason="refused"), 600, Tick(NOW, 60, 60))
    assert after
    assert after.active_seconds == 60
    assert after.unverified_reason == "refused"
    assert after.unverified_since == NOW - 9 * MINUTE  # the first minute was seen


def test_a_firing_alert_takes_the_newest_words_and_is_verified() -> None:
    held = replace(alert(), unverified_since=NOW - 120, unverified_reason="refused", missing_seconds=60)
    after = step(replace(held, unwatched_sweeps=1), sighting(MET), 0, Tick(NOW, 60, 60))
    assert after == replace(
        alert(), annotations={"summary": "new"}, message="0 of 3 RUNNING", last_firing_at=NOW, active_seconds=0
    )


def test_a_held_alert_keeps_its_words_and_says_since_when_it_is_not_verified() -> None:
    first = step(alert(), sighting(UNKNOWN, reason="refused"), 0, Tick(NOW, 60, 60))
    assert first == replace(alert(), last_firing_at=NOW, unverified_since=NOW - MINUTE, unverified_reason="refused")
    second = step(first, sighting(UNKNOWN, reason="timed out"), 0, Tick(NOW + 60, 60, 60))
    assert second
    assert (second.unverified_since, second.unverified_reason) == (NOW - MINUTE, "timed out")
    assert second.last_firing_at == NOW + 60


def test_a_resolved_alert_says_when_it_ended_and_is_verified() -> None:
    held = replace(alert(), unverified_since=NOW - 120, unverified_reason="refused")
    after = step(held, sighting(NOT_MET), 0, Tick(NOW, 60, 60))
    assert after == replace(alert(), state=RESOLVED, ended_at=NOW, ending=Ending.RESOLVED)


def test_each_item_is_an_alert_of_its_own() -> None:
    before = [alert(task="0"), alert(task="1")]
    after = settled(before, watching(sighting(NOT_MET, task="0"), sighting(MET, task="1"), sighting(MET, task="2")))
    assert {one.labels["task"]: one.state for one in after.live} == {"1": FIRING, "2": FIRING}
    assert [(one.labels["task"], one.ending) for one in after.ended] == [("0", Ending.RESOLVED)]


def test_a_list_that_could_not_be_learnt_holds_every_alert_of_the_instance() -> None:
    before = [alert(task="0"), alert(PENDING, task="1"), replace(alert(task="2"), missing_seconds=60.0)]
    after = settled(before, watching(unknown="GET http://connect: refused"))
    assert [one.state for one in after.live] == [FIRING, PENDING, FIRING]
    assert {one.unverified_reason for one in after.live} == {"GET http://connect: refused"}
    assert after.live[2].missing_seconds == 60  # UNKNOWN counts nothing, and forgets nothing
    assert not after.ended


def test_a_missing_item_is_held_fifteen_minutes_and_closed_as_no_longer_reported() -> None:
    live: tuple[Alert, ...] = (alert(task="0"), alert(PENDING, task="1"))
    for sweep in range(15):  # the first counts nothing: until then the item may have been there
        after = settled(live, watching())
        live = after.live
        assert [one.missing_seconds for one in live] == [sweep * MINUTE] * 2
        assert {one.unverified_reason for one in live} == {MISSING}
    after = settled(live, watching())
    assert [(one.labels["task"], one.ending) for one in after.ended] == [("0", Ending.UNREPORTED)]
    assert after.ended[0].unverified_since == NOW - MINUTE  # when it was last seen
    assert not after.live  # the pending one has gone without a word


def test_one_glimpse_of_a_short_list_closes_nothing() -> None:
    assert settled([alert(task="0")], watching(gap=86400)).live


@pytest.mark.parametrize("verdict", [MET, UNKNOWN])
def test_an_item_that_comes_back_has_not_been_missing(verdict: Verdict) -> None:
    away = replace(alert(task="0"), missing_seconds=800.0)
    (back,) = settled([away], watching(sighting(verdict, task="0", reason="?"))).live
    assert back.missing_seconds == 0


@pytest.mark.parametrize(
    ("verdict", "live", "ended"),
    [(MET, ["ERROR"], ["DEAD", "HUNG"]), (NOT_MET, [], ["DEAD", "HUNG"]), (UNKNOWN, ["DEAD", "HUNG"], [])],
)
def test_the_one_answer_of_a_rule_without_items_tells_of_all_its_alerts(
    verdict: Verdict, live: list[str], ended: list[str]
) -> None:
    before = [alert(phase="DEAD"), alert(phase="HUNG")]
    seen = sighting(verdict, reason="refused", phase="ERROR")
    after = settled(before, watching(seen, items=False))
    assert sorted(one.labels["phase"] for one in after.live) == live
    assert sorted(one.labels["phase"] for one in after.ended) == ended
    assert {one.ending for one in after.ended} <= {Ending.RESOLVED}
    if verdict is UNKNOWN:
        assert {one.unverified_reason for one in after.live} == {"refused"}


@pytest.mark.parametrize("verdicts", [(MET, MET), (MET, NOT_MET), (NOT_MET, NOT_MET)])
def test_two_sightings_with_equal_labels_are_unknown_and_say_so(verdicts: tuple[Verdict, Verdict]) -> None:
    same = [sighting(verdict, task="0") for verdict in verdicts]
    fresh = settled([], watching(*same, sighting(MET, task="1")))
    assert [one.labels["task"] for one in fresh.live] == ["1"]
    (doubled,) = fresh.doubled
    assert doubled.verdict is UNKNOWN
    assert doubled.reason == "2 items or rules of group 'orders' give the same labels: alertname='Down', task='0'"
    (held,) = settled([alert(task="0")], watching(*same)).live
    assert (held.state, held.unverified_reason) == (FIRING, doubled.reason)


def test_equal_labels_from_two_rules_hold_the_alerts_of_both() -> None:
    first = watching(sighting(MET, "a/Down"), items=False)
    second = watching(sighting(NOT_MET, "b/Down"), items=False)
    live = [alert(instance="a/Down", pod="0"), alert(instance="b/Down", pod="1")]
    after = settle(live, {"a/Down": first, "b/Down": second}, NOW)
    assert [one.labels["pod"] for one in after.live] == ["0", "1"]
    assert not after.ended


def test_equal_labels_in_two_groups_are_two_alerts() -> None:
    other = replace(sighting(MET), group="payments")
    after = settle([], {"orders/Down": watching(sighting(MET)), "payments/Down": watching(other)}, NOW)
    assert [one.group for one in after.live] == ["orders", "payments"]


def test_an_alert_whose_rule_has_gone_is_held_once_and_closed_at_the_second_sweep() -> None:
    first = settled([alert(), alert(PENDING, pod="1")], None)
    assert {one.unverified_reason for one in first.live} == {UNWATCHED}
    assert [one.last_firing_at for one in first.live] == [NOW, None]
    second = settled(first.live, None, NOW + 60)
    assert [(one.ending, one.ended_at) for one in second.ended] == [(Ending.UNWATCHED, NOW + 60)]
    assert not second.live


@pytest.mark.parametrize("watched", [watching(unknown="refused"), watching(), watching(sighting(UNKNOWN))])
def test_an_alert_whose_rule_comes_back_is_watched_again(watched: Watched) -> None:
    (back,) = settled([replace(alert(), unwatched_sweeps=1)], watched).live
    assert back.unwatched_sweeps == 0


def test_an_alert_goes_with_its_labels_when_another_rule_of_the_group_takes_it_over() -> None:
    (moved,) = settle([alert()], {"orders/New": watching(replace(sighting(MET), instance="orders/New"))}, NOW).live
    assert (moved.instance, moved.started_at) == ("orders/New", alert().started_at)


def test_every_group_has_its_own_tick_and_every_rule_its_own_for() -> None:
    watched = {
        name: Watched(Tick(NOW, gap, gap), wanted, True, (sighting(MET, name),))
        for name, gap, wanted in [("orders/Fast", 60.0, 300.0), ("orders/Slow", 300.0, 300.0)]
    }
    after = settle([alert(PENDING, name) for name in watched], watched, NOW)
    assert [one.state for one in after.live] == [PENDING, FIRING]


@pytest.mark.parametrize(
    ("firing", "kept", "instances", "reason"),
    [
        (0, 0, [], "no rules were loaded"),
        (4, 2, ["0", "1"], "the rules of 2 of 4 firing alerts are gone: 2, 3"),
        (4, 3, ["0", "1", "2"], None),
        (3, 0, ["other"], None),  # of fewer than four, nothing can be said
        (9, 1, ["0"], "the rules of 8 of 9 firing alerts are gone: 1, 2, 3, 4, 5 and 3 more"),
    ],
)
def test_rules_gone_at_once_are_taken_for_a_mistake(
    firing: int, kept: int, instances: list[str], reason: str | None
) -> None:
    assert removed([alert(instance=str(number)) for number in range(firing)], instances) == reason


def test_what_was_allowed_to_go_or_never_had_a_rule_does_not_count_as_gone() -> None:
    allowed = [replace(alert(instance=str(number)), unwatched_sweeps=1) for number in range(4)]
    own = [replace(alert(instance=str(number)), group=OWN_GROUP) for number in range(4, 8)]
    pending = [alert(PENDING, str(number)) for number in range(8, 12)]
    assert removed([*allowed, *own, *pending], ["other"]) is None


SEEN = st.sampled_from(["met", "not met", "unknown", "missing", "no list", "no rule", "double"])


@given(st.lists(st.tuples(SEEN, st.booleans()), max_size=40), st.integers(0, 300))
def test_only_evidence_ends_an_alert(sweeps: list[tuple[str, bool]], wanted: int) -> None:
    live: tuple[Alert, ...] = ()
    missing = gone = 0
    for number, (seen, items) in enumerate(sweeps):
        now = NOW + number * 60
        verdict = {"met": MET, "not met": NOT_MET}.get(seen, UNKNOWN)
        sightings = {"missing": (), "no list": (), "double": (sighting(MET), sighting(NOT_MET))}.get(
            seen, (sighting(verdict, reason="?"),)
        )
        unknown = "?" if seen == "no list" or (seen == "missing" and not items) else ""
        watched = Watched(Tick(now, 60, 60), wanted, items, sightings, unknown)
        before = live
        after = settle(before, {} if seen == "no rule" else {"orders/Down": watched}, now)
        live = after.live
        missing = missing + 1 if seen == "missing" and items else 0 if seen in ("met", "not met") else missing
        gone = gone + 1 if seen == "no rule" else 0
        if seen in ("unknown", "no list", "double"):
            assert [one.key for one in live] == [one.key for one in before]
            assert [one.active_seconds for one in live] == [one.active_seconds for one in before]
        for ended in after.ended:
            assert before[0].state is FIRING
            assert {Ending.RESOLVED: seen == "not met", Ending.UNREPORTED: missing > 15, Ending.UNWATCHED: gone == 2}[
                ended.ending or Ending.RESOLVED
            ]
        assert all(one.state is not RESOLVED for one in live)
        assert all(one.state is RESOLVED for one in after.ended)
