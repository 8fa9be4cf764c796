"""The state store: what a name's sweeps remember from one to the next.

Everything belongs to a sweep name. The SQL here is what PostgreSQL understands as well; what is SQLite's own is in
`rules.sqlite`. A store belongs to the thread that opened it.
"""

# ruff: noqa: S608 (what is put into the SQL are this module's own names; values are always parameters)

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from rules.model import Alert, Ending, EpisodeKey, Failure, Labels, State, Told
from rules.sqlite import StoreError, connect, plainly

__all__ = ["KEPT_SWEEPS", "Store", "StoreError", "SweepMark"]

KEPT_SWEEPS = 11  # marks: ten gaps, of which the usual interval is the median
FORGOTTEN_SWEEPS = 100  # a failure not renewed for so many sweeps is of a notice that nobody is owed any more

_ALERT = (
    "name, alert_group, fingerprint, started_at, labels, instance, state, annotations, message, active_seconds, "
    "fired_at, last_firing_at, ended_at, ending, unverified_since, unverified_reason, missing_seconds, unwatched_sweeps"
)
_TOLD = "name, alert_group, fingerprint, started_at, destination, state, at, group_key, receiver, labels, summary"
_FAILURE = "name, destination, group_key, count, at, sweep, permanent, reason"
_EPISODE = "name = ? AND alert_group = ? AND fingerprint = ? AND started_at = ?"

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class SweepMark:
    """One sweep of a name: its number, from 1 without gaps, and when it started (seconds since the epoch)."""

    number: int
    started_at: float


class Store:
    """An open store, to be used as a context manager."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path, self._db = path, connection

    @classmethod
    def open(cls, path: Path, *, create: bool = True) -> Self:
        """Open the SQLite file, first bringing an older one up to this version. StoreError when it cannot be used.

        `create=False` is for commands that only look: a file that is not there is an error then.
        """
        path = path.absolute()  # SQLite gives names such as `:memory:` a meaning of their own
        return cls(path, connect(path, create))

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def names(self) -> list[str]:
        """The names that have swept with this store."""
        return [row[0] for row in self._rows("SELECT DISTINCT name FROM sweep ORDER BY name")]

    def sweeps(self, name: str, last: int = KEPT_SWEEPS) -> list[SweepMark]:
        """The name's last sweeps, newest first; no more than `KEPT_SWEEPS` are remembered."""
        sql = "SELECT number, started_at FROM sweep WHERE name = ? ORDER BY number DESC LIMIT ?"
        return [SweepMark(*row) for row in self._rows(sql, name, last)]

    def live(self, name: str) -> list[Alert]:
        """The alerts that are pending or firing."""
        return [_alert(row) for row in self._alerts(name, "state <> 'resolved'")]

    def ended(self, name: str) -> list[Alert]:
        """The episodes that have ended and of which somebody may still be owed word."""
        return [_alert(row) for row in self._alerts(name, "state = 'resolved'")]

    def told(self, name: str) -> list[Told]:
        """What each destination was last told of each episode."""
        return [_told(row) for row in self._rows(f"SELECT {_TOLD} FROM told WHERE name = ? ORDER BY 2, 3, 4, 5", name)]

    def failures(self, name: str) -> list[Failure]:
        """The failures in a row of each notice at each destination."""
        sql = f"SELECT {_FAILURE} FROM failure WHERE name = ? ORDER BY destination, group_key"
        return [_failure(row) for row in self._rows(sql, name)]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, on the disk when it ends. Inside another transaction it is a part of that one."""
        if self._db.in_transaction:
            yield
            return
        with plainly(self._path):
            self._db.execute("BEGIN IMMEDIATE")  # at once: a reader that turns writer may find itself too late
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # SQLite has already rolled back when the disk is full
                    self._db.execute("ROLLBACK")
                raise

    def record_sweep(self, name: str, mark: SweepMark, live: Iterable[Alert], ended: Iterable[Alert]) -> None:
        """The sweep, all live alerts as they now are, and those that have just ended: one transaction.

        A stored live alert that is in neither list is forgotten: it was pending, and ended without ever firing.
        """
        rows = [_alert_row(name, alert) for alert in (*live, *ended)]
        with self.transaction():
            self._mark(name, mark)
            before = {row[:4]: row for row in self._alerts(name, "state <> 'resolved'")}
            gone = before.keys() - {row[:4] for row in rows}
            self._db.executemany(f"DELETE FROM alert WHERE {_EPISODE}", gone)
            self._upsert("alert", _ALERT, 4, [row for row in rows if before.get(row[:4]) != row])

    def record_told(self, name: str, rows: Iterable[Told], destination: str) -> None:
        """A notice has arrived at `destination`, which ends its back-offs. Committed when this returns."""
        with self.transaction():
            self._upsert("told", _TOLD, 5, [_told_row(name, told) for told in rows])
            self._db.execute("DELETE FROM failure WHERE name = ? AND destination = ?", (name, destination))

    def record_attempt(self, name: str, rows: Iterable[Told]) -> None:
        """A page is about to be sent, and may arrive though we never hear of it. Committed when this returns."""
        with self.transaction():
            self._upsert("told", _TOLD, 5, [_told_row(name, told) for told in rows])

    def record_failure(self, name: str, failure: Failure, refused: Iterable[Told] = ()) -> None:
        """A notice has not arrived; `refused` are rows of its attempt, when that is sure. Committed when it returns."""
        gone = [_told_row(name, told)[:5] for told in refused]
        with self.transaction():
            self._upsert("failure", _FAILURE, 3, [_failure_row(name, failure)])
            self._db.executemany(f"DELETE FROM told WHERE {_EPISODE} AND destination = ? AND state = 'pending'", gone)

    def prune(self, name: str, keep: set[EpisodeKey], dropped: Iterable[Told] = ()) -> None:
        """Forget the ended episodes not in `keep` with what was told of them, old sweep marks and old failures.

        A fire that was told stays even when its alert has gone, for somebody is owed the end; unless it is `dropped`.
        """
        kept = {_key(name, episode) for episode in keep}
        gone = [_told_row(name, told)[:5] for told in dropped]
        with self.transaction():
            live = {row[:4] for row in self._alerts(name, "state <> 'resolved'")}
            over = {row[:4] for row in self._alerts(name, "state = 'resolved'")} - kept
            settled = {row[:4] for row in self._rows(f"SELECT {_TOLD} FROM told WHERE name = ?", name)} - live - kept
            self._db.executemany(f"DELETE FROM alert WHERE {_EPISODE}", over)
            self._db.executemany(f"DELETE FROM told WHERE {_EPISODE}", over)
            self._db.executemany(f"DELETE FROM told WHERE {_EPISODE} AND state = 'resolved'", settled)
            self._db.executemany(f"DELETE FROM told WHERE {_EPISODE} AND destination = ?", gone)
            newest = max((mark.number for mark in self.sweeps(name, last=1)), default=0)
            self._db.execute("DELETE FROM sweep WHERE name = ? AND number <= ?", (name, newest - KEPT_SWEEPS))
            self._db.execute("DELETE FROM failure WHERE name = ? AND sweep <= ?", (name, newest - FORGOTTEN_SWEEPS))

    def _mark(self, name: str, mark: SweepMark) -> None:
        try:
            sql = "INSERT INTO sweep (name, number, started_at) VALUES (?, ?, ?)"
            self._db.execute(sql, (name, mark.number, mark.started_at))
        except sqlite3.IntegrityError:
            # The lock prevents it. Without this, two sweeps that went on from the same alerts would lose one's work.
            raise StoreError(f"state {self._path}: another process recorded sweep {mark.number} of {name!r}") from None

    def _alerts(self, name: str, which: str) -> list[Row]:
        return self._rows(f"SELECT {_ALERT} FROM alert WHERE name = ? AND {which} ORDER BY 2, 3, 4", name)

    def _rows(self, sql: str, *values: object) -> list[Row]:
        with plainly(self._path):
            return self._db.execute(sql, values).fetchall()

    def _upsert(self, table: str, columns: str, keys: int, rows: list[Row]) -> None:
        names = columns.split(", ")
        news = ", ".join(f"{column} = excluded.{column}" for column in names[keys:])
        sql = f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(names))})"
        self._db.executemany(f"{sql} ON CONFLICT ({', '.join(names[:keys])}) DO UPDATE SET {news}", rows)


def _plain(text: str) -> str:
    """Text that a database can hold: no lone surrogates (an answer's JSON may have them), no NUL (for PostgreSQL)."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


_encode = json.JSONEncoder(sort_keys=True).encode  # escapes to ASCII, so that any text comes back as it was


def _json(labels: Labels) -> str:
    return _encode(dict(labels))


def _key(name: str, episode: EpisodeKey) -> Row:
    return name, _plain(episode.group), episode.fingerprint, episode.started_at


def _alert_row(name: str, a: Alert) -> Row:
    ending = a.ending.value if a.ending else None
    return (
        *_key(name, a.key), _json(a.labels), _plain(a.instance), a.state.value, _json(a.annotations),
        _plain(a.message), a.active_seconds, a.fired_at, a.last_firing_at, a.ended_at, ending, a.unverified_since,
        _plain(a.unverified_reason), a.missing_seconds, a.unwatched_sweeps,
    )  # fmt: skip


def _alert(row: Row) -> Alert:
    (_, group, _, started_at, labels, instance, state, annotations, message, active_seconds, fired_at, last_firing_at,
     ended_at, ending, unverified_since, unverified_reason, missing_seconds, unwatched_sweeps) = row  # fmt: skip
    return Alert(
        group, json.loads(labels), instance, State(state), json.loads(annotations), message, started_at,
        active_seconds, fired_at, last_firing_at, ended_at, Ending(ending) if ending else None, unverified_since,
        unverified_reason, missing_seconds, unwatched_sweeps,
    )  # fmt: skip


def _told_row(name: str, t: Told) -> Row:
    episode = _key(name, t.episode)
    return (
        *episode, _plain(t.destination), t.state.value, t.at, _plain(t.group_key), _plain(t.receiver), _json(t.labels),
        _plain(t.summary),
    )  # fmt: skip


def _told(row: Row) -> Told:
    _, group, fingerprint, started_at, destination, state, at, group_key, receiver, labels, summary = row
    episode = EpisodeKey(group, fingerprint, started_at)
    return Told(destination, episode, State(state), at, group_key, receiver, json.loads(labels), summary)


def _failure_row(name: str, f: Failure) -> Row:
    return name, _plain(f.destination), _plain(f.group_key), f.count, f.at, f.sweep, f.permanent, _plain(f.reason)


def _failure(row: Row) -> Failure:
    _, destination, group_key, count, at, sweep, permanent, reason = row
    return Failure(destination, group_key, count, at, sweep, bool(permanent), reason)
