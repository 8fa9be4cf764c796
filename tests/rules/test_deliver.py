"""What is due is sent once, marked at once, and survives every kill; what is not sent stays owed."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rules.deliver import AT_ONCE, SPARE_SECONDS, Delivery, Ledger, deliver, sender
from rules.expand import expand
from rules.message import Message
from rules.model import Alert, Destination, Ended, Failure, Notice, State, Told
from rules.notify import AppriseNotifier, SendError
from rules.store import Store, StoreError, SweepMark
from tests.stack.capture import BROKEN, OK, SLACK_WEBHOOK_GONE, Answer, Capture
from tests.stack.process import free_port

# Apprise, up to Python 3.12, imports a module that 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

NOW = 1767225600.0
SOON = 20.0  # seconds to the deadline, far more than a test needs


def alert(name: str = "A") -> Alert:
    labels = {"alertname": name, "severity": "critical"}
    return Alert("g", labels, f"{name}/0", State.FIRING, {"summary": f"{name} is down"}, "m", NOW - 60, fired_at=NOW)


def notice(name: str = "A", text: str = "json://a.example.com", receiver: str = "ops", due: bool = True) -> Notice:
    return Notice(Destination(receiver, text), f"group of {name}", (alert(name),), (), due)


class Log:
    """A record that only remembers, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def begun(self, notice: Notice) -> None:
        pass

    def told(self, notice: Notice) -> None:
        self.lines.append(f"told {notice.group_key}")

    def failed(self, notice: Notice, error: SendError) -> None:
        self.lines.append(f"failed {notice.group_key}: {error}")


def soon() -> float:
    return time.monotonic() + SOON


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "stetho.db") as opened:
        yield opened


@pytest.fixture
def capture(tmp_path: Path) -> Iterator[Capture]:
    with Capture(tmp_path) as server:
        yield server


def tell(store: Store, notices: list[Notice], sweep: int = 1, environment: dict[str, str] | None = None) -> Delivery:
    """One sweep's delivery, everything real."""
    send = sender(AppriseNotifier(), lambda text: expand(text, environment or {}), NOW)
    return deliver(notices, send, ledger(store, sweep), soon())


def ledger(store: Store, sweep: int = 1) -> Ledger:
    return Ledger(store, "default", SweepMark(sweep, NOW))


def refuse(error: SendError) -> Callable[[Notice], None]:
    def send(_: Notice) -> None:
        raise error

    return send


def test_what_has_arrived_is_marked_and_what_has_not_is_remembered(store: Store, capture: Capture) -> None:
    capture.answer("127.0.0.1/gone", SLACK_WEBHOOK_GONE)
    capture.answer("127.0.0.1/broken", BROKEN)
    refused = f"json://127.0.0.1:{free_port()}/"
    texts = [capture.url("/well"), capture.url("/gone"), capture.url("/broken"), refused]
    assert tell(store, [notice(text=text) for text in texts]) == Delivery(sent=1, failed=3, left=0)
    one = notice(text=texts[0])
    assert store.told("default") == [
        Told(one.destination.id, alert().key, State.FIRING, NOW, "group of A", "ops", alert().labels, "A is down")
    ]
    failures = {failure.destination: failure for failure in store.failures("default")}
    assert failures[notice(text=texts[1]).destination.id] == Failure(
        notice(text=texts[1]).destination.id,
        "group of A",
        1,
        NOW,
        1,
        True,
        "JSON: answered HTTP 404 Not Found (no_service)",
    )
    assert not failures[notice(text=texts[2]).destination.id].permanent
    assert failures[notice(text=refused).destination.id].reason == "JSON: cannot be reached: connection refused"


def test_failures_in_a_row_are_counted_until_a_success(store: Store, capture: Capture) -> None:
    one, other = notice("A", capture.url("/x")), notice("B", capture.url("/x"))
    capture.answer("127.0.0.1/x", BROKEN)
    for sweep in (1, 2):
        tell(store, [one, other], sweep)
    assert {(f.group_key, f.count, f.sweep) for f in store.failures("default")} == {
        ("group of A", 2, 2), ("group of B", 2, 2),
    }  # fmt: skip
    answers = iter([OK, BROKEN])
    capture.answer("127.0.0.1/x", lambda: next(answers))
    tell(store, [one, other], 3)
    assert [(f.group_key, f.count, f.sweep) for f in store.failures("default")] == [("group of B", 1, 3)]


def test_what_is_not_due_is_not_sent() -> None:
    log = Log()
    assert deliver([notice("A", due=False), notice("B")], lambda _: None, log, soon()) == Delivery(sent=1)
    assert log.lines == ["told group of B"]


def test_nothing_to_send_starts_nothing() -> None:
    before = set(threading.enumerate())
    assert deliver([], lambda _: pytest.fail("sent"), Log(), soon()) == Delivery()
    assert set(threading.enumerate()) <= before


def test_one_destination_hears_one_notice_at_a_time_and_in_order() -> None:
    busy = threading.Lock()

    def send(_: Notice) -> None:
        assert busy.acquire(blocking=False), "two in flight to one destination"
        time.sleep(0.001)
        busy.release()

    log = Log()
    assert deliver([notice(str(n)) for n in range(20)], send, log, soon()) == Delivery(sent=20)
    assert log.lines == [f"told group of {n}" for n in range(20)]


def test_different_destinations_are_sent_to_at_the_same_time_but_not_too_many() -> None:
    together = threading.Barrier(AT_ONCE, timeout=10)
    flying, most = Counter[str](), []

    def send(_: Notice) -> None:
        flying["now"] += 1
        most.append(flying["now"])
        together.wait()  # breaks unless AT_ONCE of them are under way
        flying["now"] -= 1

    notices = [notice(text=f"json://{n}.example.com") for n in range(2 * AT_ONCE)]
    assert deliver(notices, send, Log(), soon()) == Delivery(sent=2 * AT_ONCE)
    assert max(most) <= AT_ONCE


def test_a_mark_is_committed_before_the_next_send_to_its_destination(store: Store, tmp_path: Path) -> None:
    seen: list[int] = []

    def send(_: Notice) -> None:
        with Store.open(tmp_path / "stetho.db") as other:
            seen.append(sum(row.state is State.FIRING for row in other.told("default")))
            other.record_failure("another", Failure("d", "g", 1, NOW, 1, False, "r"))  # no transaction is open

    deliver([notice(str(n)) for n in range(5)], send, ledger(store), soon())
    assert seen == [0, 1, 2, 3, 4]


def test_a_page_is_on_record_before_it_is_sent(store: Store, tmp_path: Path) -> None:
    seen: list[tuple[State, str]] = []

    def send(_: Notice) -> None:
        with Store.open(tmp_path / "stetho.db") as other:
            seen.extend((row.state, row.summary) for row in other.told("default"))

    deliver([notice()], send, ledger(store), soon())
    assert seen == [(State.PENDING, "A is down")]
    assert [row.state for row in store.told("default")] == [State.FIRING]


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (SendError("HTTP 500"), False),
        (SendError("HTTP 404", permanent=True), False),
        (SendError("it cut the line", unsure=True), True),
        (SendError("no answer", in_flight=True), True),
    ],
)
def test_of_a_page_surely_not_accepted_nothing_stays_on_record(store: Store, error: SendError, kept: bool) -> None:
    store.record_failure("default", Failure("ops/other", "g", 1, NOW, 1, False, "r"))
    assert deliver([notice()], refuse(error), ledger(store), soon()).failed == 1
    assert [row.state for row in store.told("default")] == [State.PENDING] * kept
    assert len(store.failures("default")) == 2, "an attempt is no success"


def test_a_refusal_forgets_no_page_that_may_have_arrived_before(store: Store) -> None:
    unsure = SendError("no answer", in_flight=True)
    for sweep, error in enumerate([unsure, SendError("HTTP 500")], 1):
        deliver([notice()], refuse(error), ledger(store, sweep), soon())
    assert [row.state for row in store.told("default")] == [State.PENDING]


def test_a_refusal_forgets_no_page_of_the_same_sweep_that_may_have_arrived(store: Store) -> None:
    both = iter([SendError("it cut the line", unsure=True), SendError("HTTP 500")])

    def send(_: Notice) -> None:
        raise next(both)

    deliver([notice(), notice()], send, ledger(store), soon())
    assert [row.state for row in store.told("default")] == [State.PENDING]


def test_a_refused_page_leaves_alone_what_was_told_before(store: Store) -> None:
    deliver([notice()], lambda _: None, ledger(store), soon())
    more = replace(notice(), firing=(alert("A"), alert("B")))
    deliver([more], refuse(SendError("HTTP 500")), ledger(store, 2), soon())
    assert [(row.labels["alertname"], row.state) for row in store.told("default")] == [("A", State.FIRING)]


def test_what_is_no_news_is_not_put_on_record_before(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Store, "record_attempt")
    over = replace(notice(), firing=(), ended=(Ended(alert(), ()),))
    deliver([over, replace(notice("B"), repeat=True)], lambda _: None, ledger(store), soon())
    assert {row.state for row in store.told("default")} == {State.RESOLVED, State.FIRING}


def test_a_page_that_cannot_be_put_on_record_is_not_sent() -> None:
    class Full(Log):
        def begun(self, notice: Notice) -> None:
            if notice.group_key.endswith("B"):
                raise StoreError("state s.db: the disk is full")

    sent: list[str] = []
    log = Full()
    with pytest.raises(StoreError, match="the disk is full"):
        deliver([notice("A"), notice("B"), notice("C")], lambda one: sent.append(one.group_key), log, soon())
    assert sent == ["group of A"]
    assert log.lines == ["told group of A"]


def test_marks_are_made_in_the_callers_thread() -> None:
    threads: list[threading.Thread] = []

    class Here(Log):
        def told(self, notice: Notice) -> None:
            threads.append(threading.current_thread())

        def failed(self, notice: Notice, error: SendError) -> None:
            threads.append(threading.current_thread())

    def send(one: Notice) -> None:
        if one.group_key.endswith("B"):
            raise SendError("no")

    deliver([notice("A"), notice("B")], send, Here(), soon())
    assert threads == [threading.current_thread()] * 2


def test_no_send_starts_near_the_deadline_and_the_rest_is_left() -> None:
    clock = [100.0]

    def send(_: Notice) -> None:
        clock[0] += 4

    log = Log()
    notices = [notice(str(n)) for n in range(9)]
    assert deliver(notices, send, log, 110.0, lambda: clock[0]) == Delivery(sent=3, left=6)
    assert clock[0] > 110 - SPARE_SECONDS
    assert deliver(notices, send, log, 0.0, lambda: clock[0]) == Delivery(left=9)
    assert len(log.lines) == 3


def test_a_send_that_never_returns_is_given_up_at_the_deadline() -> None:
    never = threading.Event()
    log = Log()
    notices = [notice("A"), notice("B"), notice("C", "json://c.example.com")]

    def send(one: Notice) -> None:
        if not one.group_key.endswith("C"):
            never.wait()

    done = deliver(notices, send, log, 10.0, lambda: 100.0 if log.lines else 0.0)  # it passes once C is told
    never.set()
    assert done == Delivery(sent=1, failed=1, left=1)
    assert log.lines[1] == ("failed group of A: not finished at the sweep's deadline; whether it arrived is not known")


def test_destinations_that_fail_slowly_do_not_starve_the_others() -> None:
    """16 dead ones come first; after their first turn the living are served to their end."""
    dead = [notice(f"{k}", f"json://dead{n}.example.com") for n in range(AT_ONCE) for k in range(3)]
    living = [notice(f"{k}", f"json://well{n}.example.com") for n in range(4) for k in range(3)]
    order: list[str] = []

    def send(one: Notice) -> None:
        text = one.destination.text
        order.append(text)
        if "dead" in text:
            # The first turn ends for all at once, the later ones only after all others are done.
            (first_turn if order.count(text) == 1 else all_well).wait(10)
            raise SendError("no")
        if sum("well" in sent for sent in order) == len(living):
            all_well.set()

    first_turn, all_well = threading.Event(), threading.Event()
    threading.Timer(0.05, first_turn.set).start()
    done = deliver(dead + living, send, Log(), soon())
    assert done == Delivery(sent=len(living), failed=len(dead))


def test_a_destination_that_may_still_be_receiving_is_sent_nothing_more_in_this_sweep() -> None:
    def send(one: Notice) -> None:
        if "slow" in one.destination.text:
            raise SendError("no answer", in_flight=True)

    notices = [notice(name, f"json://{where}.example.com") for name in ("A", "B", "C") for where in ("slow", "well")]
    assert deliver(notices, send, Log(), soon()) == Delivery(sent=3, failed=1, left=2)


def test_a_fault_in_one_notice_does_not_hold_up_the_others() -> None:
    def send(one: Notice) -> None:
        if one.group_key.endswith("A"):
            raise ZeroDivisionError("s3cret")

    log = Log()
    assert deliver([notice("A"), notice("B")], send, log, soon()) == Delivery(sent=1, failed=1)
    assert log.lines == ["failed group of A: a fault inside stetho: ZeroDivisionError", "told group of B"]


def test_a_store_that_fails_stops_the_sending_and_is_reported() -> None:
    class Full(Log):
        def told(self, notice: Notice) -> None:
            super().told(notice)
            raise StoreError("state s.db: the disk is full")

    sent: list[str] = []
    log = Full()
    both = threading.Barrier(2, timeout=10)

    def send(one: Notice) -> None:
        sent.append(one.group_key)
        both.wait()

    notices = [notice(name, f"json://{where}.example.com") for name in ("A", "B") for where in ("x", "y")]
    with pytest.raises(StoreError, match="the disk is full"):
        deliver(notices, send, log, soon())
    assert sent == ["group of A"] * 2
    assert log.lines == ["told group of A"] * 2, "also what was in flight is tried to be marked"


def test_the_url_is_expanded_just_before_the_send_and_is_in_no_mark(store: Store, capture: Capture) -> None:
    one = notice(text="json://${HOST}/hooks/${TOKEN}")
    environment = {"HOST": f"127.0.0.1:{capture.port}", "TOKEN": "s3crettoken"}
    assert tell(store, [one], environment=environment).sent == 1
    assert len(capture.requests("127.0.0.1/hooks/s3crettoken")) == 1
    capture.answer("127.0.0.1", Answer(500, "s3crettoken"))
    assert tell(store, [notice("B", one.destination.text)], environment=environment).failed == 1
    assert "s3cret" not in repr((store.told("default"), store.failures("default")))


def test_a_variable_that_is_not_set_is_a_permanent_failure_that_names_it(store: Store) -> None:
    assert tell(store, [notice(text="json://x/${NO_SUCH_TOKEN}/s3cret")]).failed == 1
    [failure] = store.failures("default")
    assert failure.reason == "the environment variable NO_SUCH_TOKEN is not set"
    assert failure.permanent


def test_the_notifier_gets_what_is_composed_for_the_notice() -> None:
    sent: list[tuple[str, Message]] = []

    class Fake:
        def send(self, destination_url: str, message: Message) -> None:
            sent.append((destination_url, message))

    sender(Fake(), lambda text: text + "!", NOW)(notice())
    [(url, message)] = sent
    assert (url, message.kind) == ("json://a.example.com!", "failure")
    assert message.title == "FIRING A: A is down"
