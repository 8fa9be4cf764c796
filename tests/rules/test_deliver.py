"""What is due is sent once, marked at once, and survives every kill; what is not sent stays owed."""

import random
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from rules.deliver import AT_ONCE, SPARE_SECONDS, Delivery, Ledger, deliver, sender
from rules.expand import expand
from rules.message import Message
from rules.model import Alert, Destination, Failure, Notice, State, Told
from rules.notify import AppriseNotifier, SendError
from rules.store import Store, StoreError
from tests.stack.capture import BROKEN, OK, SLACK_WEBHOOK_GONE, Answer, Capture
from tests.stack.process import free_port

# Apprise, up to Python 3.12, imports a module that 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

ROOT = Path(__file__).parents[2]
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
    return deliver(notices, send, Ledger(store, "default", sweep, NOW), soon())


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
    before = threading.active_count()
    assert deliver([], lambda _: pytest.fail("sent"), Log(), soon()) == Delivery()
    assert threading.active_count() == before


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
            seen.append(len(other.told("default")))
            other.record_failure("another", Failure("d", "g", 1, NOW, 1, False, "r"))  # no transaction is open

    deliver([notice(str(n)) for n in range(5)], send, Ledger(store, "default", 1, NOW), soon())
    assert seen == [0, 1, 2, 3, 4]


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


def test_a_send_that_never_returns_is_given_up_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.deliver.GRACE_SECONDS", 0.1)
    monkeypatch.setattr("rules.deliver.SPARE_SECONDS", 0.0)
    never = threading.Event()
    log = Log()
    notices = [notice("A"), notice("B"), notice("C", "json://c.example.com")]

    def send(one: Notice) -> None:
        if not one.group_key.endswith("C"):
            never.wait()

    done = deliver(notices, send, log, time.monotonic() + 0.2)
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
    assert failure.reason == "a destination of receiver ops: the environment variable NO_SUCH_TOKEN is not set"
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


SWEEP = """
import sys, time
from pathlib import Path
from rules.deliver import Ledger, deliver, sender
from rules.model import Alert, Destination, Notice, State
from rules.notify import AppriseNotifier
from rules.store import Store

def alert(name):
    return Alert("g", {"alertname": name}, "i", State.FIRING, {"summary": f"{name} is down"}, "m", 1.0, fired_at=1.0)

with Store.open(Path(sys.argv[1])) as store:
    told = {(row.destination, row.labels["alertname"]) for row in store.told("default")}
    notices = []
    for url in sys.argv[3:]:
        where = Destination("ops", url)
        names = [f"A{n}" for n in range(int(sys.argv[2])) if (where.id, f"A{n}") not in told]
        notices += [Notice(where, name, (alert(name),), (), True) for name in names]
    now = time.time()
    send = sender(AppriseNotifier(), str, now)
    done = deliver(notices, send, Ledger(store, "default", 1, now), time.monotonic() + 20)
    print(done.failed + done.left)
"""


def test_a_sweep_killed_at_any_moment_loses_nothing_and_repeats_one_for_each_destination(
    store: Store, capture: Capture, tmp_path: Path
) -> None:
    chance = random.Random(7)
    children: list[subprocess.Popen[str]] = []
    countdown: Iterator[int] = iter(())

    def answer() -> Answer:
        if next(countdown, None) == 0:
            if chance.random() < 0.5:
                children[-1].kill()  # before it can hear the answer
            else:
                threading.Timer(chance.random() * 0.01, children[-1].kill).start()
        return OK if chance.random() < 0.9 else BROKEN

    capture.answer("127.0.0.1", answer)
    paths, count, kills = ["/a", "/b", "/c"], 15, 0
    argv = [sys.executable, "-c", textwrap.dedent(SWEEP), str(tmp_path / "stetho.db"), str(count)]
    argv += [capture.url(path) for path in paths]
    for attempt in range(40):
        countdown = iter(range(chance.randrange(2, 12), -1, -1)) if attempt < 6 else iter(())
        child = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        children.append(child)
        left = child.communicate(timeout=60)[0]
        kills += child.returncode < 0
        if child.returncode == 0 and int(left) == 0:
            break
    assert kills >= 4, "the test did kill"
    for path in paths:
        titles = Counter(request.json()["title"] for request in capture.accepted(f"127.0.0.1{path}"))
        assert titles.keys() == {f"FIRING A{n}: A{n} is down" for n in range(count)}, "none is lost"
        assert titles.total() - count <= kills, "and none is repeated but what was in flight"
    assert len(store.told("default")) == len(paths) * count
