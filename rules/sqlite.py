"""The SQLite file under the store: opened private and durable, at this version's schema, its errors in words."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

BUSY_SECONDS = 5.0  # how long a statement waits for the sweep of another name to commit
APPLICATION_ID = 0x73746574  # "stet": tells our file from another program's database

# Step n makes version n of the schema out of version n - 1. A step that was released is never edited again.
# DOUBLE PRECISION and BOOLEAN mean to PostgreSQL what they say; SQLite takes any name.
SCHEMA: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE sweep (
            name TEXT NOT NULL, number INTEGER NOT NULL, started_at DOUBLE PRECISION NOT NULL,
            PRIMARY KEY (name, number))""",
        """CREATE TABLE alert (
            name TEXT NOT NULL, alert_group TEXT NOT NULL, fingerprint TEXT NOT NULL,
            started_at DOUBLE PRECISION NOT NULL, labels TEXT NOT NULL, instance TEXT NOT NULL, state TEXT NOT NULL,
            annotations TEXT NOT NULL, message TEXT NOT NULL, active_seconds DOUBLE PRECISION NOT NULL,
            fired_at DOUBLE PRECISION, last_firing_at DOUBLE PRECISION, ended_at DOUBLE PRECISION, ending TEXT,
            unverified_since DOUBLE PRECISION, unverified_reason TEXT NOT NULL,
            missing_seconds DOUBLE PRECISION NOT NULL, unwatched_sweeps INTEGER NOT NULL,
            PRIMARY KEY (name, alert_group, fingerprint, started_at))""",
        """CREATE TABLE told (
            name TEXT NOT NULL, destination TEXT NOT NULL, alert_group TEXT NOT NULL, fingerprint TEXT NOT NULL,
            started_at DOUBLE PRECISION NOT NULL, state TEXT NOT NULL, at DOUBLE PRECISION NOT NULL,
            group_key TEXT NOT NULL, receiver TEXT NOT NULL, labels TEXT NOT NULL, summary TEXT NOT NULL,
            PRIMARY KEY (name, alert_group, fingerprint, started_at, destination))""",
        """CREATE TABLE failure (
            name TEXT NOT NULL, destination TEXT NOT NULL, group_key TEXT NOT NULL, count INTEGER NOT NULL,
            at DOUBLE PRECISION NOT NULL, sweep INTEGER NOT NULL, permanent BOOLEAN NOT NULL, reason TEXT NOT NULL,
            PRIMARY KEY (name, destination, group_key))""",
    ),
)


class StoreError(Exception):
    """The store cannot be used: which one, and what went wrong."""


def connect(path: Path, create: bool) -> sqlite3.Connection:
    """A connection in autocommit, each commit on the disk when it returns. StoreError when the file cannot be used."""
    with plainly(path):
        _make_private(path, create)
        db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            version = _version(db, path)
            db.execute("PRAGMA journal_mode = WAL")
            # With NORMAL a power cut may undo the mark of what was already told, and it would be told again.
            db.execute("PRAGMA synchronous = FULL")
            if version < len(SCHEMA):
                _migrate(db, path)
        except BaseException:
            db.close()
            raise
    return db


def _make_private(path: Path, create: bool) -> None:
    """Mode 0600 before anything is in the file; SQLite gives its -wal and -shm the same."""
    try:
        empty = path.stat().st_size == 0
    except FileNotFoundError:
        if not create:
            raise StoreError(f"state {path}: there is no such file; no sweep has run with it yet") from None
        with suppress(FileExistsError):  # another sweep made it just now
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    else:
        if empty:
            path.chmod(0o600)


def _version(db: sqlite3.Connection, path: Path) -> int:
    """The schema version that the file has: 0 for a new one. StoreError for a file that is not ours to write."""
    version, owner = _pragma(db, "user_version"), _pragma(db, "application_id")
    if owner != APPLICATION_ID and db.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise StoreError(f"state {path}: a SQLite database of another program")
    if version > len(SCHEMA):
        raise StoreError(
            f"state {path}: written by a newer stetho (schema {version}, this version knows up to {len(SCHEMA)}); "
            "upgrade stetho or name another --state"
        )
    return version


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        for step in SCHEMA[_version(db, path) :]:  # read again: another sweep may have been first
            for statement in step:
                db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {len(SCHEMA)}")
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise


def _pragma(db: sqlite3.Connection, name: str) -> int:
    value: int = db.execute(f"PRAGMA {name}").fetchone()[0]
    return value


@contextmanager
def plainly(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system raise into a StoreError that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"state {path}: {_words(error, path)}") from error
    except OSError as error:
        raise StoreError(f"state {path}: {_system_words(error, path)}") from error


def _words(error: sqlite3.Error, path: Path) -> str:
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:  # the low byte; the rest is detail
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"another process has kept it locked for {BUSY_SECONDS:g} s"
        case sqlite3.SQLITE_FULL:
            return "the disk is full"
        case sqlite3.SQLITE_READONLY:
            return "it cannot be written: the file, its folder or the disk is read-only"
        case sqlite3.SQLITE_NOTADB:
            return "not a SQLite database"
        case sqlite3.SQLITE_CORRUPT:
            return f"the database is damaged ({error})"
        case sqlite3.SQLITE_CANTOPEN:
            return (
                "a folder, not a file"
                if path.is_dir()
                else "it cannot be opened, for want of permission or of its folder"
            )
        case _:
            return str(error)


def _system_words(error: OSError, path: Path) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return f"the folder {path.parent} does not exist"
    return error.strerror or type(error).__name__
