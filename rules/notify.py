"""Sending one message to one Apprise URL, and saying in words that hold no secret why it did not arrive.

Apprise is imported by the first send; nothing else here needs it.
"""

import logging
import math
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol

from rules.refusal import UNKNOWN_FATE, redacted, refusal
from rules.schemes import SMS

if TYPE_CHECKING:
    from rules.message import Message

SEND_SECONDS = 10.0

SMS_CHARACTERS = 160

# requests logs whole URLs at DEBUG, urllib3 at WARNING as well.
_QUIET = ("urllib3", "requests", "requests_oauthlib", "oauthlib")


class SendError(Exception):
    """A message did not arrive, as far as we know. `permanent`: sending it again will not help until somebody acts.

    `unsure`: it may have arrived all the same, if only at some of those whom the URL names.
    `in_flight`: it was given up and may be on its way still, so that for now nothing else should be sent there.
    """

    def __init__(self, text: str, permanent: bool = False, *, unsure: bool = False, in_flight: bool = False) -> None:
        super().__init__(text)
        self.permanent, self.unsure, self.in_flight = permanent, unsure or in_flight, in_flight


class Notifier(Protocol):
    """Whatever can bring a message to a destination."""

    def send(self, destination_url: str, message: "Message") -> None:
        """Return once the destination has accepted it; SendError otherwise. Called from several threads at once."""


class AppriseNotifier:
    """Sends through Apprise, one URL at a time, each within `seconds` and none past `deadline` (monotonic)."""

    def __init__(self, seconds: float = SEND_SECONDS, deadline: float = math.inf) -> None:
        self._seconds, self._deadline = seconds, deadline

    def send(self, destination_url: str, message: "Message") -> None:
        """Send, or raise a SendError that names the service and what came back, and nothing out of the URL."""
        seconds = min(self._seconds, self._deadline - time.monotonic())
        if seconds <= 0:
            raise SendError(f"{scheme_of(destination_url)}: not sent, for the sweep's deadline has passed")
        outcome: list[SendError | None] = []

        def run() -> None:
            outcome.append(_outcome(destination_url, message, self._seconds))

        # A thread of our own: Apprise does not cancel a send that is late, and its pool then holds up the exit.
        thread = threading.Thread(target=run, name="send", daemon=True)
        thread.start()
        thread.join(seconds)
        error = outcome[0] if outcome else _late(destination_url, seconds)
        if error is not None:
            raise error


def scheme_of(url: str) -> str:
    """The part of an Apprise URL that may be shown; empty when there is none."""
    scheme, mark, _ = url.partition("://")
    return scheme.lower() if mark and scheme.isalnum() and len(scheme) <= 20 else ""


def _late(url: str, seconds: float) -> SendError:
    text = f"no answer within {seconds:.1f} s; whether it arrived is not known, so it will be sent again"
    return SendError(f"{scheme_of(url)}: {text}", in_flight=True)


def _outcome(url: str, message: "Message", seconds: float) -> SendError | None:
    try:
        _send(url, message, seconds)
    except SendError as error:
        return error
    except Exception as error:  # noqa: BLE001  a plugin may raise anything, and its text may hold the URL
        return SendError(f"{scheme_of(url)}: the Apprise plugin failed with {type(error).__name__}", unsure=True)
    return None


def _send(url: str, message: "Message", seconds: float) -> None:
    import apprise  # 190 ms with its plugins; only a sweep that sends pays them

    _hush()
    service = _service(url, seconds)
    crashes = _watch(service)
    sender = apprise.Apprise(asset=service.asset)
    sender.add(service)
    title, body = (
        ("", message.short or message.title)
        if takes_short(service, scheme_of(url))
        else (message.title, message.body or message.title)
    )
    result = sender.notify(
        title=title,
        body=body,
        notify_type=message.kind,
        body_format=apprise.NotifyFormat.TEXT,  # or a label could hold markup, such as Slack's <!channel>
        log_level=logging.DEBUG,
    )
    if result.status == apprise.AppriseResultStatus.SUCCESS:
        return
    if crashes:
        raise SendError(f"{service.service_name}: the Apprise plugin failed with {crashes[0]}", unsure=True)
    why = refusal([(entry.level, entry.message) for entry in result.logs()], url)
    # Of several messages we are told only that one failed.
    unsure = UNKNOWN_FATE in why.text or messages(service) > 1
    raise SendError(f"{service.service_name}: {why.text}", permanent=why.permanent, unsure=unsure)


def _service(url: str, seconds: float) -> Any:
    """Apprise's plugin for the URL, made to send at once, once, and to hide nothing."""
    import apprise

    asset = apprise.AppriseAsset(
        async_mode=False,  # in this thread
        service_timeout=0,  # and not in Apprise's pool; the time limit is ours
        http_redirects=False,  # a POST redirected to a login page would count as delivered
    )
    try:
        service = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=False)
    except (apprise.exception.AppriseException, TypeError) as error:
        raise SendError(f"{scheme_of(url)}: {redacted(str(error), url)}", permanent=True) from None
    if service is None:
        scheme = scheme_of(url)
        if not scheme:
            raise SendError("not an Apprise URL: it has no scheme", permanent=True)
        said = f"not a {scheme}:// URL that Apprise understands (or it lacks a package for it)"
        raise SendError(said, permanent=True)
    service.request_rate_per_sec = 0  # it would sleep up to 5.5 s; what limits our rate is one send in flight
    service.retry = 0  # Apprise also repeats what is refused for good; what is owed is sent by the next sweep
    service.optional = False  # `optional=yes` calls a refused message a success
    if "rto=" not in url:
        service.socket_read_timeout = seconds  # Apprise's 4 s would repeat what a slow receiver has taken
    return service


def takes_short(service: Any, scheme: str) -> bool:
    """Whether a message there is read on a telephone, and charged by the piece or read aloud."""
    return scheme in SMS or (int(service.title_maxlen) <= 0 and int(service.body_maxlen) <= SMS_CHARACTERS)


def messages(service: Any) -> int:
    """How many messages one send there is: more than one where the URL names several recipients or channels."""
    service.retry = 0  # Apprise multiplies by what it may repeat
    return len(service)


def _watch(service: Any) -> list[str]:
    """The types of what the plugin raises from now on; Apprise itself tells only that it raised."""
    crashes: list[str] = []
    notify = service.notify

    def watched(*args: Any, **options: Any) -> bool:
        try:
            return bool(notify(*args, **options))
        except Exception as error:
            crashes.append(type(error).__name__)
            raise

    service.notify = watched
    return crashes


def _hush() -> None:
    """Keep to ourselves what Apprise logs: at DEBUG whole URLs, and even at WARNING a malformed token.

    It must log at DEBUG all the same, since only there it tells what came back; the result collects that.
    """
    log = logging.getLogger("apprise")
    log.setLevel(logging.DEBUG)
    log.propagate = False
    if not any(isinstance(handler, logging.NullHandler) for handler in log.handlers):
        log.addHandler(logging.NullHandler())  # with no handler at all, Python writes warnings to stderr
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
