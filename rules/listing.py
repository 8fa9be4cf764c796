"""`stetho alerts`: what is pending, firing and held, for a person and as JSON."""

from collections.abc import Iterator, Sequence
from typing import Any

from probes.kit.run import utc
from rules.message import clean, span, summary
from rules.model import Alert, State


def document(name: str, alerts: Sequence[Alert], swept_at: float | None) -> dict[str, Any]:
    """All live alerts as one JSON object."""
    return {
        "schema": 1,
        "name": name,
        "swept": utc(swept_at) if swept_at is not None else None,
        "alerts": [_item(alert) for alert in _ordered(alerts)],
    }


def lines(name: str, alerts: Sequence[Alert], swept_at: float | None, now: float) -> list[str]:
    """The same for a person: the firing first, the oldest of them first."""
    if swept_at is None:
        return [f"no sweep of the name {name} has run with this store"]
    ago = f"{span(max(0.0, now - swept_at))} ago"
    if not alerts:
        return [f"nothing is pending or firing (last sweep {ago})"]
    states = [alert.state for alert in alerts]
    head = f"{states.count(State.FIRING)} firing, {states.count(State.PENDING)} pending (last sweep {ago})"
    return [head, *(line for alert in _ordered(alerts) for line in _lines(alert, now))]


def _ordered(alerts: Sequence[Alert]) -> list[Alert]:
    return sorted(alerts, key=lambda alert: (alert.state is State.PENDING, alert.started_at, alert.name))


def _item(alert: Alert) -> dict[str, Any]:
    return {
        "alertname": alert.name,
        "state": alert.state.value,
        "held": alert.unverified_since is not None,
        "group": alert.group,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "message": alert.message,
        "fingerprint": alert.fingerprint,
        "since": utc(alert.started_at),
        "not_verified_since": utc(alert.unverified_since) if alert.unverified_since is not None else None,
        "not_verified_because": alert.unverified_reason or None,
    }


def _lines(alert: Alert, now: float) -> Iterator[str]:
    since = alert.started_at
    yield ""
    yield f"{alert.state.upper():<8} {alert.name}: {summary(alert)}"
    labels = ", ".join(f"{name}={clean(value)}" for name, value in sorted(alert.labels.items()) if name != "alertname")
    yield f"         {labels}"
    yield f"         since {utc(since)} ({span(max(0.0, now - since))})"
    if alert.unverified_since is not None:
        yield f"         held: not verified since {utc(alert.unverified_since)}: {clean(alert.unverified_reason)}"
