"""Whether Apprise understands a URL, said without any of it but its scheme: the rest is made of secrets."""

import logging
import re
from difflib import get_close_matches
from typing import Any


def complaint(url: str) -> str:
    """Why the URL cannot be sent to; empty when it can."""
    scheme = re.match(r"([A-Za-z][A-Za-z0-9]{0,19})://", url)
    if not scheme:
        return "this is no Apprise URL; write one like mailto://user:${PASSWORD}@host or slack://${SLACK_TOKENS}"
    import apprise  # 190 ms with its plugins; only a check pays them

    log = logging.getLogger("apprise")
    before, log.disabled = log.disabled, True  # at WARNING it prints a malformed token
    try:
        service = apprise.Apprise.instantiate(url)
    except (apprise.exception.AppriseException, TypeError):
        service = None
    finally:
        log.disabled = before
    if service is not None:
        return ""
    plugins: Any = apprise  # this corner of it has no types
    known = plugins.NotificationManager().schemas()
    name = scheme[1].lower()
    if name in known:
        return f"Apprise does not understand what follows {name}://; see https://github.com/caronc/apprise/wiki"
    near = get_close_matches(name, known, 1)
    return f"Apprise has no {name}://{f'; did you mean {near[0]}://?' if near else ''}"
