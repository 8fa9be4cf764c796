"""Remote JMX over a fake JVM: the order of the steps, the places that are tried, and the error of each failure."""

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from probes.kit import dial
from probes.kit.exchange import Exchange
from probes.kit.jmx.wire import Link, Reply
from probes.kit.net import Unreadable
from probes.kit.result import ProbeError, Unreachable, Unrouted
from tests.probes.kit.jmx import java
from tests.probes.kit.jmx.fakejvm import (
    CONNECTION,
    NOT_THERE,
    READ,
    SERVER,
    VALUE,
    Answer,
    Fake,
    ask,
    drips,
    ends,
    error,
    hangs,
    jvm,
    said,
    says,
    settled,
)
from tests.probes.kit.rawserver import RawServer, Refuser, Talk, Tls, Unaccepting

NO_SUCH_OBJECT = java.reply(java.thrown("java.rmi.NoSuchObjectException", "no such object in table"), 2)


def security(message: str) -> Answer:
    return says(java.reply(java.thrown("java.lang.SecurityException", message), 2))


def thanked(fake: Fake, seconds: float = 5) -> list[tuple[int, bytes]]:
    """What was acknowledged: the client does not wait until it is heard."""
    end = time.monotonic() + seconds
    while not fake.acknowledged and time.monotonic() < end:
        time.sleep(0.01)
    return fake.acknowledged


@pytest.fixture
def refuser() -> Iterator[Refuser]:
    refuser = Refuser()
    yield refuser
    refuser.close()


def test_one_port_serves_all_steps_over_one_connection() -> None:
    with jvm() as fake:
        assert ask(fake.port)[0].mbeans == VALUE
        assert settled(fake)
        assert fake.heard == [(1, "lookup"), (1, "newClient"), (1, "getAttribute"), (1, "close")]


def test_each_call_goes_out_in_one_piece() -> None:
    with jvm() as fake:
        ask(fake.port)
        assert settled(fake)
        assert len(fake.sent) == 4


def test_remote_objects_are_acknowledged_and_the_connection_closed() -> None:
    with jvm() as fake:
        ask(fake.port)
        assert settled(fake)
        assert fake.acknowledged == [(1, java.UID), (1, java.UID)]


def test_a_server_with_a_port_of_its_own_is_dialed_at_the_host_that_was_asked() -> None:
    with jvm() as server, jvm(lookup=says(java.reply(java.stub(NOT_THERE, server.port, SERVER)))) as registry:
        assert ask(registry.port)[0].mbeans == VALUE
        assert settled(server)
        assert (registry.calls, server.calls) == (["lookup"], ["newClient", "getAttribute", "close"])
        assert thanked(registry) == [(1, java.UID)]


def test_an_advertised_host_does_not_matter_where_the_port_is_the_same() -> None:
    with jvm() as fake:
        fake.answers["lookup"] = says(java.reply(java.stub(NOT_THERE, fake.port, SERVER)))
        assert ask(fake.port)[0].mbeans == VALUE
        assert fake.server.connections == 1


def test_the_advertised_host_is_dialed_where_the_asked_one_refuses() -> None:
    with jvm() as server, jvm(host="127.0.0.2", newClient=says(NO_SUCH_OBJECT)) as registry:
        registry.answers["lookup"] = says(java.reply(java.stub("127.0.0.1", server.port, SERVER)))
        assert ask(registry.port, host="127.0.0.2")[0].mbeans == VALUE
        assert settled(server)
        # With a forwarded port, the server would be at the registry's own connection.
        assert (registry.calls, server.calls) == (["lookup", "newClient"], ["newClient", "getAttribute", "close"])


def test_a_forwarded_port_leads_to_the_server_over_the_registry_s_own_connection(refuser: Refuser) -> None:
    with jvm(lookup=says(java.reply(java.stub(NOT_THERE, refuser.port, SERVER)))) as fake:
        fake.answers["newClient"] = says(java.reply(java.stub(NOT_THERE, refuser.port, CONNECTION)))
        assert ask(fake.port)[0].mbeans == VALUE
        assert settled(fake)
        assert [number for number, _ in fake.heard] == [1, 1, 1, 1]


def test_an_unreachable_server_is_told_with_all_that_was_tried(refuser: Refuser) -> None:
    with jvm(
        lookup=says(java.reply(java.stub("127.0.0.2", refuser.port, SERVER))), newClient=says(NO_SUCH_OBJECT)
    ) as fake:
        assert said(fake.port) == (
            f"the registry answers, but its RMI server does not: 127.0.0.1:{refuser.port}: connection refused; "
            f"the registry's own 127.0.0.1:{fake.port}: another RMI server (NoSuchObjectException); "
            f"127.0.0.2:{refuser.port} (as its stub advertises): connection refused; "
            "set com.sun.management.jmxremote.rmi.port there, and let it through"
        )


def test_a_place_that_takes_no_connection_leaves_time_for_the_next() -> None:
    full = Unaccepting()
    try:
        with jvm(lookup=says(java.reply(java.stub("127.0.0.1", full.port, SERVER)))) as fake:
            assert ask(fake.port, timeout=4)[0].mbeans == VALUE
    finally:
        full.close()


def test_nobody_listening_is_unreachable(refuser: Refuser) -> None:
    wrong = error(refuser.port)
    assert isinstance(wrong, Unreachable)
    assert str(wrong).endswith("connection refused")


def test_a_stopped_jvm_is_unreachable() -> None:
    server = RawServer(Talk.hang)
    try:
        wrong = error(server.port, timeout=0.3)
        assert isinstance(wrong, Unreachable)
        assert str(wrong).endswith("not a byte in 0.3s")
    finally:
        server.close()


@pytest.mark.parametrize("host", [NOT_THERE, "größe-東京.invalid"])
def test_no_such_host_is_no_evidence(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: bytes, port: int) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(dial, "resolve", resolve)
    with pytest.raises(Unrouted, match=f"no such host '{host}'$"):
        ask(1, host=host)


@pytest.mark.parametrize(("received", "text"), [(0, "no time left to ask"), (9, "the answer was not complete in ")])
def test_no_time_is_left_to_connect_again(received: int, text: str) -> None:
    exchange = Exchange("JMX read", time.monotonic() + 5)
    exchange.received, exchange.end = received, time.monotonic()
    with pytest.raises(ProbeError, match=f"^JMX read: {text}"):
        dial.connect(exchange, b"127.0.0.1", 1)


@pytest.mark.parametrize(
    ("step", "what"),
    [
        ("lookup", "looking up jmxrmi"),
        ("newClient", "logging in"),
        ("getAttribute", "reading java.lang:type=Runtime Uptime"),
    ],
)
@pytest.mark.parametrize("answer", [hangs, drips(java.reply(java.integer(42)))])
def test_the_deadline_is_total_and_names_the_step(
    step: str, what: str, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried(monkeypatch, what)
    with jvm() as fake:
        fake.answers[step] = answer
        begun = time.monotonic()
        assert re.sub("[0-9.]+s", "Xs", said(fake.port, timeout=10)) == f"the answer was not complete in Xs ({what})"
        assert time.monotonic() - begun < 8


def hurried(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """The deadline comes 0.4 s after this step has begun, however late a busy machine begins it."""
    reply = Link._reply  # after the JVM's welcome

    def soon(link: Link, void: bool) -> Reply:
        exchange = link._exchange
        if exchange.step == what:
            exchange.end = min(exchange.end, time.monotonic() + 0.4)
        return reply(link, void)

    monkeypatch.setattr(Link, "_reply", soon)


def test_even_at_the_deadline_the_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    hurried(monkeypatch, "reading java.lang:type=Runtime Uptime")
    with jvm(getAttribute=says()) as fake:
        error(fake.port, timeout=10)
        assert settled(fake)
        assert fake.acknowledged[-1] == (1, java.UID)


@pytest.mark.parametrize(
    ("answers", "wrong"),
    [
        (
            {"lookup": says(java.reply(java.thrown("java.rmi.NotBoundException", "jmxrmi"), 2))},
            "an RMI registry, but it has no jmxrmi: no remote JMX is served there",
        ),
        (
            {"lookup": says(java.reply(java.stub("h", 1, SERVER, "com.acme.Sockets")))},
            "the stub of its server wants the socket factory com.acme.Sockets, which is not known",
        ),
        ({"lookup": says(java.reply(java.integer(1)))}, "the stub of its server is of a form not known"),
        ({"lookup": says(java.reply(java.stub("h", 70000, SERVER)))}, "the stub of its server is of a form not known"),
        (
            {"newClient": says(java.reply(java.thrown("java.lang.IllegalStateException", "no"), 2))},
            "the login failed: IllegalStateException: no",
        ),
        ({"lookup": says(b"\x51" + b"nonsense, or Java of another age")}, "an answer that cannot be understood"),
        ({"lookup": ends(java.reply()[:9])}, "the answer broke off (looking up jmxrmi)"),
        ({"getAttribute": ends(b"")}, ""),
    ],
)
def test_each_failure_has_its_text(answers: dict[str, Answer], wrong: str) -> None:
    with jvm() as fake:
        fake.answers.update(answers)
        if wrong:
            assert said(fake.port).startswith(wrong)
        else:
            (found,) = ask(fake.port)
            assert found.mbeans[READ[0]]["Uptime"] == Unreadable("the answer broke off")


WANTED = "it wants a login; give --username and --password-file"


@pytest.mark.parametrize(
    ("words", "login", "wrong"),
    [
        (
            "Authentication failed! Credentials required",
            None,
            f"{WANTED} (Authentication failed! Credentials required)",
        ),
        ("Who are you?", None, f"{WANTED} (Who are you?)"),
        ("", None, WANTED),
        ("Invalid username", "joe hunter2", "it refuses the login of 'joe': Invalid username"),
        ("", "joe hunter2", "it refuses the login of 'joe'"),
        ("joe/hunter2 is wrong", "joe hunter2", "it refuses the login of 'joe': joe/*** is wrong"),
        (f"{'no ' * 78}hunter2", "joe hunter2", f"it refuses the login of 'joe': {'no ' * 78}***"),
        ("no", "joe ", "it refuses the login of 'joe' without a password: no"),
    ],
)
def test_a_login_that_fails_says_why_and_shows_no_password(words: str, login: str | None, wrong: str) -> None:
    given: dict[str, Any] = dict(zip(("username", "password"), login.split(" "), strict=True)) if login else {}
    with jvm(newClient=security(words)) as fake:
        assert said(fake.port, **given) == wrong


def test_no_reply_shows_the_password() -> None:
    """What is thrown may quote it, whether the login failed or a read."""
    why = java.reply(java.thrown("java.lang.IllegalStateException", "no hunter2 here"), 2)
    broken = java.reply(java.OBJECT + java.described("a.B", 2, [("LX;", "x")]) + b"\x7b") + java.thrown(
        "a.C", "hunter2"
    )
    login: dict[str, Any] = {"username": "joe", "password": "hunter2"}
    with jvm(newClient=says(why)) as fake:
        assert said(fake.port, **login) == "the login failed: IllegalStateException: no *** here"
    for answer, words in (
        (says(why), "IllegalStateException: no *** here"),
        (ends(broken), "gave up its answer: C: ***"),
    ):
        with jvm(getAttribute=answer) as fake:
            (found,) = ask(fake.port, **login)
            assert words in str(found.mbeans[READ[0]]["Uptime"])


def test_the_deadline_between_two_questions_tells_how_long_the_first_took(monkeypatch: pytest.MonkeyPatch) -> None:
    send = Link.send

    def late(link: Link, *calls: bytes) -> None:
        if link._exchange.step.startswith("reading"):
            link._exchange.end = time.monotonic()
        send(link, *calls)

    monkeypatch.setattr(Link, "send", late)
    with jvm() as fake:
        wrong = said(fake.port)
        assert wrong.startswith("the answer was not complete in ")
        assert wrong.endswith(" (reading java.lang:type=Runtime Uptime)")


@pytest.mark.parametrize(
    ("first", "wrong"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "it does not speak RMI: 'HTTP/1.1 400 Bad Request"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "it does not speak RMI: 'SSH-2.0-OpenSSH_9.2"),
        (b"\x15\x03\x03\x00\x02\x02\x50", "the registry speaks TLS; say --registry-tls"),
    ],
)
def test_who_speaks_otherwise_is_shown(first: bytes, wrong: str) -> None:
    def script(talk: Talk) -> None:
        talk.say(first)
        talk.finish()

    server = RawServer(script)
    try:
        assert said(server.port).startswith(wrong)
    finally:
        server.close()


def test_a_registry_that_takes_only_tls_and_says_nothing_else_is_known(tmp_path: Path) -> None:
    with contextlib.closing(RawServer(Talk.hang, tls=Tls(tmp_path).server)) as server:
        assert said(server.port) == "the registry speaks TLS; say --registry-tls"


def test_ipv6() -> None:
    def script(talk: Talk) -> None:
        talk.sock.recv(1 << 16)
        talk.say(java.WELCOME + java.reply(java.thrown("java.rmi.NotBoundException", "jmxrmi"), 2))
        talk.finish()

    server = RawServer(script, host="::1")
    try:
        with pytest.raises(ProbeError, match=rf"jmx://\[::1\]:{server.port}: an RMI registry, but it has no jmxrmi"):
            ask(server.port, host="[::1]")
    finally:
        server.close()


def test_a_login_is_sent_as_java_writes_text() -> None:
    with jvm() as fake:
        ask(fake.port, username="mönitor", password="a\0😀")
        assert b"\x00\x08m\xc3\xb6nitor" in fake.sent[1]
        assert b"\x00\x09a\xc0\x80\xed\xa0\xbd\xed\xb8\x80" in fake.sent[1]
