"""Our calls are the bytes that Java's own client sends, and each method's hash is computed anew."""

import pytest

from probes.kit.jmx import calls
from probes.kit.jmx.source import decode, encode
from tests.probes.kit.jmx.java import hashed
from tests.probes.kit.jmx.recordings import JAVA_CLIENT, exchanges, versions

NAME, TEXT, SUBJECT = "Ljavax/management/ObjectName;", "Ljava/lang/String;", "Ljavax/security/auth/Subject;"


@pytest.mark.parametrize(
    ("number", "signature"),
    [
        (calls.NEW_CLIENT, "newClient(Ljava/lang/Object;)Ljavax/management/remote/rmi/RMIConnection;"),
        (calls.GET_ATTRIBUTE, f"getAttribute({NAME}{TEXT}{SUBJECT})Ljava/lang/Object;"),
        (calls.GET_ATTRIBUTES, f"getAttributes({NAME}[{TEXT}{SUBJECT})Ljavax/management/AttributeList;"),
        (calls.QUERY_NAMES, f"queryNames({NAME}Ljava/rmi/MarshalledObject;{SUBJECT})Ljava/util/Set;"),
        (calls.GET_INFO, f"getMBeanInfo({NAME}{SUBJECT})Ljavax/management/MBeanInfo;"),
        (calls.CLOSE, "close()V"),
    ],
)
def test_a_method_is_named_by_its_hash(number: int, signature: str) -> None:
    assert number == hashed(signature)


@pytest.mark.parametrize("version", versions())
def test_java_sends_the_same_bytes(version: int) -> None:
    by_java = [each.sent for each in exchanges(version) if each.mode == JAVA_CLIENT]

    def connection(method: int) -> bytes:
        """Whom Java called with this method."""
        hashed = method.to_bytes(8, "big", signed=True)
        return next(sent[7:29] for sent in by_java if sent[33:41] == hashed)

    values = "stetho.test:type=Values"
    one, several = connection(calls.GET_ATTRIBUTE), connection(calls.GET_ATTRIBUTES)
    assert any(sent.endswith(calls.lookup("jmxrmi")) for sent in by_java)
    assert calls.get_attribute(one, values, "Integer") in by_java
    assert calls.get_attributes(several, values, ["Integer", "NoSuch", "String"]) in by_java
    assert calls.close(one) in by_java
    # Where we send null for a query, Java wraps that null into an object.
    query = calls.query_names(connection(calls.QUERY_NAMES), "stetho.test:type=Quoted,*").removesuffix(b"\x70\x70")
    assert any(sent.startswith(query) for sent in by_java)


@pytest.mark.parametrize("version", versions())
def test_a_name_of_any_letters_is_sent_as_java_does(version: int) -> None:
    odd = "stetho.test:type=Größe,name=Ü 😀"
    (sent,) = [each.sent for each in exchanges(version) if odd in each.asked and each.sent.endswith(b"Value\x70")]
    assert calls.get_attribute(sent[7:29], odd, "Value") == sent


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", b""),
        ("a", b"a"),
        ("a\0b", b"a\xc0\x80b"),
        ("ä€", b"\xc3\xa4\xe2\x82\xac"),
        ("😀", b"\xed\xa0\xbd\xed\xb8\x80"),
        ("\ud83d", b"\xed\xa0\xbd"),
        ("\ude00\ud83d", b"\xed\xb8\x80\xed\xa0\xbd"),
    ],
)
def test_modified_utf_8(text: str, data: bytes) -> None:
    assert (encode(text), decode(data)) == (data, text)


def test_a_long_name_has_a_long_length() -> None:
    assert b"\x7c" + (1 << 16).to_bytes(8, "big") + b"x" * 65536 in calls.get_info(bytes(22), "x" * 65536)
