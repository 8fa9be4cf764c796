"""A whole sweep, again and again: real requests, store, Apprise and receivers; only the clock is ours."""

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from probes.kit.run import Answer
from rules.lock import held
from rules.model import State
from rules.store import Store, StoreError
from rules.sweep import Refused
from tests.rules.worker import Worker
from tests.rules.world import CONNECT, TASKS, TASKS_FOR_A_MINUTE, World
from tests.stack.capture import BROKEN, OK, SLACK_WEBHOOK_GONE, Capture

# Apprise, up to Python 3.12, imports a module that 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

HOUR, DAY = 3600.0, 86400.0
FIRING, RESOLVED = "FIRING TaskFailed: task sink/1 has failed", "RESOLVED TaskFailed: task sink/1 has failed"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Worker() as worker, Capture(tmp_path) as capture:
        yield World(tmp_path, worker, capture)


# --- the life of an alert -------------------------------------------------------------------------------------------


def test_an_alert_is_pending_then_firing_then_resolved_and_each_is_told_once(world: World) -> None:
    world.rules = TASKS_FOR_A_MINUTE
    assert world.sweep().document() | {"duration_ms": 0, "started": ""} == {
        "schema": 1, "name": "default", "started": "", "duration_ms": 0, "rules": 1, "questions": 1, "unknown": 0,
        "pending": 0, "firing": 0, "resolved": 0, "sent": 0, "failed": 0, "owed": 0, "missed": 0, "skipped": False,
    }  # fmt: skip
    world.worker.fail(1)
    pending = world.sweep()
    assert (pending.pending, pending.firing, pending.sent, world.heard()) == (1, 0, 0, [])
    firing = world.sweep()
    assert (firing.pending, firing.firing, firing.sent) == (0, 1, 1)
    assert world.heard() == [FIRING]
    assert world.last()["type"] == "failure"
    still = world.sweeps(3)
    assert (still.firing, still.sent, still.owed, world.heard()) == (1, 0, 0, [])
    world.worker.fail()
    resolved = world.sweep()
    assert (resolved.firing, resolved.resolved, resolved.sent) == (0, 1, 1)
    assert world.heard() == [RESOLVED]
    assert world.last()["type"] == "success"
    assert world.sweep().sent == 0
    with Store.open(world.state) as store:
        assert [store.live("default"), store.ended("default"), store.told("default")] == [[], [], []]


def test_what_mends_while_pending_is_nobodys_business(world: World) -> None:
    world.rules = TASKS_FOR_A_MINUTE
    world.worker.fail(1)
    world.sweep()
    world.worker.fail()
    assert world.sweeps(2).pending == 0
    assert world.heard() == []


def test_alerts_of_one_group_are_one_message_and_each_is_an_alert_of_its_own(world: World) -> None:
    world.worker.fail(0, 1, 2)
    assert (world.sweep().firing, len(world.heard())) == (3, 1)
    world.worker.fail(0)
    assert world.sweep().resolved == 2
    [title] = world.heard()
    assert title == "FIRING TaskFailed: task sink/0 has failed (2 ended)"


def test_unknown_holds_and_says_since_when(world: World) -> None:
    world.route = "{receiver: ops, group_interval: 1s, repeat_interval: 1s}"
    world.worker.fail(1)
    world.sweep()
    world.worker.says = (500, "out of order")
    held = world.sweep()
    assert (held.firing, held.unknown, held.resolved) == (1, 1, 0)
    assert world.heard() == [FIRING, FIRING]
    assert "not verified since 00:01 UTC: GET http://" in world.last()["message"]
    [alert] = [alert for alert in world.live() if alert.name == "TaskFailed"]
    assert "HTTP 500 'out of order'" in alert.unverified_reason
    world.worker.says = None
    world.sweep()
    assert "not verified" not in world.last()["message"]
    world.worker.fail()
    world.sweep()
    assert world.heard()[-1] == RESOLVED


def test_unknown_does_not_count_towards_for(world: World) -> None:
    world.rules = f"{TASKS}    for: 3m\n"
    world.worker.fail(1)
    world.sweeps(2)
    world.worker.says = (500, "")
    assert (world.sweeps(4).firing, world.live()[0].active_seconds) == (0, 60.0)
    world.worker.says = None
    assert world.sweep().pending == 1
    assert world.sweep().firing == 1


def test_an_item_that_has_gone_is_held_for_a_quarter_of_an_hour_then_closed(world: World) -> None:
    world.worker.fail(1)
    world.sweep()
    world.worker.tasks = {"sink": ["RUNNING"]}
    assert world.sweeps(15).firing == 1
    assert [alert.unverified_reason for alert in world.live()] == ["no longer in the list"]
    assert world.sweep().resolved == 1
    assert world.heard() == [FIRING, "NO LONGER REPORTED TaskFailed: task sink/1 has failed"]
    assert "which is not resolved" in world.last()["message"]


def test_an_alert_whose_rule_has_gone_is_closed_at_the_second_sweep(world: World) -> None:
    world.worker.fail(1)
    world.sweep()
    world.rules = CONNECT.replace("ConnectIll", "Other") + "    when: status == 'UNKNOWN'\n"
    assert (world.sweep().firing, world.heard()) == (1, [FIRING])
    assert world.sweep().resolved == 1
    assert world.heard() == ["NO LONGER WATCHED TaskFailed: task sink/1 has failed"]


def test_a_slip_in_the_rules_that_is_mended_at_once_closes_nothing(world: World) -> None:
    world.worker.fail(1)
    world.sweep()
    world.rules = CONNECT + "    when: status == 'UNKNOWN'\n"
    world.sweep()
    world.rules = TASKS
    assert world.sweeps(3).firing == 1
    assert world.heard() == [FIRING]


def test_items_that_cannot_be_told_apart_are_unknown_and_resolve_nothing(world: World) -> None:
    world.worker.fail(1)
    world.sweep()
    world.worker.tasks["sink"] = ["RUNNING"] * 3
    world.rules = TASKS.replace('task: "{{ $item.id }}"', 'task: "1"').replace("{{ $item.id }} has", "1 has")
    doubled = world.sweep(allow_removal=True)
    assert doubled.unknown == 1
    assert doubled.firing == 1
    assert world.heard() == [FIRING]
    assert "3 items or rules of group 'g' give the same labels" in world.live()[0].unverified_reason


@pytest.mark.parametrize("jump", [DAY, -HOUR, -DAY])
def test_a_clock_that_steps_neither_fires_nor_resolves_anything(world: World, jump: float) -> None:
    world.rules = f"{TASKS}    for: 10m\n"
    world.worker.fail(1)
    world.sweeps(4)  # three minutes count
    stepped = world.sweep(after=jump)
    assert (stepped.pending, stepped.firing) == (1, 0)
    assert world.live()[0].active_seconds == (180.0 + 180.0 if jump > 0 else 180.0)
    assert world.sweeps(8).firing == 1
    assert world.heard() == [FIRING]
    world.sweep(after=jump)
    world.worker.fail()
    assert world.sweep().resolved == 1
    assert world.heard() == [FIRING, RESOLVED], "repeat_interval counts as passed; nothing waits for what was set back"


def test_missed_sweeps_are_counted(world: World) -> None:
    world.sweeps(4)
    assert world.sweep(after=5 * 60).missed == 4
    assert world.sweep().missed == 0


# --- questions ------------------------------------------------------------------------------------------------------


def test_rules_with_the_same_question_or_request_share_one(world: World) -> None:
    named = CONNECT.replace("ConnectIll", "SinkIll") + "    with: {connector: sink}\n"
    world.rules = TASKS + CONNECT + named
    summary = world.sweep()
    assert (summary.rules, summary.questions, world.worker.asked.total()) == (3, 2, 1)


def test_a_missing_variable_makes_its_own_rule_unknown_and_no_other(world: World) -> None:
    url = CONNECT + '    with: {url: "${CONNECT}"}\n'
    world.rules = TASKS + url
    world.environment["CONNECT"] = world.worker.url
    world.worker.fail(1)
    assert world.sweep().firing == 2
    del world.environment["CONNECT"]
    missing = world.sweep()
    assert (missing.firing, missing.unknown, missing.resolved) == (2, 1, 0)
    [held] = [alert for alert in world.live() if alert.name == "ConnectIll"]
    assert held.unverified_reason.startswith("url: the environment variable CONNECT is not set (")
    world.worker.fail()
    assert world.sweep().resolved == 1, "of the rule that can be judged"


def test_a_fault_of_ours_in_one_answer_leaves_the_others_judged(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Answer.document

    def stumble(self: Answer) -> dict[str, object]:
        if "other" in self.target and self.data:
            raise RecursionError("a secret")
        return whole(self)

    monkeypatch.setattr(Answer, "document", stumble)
    world.rules = TASKS + CONNECT + f'    with: {{url: "{world.worker.url}/other"}}\n'
    world.worker.fail(1)
    summary = world.sweep()
    assert (summary.firing, summary.unknown) == (1, 1)


def test_a_hanging_target_costs_no_more_than_the_time_for_asking(world: World) -> None:
    world.rules = TASKS + CONNECT + "    with: {timeout: 60s}\n"
    world.sweep()
    world.worker.silent()
    begun = time.monotonic()
    summary = world.sweep(deadline=1.5)
    assert time.monotonic() - begun < 20, "and not 60 s"
    assert (summary.questions, summary.unknown, summary.firing) == (2, 2, 0)


# --- delivery -------------------------------------------------------------------------------------------------------


def test_what_failed_is_due_again_and_those_who_were_told_are_not_told_again(world: World) -> None:
    world.receivers["ops"].append(world.capture.url("/chat"))
    world.capture.answer("127.0.0.1/chat", BROKEN)
    world.worker.fail(1)
    first = world.sweep()
    assert (first.sent, first.failed, first.owed, first.undelivered) == (1, 1, 1, True)
    assert world.sweep().failed == 1
    world.capture.answer("127.0.0.1/chat", OK)
    mended = world.sweep()
    assert (mended.sent, mended.failed, mended.owed, mended.undelivered) == (1, 0, 0, False)
    assert (world.heard(), world.heard("/chat")) == ([FIRING], [FIRING])


def test_what_no_time_is_left_to_send_is_told_of_and_stays_owed(world: World) -> None:
    world.capture.answer("127.0.0.1/ops", BROKEN)
    world.worker.fail(1)
    refused = "receiver ops (json) cannot be told: JSON: answered HTTP 500 Internal Server Error (server_error)"
    assert world.sweep().troubles == (refused,)
    late = world.sweep(deadline=1.5)
    assert late.troubles == (refused, "messages not reached before the deadline: 1; they stay owed")
    assert (late.failed, late.owed, late.undelivered) == (0, 1, True)


def test_what_fired_and_ended_while_it_could_not_be_delivered_is_told_once_late(world: World) -> None:
    world.capture.answer("127.0.0.1/ops", BROKEN)
    world.worker.fail(1)
    world.sweep()
    world.worker.fail()
    world.sweep()
    world.capture.answer("127.0.0.1/ops", OK)
    world.sweeps(3)
    assert world.heard() == ["RESOLVED (told late) TaskFailed: task sink/1 has failed"]


def test_news_of_a_group_waits_for_group_interval_all_clears_too(world: World) -> None:
    world.route = "{receiver: ops, group_by: [alertname]}"  # 5m, as in Alertmanager
    world.worker.fail(1)
    world.sweep()
    world.worker.fail()
    waiting = world.sweep()
    assert (waiting.resolved, waiting.owed, waiting.sent, waiting.undelivered) == (1, 1, 0, False)
    assert world.sweeps(4).owed == 0
    assert world.heard() == [FIRING, RESOLVED]


def test_a_deleted_webhook_is_reported_through_the_fallback_until_it_works_again(world: World) -> None:
    world.receivers |= {"ops": [world.capture.url("/gone")], "boss": [world.capture.url("/boss")]}
    world.more = "fallback: boss\n"
    world.capture.answer("127.0.0.1/gone", SLACK_WEBHOOK_GONE)
    world.worker.fail(1)
    assert world.sweep().undelivered
    assert world.sweep().firing == 2
    told = "receiver ops (json) cannot be told: JSON: answered HTTP 404 Not Found (no_service)"
    assert world.heard("/boss") == [f"FIRING StethoUndelivered: {told}"]
    world.capture.answer("127.0.0.1/gone", OK)
    world.sweeps(2)
    assert world.heard("/gone") == [FIRING]
    assert world.heard("/boss") == [f"RESOLVED StethoUndelivered: {told}"]


def test_a_hanging_receiver_holds_up_neither_the_others_nor_the_end(world: World) -> None:
    world.receivers["ops"].append(world.capture.url("/slow"))
    world.capture.answer("127.0.0.1/slow", replace(OK, delay=30.0))
    world.worker.fail(1)
    begun = time.monotonic()
    summary = world.sweep(deadline=8.0)
    assert time.monotonic() - begun < 25
    assert (summary.sent, summary.failed, summary.owed) == (1, 1, 1)
    assert world.heard() == [FIRING]


def test_a_destination_that_has_gone_leaves_its_all_clears_to_its_receivers_others(world: World) -> None:
    world.receivers["ops"] = [world.capture.url("/old")]
    world.worker.fail(1)
    world.sweep()
    world.receivers["ops"] = [world.capture.url("/new")]
    world.sweep()
    assert (world.heard("/old"), world.heard("/new")) == ([FIRING], [FIRING])
    world.worker.fail()
    world.sweeps(2)
    assert (world.heard("/old"), world.heard("/new")) == ([], [RESOLVED])


def test_a_receiver_that_has_gone_leaves_its_all_clears_to_the_fallback(world: World) -> None:
    world.receivers["boss"] = [world.capture.url("/boss")]
    world.more = "fallback: boss\n"
    world.worker.fail(1)
    world.sweep()
    del world.receivers["ops"]
    world.route = "{receiver: night, group_interval: 1s}"
    world.receivers["night"] = []
    world.worker.fail()
    world.sweeps(2)
    assert (world.heard("/ops"), world.heard("/boss")) == ([FIRING], [RESOLVED])


def test_rotating_a_variable_of_a_receiver_loses_no_all_clear_and_repeats_no_page(world: World) -> None:
    world.receivers["ops"] = [world.capture.url("/${TOKEN}")]
    world.environment["TOKEN"] = "first"
    world.worker.fail(1)
    world.sweep()
    world.environment["TOKEN"] = "second"
    world.sweep()
    world.worker.fail()
    world.sweep()
    assert (world.heard("/first"), world.heard("/second")) == ([FIRING], [RESOLVED])


def test_a_missing_variable_of_a_receiver_keeps_it_owed_and_the_others_told(world: World) -> None:
    world.receivers["ops"].append("${CHAT_URL}")
    world.worker.fail(1)
    summary = world.sweep()
    assert (summary.sent, summary.failed, summary.owed) == (1, 1, 1)
    world.sweep()
    assert world.heard()[1].endswith("the environment variable CHAT_URL is not set")
    world.environment["CHAT_URL"] = world.capture.url("/chat")
    world.sweep()
    assert FIRING in world.heard("/chat")


# --- stetho's own alerts --------------------------------------------------------------------------------------------


@pytest.fixture
def hosts(world: World) -> Iterator[list[Worker]]:
    with ExitStack() as stack:
        found = [stack.enter_context(Worker(f"127.0.0.{number}")) for number in range(1, 9)]
        each = "".join(f'\n    - {{host: h{n}, url: "{worker.url}"}}' for n, worker in enumerate(found))
        world.rules = f'{CONNECT}    each:{each}\n    with: {{url: "{{{{ $each.url }}}}"}}\n'
        yield found


def names(world: World) -> list[str]:
    return sorted(alert.name for alert in world.live())


def test_when_half_the_hosts_are_silent_the_fault_is_ours(world: World, hosts: list[Worker]) -> None:
    hosts[0].fail(1)
    world.sweep()
    for worker in hosts[:4]:
        worker.stop()
    blind = world.sweep()
    assert (blind.questions, blind.unknown) == (8, 4)
    assert names(world) == ["ConnectIll", "StethoBlind"], "the one that fired before is held; the silent say nothing"
    assert world.last()["title"].startswith("FIRING StethoBlind: 4 of 8 hosts cannot be reached from here")
    for worker in hosts[:4]:
        worker.start()
    hosts[0].fail()
    world.sweep()
    assert names(world) == []
    assert [title.split(":")[0] for title in world.heard()] == [
        "FIRING ConnectIll", "FIRING StethoBlind", "RESOLVED ConnectIll", "RESOLVED StethoBlind",
    ]  # fmt: skip


def test_when_fewer_than_half_are_silent_the_fault_is_theirs(world: World, hosts: list[Worker]) -> None:
    for worker in hosts[:3]:
        worker.stop()
    world.sweep()
    assert names(world) == ["ConnectIll"] * 3


def test_who_cannot_be_judged_for_five_minutes_is_reported_once(world: World) -> None:
    world.rules = TASKS + CONNECT
    world.sweeps(3)
    world.worker.says = (503, "no leader")
    assert world.sweeps(5).firing == 0
    assert world.sweep().firing == 1
    assert world.sweeps(3).unknown == 1
    [title] = world.heard()
    assert title.startswith(
        f"FIRING StethoUnknown: 2 of 2 rules that ask {world.worker.url} cannot be judged: GET http"
    )
    assert "rules not verified: ConnectIll, TaskFailed" in world.last()["message"]
    assert "severity=critical" not in title
    world.worker.says = None
    world.sweep()
    assert world.heard() == [title.replace("FIRING", "RESOLVED")]


def test_whose_secret_is_missing_is_reported_by_address_and_all_is_clear_when_it_is_back(world: World) -> None:
    world.rules = CONNECT.replace("probe: connect", "probe: connect\n    with: {token: '${TOKEN}'}")
    world.environment = {"TOKEN": "s3cret"}
    world.sweep()
    world.environment = {}
    assert world.sweeps(6).firing == 1
    [title] = world.heard()
    assert title.startswith(f"FIRING StethoUnknown: 1 of 1 rules that ask {world.worker.url} cannot be judged: ")
    assert "cannot be judged: token: the environment variable TOKEN is not set (" in world.last()["message"]
    world.environment = {"TOKEN": "s3cret"}
    world.sweep()
    [title] = world.heard()
    assert title.startswith(f"RESOLVED StethoUnknown: 1 of 1 rules that ask {world.worker.url} ")


def test_a_list_that_cannot_be_learnt_because_its_server_is_down_is_reported_too(world: World) -> None:
    """Connect that refuses is CRITICAL, but a rule about its tasks can judge nothing."""
    world.sweeps(3)
    world.worker.stop()
    assert world.sweeps(6).firing == 1
    [title] = world.heard()
    assert title.startswith("FIRING StethoUnknown: 1 of 1 rules that ask ")


# --- the name, the lock, the store, the guard -------------------------------------------------------------------------


def test_a_second_sweep_of_the_name_is_skipped_and_does_nothing(world: World) -> None:
    with held(world.state, "default"):
        skipped = world.sweep()
        assert (skipped.skipped, skipped.questions, world.worker.asked.total()) == (True, 0, 0)
        assert not world.sweep(name="other").skipped
    assert not world.sweep().skipped


def test_a_sweep_waits_for_the_lock_and_then_has_its_whole_deadline(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()

    def hold() -> None:
        with held(world.state, "default"):
            taken.set()
            release.wait(60)

    taken = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    taken.wait(20)

    def waits(*given: Any) -> AbstractContextManager[bool]:
        threading.Timer(4.5, release.set).start()
        return held(*given)

    monkeypatch.setattr("rules.sweep.held", waits)
    summary = world.sweep(wait_lock=60.0, deadline=6.0)  # 4 s of them for asking: less than it waits
    holder.join()
    assert (summary.skipped, summary.unknown) == (False, 0)
    assert summary.duration_ms > 4000


def test_names_in_one_store_leave_each_others_alerts_alone(world: World) -> None:
    world.worker.fail(1)
    world.sweep()
    world.rules = CONNECT + "    when: status == 'UNKNOWN'\n"
    for _ in range(3):
        world.sweep(name="other")
    assert [alert.state for alert in world.live()] == [State.FIRING]
    assert world.heard() == [FIRING]


def four_firing(world: World) -> None:
    world.worker.tasks = {"sink": ["FAILED"] * 4}
    assert world.sweep().firing == 4
    world.heard()


def test_the_rules_of_many_firing_alerts_gone_at_once_is_taken_for_a_mistake(world: World) -> None:
    four_firing(world)
    world.rules = CONNECT + "    when: status == 'UNKNOWN'\n"
    asked = world.worker.asked.total()
    for _ in range(3):
        with pytest.raises(Refused, match=r"the rules of 4 of 4 firing alerts are gone: TaskFailed; .*--allow-removal"):
            world.sweep()
    assert world.worker.asked.total() == asked, "nothing is asked"
    assert len(world.live()) == 4
    assert world.sweep(allow_removal=True).firing == 4
    assert world.sweep().resolved == 4, "it need be said once"
    assert world.heard() == [
        "NO LONGER WATCHED 4 \N{MULTIPLICATION SIGN} TaskFailed: task sink/0 has failed, and 3 more"
    ]


def test_no_rules_at_all_is_taken_for_a_mistake(world: World) -> None:
    world.rules = ""
    with pytest.raises(Refused, match="no rules were loaded"):
        world.sweep()
    assert world.sweep(allow_removal=True).rules == 0


def test_a_store_that_cannot_be_used_is_said_in_words(world: World) -> None:
    (world.folder / "text").write_text("this is no database, and long enough to be taken for one" * 20)
    for state, said in [
        (world.folder / "text", "not a SQLite database"),
        (world.folder, "a folder, not a file"),
        (world.folder / "missing" / "stetho.db", "the folder .* does not exist"),
        (Path("/proc/stetho.db"), "."),
    ]:
        world.state = state
        with pytest.raises(StoreError, match=f"state {state}.*: {said}"):
            world.sweep()
    assert world.worker.asked.total() == 0


def test_a_store_that_fails_when_alerts_are_to_be_committed_sends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreError("state s.db: the disk is full")

    world.worker.fail(1)
    with monkeypatch.context() as patched:
        patched.setattr(Store, "record_sweep", full)
        with pytest.raises(StoreError):
            world.sweep()
    assert world.heard() == []
    assert world.sweep().sent == 1


# --- secrets, other scripts, size -------------------------------------------------------------------------------------


def test_text_of_any_script_comes_through_and_broken_text_breaks_nothing(world: World) -> None:
    name = "заказы-\N{COLLISION SYMBOL}"
    world.worker.tasks = {name: ["FAILED"]}
    world.worker.trace = "строка <b>1</b>\nline 2"
    world.sweep()
    assert world.heard() == [f"FIRING TaskFailed: task {name}/0 has failed"]
    world.worker.says = (200, world.worker.answer()[1].replace("\\u0437", "\\ud800", 1))
    broken = world.sweep()
    assert broken.firing == 2, "another name is another alert, and the first is held as missing"
    world.worker.says = None
    world.worker.tasks = {name: ["RUNNING"]}
    world.sweep()
    assert world.heard()[-1].endswith("task аказы-\N{COLLISION SYMBOL}/0 has failed (1 ended)")
    assert f"task {name}/0 has failed" in world.last()["message"]


@pytest.mark.parametrize("rules_of_each", [10, pytest.param(100, marks=pytest.mark.long)])
def test_thousands_of_rules_over_a_hundred_targets_make_a_hundred_requests(world: World, rules_of_each: int) -> None:
    with Worker("0.0.0.0") as worker:
        worker.tasks = {f"c{n}": ["RUNNING"] for n in range(100)}
        each = "".join(f"\n    - {{host: '127.0.0.{n}'}}" for n in range(1, 101))
        world.rules = "".join(
            CONNECT.replace("ConnectIll", f"Ill{n}")
            + f"    each: &each{n}{each}\n"
            + f"    with: {{url: 'http://{{{{ $each.host }}}}:{worker.port}', connector: c{n}}}\n"
            for n in range(rules_of_each)
        )
        summary = world.sweep(deadline=120.0)
    assert (summary.rules, summary.questions, summary.unknown) == (rules_of_each, 100 * rules_of_each, 0)
    assert worker.asked.total() == 100
