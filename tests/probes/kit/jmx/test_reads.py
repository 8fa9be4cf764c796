"""What is read of which MBeans, and in which calls, over a fake JVM."""

import pytest

from probes.kit.net import NAMES, Unreadable
from tests.probes.kit.jmx import java
from tests.probes.kit.jmx.fakejvm import Answer, Fake, ask, ends, jvm, says, settled
from tests.probes.kit.jmx.replies import (
    GONE,
    NOT_FOUND,
    REJECTED,
    THREW,
    UNSENT,
    X,
    attributes,
    by_content,
    info,
    names,
)
from tests.probes.kit.rawserver import Talk


def test_all_attributes_are_those_that_can_be_read() -> None:
    with jvm(getMBeanInfo=says(info("a", "b", unreadable=["w"])), getAttributes=says(attributes(a=1, b=2))) as fake:
        (found,) = ask(fake.port, (X, ()))
        assert (found.mbeans, found.bare, found.refused) == ({X: {"a": 1, "b": 2}}, False, "")
        assert b"\x00\x01w" not in b"".join(fake.sent)


def test_several_are_asked_for_only_where_they_are() -> None:
    with jvm(getMBeanInfo=says(info("a", "b", "c")), getAttributes=says(attributes(a=1, b=2))) as fake:
        (found,) = ask(fake.port, (X, ("a", "b", "d")))
        assert found.mbeans == {X: {"a": 1, "b": 2}}
        assert fake.calls[2:4] == ["getMBeanInfo", "getAttributes"]
        assert b"\x74\x00\x01d" not in b"".join(fake.sent)


def test_of_an_mbean_that_has_none_of_them_no_more_is_asked() -> None:
    with jvm(getMBeanInfo=says(info("c"))) as fake:
        (found,) = ask(fake.port, (X, ("a", "b")))
        assert (found.mbeans, found.bare) == ({X: {}}, True)
        assert settled(fake)
        assert fake.calls[2:] == ["getMBeanInfo", "close"]


def test_one_attribute_that_is_not_there_is_absent() -> None:
    with jvm(getAttribute=says(NOT_FOUND)) as fake:
        (found,) = ask(fake.port, (X, ("a",)))
        assert (found.mbeans, found.bare, found.refused) == ({X: {}}, True, "")


@pytest.mark.parametrize(
    ("wanted", "call"), [(("a",), "getAttribute"), (("a", "b"), "getMBeanInfo"), ((), "getMBeanInfo")]
)
def test_an_mbean_that_is_not_there_is_not_found(wanted: tuple[str, ...], call: str) -> None:
    with jvm() as fake:
        fake.answers[call] = says(GONE)
        (found,) = ask(fake.port, (X, wanted))
        assert (found.mbeans, found.bare, found.refused) == ({}, False, "")


def test_an_mbean_of_a_pattern_may_vanish() -> None:
    answers = by_content({"a:type=x": java.reply(java.integer(1)), "a:type=y": GONE})
    with jvm(queryNames=says(names("a:type=x", "a:type=y")), getAttribute=answers) as fake:
        (found,) = ask(fake.port, ("a:*", ("v",)))
        assert found.mbeans == {"a:type=x": {"v": 1}}


Y, Z = "a:type=y", "a:type=z"
SAID = {X: java.reply(java.integer(1)), Y: java.reply(java.integer(2)), Z: java.reply(java.integer(3))}


def by_turns(*replies: dict[str, bytes] | bytes) -> Answer:
    """To each call about the same MBean, or about none in particular, the next answer; the last one again and again."""
    calls: dict[str, int] = {}

    def answer(fake: Fake, talk: Talk, call: bytes) -> None:
        about = next((name for name in SAID if name.encode() in call), "")
        turn = replies[min(calls.get(about, 0), len(replies) - 1)]
        calls[about] = calls.get(about, 0) + 1
        talk.say(turn if isinstance(turn, bytes) else turn[about])

    return answer


@pytest.mark.parametrize("wanted", [("v",), ("v", "w")])
@pytest.mark.parametrize(
    ("listed", "told", "found", "asked"),
    [
        # Unregistered, and registered again.
        ([names(X)], [GONE, SAID], {X: 1}, 2),
        ([names(X, Y)], [SAID | {X: GONE}, SAID], {X: 1, Y: 2}, 3),
        # Registered again by another name.
        ([names(X, Y), names(Y, Z)], [SAID | {X: GONE}], {Y: 2, Z: 3}, 3),
        # Gone for good; the others are asked once.
        ([names(X, Y), names(Y)], [SAID | {X: GONE}], {Y: 2}, 2),
        ([names(X, Y)], [SAID | {X: GONE}], {Y: 2}, 3),
        # There is no third time. That they were there a moment ago, `bare` tells.
        ([names(X, Y)], [GONE], None, 4),
        ([names(X), names()], [GONE], None, 1),
    ],
)
def test_what_was_listed_and_is_gone_is_looked_for_once_more(
    wanted: tuple[str, ...],
    listed: list[bytes],
    told: list[dict[str, bytes] | bytes],
    found: dict[str, int] | None,
    asked: int,
) -> None:
    call = "getAttribute" if len(wanted) == 1 else "getMBeanInfo"
    with jvm(queryNames=by_turns(*listed), getAttribute=by_turns(*told)) as fake:
        if call == "getMBeanInfo":
            there = {name: info("v") for name in SAID}
            fake.answers[call] = by_turns(*(_told(one, there) for one in told))
            fake.answers["getAttribute"] = by_turns(SAID)
        (one,) = ask(fake.port, ("a:*", wanted))
        assert one.mbeans == {name: {"v": value} for name, value in (found or {}).items()}
        assert (one.bare, one.refused) == (found is None, "")
        assert (fake.calls.count("queryNames"), fake.calls.count(call)) == (2, asked)


def _told(turn: dict[str, bytes] | bytes, there: dict[str, bytes]) -> dict[str, bytes] | bytes:
    return turn if isinstance(turn, bytes) else {name: GONE if turn[name] == GONE else there[name] for name in turn}


@pytest.mark.parametrize(
    ("name", "listed", "found"), [("a:*", (X, Y), {X: {}, Y: {}}), (X, (X,), {X: {}}), (X, (), {}), ("a:*", (), {})]
)
def test_where_names_are_enough_nothing_else_is_asked(
    name: str, listed: tuple[str, ...], found: dict[str, dict[str, object]]
) -> None:
    with jvm(queryNames=says(names(*listed))) as fake:
        (one,) = ask(fake.port, (name, NAMES))
        assert (one.mbeans, one.bare, one.refused) == (found, False, "")
        assert settled(fake)
        assert fake.calls == ["lookup", "newClient", "queryNames", "close"]


def test_a_pattern_that_nothing_matches() -> None:
    with jvm(queryNames=says(names())) as fake:
        (found,) = ask(fake.port, ("a:*", ("v",)))
        assert (found.mbeans, found.bare, found.refused) == ({}, False, "")


def test_many_calls_are_under_way_at_once() -> None:
    many = [f"a:i={number}" for number in range(40)]
    with jvm(queryNames=says(names(*many))) as fake:
        (found,) = ask(fake.port, ("a:*", ("v",)))
        assert found.mbeans == {name: {"v": 42} for name in many}
        assert settled(fake)
        assert len(fake.sent) == 1 + 1 + 1 + 3 + 1  # 16 at a time


def test_a_getter_that_throws_is_told_by_asking_it_alone() -> None:
    with jvm(getMBeanInfo=says(info("a", "b")), getAttributes=says(attributes(a=1)), getAttribute=says(THREW)) as fake:
        (found,) = ask(fake.port, (X, ()))
        assert found.mbeans == {X: {"a": 1, "b": Unreadable("IllegalStateException: not now")}}
        assert isinstance(found.mbeans[X]["b"], Unreadable)


def test_one_value_that_cannot_be_sent_does_not_hide_the_others() -> None:
    alone = by_content(
        {
            "\x00\x01a": java.reply(java.integer(1)),
            "\x00\x01b": ends(UNSENT),
            "\x00\x01c": java.reply(java.integer(3)),
        }
    )
    with jvm(getMBeanInfo=says(info("a", "b", "c")), getAttributes=ends(UNSENT), getAttribute=alone) as fake:
        (found,) = ask(fake.port, (X, ()))
        why = Unreadable("the JVM gave up its answer: NotSerializableException: a.C")
        assert found.mbeans == {X: {"a": 1, "b": why, "c": 3}}
        assert settled(fake)


def test_a_connection_that_ends_after_an_answer_is_made_anew() -> None:
    many = [f"a:i={number}" for number in range(5)]

    def answer(fake: Fake, talk: Talk, call: bytes) -> None:
        if b"a:i=2" in call:
            ends(REJECTED)(fake, talk, call)
        else:
            talk.say(java.reply(java.integer(1)))

    with jvm(getAttribute=answer) as fake:
        found = ask(fake.port, *((name, ["v"]) for name in many))
        assert [list(one.mbeans.values()) for one in found] == [[{"v": 1}], [{"v": 1}], [], [{"v": 1}], [{"v": 1}]]
        assert settled(fake)
        assert fake.calls.count("newClient") == 1
        assert fake.acknowledged[-1] == (2, java.UID)


def test_no_more_is_under_way_than_the_buffers_between_hold() -> None:
    """Else a JVM that waits for us to read its replies would not read our calls, and we not its replies."""
    many = [f"a:i={number}{'x' * 20_000}" for number in range(5)]
    with jvm() as fake:
        found = ask(fake.port, *((name, ["v"]) for name in many))
        assert [list(one.mbeans.values()) for one in found] == [[{"v": 42}]] * 5
        assert settled(fake)
        assert len(fake.sent) == 1 + 1 + 5 + 1
