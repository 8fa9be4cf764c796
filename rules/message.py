"""What a woken person reads: what, where, since when, how bad, and the page that says what to do.

Pure. Labels, annotations and messages come out of answers, so none of them may add a line to a mail's header or break
the layout: whatever can't be printed becomes a space.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from rules.model import Alert, Ended, Ending, Notice, State

TIMES = "\N{MULTIPLICATION SIGN}"
Kind = Literal["failure", "warning", "success"]  # Apprise's words
SPELLED_OUT = 20  # alerts of a section with all that is known; the others are counted by name
SECTION, FIRING_SECTION, ENDED_SECTION = 2900, 2000, 900  # characters: Slack cuts a section at 3,000
TITLE = 150  # characters; a Slack header has no more
SMS, SMS_WIDE = 160, 70  # characters of one SMS: of GSM's own alphabet, else of any
_TAIL = 200  # characters kept free for "and 83 more: ..."

_RANK = {"critical": 0, "warning": 2, "info": 3, "none": 3}  # any other severity, or none, lies between
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_DOUBLE = frozenset("^{}\\[~]|€")  # two characters each
_GSM_ALIKE = str.maketrans(
    {TIMES: "x", "…": "...", "\u2013": "-", "\u2014": "-", "\u2018": "'", "\u2019": "'", "“": '"', "”": '"', "`": "'"}
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message in the three lengths that destinations take."""

    title: str  # one line
    body: str  # plain text
    short: str  # one SMS, all there is
    kind: Kind


def summary(alert: Alert) -> str:
    """What is the matter, in one line: the `summary` annotation, else the probe's sentence."""
    return clean(alert.annotations.get("summary", "")) or clean(alert.message)


def compose(notice: Notice, now: float) -> Message:
    """The message of a notice, as told at `now`."""
    firing = sorted(notice.firing, key=_urgency)
    ended = sorted(notice.ended, key=lambda one: _urgency(one.alert))
    if not firing:
        return _all_clear(ended, now)
    alerts = [one.alert for one in ended]
    title = _title("FIRING", [(alert, summary(alert)) for alert in firing])
    body = _section([_firing_block(alert, now) for alert in firing], firing, FIRING_SECTION if ended else SECTION)
    if ended:
        ends = _section([_ended_block(one, now) for one in ended], alerts, ENDED_SECTION)
        body = f"{len(firing)} firing\n\n{body}\n\n{len(ended)} ended\n\n{ends}"
    mild = all(_severity(alert) in ("warning", "info") for alert in firing)
    return Message(
        title=_cut(title, TITLE, f" ({len(ended)} ended)" if ended else ""),
        body=body,
        short=_sms(title, _facts(firing[0], f"since {_when(firing[0].started_at, now)}")),
        kind="warning" if mild else "failure",
    )


def clean(text: str) -> str:
    """One line of what can be printed. Format characters are not: some turn the direction of the text around."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def span(seconds: float) -> str:
    """How long, in the two greatest units: `45s`, `12m`, `1h5m`, `3d4h`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    units = [(days, "d"), (hours, "h"), (minutes, "m")]
    first = next(index for index, (count, _) in enumerate(units) if count)
    return "".join(f"{count}{unit}" for count, unit in units[first : first + 2] if count)


def _all_clear(ended: Sequence[Ended], now: float) -> Message:
    alerts = [one.alert for one in ended]
    title = _title(_ending_word(ended), [(one.alert, _said(one)) for one in ended])
    return Message(
        title=_cut(title, TITLE),
        body=_section([_ended_block(one, now) for one in ended], alerts, SECTION),
        short=_sms(title, _facts(alerts[0], _when(_ended_at(alerts[0], now), now))),
        kind="success",
    )


def _urgency(alert: Alert) -> tuple[int, float, str, list[tuple[str, str]]]:
    return _RANK.get(_severity(alert), 1), alert.started_at, alert.name, sorted(alert.labels.items())


def _severity(alert: Alert) -> str:
    return _cut(clean(alert.labels.get("severity", "")).lower(), 20)


def _said(ended: Ended) -> str:
    """What the page said, for the all-clear to repeat."""
    return clean(ended.told[0].summary) if ended.told else summary(ended.alert)


def _ended_at(alert: Alert, now: float) -> float:
    return now if alert.ended_at is None else alert.ended_at


def _ending_word(ended: Sequence[Ended]) -> str:
    endings = {one.alert.ending or Ending.RESOLVED for one in ended}
    word = endings.pop().value.upper() if len(endings) == 1 else "ENDED"
    return word if any(one.told for one in ended) else f"{word} (told late)"


def _title(word: str, alerts: Sequence[tuple[Alert, str]]) -> str:
    """`FIRING Name: summary`, or `FIRING 3 x Name: the worst one's summary, and 2 more`: the same for both ends."""
    (first, text), more = alerts[0], len(alerts) - 1
    if not more:
        return f"{word} {clean(first.name)}: {text}" if text else f"{word} {clean(first.name)}"
    names = f"{word} {_names([alert for alert, _ in alerts], 60)}"
    return f"{names}: {_cut(text, 60)}, and {more} more" if text else names


def _names(alerts: Sequence[Alert], most: int) -> str:
    """`80 x PartitionStuck, 3 x TargetDown`, in the order they come; those that find no room are counted."""
    counts = Counter(clean(alert.name) for alert in alerts)
    text, left = "", len(alerts)
    for name, count in counts.items():
        longer = ", ".join(part for part in (text, f"{count} {TIMES} {_cut(name, 40)}") if part)
        if len(longer) > most:
            break
        text, left = longer, left - count
    return f"{text}, {left} others" if left else text


def _section(blocks: Sequence[str], alerts: Sequence[Alert], most: int) -> str:
    """As many blocks as there is room for, at least one, and the count of the others."""
    shown: list[str] = []
    room = most - _TAIL
    for block in blocks:
        room -= len(block) + 2
        if shown and (room < 0 or len(shown) >= SPELLED_OUT):
            left = alerts[len(shown) :]
            shown.append(f"and {len(left)} more: {_names(left, _TAIL - 50)}")
            break
        shown.append(block)
    return "\n\n".join(shown)


def _firing_block(alert: Alert, now: float) -> str:
    text, sentence = summary(alert), clean(alert.message)
    description = [clean(line) for line in alert.annotations.get("description", "").splitlines()]
    runbook = clean(alert.annotations.get("runbook_url", ""))
    held = "" if alert.unverified_since is None else f"not verified since {_when(alert.unverified_since, now)}"
    reason = clean(alert.unverified_reason)
    lines = [
        _name(alert),
        _cut(text, 250),
        "" if sentence in text else _cut(sentence, 300),
        _cut("\n  ".join(["", *description]).strip(), 400),
        _cut(_where(alert), 200),
        f"since {_when(alert.started_at)}, for {span(now - alert.started_at)}",
        _cut(f"{held}: {reason}" if held and reason else held, 200),
        _cut(f"runbook: {runbook}", 350) if runbook else "",
    ]
    return "\n  ".join(line for line in lines if line)


def _ended_block(ended: Ended, now: float) -> str:
    alert = ended.alert
    lines = [_name(alert), _cut(_said(ended), 200), _cut(_where(alert), 200), _ending(ended, now)]
    return "\n  ".join(line for line in lines if line)


def _ending(ended: Ended, now: float) -> str:
    alert, at = ended.alert, _ended_at(ended.alert, now)
    unresolved = f"{alert.ending}, which is not resolved" if alert.ending not in (None, Ending.RESOLVED) else ""
    if all(row.state is State.PENDING for row in ended.told):
        fired = alert.started_at if alert.fired_at is None else alert.fired_at
        text = f"fired {_when(fired, now)}, ended {_when(at, now)}, "
        text += "its page may not have arrived" if ended.told else "told late because it could not be delivered before"
        return text + (f"; {unresolved}" if unresolved else "")
    if unresolved:
        return f"{unresolved}: closed {_when(at, now)}" + (
            "" if alert.unverified_since is None else f", last verified {_when(alert.unverified_since, now)}"
        )
    return f"resolved {_when(at, now)} after {span(at - alert.started_at)}"


def _name(alert: Alert) -> str:
    severity = _severity(alert)
    return _cut(clean(alert.name), 100) + (f" ({severity})" if severity else "")


def _where(alert: Alert) -> str:
    """The labels but for those in the first line, `target` first: it is the address to look at."""
    shown = sorted(alert.labels.keys() - {"alertname", "severity"}, key=lambda name: (name != "target", name))
    return ", ".join(f"{clean(name)}={clean(alert.labels[name])}" for name in shown)


def _when(at: float, now: float | None = None) -> str:
    """The minute in UTC, without the date when it is today's."""
    moment = datetime.fromtimestamp(at, UTC)
    today = now is not None and moment.date() == datetime.fromtimestamp(now, UTC).date()
    return moment.strftime("%H:%M UTC" if today else "%Y-%m-%d %H:%M UTC")


def _facts(alert: Alert, when: str) -> str:
    severity = _severity(alert)
    return f" ({severity}, {when})" if severity else f" ({when})"


def _cut(text: str, most: int, suffix: str = "") -> str:
    room = most - len(suffix)
    return (text if len(text) <= room else text[: room - 1].rstrip() + "…") + suffix


def _sms(text: str, facts: str) -> str:
    """One SMS: its first words and its facts. A single sign outside GSM's alphabet leaves room for 70 characters."""
    plain, plain_facts = _latin(text), _latin(facts)
    if all(_gsm_size(one) for one in plain + plain_facts):
        return _fitted(plain, plain_facts, SMS, _gsm_size, "...")
    return _fitted(text, facts, SMS_WIDE, lambda one: 1 + (ord(one) > 0xFFFF), "…")


def _latin(text: str) -> str:
    """The text in GSM's alphabet as far as an accent or a dash decides it."""
    alike = text.translate(_GSM_ALIKE)
    return "".join(one if _gsm_size(one) else unicodedata.normalize("NFKD", one)[0] for one in alike)


def _gsm_size(character: str) -> int:
    return 1 if character in _GSM else 2 if character in _GSM_DOUBLE else 0


def _fitted(text: str, suffix: str, most: int, size: Callable[[str], int], mark: str) -> str:
    room = most - sum(map(size, suffix))
    sizes = [size(one) for one in text[: most + 1]]
    if sum(sizes) <= room:
        return text + suffix
    while sum(sizes) > room - sum(map(size, mark)):
        sizes.pop()
    return text[: len(sizes)].rstrip() + mark + suffix
