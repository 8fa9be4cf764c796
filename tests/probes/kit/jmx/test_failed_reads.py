"""What becomes of reads that a JVM refuses, or does not live to answer, over a fake one."""

import socket
import struct
from typing import Any

import pytest

from probes.kit.jmx import session
from probes.kit.net import Unreadable
from probes.kit.result import ProbeError
from tests.probes.kit.jmx import java
from tests.probes.kit.jmx.fakejvm import Fake, ask, ends, jvm, says
from tests.probes.kit.jmx.replies import (
    DENIED,
    OWN,
    REJECTED,
    SICK,
    THREW,
    UNSENT,
    X,
    attributes,
    by_content,
    info,
    names,
)
from tests.probes.kit.rawserver import Talk


@pytest.mark.parametrize(
    ("reply", "login", "refused"),
    [
        (DENIED, {}, "access denied: Access denied!"),
        (DENIED, {"username": "eve", "password": "x"}, "access denied to 'eve': Access denied!"),
        (
            REJECTED,
            {},
            "its serial filter refuses the question; see com.sun.management.jmxremote.serial.filter.pattern and "
            "jdk.serialFilter",
        ),
    ],
)
@pytest.mark.parametrize(
    ("read", "call"),
    [((X, ("a",)), "getAttribute"), ((X, ()), "getMBeanInfo"), (("a:*", ("a",)), "queryNames")],
)
def test_what_the_server_refuses_is_refused(
    reply: bytes, login: dict[str, Any], refused: str, read: tuple[str, tuple[str, ...]], call: str
) -> None:
    with jvm() as fake:
        fake.answers[call] = says(reply)
        (found,) = ask(fake.port, read, **login)
        assert (found.mbeans, found.bare, found.refused) == ({}, False, refused)


def test_a_name_that_is_none_is_refused() -> None:
    inner = java.thrown("java.io.InvalidObjectException", "MalformedObjectNameException: Domain part must be specified")
    reply = java.reply(java.carrying("java.rmi.RemoteException", "detail", inner), 2)
    with jvm(getAttribute=says(reply)) as fake:
        (found,) = ask(fake.port, ("nonsense", ("a",)))
        assert found.refused == "no ObjectName: MalformedObjectNameException: Domain part must be specified"


def test_one_read_that_is_refused_leaves_the_others() -> None:
    answers = by_content({"a:type=x": DENIED, "a:type=y": java.reply(java.integer(1))})
    with jvm(getAttribute=answers) as fake:
        denied, found = ask(fake.port, ("a:type=x", ("v",)), ("a:type=y", ("v",)))
        assert denied.refused
        assert found.mbeans == {"a:type=y": {"v": 1}}


WELL = java.reply(java.integer(1))
NO_ACCESS, MINE = "access denied: Access denied!", "SecurityException: not for you"


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (THREW, "IllegalStateException: not now"),
        (SICK, "JMRuntimeException: MBean has no MBeanInfo"),
        (OWN, MINE),
        (DENIED, NO_ACCESS),
        (UNSENT, "the JVM gave up its answer: NotSerializableException: a.C"),
    ],
)
def test_one_mbean_that_does_not_tell_what_it_has_leaves_the_others(reply: bytes, why: str) -> None:
    sick = ends(reply) if reply is UNSENT else reply
    infos = by_content({"a:type=x": sick, "a:type=y": info("v")})
    with jvm(queryNames=says(names("a:type=x", "a:type=y")), getMBeanInfo=infos, getAttribute=says(WELL)) as fake:
        (found,) = ask(fake.port, ("a:*", ()))
        assert (found.mbeans, found.refused) == ({"a:type=x": {"": why}, "a:type=y": {"v": 1}}, "")
        assert isinstance(found.mbeans["a:type=x"][""], Unreadable)
        (alone,) = ask(fake.port, ("a:type=x", ()))
        assert (alone.mbeans, alone.refused) == ({}, why)


@pytest.mark.parametrize("reply", [THREW, SICK, OWN, DENIED])
def test_who_does_not_tell_what_he_has_may_tell_what_is_wanted(reply: bytes) -> None:
    with jvm(getMBeanInfo=says(reply), getAttributes=says(attributes(v=1, w=2))) as fake:
        (found,) = ask(fake.port, (X, ("v", "w")))
        assert found.mbeans == {X: {"v": 1, "w": 2}}


@pytest.mark.parametrize("wanted", [("v",), ("v", "w")])
def test_one_mbean_that_is_forbidden_leaves_the_others(wanted: tuple[str, ...]) -> None:
    one = by_content({"a:type=x": DENIED, "a:type=y": WELL})
    several = by_content({"a:type=x": DENIED, "a:type=y": attributes(v=1, w=2)})
    listed = says(names("a:type=x", "a:type=y"))
    with jvm(queryNames=listed, getMBeanInfo=says(info("v", "w")), getAttribute=one, getAttributes=several) as fake:
        (found,) = ask(fake.port, ("a:*", wanted))
        told = {"v": 1, "w": 2}
        assert found.mbeans == {
            "a:type=x": dict.fromkeys(wanted, NO_ACCESS),
            "a:type=y": {name: told[name] for name in wanted},
        }
        assert all(isinstance(value, Unreadable) for value in found.mbeans["a:type=x"].values())
        assert (found.bare, found.refused) == (False, "")


@pytest.mark.parametrize("wanted", [(), ("v",), ("v", "w")])
def test_what_all_mbeans_refuse_alike_is_refused(wanted: tuple[str, ...]) -> None:
    with jvm(queryNames=says(names("a:type=x", "a:type=y")), getMBeanInfo=says(DENIED)) as fake:
        fake.answers["getAttribute"] = fake.answers["getAttributes"] = says(DENIED)
        (found,) = ask(fake.port, ("a:*", wanted))
        assert (found.mbeans, found.bare, found.refused) == ({}, False, NO_ACCESS)


def test_a_security_exception_of_a_getter_is_about_its_attribute_alone() -> None:
    with jvm(getAttribute=says(OWN)) as fake:
        (found,) = ask(fake.port, (X, ("a",)))
        assert found.mbeans == {X: {"a": Unreadable(MINE)}}


def test_a_jvm_that_dies_meanwhile_did_answer() -> None:
    def dies(fake: Fake, talk: Talk, call: bytes) -> None:
        gone, fake.server._listener = fake.server._listener, socket.create_server(("127.0.0.1", 0))
        gone.shutdown(socket.SHUT_RDWR)
        gone.close()
        talk.reset()

    with jvm(getAttribute=dies) as fake, pytest.raises(ProbeError) as caught:
        ask(fake.port, (X, ("a",)))
    assert str(caught.value).endswith(f"its RMI server at 127.0.0.1:{fake.port}: connection refused")
    assert type(caught.value) is ProbeError


def test_there_is_a_bound_to_all_that_is_kept() -> None:
    long = java.reply(b"\x7c" + struct.pack(">q", 5 << 20) + b"x" * (5 << 20))
    many = [f"a:i={number}" for number in range(5)]
    with (
        jvm(queryNames=says(names(*many)), getAttribute=says(long)) as fake,
        pytest.raises(ProbeError, match="it answers with over 150000 values or 6 MiB of text; ask for fewer"),
    ):
        ask(fake.port, ("a:*", ("v",)))


def test_leave_is_taken_over_a_new_connection_where_the_last_one_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "LAST_WORDS", 60)
    with jvm(getAttribute=ends(REJECTED)) as fake:
        ask(fake.port, (X, ("a",)))
        assert fake.heard[-1] == (2, "close")
        assert fake.acknowledged[-1] == (2, java.UID)
