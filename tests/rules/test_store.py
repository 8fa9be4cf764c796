"""What a sweep commits is there for the next, whatever happens to the process; and nothing else is."""

import json
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules import sqlite
from rules.model import Alert, Ending, EpisodeKey, Failure, State, Told, fingerprint
from rules.store import KEPT_SWEEPS, Store, StoreError, SweepMark

ROOT = Path(__file__).parents[2]


def alert(name: str = "A", state: State = State.FIRING, started_at: float = 10.5, message: str = "2 of 3") -> Alert:
    labels = {"alertname": name, "severity": "critical"}
    return Alert("g", labels, f"{name}/0", state, {"summary": f"{name} ≥ 3"}, message, started_at)


def resolved(one: Alert) -> Alert:
    return replace(one, state=State.RESOLVED, ended_at=99.0, ending=Ending.RESOLVED)


def told(one: Alert, destination: str = "ops/1", state: State = State.FIRING, at: float = 20.0) -> Told:
    return Told(destination, one.key, state, at, "group{}", destination.partition("/")[0], one.labels, "A ≥ 3")


def failure(destination: str = "ops/1", group_key: str = "group{}", count: int = 1, sweep: int = 1) -> Failure:
    return Failure(destination, group_key, count, 20.0, sweep, False, "Slack answered HTTP 500")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stetho.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(path) as opened:
        yield opened


def test_an_alert_comes_back_as_it_was_after_reopening(path: Path) -> None:
    plain = alert("Plain", State.PENDING)
    full = Alert(
        "group é", {"alertname": "Full", "x": "\"quoted\"\n\0\ud800"}, "file.yml:3/{}", State.FIRING, {"a": "b"},
        "message", 1767225600.123456, 61.25, 1.5, 2.5, 3.5, Ending.UNREPORTED, 4.5, "HTTP 500", 5.5, 2,
    )  # fmt: skip
    assert len(fields(Alert)) == 16, "a new field needs a column, and a value in `full`"
    with Store.open(path) as store:
        store.record_sweep("default", SweepMark(1, 1.0), [plain, full], [])
    with Store.open(path) as store:
        assert sorted(store.live("default"), key=lambda a: a.name) == [full, plain]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    labels=st.dictionaries(st.text(), st.text(), max_size=4),
    annotations=st.dictionaries(st.text(), st.text(), max_size=3),
    numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2),
)
def test_any_labels_and_times_come_back_as_they_were(
    tmp_path: Path, labels: dict[str, str], annotations: dict[str, str], numbers: list[float]
) -> None:
    one = Alert("g", {**labels, "alertname": "A"}, "i", State.FIRING, annotations, "m", numbers[0], numbers[1])
    with Store.open(tmp_path / "any.db") as store:
        name = f"sweep {len(store.names())}"
        store.record_sweep(name, SweepMark(1, 1.0), [one], [])
        assert store.live(name) == [one]
        assert store.live(name)[0].key == one.key


def test_text_that_no_database_holds_is_replaced_and_stops_no_sweep(store: Store) -> None:
    store.record_sweep("default", SweepMark(1, 1.0), [alert(message="a\ud800b\0c")], [])
    assert store.live("default")[0].message == "a?b\N{REPLACEMENT CHARACTER}c"


def test_the_alerts_of_a_sweep_are_those_it_recorded(store: Store) -> None:
    fires, pends, goes = alert("Fires"), alert("Pends", State.PENDING), alert("Goes", State.PENDING)
    store.record_sweep("default", SweepMark(1, 1.0), [fires, pends, goes], [])
    again = replace(fires, last_firing_at=2.0)
    store.record_sweep("default", SweepMark(2, 2.0), [again], [resolved(pends)])
    assert store.live("default") == [again]
    assert store.ended("default") == [resolved(pends)]


def test_a_second_fire_of_the_same_labels_is_another_episode(store: Store) -> None:
    first, second = alert(started_at=1.0), alert(started_at=50.0)
    store.record_sweep("default", SweepMark(1, 1.0), [first], [])
    store.record_sweep("default", SweepMark(2, 2.0), [second], [resolved(first)])
    assert (store.live("default"), store.ended("default")) == ([second], [resolved(first)])


def test_names_do_not_see_each_other(store: Store) -> None:
    for name in ("one", "two"):
        store.record_sweep(name, SweepMark(1, 1.0), [alert(name)], [])
        store.record_told(name, [told(alert(name))], "ops/9")
        store.record_failure(name, failure())
    store.record_sweep("one", SweepMark(2, 2.0), [], [])
    store.record_told("one", [], "ops/1")
    store.prune("one", set(), store.told("one"))
    assert store.names() == ["one", "two"]
    assert (store.live("one"), store.told("one"), store.failures("one")) == ([], [], [])
    assert store.live("two") == [alert("two")]
    assert store.told("two") == [told(alert("two"))]
    assert store.failures("two") == [failure()]


def test_sweeps_come_newest_first(store: Store) -> None:
    for number in range(1, 5):
        store.record_sweep("default", SweepMark(number, number * 60.0), [], [])
    assert store.sweeps("default") == [SweepMark(n, n * 60.0) for n in (4, 3, 2, 1)]
    assert store.sweeps("default", last=1) == [SweepMark(4, 240.0)]
    assert store.sweeps("other") == []


def test_a_sweep_number_is_taken_once(store: Store) -> None:
    store.record_sweep("default", SweepMark(1, 1.0), [alert("First")], [])
    with pytest.raises(StoreError, match="another process recorded sweep 1 of 'default'"):
        store.record_sweep("default", SweepMark(1, 2.0), [alert("Second")], [])
    assert store.live("default") == [alert("First")]


def test_what_was_told_last_replaces_what_was_told_before(store: Store) -> None:
    store.record_told("default", [told(alert("A")), told(alert("B"))], "ops/1")
    store.record_told("default", [told(alert("A"), state=State.RESOLVED, at=30.0)], "ops/1")
    store.record_told("default", [told(alert("A"), "ops/2")], "ops/2")
    rows = {(row.episode, row.destination): row for row in store.told("default")}
    assert len(rows) == 3
    assert rows[alert("A").key, "ops/1"] == told(alert("A"), state=State.RESOLVED, at=30.0)


def test_a_success_ends_all_failures_of_its_destination_and_no_other(store: Store) -> None:
    for one in (failure(), failure(group_key="other"), failure("ops/2")):
        store.record_failure("default", one)
    store.record_failure("default", failure(count=2, sweep=2))
    assert {f.count for f in store.failures("default") if f.group_key == "group{}"} == {1, 2}
    store.record_told("default", [told(alert())], "ops/1")
    assert store.failures("default") == [failure("ops/2")]


def test_an_attempt_is_no_success(store: Store) -> None:
    store.record_failure("default", failure())
    store.record_attempt("default", [told(alert(), state=State.PENDING)])
    assert store.failures("default") == [failure()]
    assert store.told("default") == [told(alert(), state=State.PENDING)]
    store.record_told("default", [told(alert(), at=21.0)], "ops/1")
    assert store.told("default") == [told(alert(), at=21.0)]


def test_a_refusal_forgets_its_attempt_and_nothing_that_was_told(store: Store) -> None:
    mine, other, before = alert("Mine"), alert("Other"), alert("Before")
    store.record_attempt("default", [told(mine, state=State.PENDING), told(other, state=State.PENDING), told(before)])
    store.record_attempt("default", [told(mine, "ops/2", State.PENDING)])
    store.record_attempt("another", [told(mine, state=State.PENDING)])
    store.record_failure("default", failure(), [told(mine, state=State.PENDING), told(before, state=State.PENDING)])
    assert {(row.labels["alertname"], row.destination, row.state) for row in store.told("default")} == {
        ("Other", "ops/1", State.PENDING),
        ("Before", "ops/1", State.FIRING),
        ("Mine", "ops/2", State.PENDING),
    }
    assert store.told("another") == [told(mine, state=State.PENDING)]
    assert store.failures("default") == [failure()]


def test_a_fire_that_may_have_been_told_outlives_its_alert_too(store: Store) -> None:
    perhaps = told(alert(), state=State.PENDING)
    store.record_attempt("default", [perhaps])
    store.prune("default", set())
    assert store.told("default") == [perhaps]
    store.prune("default", set(), [perhaps])
    assert store.told("default") == []


def test_pruning_forgets_what_nobody_is_owed(store: Store) -> None:
    live, owed, over = alert("Live"), alert("Owed"), alert("Over")
    store.record_sweep("default", SweepMark(1, 1.0), [live, owed, over], [])
    store.record_sweep("default", SweepMark(2, 2.0), [live], [resolved(owed), resolved(over)])
    rows = [told(live), told(owed), told(over, state=State.RESOLVED), told(over, "ops/2")]
    store.record_told("default", rows, "ops/1")
    store.prune("default", {owed.key})
    assert store.live("default") == [live]
    assert store.ended("default") == [resolved(owed)]
    assert {row.episode for row in store.told("default")} == {live.key, owed.key}


def test_a_fire_that_was_told_outlives_its_alert_until_it_is_dropped(store: Store) -> None:
    orphan, finished = told(alert("Orphan")), told(alert("Finished"), state=State.RESOLVED)
    store.record_told("default", [orphan, finished], "ops/1")
    store.prune("default", set())
    assert store.told("default") == [orphan]
    store.prune("default", set(), [orphan])
    assert store.told("default") == []


def test_an_end_told_to_one_is_remembered_while_another_is_owed_it(store: Store) -> None:
    one, other = told(alert(), state=State.RESOLVED), told(alert(), "ops/2")
    store.record_told("default", [one, other], "ops/1")
    store.prune("default", {alert().key})
    assert store.told("default") == [one, other]


def test_pruning_keeps_the_marks_that_the_usual_interval_needs(store: Store) -> None:
    for number in range(1, 40):
        store.record_sweep("default", SweepMark(number, float(number)), [], [])
    store.prune("default", set())
    assert [mark.number for mark in store.sweeps("default", last=99)] == list(range(39, 39 - KEPT_SWEEPS, -1))


def test_a_failure_that_is_never_renewed_is_forgotten(store: Store) -> None:
    store.record_failure("default", failure(sweep=1))
    store.record_failure("default", failure("ops/2", sweep=2))
    store.record_sweep("default", SweepMark(101, 1.0), [], [])
    store.prune("default", set())
    assert store.failures("default") == [failure("ops/2", sweep=2)]


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    store.record_sweep("default", SweepMark(1, 1.0), [alert()], [])

    def fails() -> None:
        with store.transaction():
            store.record_sweep("default", SweepMark(2, 2.0), [], [])
            store.record_failure("default", failure())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert store.sweeps("default") == [SweepMark(1, 1.0)]
    assert (store.live("default"), store.failures("default")) == ([alert()], [])


def test_unchanged_alerts_are_not_written_again(store: Store, path: Path) -> None:
    many = [alert(f"A{n}") for n in range(2000)]
    store.record_sweep("default", SweepMark(1, 1.0), many, [])
    wal = path.with_name("stetho.db-wal")
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    store.record_sweep("default", SweepMark(2, 2.0), many, [])
    assert wal.stat().st_size < 5 * 4200, "one mark, one page or two"
    assert store.live("default") == sorted(many, key=lambda a: a.fingerprint)


def test_ten_thousand_alerts_are_one_transaction(store: Store) -> None:
    statements: list[str] = []
    store._db.set_trace_callback(statements.append)
    store.record_sweep("default", SweepMark(1, 1.0), [alert(f"A{n}") for n in range(10_000)], [])
    assert [s for s in statements if s.startswith(("BEGIN", "COMMIT"))] == ["BEGIN IMMEDIATE", "COMMIT"]
    assert len(store.live("default")) == 10_000


def test_the_file_and_its_companions_are_private(path: Path) -> None:
    before = os.umask(0)
    try:
        with Store.open(path) as store:
            store.record_sweep("default", SweepMark(1, 1.0), [alert()], [])
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"stetho.db": 0o600, "stetho.db-wal": 0o600, "stetho.db-shm": 0o600}


def test_an_empty_file_made_beforehand_becomes_private(path: Path) -> None:
    path.touch(0o644)
    with Store.open(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_commit_is_on_the_disk_when_it_returns(store: Store) -> None:
    assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_a_file_of_a_newer_version_is_refused(path: Path) -> None:
    Store.open(path).close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {len(sqlite.SCHEMA) + 1}")
    db.close()
    with pytest.raises(
        StoreError, match=r"stetho\.db: written by a newer stetho \(schema 2, this version knows up to 1"
    ):
        Store.open(path)


def test_an_older_file_is_brought_up_step_by_step(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(path) as store:
        store.record_sweep("default", SweepMark(1, 1.0), [alert()], [])
    more = ("ALTER TABLE sweep ADD COLUMN finished_at DOUBLE PRECISION", "UPDATE sweep SET finished_at = 7")
    monkeypatch.setattr(sqlite, "SCHEMA", (*sqlite.SCHEMA, more))
    for _ in range(2):
        with Store.open(path) as store:
            assert store._db.execute("SELECT finished_at FROM sweep").fetchall() == [(7,)]
            assert store._db.execute("PRAGMA user_version").fetchone() == (2,)
            assert store.live("default") == [alert()]


def test_a_step_that_fails_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(path).close()
    with monkeypatch.context() as patch:
        patch.setattr(sqlite, "SCHEMA", (*sqlite.SCHEMA, ("CREATE TABLE extra (x TEXT)", "no such statement")))
        with pytest.raises(StoreError, match="syntax error"):
            Store.open(path)
    with Store.open(path) as store:
        assert store._db.execute("PRAGMA user_version").fetchone() == (1,)
        assert store._db.execute("SELECT name FROM sqlite_master WHERE name = 'extra'").fetchall() == []


def test_another_programs_database_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE alert (id INTEGER)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="a SQLite database of another program"):
        Store.open(path)
    assert path.read_bytes() == before


def _a_text_file(path: Path) -> Path:
    path.write_text("groups: []\n" * 200)
    return path


def _a_damaged_file(path: Path) -> Path:
    with Store.open(path) as store:
        store.record_sweep("default", SweepMark(1, 1.0), [alert(f"A{n}") for n in range(500)], [])
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    return path


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (_a_text_file, "not a SQLite database"),
        (_a_damaged_file, "the database is damaged"),
        (lambda path: path.parent, "a folder, not a file"),
        (lambda path: path.parent / "no" / "such" / "stetho.db", "the folder .*/no/such does not exist"),
        (lambda path: _a_text_file(path) / "stetho.db", "the folder .*/stetho.db does not exist"),
    ],
)
def test_what_is_no_store_is_named_and_told_why(path: Path, make: Callable[[Path], Path], says: str) -> None:
    def use() -> None:
        with Store.open(where) as store:
            store.record_sweep("default", SweepMark(2, 2.0), [], [])

    where = make(path)
    with pytest.raises(StoreError, match=f"state {where}: {says}"):
        use()


def test_looking_at_a_store_that_is_not_there_makes_none(path: Path) -> None:
    with pytest.raises(StoreError, match="there is no such file; no sweep has run with it yet"):
        Store.open(path, create=False)
    assert not path.exists()


def test_a_name_that_sqlite_gives_a_meaning_is_a_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    for name in (":memory:", "file:x?mode=memory"):
        Store.open(Path(name)).close()
        assert (path.parent / name).is_file()


def test_a_full_disk_is_named_and_the_store_stays_whole(store: Store) -> None:
    store.record_sweep("default", SweepMark(1, 1.0), [alert()], [])
    store._db.execute("PRAGMA max_page_count = 20")
    with pytest.raises(StoreError, match="the disk is full"):
        store.record_sweep("default", SweepMark(2, 2.0), [alert(f"A{n}") for n in range(5000)], [])
    assert store.live("default") == [alert()]
    assert store.sweeps("default") == [SweepMark(1, 1.0)]


UNPRIVILEGED = """
import os, sys
from pathlib import Path
from rules.store import Store, StoreError, SweepMark
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    with Store.open(Path(sys.argv[1])) as store:
        store.record_sweep("default", SweepMark(2, 2.0), [], [])
except StoreError as error:
    print(error)
"""


@pytest.mark.parametrize("made_before", [True, False])
def test_a_store_without_write_permission_is_named(made_before: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to the unprivileged
        path = Path(folder) / "stetho.db"
        if made_before:
            with Store.open(path) as store:
                store.record_sweep("default", SweepMark(1, 1.0), [], [])
            path.chmod(0o444)
        Path(folder).chmod(0o555)
        argv = [sys.executable, "-c", UNPRIVILEGED, str(path)]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
        Path(folder).chmod(0o755)
    says = "it cannot be (written|opened)" if made_before else "Permission denied"
    assert re.match(f"state {path}: {says}", done.stdout), done


def test_a_store_that_another_process_keeps_locked_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    with Store.open(path) as store, Store.open(path) as other:
        with store.transaction():
            store.record_sweep("one", SweepMark(1, 1.0), [alert()], [])
            with pytest.raises(StoreError, match="another process has kept it locked"):
                other.record_sweep("two", SweepMark(1, 1.0), [], [])
            assert other.live("one") == [], "a reader waits for nobody and sees the last commit"
        other.record_sweep("two", SweepMark(1, 1.0), [], [])
        assert other.live("one") == [alert()]


COMMITS = """
import sys
from pathlib import Path
from rules.model import Alert, State
from rules.store import Store, SweepMark
with Store.open(Path(sys.argv[1])) as store:
    number = max((mark.number for mark in store.sweeps("default")), default=0)
    while True:
        number += 1
        age = float(number)
        alerts = [Alert("g", {"alertname": f"A{n}"}, "i", State.FIRING, {}, "m", 1.0, age) for n in range(200)]
        store.record_sweep("default", SweepMark(number, age), alerts, [])
        print(number, flush=True)
"""


def test_a_process_killed_while_it_commits_leaves_whole_sweeps(path: Path) -> None:
    for lines in (1, 3, 2, 5, 4):
        child = subprocess.Popen(
            [sys.executable, "-c", COMMITS, path], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        said = [int(child.stdout.readline()) for _ in range(lines)][-1]
        child.send_signal(signal.SIGKILL)
        child.communicate()
        with Store.open(path) as store:
            newest = store.sweeps("default", last=1)[0].number
            assert newest >= said, "what was committed is there"
            alerts = store.live("default")
            assert len(alerts) == 200
            assert {one.active_seconds for one in alerts} == {float(newest)}, "all of one sweep, or none of it"
            assert store._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_key_of_an_episode_is_found_by_its_labels(store: Store) -> None:
    one = alert("A")
    store.record_sweep("default", SweepMark(1, 1.0), [one], [])
    assert store.live("default")[0].key == EpisodeKey("g", fingerprint(json.loads(json.dumps(one.labels))), 10.5)
