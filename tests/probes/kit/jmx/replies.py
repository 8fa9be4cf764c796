"""What a JVM replies, by hand: MBeans' names, what they have, values, exceptions."""

import struct
from collections.abc import Mapping, Sequence

from tests.probes.kit.jmx import java
from tests.probes.kit.jmx.fakejvm import Answer, Fake
from tests.probes.kit.rawserver import Talk

GONE = java.reply(java.thrown("javax.management.InstanceNotFoundException", "a:type=x"), 2)
NOT_FOUND = java.reply(java.thrown("javax.management.AttributeNotFoundException", "no such"), 2)


def by_mbean(kind: str, message: str) -> bytes:
    """What an MBean itself has thrown."""
    inner = java.thrown(kind, message)
    return java.reply(java.carrying("javax.management.RuntimeMBeanException", "runtimeException", inner), 2)


THREW = by_mbean("java.lang.IllegalStateException", "not\nnow")
SICK = java.reply(java.thrown("javax.management.JMRuntimeException", "MBean has no MBeanInfo"), 2)
OWN = by_mbean("java.lang.SecurityException", "not for you")
DENIED = java.reply(java.thrown("java.lang.SecurityException", "Access denied!"), 2)
REJECTED = java.reply(
    java.carrying(
        "java.rmi.RemoteException",
        "detail",
        java.thrown("java.io.InvalidClassException", "filter status: REJECTED"),
    ),
    2,
)
# The JVM wrote as far as it came, then why it could not go on.
UNSENT = java.reply(java.OBJECT + java.described("a.B", 2, [("LX;", "x")]) + b"\x7b") + java.thrown(
    "java.io.NotSerializableException", "a.C"
)
X = "a:type=x"


def names(*found: str) -> bytes:
    """What queryNames gives."""
    each = [
        java.OBJECT + java.described("javax.management.ObjectName", 3) + java.string(name) + java.END for name in found
    ]
    head = struct.pack(">ifi", 16, 0.75, len(each))
    return java.reply(
        java.OBJECT + java.described("java.util.HashSet", 3) + java.block(head) + b"".join(each) + java.END
    )


def info(*attributes: str, unreadable: Sequence[str] = ()) -> bytes:
    """What getMBeanInfo gives."""
    kind = java.described("javax.management.MBeanAttributeInfo", 2, [("Z", "isRead"), ("Ljava/lang/String;", "name")])
    each = [
        java.OBJECT + kind + bytes([name not in unreadable]) + java.string(name) for name in (*attributes, *unreadable)
    ]
    array = java.ARRAY + java.described("[Ljavax.management.MBeanAttributeInfo;") + struct.pack(">i", len(each))
    fields = [("[Ljavax/management/MBeanAttributeInfo;", "attributes")]
    return java.reply(java.OBJECT + java.described("javax.management.MBeanInfo", 2, fields) + array + b"".join(each))


def attributes(**values: int) -> bytes:
    """What getAttributes gives."""
    kind = java.described("javax.management.Attribute", 2, [("LS;", "name"), ("LO;", "value")])
    return java.reply(
        java.array_list(
            *(java.OBJECT + kind + java.string(name) + java.integer(value) for name, value in values.items())
        )
    )


def by_content(replies: Mapping[str, bytes | Answer]) -> Answer:
    """Answer by what a call holds."""

    def answer(fake: Fake, talk: Talk, call: bytes) -> None:
        found = next(reply for word, reply in replies.items() if word.encode() in call)
        if isinstance(found, bytes):
            talk.say(found)
        else:
            found(fake, talk, call)

    return answer
