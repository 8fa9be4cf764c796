"""The receivers hear what Apprise really sends, answer as told, and can be told apart from a delivery."""

import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import apprise
import pytest

from tests.stack.answers import at_random, in_turn
from tests.stack.capture import (
    BROKEN,
    CUT_OFF,
    OK,
    SLACK_BOT_REFUSES,
    SLACK_WEBHOOK_GONE,
    TOO_MANY,
    TWILIO_NOT_A_NUMBER,
    Answer,
    Capture,
)
from tests.stack.smtp import NEVER, TAKEN, TRY_LATER, Smtp

# Apprise, up to Python 3.12, imports a module that 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

# No such tokens exist; they have the shape that Apprise insists on.
WEBHOOK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops"
BOT = "slack://xoxb-1234-1234-abc124/#ops"
TWILIO = f"twilio://AC{'a' * 32}:{'b' * 32}@15551230000/15557654321"


@pytest.fixture
def smtp() -> Iterator[Smtp]:
    with Smtp() as server:
        yield server


@pytest.fixture
def capture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Capture]:
    with Capture(tmp_path) as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield server


def send(url: str, title: str = "Lag critical", body: str = "orders: 1234 behind") -> bool:
    sender = apprise.Apprise()
    assert sender.add(url)
    return bool(sender.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT))


def test_a_mail_arrives_with_subject_body_and_recipient(smtp: Smtp) -> None:
    assert send(smtp.url(to="night@example.com"), title="größer", body="line 1\nline 2 ≥ 3")
    [mail] = smtp.mails
    assert (mail.subject, mail.to, mail.sender) == ("größer", ("night@example.com",), "stetho@example.com")
    assert mail.body.splitlines() == ["line 1", "line 2 ≥ 3"]


def test_a_refused_mail_is_no_delivery_and_is_kept_apart(smtp: Smtp) -> None:
    smtp.replies = in_turn(TAKEN, TRY_LATER, NEVER)
    assert [send(smtp.url(), title=str(n)) for n in range(6)] == [True, False, False] * 2
    assert [mail.subject for mail in smtp.mails] == ["0", "3"]
    assert [(mail.subject, mail.reply[:3]) for mail in smtp.refused] == [
        ("1", "451"), ("2", "554"), ("4", "451"), ("5", "554"),
    ]  # fmt: skip


def test_a_stopped_mail_server_refuses_connections_and_returns_on_its_port(smtp: Smtp) -> None:
    url = smtp.url()
    smtp.stop()
    assert not send(url)
    smtp.start()
    assert send(url)
    assert len(smtp.mails) == 1


def test_a_slack_webhook_post_is_captured(capture: Capture) -> None:
    assert send(WEBHOOK)
    [post] = capture.accepted("hooks.slack.com/services/T1JJ3T3L2/")
    [attachment] = post.json()["attachments"]
    assert (post.method, attachment["title"], attachment["text"]) == ("POST", "Lag critical", "orders: 1234 behind")


def test_a_slack_bot_post_is_captured_and_ok_false_is_no_delivery(capture: Capture) -> None:
    assert send(BOT)
    assert capture.accepted("slack.com/api/chat.postMessage")[0].json()["channel"] == "#ops"
    capture.answer("slack.com", SLACK_BOT_REFUSES)
    assert not send(BOT)
    assert len(capture.requests("slack.com")) == 2
    assert len(capture.accepted("slack.com")) == 1


def test_an_sms_is_captured(capture: Capture) -> None:
    assert send(TWILIO)
    [sms] = capture.accepted("api.twilio.com")
    form = sms.form()
    assert (form["From"], form["To"]) == ("+15551230000", "+15557654321")
    assert form["Body"].splitlines() == ["Lag critical", "orders: 1234 behind"]


@pytest.mark.parametrize(
    ("url", "host", "answer"),
    [
        (WEBHOOK, "hooks.slack.com", BROKEN),
        (WEBHOOK, "hooks.slack.com", TOO_MANY),
        (WEBHOOK, "hooks.slack.com", SLACK_WEBHOOK_GONE),
        (WEBHOOK, "hooks.slack.com", CUT_OFF),
        (TWILIO, "api.twilio.com", TWILIO_NOT_A_NUMBER),
        (TWILIO, "api.twilio.com", BROKEN),
    ],
)
def test_a_host_that_refuses_is_a_failed_send(capture: Capture, url: str, host: str, answer: Answer) -> None:
    capture.answer(host, answer)
    assert not send(url)
    assert len(capture.requests(host)) == 1
    assert not capture.accepted()


def test_plain_receivers_are_told_apart_by_path(capture: Capture) -> None:
    capture.answer("127.0.0.1/b", in_turn(BROKEN, OK))
    assert [send(capture.url(path)) for path in ("/a", "/b", "/b")] == [True, False, True]
    assert len(capture.accepted("127.0.0.1/a")) == len(capture.accepted("127.0.0.1/b")) == 1
    assert capture.requests("127.0.0.1/b")[1].json()["title"] == "Lag critical"


def test_a_child_process_is_captured_by_its_environment(capture: Capture) -> None:
    argv = [str(Path(sys.executable).with_name("apprise")), "-t", "title", "-b", "body", TWILIO]
    environment = {**os.environ, **capture.environment()}
    subprocess.run(argv, env=environment, check=True, capture_output=True, timeout=30)
    assert len(capture.accepted("api.twilio.com")) == 1


def test_a_client_that_does_not_trust_the_authority_is_not_heard(
    capture: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    assert not send(WEBHOOK)
    assert capture.requests() == []


def test_a_sender_killed_half_way_leaves_no_request(capture: Capture, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_connection(("127.0.0.1", capture.port)) as sender:
        sender.sendall(b"POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nhalf")
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset, as a kill does
    assert send(capture.url("/y"))
    assert [request.path for request in capture.requests()] == ["/y"]
    assert "Traceback" not in capfd.readouterr().err


def test_many_senders_at_once_are_all_heard(capture: Capture, smtp: Smtp) -> None:
    said: list[bool] = []
    urls = [capture.url("/x"), WEBHOOK, TWILIO, smtp.url()] * 5
    threads = [threading.Thread(target=lambda url=url: said.append(send(url))) for url in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [True] * 20
    assert len(capture.accepted()) == 15
    assert len(smtp.mails) == 5


def test_two_receivers_side_by_side_do_not_mix(tmp_path: Path) -> None:
    with Capture(tmp_path / "one") as one, Capture(tmp_path / "two") as two, Smtp() as first, Smtp() as second:
        assert len({one.port, two.port, first.port, second.port}) == 4
        assert send(one.url())
        assert send(second.url())
        assert (len(one.requests()), len(two.requests())) == (1, 0)
        assert (len(first.mails), len(second.mails)) == (0, 1)


def test_a_capture_returns_on_its_port_with_its_authority(capture: Capture) -> None:
    assert send(WEBHOOK)
    capture.stop()
    assert not send(WEBHOOK)
    capture.start()
    assert send(WEBHOOK)
    assert len(capture.accepted("hooks.slack.com")) == 2


def test_chance_repeats_itself_for_a_seed() -> None:
    first, second = at_random(7, "a", "b", "c"), at_random(7, "a", "b", "c")
    assert [first() for _ in range(20)] == [second() for _ in range(20)]
