"""Why a message was refused, read out of what Apprise logged about one send: in words, without secrets, and for good?

Pure. Apprise gives neither status nor body, only its log lines, and these hold URLs, tokens and telephone numbers. So
no line is passed on: what is known to matter is picked out, and free text is redacted of all that the URL is made of.
"""

import ast
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

REDACTED = "***"
UNKNOWN_FATE = "whether it arrived is not known"
TEXT_LIMIT = 100  # characters of what a service says about its refusal

# Answers of 4xx after which the same request may be accepted: timeout, too early, too many.
PASSING_STATUS = frozenset({408, 425, 429})
# What Slack's API says with status 200 and may not say the next time; its other words are about token and channel.
PASSING_WORDS = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)

# What is found in the text of an exception, and what it means; the first that fits.
_NETWORK = (
    (r"STARTTLS extension not supported|AUTH extension not supported|No suitable authentication", "offers no {}", True),
    (r"[Rr]efused", "cannot be reached: connection refused", False),
    (r"NameResolution|[Nn]ame (or service|resolution)|getaddrinfo", "cannot be reached: no such host name", False),
    (r"connect timeout|ConnectTimeout", "cannot be reached: no connection in time", False),
    (r"unreachable|No route to host", "cannot be reached: no route to its network", False),
    (r"CERTIFICATE_VERIFY_FAILED", "is not trusted: its TLS certificate does not verify", False),
    (r"SSL|TLS", "cannot be reached: TLS failed", False),
    (r"[Tt]imed out|ReadTimeout", f"did not answer in time; {UNKNOWN_FATE}", False),
    (r"BadStatusLine|NotConnected|InvalidHeader", f"answered something that is not HTTP; {UNKNOWN_FATE}", False),
    (r"reset by peer|abort|isconnect|unexpectedly closed|[Bb]roken pipe", f"cut the line; {UNKNOWN_FATE}", False),
    (r"ProxyError|Tunnel connection failed", "cannot be reached through the proxy", False),
    (r"Too many open files", "was not reached: stetho has no file descriptors left", False),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What came back, to be read after the service's name; `permanent` when asking again cannot help."""

    text: str
    permanent: bool = False


def refusal(logs: Sequence[tuple[str, str]], url: str) -> Refusal:
    """Judge a failed send by the (level, message) lines logged during it."""
    body = _body(_last(logs, "Response Details"))
    said = _said(body, url)
    status = _status(logs, body)
    if isinstance(body, dict) and body.get("ok") is False and status == HTTPStatus.OK and said:
        return Refusal(f"says {said}", permanent=body.get("error") not in PASSING_WORDS)
    if status:
        return Refusal(f"answered HTTP {status}{_phrase(status)}{_brackets(said)}", permanent=_for_good(status))
    exception = _last(logs, "Socket Exception")
    return _smtp(exception, url) or _network(exception) or _warned(logs, url)


def redacted(text: str, url: str) -> str:
    """`text` on one line without anything the URL is made of but its scheme, nor what looks like a secret."""
    for piece in _pieces(url):
        # Short pieces only as whole words: the rest of the text should stay readable.
        edge = "" if len(piece) > 4 else r"(?<![A-Za-z0-9]){}(?![A-Za-z0-9])"
        text = re.sub(edge.format(re.escape(piece)) if edge else re.escape(piece), REDACTED, text, flags=re.IGNORECASE)
    text = re.sub(r"\b\w+://\S+|[^\s<>()]*@[^\s<>()]*", REDACTED, text)
    text = re.sub(r"(?=\S*\d)[A-Za-z0-9_\-+/=.%]{20,}", REDACTED, text)
    text = re.sub(r"\+?\d[\d ().-]{5,}\d", REDACTED, text)  # a telephone number, however it is grouped
    return " ".join(text.split())[:TEXT_LIMIT]


def _pieces(url: str) -> list[str]:
    """What an Apprise URL is made of, longest first: whole, split, and decoded. Names of parameters are public."""
    rest = url.partition("://")[2]
    path, _, query = rest.partition("?")
    values = [pair.partition("=")[2] for pair in re.split(r"[&;]", query)]
    userinfo = path.rpartition("@")[0]
    raw = [rest, path, userinfo, *re.split(r"[/:@,#]", path), userinfo.partition(":")[2], *values]
    for value in values:
        raw += re.split(r"[,@]", unquote(value))
    known = {piece for text in raw for piece in (text, unquote(text), unquote(text.replace("+", " ")))}
    return sorted(known - {"", "yes", "no", "on", "off", "true", "false"}, key=len, reverse=True)


def _last(logs: Sequence[tuple[str, str]], beginning: str) -> str:
    """The rest of the last line that begins so."""
    for _, message in reversed(logs):
        if message.startswith(beginning):
            return message[len(beginning) :].partition(":")[2].strip()
    return ""


def _body(details: str) -> Any:
    """The body of an answer: JSON where it is JSON, else text. Apprise logs the repr of its bytes."""
    try:
        text = ast.literal_eval(details)
    except (ValueError, SyntaxError):
        text = details
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return str(text)


def _said(body: Any, url: str) -> str:
    """The service's own word for its refusal, if it is short enough to be one."""
    for text in _words(body):
        line = text.strip()
        if line and "\n" not in line and "<" not in line and len(line) <= 2 * TEXT_LIMIT:
            return redacted(line, url)
    return ""


def _words(body: Any) -> Iterator[str]:
    match body:
        case str():
            yield body
        case [first, *_]:
            yield from _words(first)
        case dict():
            for field in ("error", "message", "description", "detail", "reason", "title", "errors"):
                yield from _words(body.get(field))


def _status(logs: Sequence[tuple[str, str]], body: Any) -> int:
    """The HTTP status; 0 when there was none. Some services' plugins log the service's own number in its place."""
    logged = [int(number) for _, message in logs for number in re.findall(r"\berror=(\d{1,6})\b", message)]
    if not logged:
        return 0
    if 100 <= logged[-1] <= 599:
        return logged[-1]
    told = body.get("status") if isinstance(body, dict) else None
    return told if type(told) is int and 100 <= told <= 599 else 0


def _for_good(status: int) -> bool:
    moved = status in (HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT)
    return moved or (400 <= status < 500 and status not in PASSING_STATUS)


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""


def _brackets(said: str) -> str:
    return f" ({said})" if said else ""


def _smtp(exception: str, url: str) -> Refusal | None:
    """A mail server's answer: 4xx is for now, 5xx for good."""
    found = re.search(r"\(([45]\d\d), b(['\"])(.*?)\2[,)]", exception)
    if not found:
        return None
    said = redacted(found[3].replace("\\n", " "), url)
    return Refusal(f"answered SMTP {found[1]}{_brackets(said)}", permanent=found[1].startswith("5"))


def _network(exception: str) -> Refusal | None:
    if not exception:
        return None
    for pattern, text, permanent in _NETWORK:
        found = re.search(pattern, exception)
        if found:
            return Refusal(text.format(found[0].split()[0]), permanent)
    return Refusal(f"failed on the way; {UNKNOWN_FATE}")


def _warned(logs: Sequence[tuple[str, str]], url: str) -> Refusal:
    """Nothing came back: the plugin itself declined, for instance without a valid recipient in the URL."""
    for level, message in reversed(logs):
        if level in ("WARNING", "ERROR", "CRITICAL"):
            return Refusal(f"did not send: {redacted(message, url)}", permanent=message.startswith("There are no"))
    return Refusal("did not accept it, and Apprise does not tell why")
