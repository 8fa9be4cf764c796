"""What the proof sweeps with, what it listens to, and what must never be heard."""

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.stack.capture import Request
from tests.stack.platform import Platform
from tests.stack.smtp import Mail

STETHO = Path(sys.executable).with_name("stetho")
RULES = Path(__file__).with_name("rules") / "proof.yml"

# No such accounts exist; they have the shape that Apprise insists on.
WEBHOOK = ("T0PR00F00", "B0PR00F00", "webhookSecretOfTheProof1")
BOT = "xoxb-2718281828-1414213562-botSecretOfTheProof"
TWILIO = f"AC{'0f' * 16}", "5eed" * 8
PASSWORD, TOKEN, IN_URL = (
    "burrow-password-of-the-proof",
    "prometheus-token-of-the-proof",
    "connect-password-of-the-proof",
)
SECRETS = (*WEBHOOK, BOT, *TWILIO, PASSWORD, TOKEN, IN_URL)

PLATFORM_MAIL, DATA_MAIL = "mail to platform@example.com", "mail to data@example.com"
CHAT = ("Slack's webhook", "Slack's bot to #orders")
ONCALL = "SMS to +15557654321"

TIMES = "\N{MULTIPLICATION SIGN}"
KINDS = {"#A32037": "failure", "#CACF29": "warning", "#3AA337": "success"}  # Apprise's colours


@dataclass(frozen=True, order=True)
class Heard:
    """One message that arrived: by which way, what it said first, and how bad it looks where that shows."""

    way: str
    title: str
    kind: str = ""
    body: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.way}: {self.title}{f' ({self.kind})' if self.kind else ''}"


@dataclass(frozen=True)
class Alarm:
    """Alerts that one message tells of, and who is to hear it: `proof.yml` routes by severity and team."""

    alertname: str
    summary: str  # of the first of them
    severity: str
    team: str
    names: tuple[str, ...]  # what a page must name: the culprits
    because: str = ""  # what the probe must have found
    count: int = 1

    @property
    def ways(self) -> tuple[str, ...]:
        team = {"orders": CHAT, "data": (DATA_MAIL,), "": () if self.severity == "critical" else (PLATFORM_MAIL,)}
        return (*((ONCALL,) if self.severity == "critical" else ()), *team[self.team])

    def told(self, word: str) -> Iterator[Heard]:
        """FIRING or RESOLVED, as it must arrive: once by each way."""
        title = f"{word} {self.alertname}: {self.summary}"
        if self.count > 1:
            title = f"{word} {self.count} {TIMES} {self.alertname}: {self.summary}, and {self.count - 1} more"
        facts = f" ({self.severity}, {'since ' if word == 'FIRING' else ''}HH:MM UTC)"
        kind = "success" if word == "RESOLVED" else "failure" if self.severity == "critical" else "warning"
        for way in self.ways:
            if way == ONCALL:
                yield Heard(way, title.replace(TIMES, "x") + facts)
            else:
                yield Heard(way, title, kind if way in CHAT else "")


class Inbox:
    """All that the receivers of the platform have taken since `forget`."""

    def __init__(self, platform: Platform) -> None:
        self._smtp, self._capture = platform.smtp, platform.capture

    def forget(self) -> None:
        self._smtp.forget()
        self._capture.forget()

    def heard(self) -> list[Heard]:
        assert not self._smtp.refused
        assert self._capture.requests() == self._capture.accepted()
        return [*map(_mail, self._smtp.mails), *map(_post, self._capture.requests())]

    def written(self) -> str:
        """All text of all messages: what people see, and what stays in their archives."""
        mails = [mail.message.as_string() + mail.subject + mail.body for mail in self._smtp.mails]
        return "\n".join([*mails, *(request.body.decode() for request in self._capture.requests())])


def _mail(mail: Mail) -> Heard:
    [to] = mail.to
    return Heard(f"mail to {to}", mail.subject, body=mail.body)


def _post(request: Request) -> Heard:
    if request.host == "api.twilio.com":
        form = request.form()
        return Heard(f"SMS to {form['To']}", re.sub(r"\d\d:\d\d UTC", "HH:MM UTC", form["Body"]))
    sent = request.json()
    [attachment] = sent["attachments"]
    way = "Slack's webhook" if request.host == "hooks.slack.com" else f"Slack's bot to {sent['channel']}"
    return Heard(way, attachment["title"], KINDS[attachment["color"]], attachment["text"])


class Proof:
    """Real sweeps of the proof's rules, one after the other, and all that came of them."""

    def __init__(self, platform: Platform, work: Path) -> None:
        self.inbox = Inbox(platform)
        self._state = work / "state" / "stetho.db"
        self._state.parent.mkdir()
        self._environment = _environment(platform, work)
        self._printed: list[str] = []

    def sweep(self) -> Mapping[str, Any]:
        """One `stetho sweep`, all of it well: what it said of itself."""
        done = self._run("sweep", str(RULES))
        summary: Mapping[str, Any] = json.loads(done)
        assert (summary["failed"], summary["skipped"]) == (0, False), summary
        return summary

    def firing(self) -> list[dict[str, Any]]:
        """The alerts that fire, as `stetho alerts` lists them."""
        listed = json.loads(self._run("alerts", "--output", "json"))["alerts"]
        return [alert for alert in listed if alert["state"] == "firing"]

    def sweep_until_heard(
        self, wanted: Sequence[Heard], seconds: float, also: Callable[[], bool] = lambda: True
    ) -> list[Heard]:
        """Sweep until exactly these messages have arrived, each once, and `also` holds; what was heard."""
        end = time.monotonic() + seconds
        while True:
            self.sweep()
            heard = self.inbox.heard()
            excess, missing = Counter(heard) - Counter(wanted), Counter(wanted) - Counter(heard)
            assert not excess, f"nobody was to hear {_shown(excess)}\nwhile still to come: {_shown(missing)}"
            if not missing and also():
                return heard
            assert time.monotonic() < end, (
                f"after {seconds:g} s nobody has heard {_shown(missing) or 'more, as wanted'}; firing: {self.firing()}"
            )

    def sweep_in_silence(self) -> None:
        """Two more sweeps find nothing to tell, and nothing is owed."""
        before = self.inbox.heard()
        for _ in range(2):
            summary = self.sweep()
            assert (summary["sent"], summary["owed"]) == (0, 0), summary
        assert self.inbox.heard() == before

    def stored(self) -> str:
        """All text in the store's files, as it lies on the disk."""
        files = sorted(self._state.parent.iterdir())
        return "\n".join(file.read_bytes().decode(errors="replace") for file in files)

    def secrets_shown(self) -> list[str]:
        """The secrets that stand in a message, in what a sweep printed, or in the store."""
        shown = "\n".join([self.inbox.written(), *self._printed, self.stored()])
        return [secret for secret in SECRETS if secret in shown]

    def _run(self, *argv: str) -> str:
        """What the command printed. It must end well and say nothing on stderr."""
        argv = (*argv, "--state", str(self._state))
        done = subprocess.run([STETHO, *argv], env=self._environment, capture_output=True, text=True, timeout=120)
        self._printed += [done.stdout, done.stderr]
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout


def _shown(heard: Counter[Heard]) -> str:
    return "; ".join(f"{count} {TIMES} {one}" for one, count in heard.items())


def _environment(platform: Platform, work: Path) -> dict[str, str]:
    """What a CronJob would get from its ConfigMap and Secret."""
    password = work / "password"
    password.write_text(PASSWORD + "\n")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("STETHO_")},
        **platform.capture.environment(),
        "CONNECT_URL": platform.connect.url.replace("http://", f"http://stetho:{IN_URL}@"),
        "BURROW_URL": platform.burrow.url,
        "BURROW_PASSWORD_FILE": str(password),
        "PROMETHEUS_URL": platform.prometheus.url,
        "PROMETHEUS_TOKEN": TOKEN,
        "STREAMS_EXPORTER_URL": platform.streams.exporter_url,
        "STREAMS_JOLOKIA_URL": platform.streams.jolokia_url,
        "MAIL_HOST": f"127.0.0.1:{platform.smtp.port}",
        "SLACK_WEBHOOK": f"slack://{'/'.join(WEBHOOK)}",
        "SLACK_BOT_TOKEN": BOT,
        "TWILIO_SID": TWILIO[0],
        "TWILIO_TOKEN": TWILIO[1],
    }
