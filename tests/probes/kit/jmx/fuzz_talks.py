"""Nasty at one stage of a conversation: names, what MBeans have, where the server is. And all nasty things by name."""

from random import Random

from tests.probes.kit.jmx.fuzz_laughs import LAUGHS, cause_of_itself, proxy_in_itself, ref
from tests.probes.kit.jmx.fuzz_nasty import ANYWHERE, MANY, Build, wide_class
from tests.probes.kit.jmx.fuzz_writer import (
    ATTRIBUTE,
    ATTRIBUTE_INFO,
    ATTRIBUTES,
    END,
    INFO,
    INFOS,
    NAME,
    NULL,
    Form,
    Java,
    block,
    names_reply,
    number,
    utf,
)

LOOKUP, LOGIN, NAMES, INFOS_OF, SEVERAL, ONE = "lookup", "login", "names", "info", "several", "one"
DOMAIN = b"stetho.test:type=Nasty,"
ATTRIBUTES_OF_ONE = 16_000
FACTORY = "javax.rmi.ssl.SslRMIClientSocketFactory"


def long_names(rng: Random) -> bytes:
    """MBeans with names of megabytes; who takes one apart must not copy it again and again."""
    part = rng.choice((b"a=b,", b"\xe4\xb8\xad", b'\\"', b"*?", b"=,", b'a="b"c'))
    start = rng.choice((b"k=", b'k="'))
    size = rng.choice((60_000, 1_000_000, 4_000_000))
    return names_reply([DOMAIN + start + part * (size // len(part))])


def many_names(rng: Random) -> bytes:
    """More MBeans than anybody has, or with more keys, or one of them many times."""
    roll = rng.random()
    if roll < 0.3:
        return names_reply([DOMAIN + b"".join(b"%x=," % (at * 600 + key) for key in range(600)) for at in range(1200)])
    if roll < 0.6:
        return names_reply([DOMAIN + b"name=%d" % at for at in range(30_000)])
    java = Java()
    java.set(MANY)
    java.object(NAME)
    java.text(DOMAIN)
    one = java.handles + 0x7E0000 - 2
    return java.raw(END, ref(one) * (MANY - 10), END).done()


def names_that_are_none(rng: Random) -> bytes:
    odd = (b"", b":", b"a:*", b"\0", b"\xed\xa0\xbd", b"=,=,", b'k:v="', b"\n\x1b[31m", b"a" * 65_535, b"a:b=\xc3\xbc")
    return names_reply(rng.choices(odd, k=6))


def infos(count: int, same: int) -> bytes:
    """What an MBean with so many attributes has; all of one long name with `same`."""
    java = Java()
    java.object(INFO)
    java.array(INFOS, count)
    name = 0
    for at in range(count):
        java.object(ATTRIBUTE_INFO)
        java.raw(b"\1")
        if name:
            java.raw(ref(name))
        else:
            handle = java.text(b"\xe4\xb8\xad" * same if same else f"attribute{at}")
            name = handle if same else 0
    return java.raw(END).done()


def many_attributes(_: Random) -> bytes:
    return infos(ATTRIBUTES_OF_ONE, 0)


def long_attributes(rng: Random) -> bytes:
    return infos(rng.choice((1, 250, 20_000)), rng.choice((1, 20_000, 600_000)))


def many_values(rng: Random) -> bytes:
    """The values of all of `many_attributes`, or the like that nobody asked for."""
    java = Java()
    java.object(ATTRIBUTES)
    java.raw(number(ATTRIBUTES_OF_ONE), block(number(ATTRIBUTES_OF_ONE)))
    kind = rng.choice(("attribute", "unasked"))
    for at in range(ATTRIBUTES_OF_ONE):
        java.object(ATTRIBUTE)
        java.text(f"{kind}{at}")
        java.raw(NULL)
    return java.raw(END).done()


def no_values(_: Random) -> bytes:
    java = Java()
    java.object(ATTRIBUTES)
    return java.raw(bytes(4), block(bytes(4)), END).done()


def one_wide_letter(rng: Random) -> bytes:
    """Megabytes of plain letters and one that makes Python keep each in four bytes, once they are one text."""
    java = Java()
    java.list(2)
    java.text(b"\xed\xa0\xbd\xed\xb8\x80")
    java.text(rng.choice((b"x", b"\x01", b"\n")) * rng.choice((1_200_000, 3_900_000, 7_900_000)))
    return java.raw(END).done()


HOSTS = (
    b"", b"\0", b"127.0.0.1\0", b"localhost", b"::1", b"x" * 65_535, b"127.0.0.1", b"127.1", b"0x7f000001", b"..", b"-",
    b"\xff\xfe", b"a b", b"\n", b"127.0.0.1:1", b"[::1]", b"x" * 253, b"a." * 126, b"%", b"no-such-host.invalid",
    b"\xc3\xbcber.example", b"xn--", b"255.255.255.255", b"0.0.0.0", b"fe80::1%1", b"*" * 64,
)  # fmt: skip


def stub(
    host: bytes, port: int, *, kind: bytes = b"UnicastRef", factory: str = "", object_id: bytes = bytes(22)
) -> bytes:
    """A remote object's, as the registry and the login answer with it."""
    java = Java()
    java.object(
        Form("javax.management.remote.rmi.RMIServerImpl_Stub", (), 2, Form("java.rmi.server.RemoteObject", (), 3))
    )
    where = utf(kind) + (bytes([bool(factory)]) if kind == b"UnicastRef2" else b"") + utf(host) + number(port)
    if not factory:
        return java.raw(block(where + object_id + b"\1"), END).done()
    java.raw(block(where))
    java.object(Form(factory))
    return java.raw(block(object_id + b"\1"), END).done()


def odd_stubs(rng: Random) -> bytes:
    kind, factory = rng.choice(((b"UnicastRef", ""), (b"UnicastRef2", ""), (b"UnicastRef2", FACTORY)))
    factory = factory and rng.choice((FACTORY, FACTORY, "org.example.Factory", "x" * 60_000))
    port = rng.choice((-1, 0, 1, 65535, 65536, 0x7FFFFFFF, -0x80000000))
    size = rng.choice((22, 22, 21, 0, 60_000))
    kind = rng.choice((kind, kind, kind, b"", b"ActivatableRef", b"\xff"))
    return stub(rng.choice(HOSTS), port, kind=kind, factory=factory, object_id=bytes(size))


NASTY: dict[str, dict[str, Build]] = {
    **{build.__name__: {ONE: build} for build in (*ANYWHERE, *LAUGHS)},
    "long_names": {NAMES: long_names},
    "many_names": {NAMES: many_names},
    "names_that_are_none": {NAMES: names_that_are_none},
    "many_attributes": {INFOS_OF: many_attributes},
    "long_attributes": {INFOS_OF: long_attributes},
    "many_values": {INFOS_OF: many_attributes, SEVERAL: many_values},
    "one_wide_letter": {SEVERAL: no_values, ONE: one_wide_letter},
    "wide_classes": {SEVERAL: no_values, ONE: wide_class},
    "odd_stubs": {LOOKUP: odd_stubs},
    "odd_connections": {LOGIN: odd_stubs},
    "stub_in_itself": {LOOKUP: proxy_in_itself},
    "connection_in_itself": {LOGIN: proxy_in_itself},
    "refusal_of_itself": {LOGIN: cause_of_itself},
}
