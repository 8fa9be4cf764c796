"""What a real Apprise brings to real servers, and what is told of a message that did not arrive: never a secret."""

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from rules import notify
from rules.message import Kind, Message
from rules.notify import AppriseNotifier, SendError
from rules.schemes import SMS
from tests.stack.capture import (
    CUT_OFF,
    SLACK_BOT_REFUSES,
    SLACK_WEBHOOK_GONE,
    TOO_MANY,
    TWILIO_DENIED,
    TWILIO_NOT_A_NUMBER,
    Answer,
    Capture,
)
from tests.stack.process import free_port
from tests.stack.smtp import NEVER, TRY_LATER, Smtp

# Apprise, up to Python 3.12, imports a module that 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

ROOT = Path(__file__).parents[2]
# No such tokens exist; they have the shape that Apprise insists on.
WEBHOOK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops"
BOT = "slack://xoxb-1234-1234-abc124/#ops"
TWILIO = f"twilio://AC{'a' * 32}:{'b' * 32}@15551230000/15557654321"
SECRETS = ("T1JJ3T3L2", "A1BRTD4JD", "TIiajk", "xoxb", "abc124", "a" * 9, "b" * 9, "5551230000", "5557654321", "s3cret")


def message(kind: Kind = "failure") -> Message:
    return Message("FIRING Lag: 1234 behind", "line 1\n<!channel> <b>line 2</b> ≥ 3", "Lag 1234 (critical)", kind)


def error_of(url: str, seconds: float = 10) -> SendError:
    """What is raised; and that nothing secret is in it."""
    with pytest.raises(SendError) as caught:
        AppriseNotifier(seconds).send(url, message())
    shown = f"{caught.value!s} {caught.value!r} {caught.value.args} {caught.value.__cause__}"
    assert not [secret for secret in SECRETS if secret in shown]
    return caught.value


@pytest.fixture
def capture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Capture]:
    with Capture(tmp_path) as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield server


@contextlib.contextmanager
def tcp(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port where `answer` has each connection to itself; open until the test ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken: list[socket.socket] = []

        def serve() -> None:
            with contextlib.suppress(OSError):  # the listener or the connection was closed: the test is over
                while True:
                    taken.append(listener.accept()[0])
                    answer(taken[-1])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        for one in (listener, *taken):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        thread.join()
    for connection in taken:
        connection.close()


@pytest.mark.parametrize("kind", ["failure", "warning", "success"])
def test_a_message_arrives_whole_and_with_its_kind(capture: Capture, kind: Kind) -> None:
    AppriseNotifier().send(capture.url("/hook"), message(kind))
    [request] = capture.accepted("127.0.0.1/hook")
    got = request.json()
    assert (got["title"], got["message"], got["type"]) == (message().title, message().body, kind)


def test_a_mail_arrives(capture: Capture) -> None:
    with Smtp() as smtp:
        AppriseNotifier().send(smtp.url(to="night@example.com"), message())
    [mail] = smtp.mails
    assert (mail.subject, mail.to) == ("FIRING Lag: 1234 behind", ("night@example.com",))
    assert mail.body.splitlines() == message().body.splitlines()


def test_slack_gets_the_text_and_no_markup_of_a_label(capture: Capture) -> None:
    AppriseNotifier().send(WEBHOOK, message())
    [request] = capture.accepted("hooks.slack.com")
    [attachment] = request.json()["attachments"]
    assert attachment["title"] == "FIRING Lag: 1234 behind"
    assert attachment["text"] == "line 1\n&lt;!channel&gt; &lt;b&gt;line 2&lt;/b&gt; ≥ 3"


@pytest.mark.parametrize("url", [TWILIO, f"{TWILIO}?method=call"])
def test_a_telephone_gets_the_short_text_alone(capture: Capture, url: str) -> None:
    AppriseNotifier().send(url, message())
    form = capture.accepted("api.twilio.com")[0].form()
    assert "Lag 1234 (critical)" in (form.get("Body") or form["Twiml"])
    assert "FIRING" not in str(form)
    assert form["To"] == "+15557654321"


def test_the_services_of_short_messages_exist_and_no_chat_is_among_them() -> None:
    import apprise

    plugins = apprise.Apprise().details(show_disabled=True)["schemas"]
    known = {scheme for one in plugins for scheme in (*(one["protocols"] or ()), *(one["secure_protocols"] or ()))}
    assert known >= SMS
    for url, short in [
        ("vonage://abcd1234:efgh5678efgh5678@15551230000/15557654321", True),
        ("sns://AKIAIOSFODNN7EXAMPLE/wJalrXUtnFEMI/us-east-1/+15557654321", True),
        (WEBHOOK, False),
        ("tgram://123456789:abcdefg_hijklmnop/12315544/", False),
        ("pagerduty://A1BRTD4JD@TIiajkdnlazkcOXrIdevi7FQ", False),
        ("mailto://u:p@example.com", False),
        ("json://127.0.0.1/", False),
    ]:
        service = apprise.Apprise.instantiate(url)
        assert notify.takes_short(service, notify.scheme_of(url)) is short, url


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(400, True), (401, True), (403, True), (404, True), (410, True), (413, True), (422, True), (301, True),
     (308, True), (302, False), (408, False), (425, False), (429, False), (500, False), (502, False), (503, False)],
)  # fmt: skip
def test_an_http_refusal_says_its_status_and_whether_it_is_for_good(
    capture: Capture, status: int, permanent: bool
) -> None:
    capture.answer("127.0.0.1", Answer(status, headers=(("Location", "/login"),)))
    error = error_of(capture.url("/s3cret/404"))
    assert str(error).startswith(f"JSON: answered HTTP {status} ")
    assert error.permanent is permanent
    assert len(capture.requests()) == 1, "a redirect is not followed: a login page would pass for a delivery"


@pytest.mark.parametrize(
    ("url", "host", "answer", "says", "permanent"),
    [
        (WEBHOOK, "hooks.slack.com", SLACK_WEBHOOK_GONE, "Slack: answered HTTP 404 Not Found (no_service)", True),
        (WEBHOOK, "hooks.slack.com", Answer(410, "channel_is_archived"), "HTTP 410 Gone (channel_is_archived)", True),
        (WEBHOOK, "hooks.slack.com", TOO_MANY, "HTTP 429 Too Many Requests (rate_limited)", False),
        (WEBHOOK, "hooks.slack.com", Answer(200, "<html>sign in</html>"), "answered HTTP 200 OK", False),
        (BOT, "slack.com", SLACK_BOT_REFUSES, "Slack: says channel_not_found", True),
        (BOT, "slack.com", Answer(200, '{"ok":false,"error":"invalid_auth"}'), "Slack: says invalid_auth", True),
        (BOT, "slack.com", Answer(200, '{"ok":false,"error":"internal_error"}'), "Slack: says internal_error", False),
        (BOT, "slack.com", Answer(429, '{"ok":false,"error":"ratelimited"}'), "HTTP 429", False),
        (BOT, "slack.com", Answer(200, "[]"), "answered HTTP 200", False),
        (TWILIO, "api.twilio.com", TWILIO_DENIED, "Twilio: answered HTTP 401 Unauthorized (Authenticate)", True),
        (TWILIO, "api.twilio.com", TWILIO_NOT_A_NUMBER, "HTTP 400 Bad Request (Invalid 'To' Phone Number)", True),
        (TWILIO, "api.twilio.com", Answer(429, '{"code":20429,"message":"Too Many Requests","status":429}'),
         "HTTP 429 Too Many Requests", False),
        (TWILIO, "api.twilio.com",
         Answer(400, '{"code":21211,"message":"\'To\' +1 (555) 765-4321 is wrong","status":400}'),
         "HTTP 400 Bad Request ('To' *** is wrong)", True),
        (TWILIO, "api.twilio.com", Answer(503, "busy"), "HTTP 503 Service Unavailable (busy)", False),
        (WEBHOOK, "hooks.slack.com", CUT_OFF, "Slack: cut the line; whether it arrived is not known", False),
    ],
)  # fmt: skip
def test_a_services_own_word_is_passed_on(
    capture: Capture, url: str, host: str, answer: Answer, says: str, permanent: bool
) -> None:
    capture.answer(host, answer)
    error = error_of(url)
    assert says in str(error)
    assert error.permanent is permanent


TWO_CHANNELS = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops/#night"


@pytest.mark.parametrize(
    ("url", "host", "answer", "unsure"),
    [
        (WEBHOOK, "hooks.slack.com", SLACK_WEBHOOK_GONE, False),
        (WEBHOOK, "hooks.slack.com", TOO_MANY, False),
        (WEBHOOK, "hooks.slack.com", Answer(500), False),
        (WEBHOOK, "hooks.slack.com", CUT_OFF, True),
        (BOT, "slack.com", SLACK_BOT_REFUSES, False),
        (TWILIO, "api.twilio.com", TWILIO_DENIED, False),
        (f"{TWILIO}/15557654322", "api.twilio.com", TWILIO_NOT_A_NUMBER, True),  # one of two may have it
        (TWO_CHANNELS, "hooks.slack.com", TOO_MANY, True),
        (f"{WEBHOOK}?retry=3", "hooks.slack.com", TOO_MANY, False),
    ],
)
def test_a_refusal_is_sure_unless_the_line_was_cut_or_there_are_several_recipients(
    capture: Capture, url: str, host: str, answer: Answer, unsure: bool
) -> None:
    capture.answer(host, answer)
    error = error_of(url)
    assert (error.unsure, error.in_flight) == (unsure, False)


def test_a_server_that_repeats_all_it_was_sent_gives_nothing_away(capture: Capture) -> None:
    url = f"json://s3cretuser:s3cretpass@127.0.0.1:{capture.port}/s3cretpath/x?+X-Token=s3crettoken&cto=3"
    said = (
        "no /s3cretpath/x for S3CRETUSER with s3cretpass and s3crettoken "
        f"at http://127.0.0.1:{capture.port}/s3cretpath Basic czNjcmV0dXNlcjpzM2NyZXRwYXNz"
    )
    capture.answer("127.0.0.1", Answer(403, f'{{"error": {{"message": "{said}"}}}}'))
    error = error_of(url)
    assert str(error).startswith("JSON: answered HTTP 403 Forbidden (no /***/*** for *** with *** and *** at ***")
    assert "czNj" not in str(error)


def test_nothing_reaches_the_logs_or_the_terminal(capture: Capture) -> None:
    capture.answer("hooks.slack.com", SLACK_WEBHOOK_GONE)
    code = """
import logging, sys
logging.basicConfig(level=1)
logging.getLogger("apprise").setLevel(1)
from rules.message import Message
from rules.notify import AppriseNotifier, SendError
for url in sys.argv[1:]:
    try:
        AppriseNotifier().send(url, Message("t", "b", "s", "failure"))
    except SendError as error:
        print(error)
"""
    bad = [
        "slack://T1JJ3T3L2/A1BRTD4JD/",
        "twilio://ACs3cret:s3cret@15551230000",
        "mailto://s3cret",
        "s3cret",
        "a://s3cret",
    ]
    refused = f"json://s3cretuser:s3cretpass@127.0.0.1:{free_port()}/s3cret"
    argv = [sys.executable, "-c", code, WEBHOOK, TWILIO, refused, *bad]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert len(capture.requests()) == 2
    assert len(done.stdout.splitlines()) == 2 + len(bad), "the Twilio message is sent, the rest is not"
    assert not [secret for secret in SECRETS if secret in done.stdout + done.stderr], done


def test_nobody_listening_is_a_passing_failure() -> None:
    error = error_of(f"json://127.0.0.1:{free_port()}/s3cret")
    assert (str(error), error.permanent) == ("JSON: cannot be reached: connection refused", False)
    assert not error.unsure


def test_a_name_that_does_not_resolve_is_a_passing_failure() -> None:
    error = error_of("json://s3cret.invalid/")
    assert (str(error), error.permanent) == ("JSON: cannot be reached: no such host name", False)


def test_a_certificate_that_nobody_vouches_for_is_a_passing_failure(
    capture: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    error = error_of(WEBHOOK)
    assert (str(error), error.permanent) == ("Slack: is not trusted: its TLS certificate does not verify", False)


def test_an_answer_that_is_not_http_is_a_passing_failure() -> None:
    with tcp(lambda connection: connection.sendall(b"\x00garbage\r\n\r\n")) as port:
        error = error_of(f"json://127.0.0.1:{port}/")
    assert "answered something that is not HTTP; whether it arrived is not known" in str(error)
    assert not error.permanent


def test_silence_ends_at_the_time_limit_and_its_outcome_is_called_unknown() -> None:
    with tcp(lambda _: None) as port:
        start = time.monotonic()
        error = error_of(f"json://127.0.0.1:{port}/?rto=60", seconds=0.5)
        assert time.monotonic() - start < 5
    assert str(error) == "json: no answer within 0.5 s; whether it arrived is not known, so it will be sent again"
    assert (error.permanent, error.unsure, error.in_flight) == (False, True, True)


def test_a_drip_of_bytes_ends_at_the_time_limit() -> None:
    def drip(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"H")
            time.sleep(0.05)

    with tcp(drip) as port:
        assert "no answer within 0.5 s" in str(error_of(f"json://127.0.0.1:{port}/", seconds=0.5))


def test_a_read_timeout_of_the_plugin_itself_is_called_unknown() -> None:
    with tcp(lambda _: None) as port:
        error = error_of(f"json://127.0.0.1:{port}/?rto=0.3")
    assert (str(error), error.unsure) == ("JSON: did not answer in time; whether it arrived is not known", True)


def test_no_send_outlasts_the_sweeps_deadline() -> None:
    with tcp(lambda _: None) as port:
        start = time.monotonic()
        with pytest.raises(SendError, match="no answer within 0"):
            AppriseNotifier(60, deadline=start + 0.3).send(f"json://127.0.0.1:{port}/", message())
        assert time.monotonic() - start < 5


def test_after_the_deadline_nothing_is_sent(capture: Capture) -> None:
    with pytest.raises(SendError, match="json: not sent, for the sweep's deadline has passed"):
        AppriseNotifier(deadline=time.monotonic()).send(capture.url(), message())
    assert capture.requests() == []


def test_the_first_sends_of_a_process_may_come_all_at_once(capture: Capture) -> None:
    code = """
import sys, threading
from rules.message import Message
from rules.notify import AppriseNotifier
def send(number):
    AppriseNotifier(30).send(sys.argv[1], Message(str(number), "b", "s", "failure"))
threads = [threading.Thread(target=send, args=(number,)) for number in range(16)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
    subprocess.run([sys.executable, "-c", code, capture.url()], cwd=ROOT, check=True, timeout=60)
    assert {request.json()["title"] for request in capture.requests()} == {str(number) for number in range(16)}


def test_a_hanging_send_does_not_hold_up_the_exit() -> None:
    code = """
import sys
from rules.cli import leave
from rules.message import Message
from rules.notify import AppriseNotifier, SendError
try:
    AppriseNotifier(0.5).send(sys.argv[1], Message("t", "b", "s", "failure"))
except SendError as error:
    print(error)
sys.exit(leave(7))
"""
    with tcp(lambda _: None) as port:
        for url in (
            f"json://127.0.0.1:{port}/?rto=60",
            f"mailto://127.0.0.1:{port}/?from=a@example.com&to=b@example.com",
        ):
            done = subprocess.run(
                [sys.executable, "-c", code, url], cwd=ROOT, capture_output=True, text=True, timeout=15
            )
            assert done.returncode == 7, done
            assert "no answer within 0.5 s" in done.stdout, done


def test_a_slow_receiver_has_the_whole_time_limit_to_answer() -> None:
    assert notify._service("json://127.0.0.1/", 10).socket_read_timeout == 10
    assert notify._service("json://127.0.0.1/?rto=2", 10).socket_read_timeout == 2


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "not an Apprise URL: it has no scheme"),
        ("s3cret", "not an Apprise URL: it has no scheme"),
        ("https://hooks.example.com/s3cret", "https"),
        ("nosuch://s3cret", "not a nosuch:// URL that Apprise understands (or it lacks a package for it)"),
        ("slack://", "slack: "),
        ("twilio://ACs3cret:s3crets3cret@15551230000", "twilio: An invalid Twilio Account SID (***) was specified."),
        ("mailto://s3cret", "mailto: "),
        ("xox s3cret://x", "not an Apprise URL: it has no scheme"),
    ],
)
def test_a_url_that_apprise_does_not_take_is_a_permanent_failure(url: str, says: str) -> None:
    error = error_of(url)
    assert says in str(error)
    assert error.permanent


def test_what_a_url_may_ask_of_apprise_does_not_change_what_a_success_is(capture: Capture) -> None:
    capture.answer("127.0.0.1", Answer(500))
    error = error_of(capture.url("/?optional=yes&retry=3&wait=0.1"))
    assert "HTTP 500" in str(error)
    assert len(capture.requests()) == 1


@pytest.mark.parametrize("kind", [RuntimeError, TypeError, ValueError, KeyError])
def test_a_plugin_that_raises_is_named_by_the_type_alone(
    monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    from apprise.plugins.custom_json import NotifyJSON

    def fail(*_: object, **__: object) -> bool:
        raise kind("s3cret")

    monkeypatch.setattr(NotifyJSON, "send", fail)
    error = error_of("json://127.0.0.1/")
    assert (str(error), error.permanent) == (f"JSON: the Apprise plugin failed with {kind.__name__}", False)


def test_a_plugin_that_raises_when_made_is_named_by_the_type_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins.custom_json import NotifyJSON

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("s3cret")

    monkeypatch.setattr(NotifyJSON, "__init__", fail)
    assert str(error_of("json://127.0.0.1/")) == "json: the Apprise plugin failed with RuntimeError"


def test_sends_at_the_same_time_have_each_their_own_answer(capture: Capture) -> None:
    statuses = [400, 401, 403, 404, 410, 429, 500, 503] * 3
    for status in set(statuses):
        capture.answer(f"127.0.0.1/{status}", Answer(status, delay=0.05))
    said: list[tuple[int, str]] = []
    threads = [
        threading.Thread(target=lambda status=status: said.append((status, str(error_of(capture.url(f"/{status}"))))))
        for status in statuses
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == len(statuses)
    assert [pair for pair in said if f"HTTP {pair[0]} " not in pair[1]] == []


@pytest.mark.parametrize(
    ("reply", "says", "permanent"),
    [
        (TRY_LATER, "E-Mail: answered SMTP 451 (4.3.2 try again later)", False),
        (NEVER, "E-Mail: answered SMTP 554 (5.7.1 not accepted)", True),
        ("550 5.1.1 <ops@example.com> who is s3cret@example.com?", "answered SMTP 550 (5.1.1 <***> who is", True),
    ],
)
def test_a_mail_servers_refusal_is_passed_on(reply: str, says: str, permanent: bool) -> None:
    with Smtp() as smtp:
        smtp.replies = lambda: reply
        error = error_of(smtp.url(to="ops@example.com"))
    assert says in str(error)
    assert "ops@example.com" not in str(error)
    assert error.permanent is permanent


class _Picky:
    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        return "550 5.1.1 no such user"


def test_a_recipient_whom_the_mail_server_does_not_know_is_a_permanent_failure() -> None:
    controller = Controller(
        _Picky(), hostname="127.0.0.1", port=free_port(), server_hostname="localhost", ready_timeout=60
    )
    controller.start()
    try:
        url = f"mailto://127.0.0.1:{controller.port}/?from=a@example.com&to=s3cret@example.com"
        error = error_of(url)
    finally:
        controller.stop()
    assert (str(error), error.permanent) == ("E-Mail: answered SMTP 550 (5.1.1 no such user)", True)


def test_a_wrong_mail_password_is_a_permanent_failure() -> None:
    def deny(*_: object) -> AuthResult:
        return AuthResult(success=False, handled=False)

    controller = Controller(
        _Picky(), hostname="127.0.0.1", port=free_port(), authenticator=deny, auth_require_tls=False,
        server_hostname="localhost", ready_timeout=60,
    )  # fmt: skip
    controller.start()
    try:
        error = error_of(f"mailto://night:s3cret@127.0.0.1:{controller.port}/?from=a@example.com&to=b@example.com")
    finally:
        controller.stop()
    assert str(error).startswith("E-Mail: answered SMTP 535 (5.7.8 ")
    assert error.permanent


def test_a_mail_server_that_turns_everybody_away_is_a_passing_failure() -> None:
    with tcp(lambda connection: connection.sendall(b"421 too many connections\r\n")) as port:
        error = error_of(f"mailto://127.0.0.1:{port}/?from=a@example.com&to=b@example.com")
    assert (str(error), error.permanent) == ("E-Mail: answered SMTP 421 (too many connections)", False)


def test_no_mail_server_is_a_passing_failure() -> None:
    error = error_of(f"mailto://127.0.0.1:{free_port()}/?from=a@example.com&to=b@example.com")
    assert (str(error), error.permanent) == ("E-Mail: cannot be reached: connection refused", False)


def test_a_mail_server_without_starttls_is_a_permanent_failure() -> None:
    with Smtp() as smtp:
        error = error_of(smtp.url().replace("mailto://", "mailtos://") + "&mode=starttls")
    assert (str(error), error.permanent) == ("E-Mail: offers no STARTTLS", True)


def test_apprise_is_imported_by_the_first_send_only() -> None:
    code = "import sys, rules.notify, rules.deliver; sys.exit('apprise' in sys.modules or 'requests' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
