"""How a visit to a JVM ends, whatever came of it."""

import time

import pytest

from probes.kit.jmx import session
from tests.probes.kit.jmx import java
from tests.probes.kit.jmx.fakejvm import CALL, Answer, ask, ends, jvm, settled


@pytest.mark.parametrize("broken", [False, True], ids=["over its connection", "over a new one"])
def test_what_is_owed_is_acknowledged_before_goodbye(broken: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A JVM that finds us gone as it answers to the goodbye reads no further."""
    monkeypatch.setattr(session, "LAST_WORDS", 60)
    answers: dict[str, Answer] = {"getAttribute": ends(b"nonsense")} if broken else {}
    with jvm() as fake:
        fake.answers.update(answers)
        ask(fake.port)
        assert settled(fake)
        assert b"\x54" + java.UID + CALL in fake.sent[-1]


def test_the_answer_to_goodbye_is_complete_without_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """A JVM sends none, not even null. Over a new connection the answer is waited for, but nothing after it."""
    monkeypatch.setattr(session, "LAST_WORDS", 60)
    with jvm(getAttribute=ends(b"nonsense")) as fake:
        begun = time.monotonic()
        ask(fake.port, timeout=30)
        assert time.monotonic() - begun < 15
        assert fake.heard[-1] == (3, "close")
