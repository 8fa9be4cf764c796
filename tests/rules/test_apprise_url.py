"""What is wrong with an Apprise URL is said without any of it but its scheme, and without a word to the logs."""

import logging
import threading
from pathlib import Path

import pytest

from rules.apprise_url import complaint
from rules.message import Message
from rules.notify import AppriseNotifier, SendError
from tests.stack.capture import SLACK_WEBHOOK_GONE, Capture

# Apprise, up to Python 3.12, imports a module that 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"  # no such tokens exist
TWILIO = f"twilio://AC{'a' * 32}:{'b' * 32}@15551230000"


@pytest.mark.parametrize(
    "url",
    [
        SLACK,
        f"{SLACK}/#ops",
        f"{TWILIO}/15557654321",
        "mailto://u:p@example.com",
        "mailto://u:p@example.com?to=a@example.com&cc=b@example.com",  # one mail to both
        "json://example.com/several/parts",
        "json://example.com/?retry=3",  # Apprise counts what it would repeat; we don't let it
    ],
)
def test_nothing_is_wrong(url: str) -> None:
    assert complaint(url) == ""


@pytest.mark.parametrize(
    ("url", "count"),
    [
        ("mailto://u:p@example.com?to=a@example.com,b@example.com", 2),
        (f"{TWILIO}/15557654321/15557654322/15557654323", 3),
        (f"{SLACK}/#ops/#night", 2),
    ],
)
def test_several_recipients_in_one_url_are_refused(url: str, count: int) -> None:
    assert complaint(url) == (
        f"this URL names {count} recipients; give each its own URL, for a failed send is repeated to all of one URL's"
    )


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("s3cret", "this is no Apprise URL; write one like "),
        ("slak://s3cret/x", "Apprise has no slak://; did you mean slack://?"),
        ("twilio://s3cret", "Apprise does not understand what follows twilio://; see "),
        ("twilio://ACs3cret:s3crets3cret@15551230000", "Apprise does not understand what follows twilio://; see "),
    ],
)
def test_what_is_wrong_is_said_and_no_secret(
    url: str, says: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    said = complaint(url)
    assert said.startswith(says)
    assert "s3cret" not in said + "".join(capfd.readouterr()) + caplog.text


def test_a_check_hides_nothing_from_a_send_at_the_same_time(tmp_path: Path) -> None:
    over = threading.Event()

    def check() -> None:
        while not over.is_set():
            complaint("twilio://ACs3cret:s3crets3cret@15551230000")

    checking = threading.Thread(target=check)
    with Capture(tmp_path) as capture:
        capture.answer("127.0.0.1", SLACK_WEBHOOK_GONE)
        checking.start()
        try:
            for _ in range(20):
                with pytest.raises(SendError, match="HTTP 404"):
                    AppriseNotifier().send(capture.url(), Message("t", "b", "s", "failure"))
        finally:
            over.set()
            checking.join()
    assert logging.getLogger("apprise").filters == []
