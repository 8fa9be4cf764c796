"""One sweep of a name at a time: a lock that dies with its owner, on a file beside the store's."""

import fcntl
import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rules.sqlite import plainly

POLL_SECONDS = 0.05  # flock cannot wait with a limit


def lock_path(path: Path, name: str) -> Path:
    """The lock file of a name: beside the store's file, by whatever path that was named."""
    real = path.resolve()
    # The words are for people; the hash keeps apart names that differ only in what a file name cannot show.
    words = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:40]
    return Path(f"{real}.{words}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}.lock")


@contextmanager
def held(path: Path, name: str, wait_seconds: float = 0.0) -> Iterator[bool]:
    """Hold the lock of sweep `name` in the store at `path`; False when another process still has it after the wait.

    The system releases it when this process ends, however it ends. The file stays: removing it would let two sweeps
    hold locks on two files of one name. StoreError when the file cannot be made.
    """
    place = lock_path(path, name)
    with plainly(place):
        # Python opens files close-on-exec: a child that outlives us does not keep the lock.
        file = os.open(place, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _taken(file, wait_seconds)
    finally:
        os.close(file)


def _taken(file: int, wait_seconds: float) -> bool:
    end = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            left = end - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(POLL_SECONDS, left))
