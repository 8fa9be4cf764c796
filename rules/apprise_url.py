"""Whether Apprise understands a URL, said without any of it but its scheme: the rest is made of secrets."""

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

from rules.notify import messages


def complaint(url: str) -> str:
    """Why the URL cannot be sent to; empty when it can."""
    scheme = re.match(r"([A-Za-z][A-Za-z0-9]{0,19})://", url)
    if not scheme:
        return "this is no Apprise URL; write one like mailto://user:${PASSWORD}@host or slack://${SLACK_TOKENS}"
    import apprise  # 190 ms with its plugins; only a check pays them

    with _silence():
        try:
            service = apprise.Apprise.instantiate(url)
        except (apprise.exception.AppriseException, TypeError):
            service = None
    if service is not None:
        return _crowd(messages(service))
    plugins: Any = apprise  # this corner of it has no types
    known = plugins.NotificationManager().schemas()
    name = scheme[1].lower()
    if name in known:
        return f"Apprise does not understand what follows {name}://; see https://github.com/caronc/apprise/wiki"
    near = get_close_matches(name, known, 1)
    return f"Apprise has no {name}://{f'; did you mean {near[0]}://?' if near else ''}"


@contextmanager
def _silence() -> Iterator[None]:
    """Drop what Apprise logs in this thread: at WARNING a malformed token. A send in another thread needs its lines."""
    log, mine = logging.getLogger("apprise"), threading.get_ident()

    def of_others(record: logging.LogRecord) -> bool:
        return record.thread != mine

    log.addFilter(of_others)
    try:
        yield
    finally:
        log.removeFilter(of_others)


def _crowd(count: int) -> str:
    if count <= 1:
        return ""
    return (
        f"this URL names {count} recipients; give each its own URL, for a failed send is repeated to all of one URL's"
    )
