"""TLS for the cold clients: whom it trusts, whom it shows, and how it fails."""

import _ssl
import contextlib
import os
import re
import socket
import ssl
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from probes.kit import dial, tls
from probes.kit.exchange import Exchange
from probes.kit.net import SYSTEM_TRUST, Trust
from probes.kit.result import ProbeError, Unreachable
from tests.probes.kit.rawserver import RawServer, Serve, Talk, Tls

SLACK = 3.0  # seconds, for a busy machine


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return Tls(tmp_path_factory.mktemp("tls"))


def greet(talk: Talk) -> None:
    """Send back the first bytes, and say that there are no more."""
    talk.sock.sendall(talk.sock.recv(100))
    talk.finish()


def dialled(server: RawServer, seconds: float = 5.0, host: str = "127.0.0.1") -> "tuple[Exchange, socket.socket]":
    exchange = Exchange("JMX read of kafka:5555", time.monotonic() + seconds)
    return exchange, dial.connect(exchange, host.encode(), server.port)  # type: ignore[return-value]


def secured(
    server: RawServer, trust: Trust, name: str = "127.0.0.1", host: str = "127.0.0.1"
) -> tuple[Exchange, tls.TlsSocket]:
    exchange, sock = dialled(server, host=host)
    return exchange, tls.secure(exchange, sock, name, trust)


def heard(server: RawServer, trust: Trust, name: str = "127.0.0.1", host: str = "127.0.0.1") -> bytes:
    """What the server sends back of our `hello`, all of it up to its end."""
    exchange, wire = secured(server, trust, name, host)
    exchange.send(wire, b"hello")
    data = b""
    while piece := exchange.receive(wire):
        data += piece
    wire.close()
    return data


def fault(server: RawServer, trust: Trust, name: str = "127.0.0.1", seconds: float = 5.0) -> tuple[type, str]:
    """The class of the error and its text, times as X; it must come by the deadline, and the socket be closed."""
    began = time.monotonic()
    exchange, sock = dialled(server, seconds)
    number = sock.fileno()
    before = os.fstat(number).st_ino
    with pytest.raises(ProbeError) as caught:
        tls.secure(exchange, sock, name, trust)
    assert time.monotonic() - began < seconds + SLACK
    with contextlib.suppress(OSError):  # the server may have got the number anew by now
        assert os.fstat(number).st_ino != before
    return caught.type, re.sub(r"in [0-9.]+m?s\b", "in Xs", str(caught.value).removeprefix("JMX read of kafka:5555: "))


def test_its_defaults_are_those_of_ssl() -> None:
    ours, theirs = _ssl._SSLContext(_ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for name in ("check_hostname", "verify_mode", "verify_flags", "options", "minimum_version", "maximum_version"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.get_ciphers() == theirs.get_ciphers() == ssl.create_default_context().get_ciphers()
    assert (ours.check_hostname, ours.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert ours.minimum_version == ssl.TLSVersion.TLSv1_2
    assert tls.PARTIAL_CHAIN == ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN


def test_what_was_said_over_tls_comes_back_whole(serve: Serve, authority: Tls) -> None:
    assert heard(serve(greet, tls=authority.server), Trust(authority.ca_file)) == b"hello"


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "localhost.", "LocalHost"])
def test_a_certificate_of_the_name_is_good(serve: Serve, authority: Tls, name: str) -> None:
    assert heard(serve(greet, tls=authority.server), Trust(authority.ca_file), name) == b"hello"


def test_a_certificate_of_an_ipv6_address_is_good(serve: Serve, authority: Tls) -> None:
    if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"):
        pytest.skip("this machine has no IPv6")
    server = serve(greet, host="::1", tls=authority.server)
    assert heard(server, Trust(authority.ca_file), "::1", "::1") == b"hello"


@pytest.mark.parametrize(
    ("name", "text"), [("127.0.0.1", "IP address mismatch"), ("localhost", "Hostname mismatch"), ("::1", "IP address")]
)
def test_a_certificate_of_another_name_is_a_probe_error(serve: Serve, authority: Tls, name: str, text: str) -> None:
    kind, said = fault(serve(greet, tls=authority.misnamed), Trust(authority.ca_file), name)
    assert kind is ProbeError
    assert said.startswith(f"certificate verify failed: {text}")


def test_a_stranger_is_a_probe_error(serve: Serve, authority: Tls, tmp_path: Path) -> None:
    kind, text = fault(serve(greet, tls=Tls(tmp_path).server), Trust(authority.ca_file))
    assert kind is ProbeError
    assert text in (
        "certificate verify failed: unable to get local issuer certificate",
        "certificate verify failed: self-signed certificate in certificate chain",
    )


def test_without_a_ca_file_the_systems_authorities_are_trusted(
    serve: Serve, authority: Tls, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fault(serve(greet, tls=authority.server), SYSTEM_TRUST)[1].startswith("certificate verify failed: ")
    monkeypatch.setenv("SSL_CERT_FILE", authority.ca_file)  # it is OpenSSL that reads it
    assert heard(serve(greet, tls=authority.server), SYSTEM_TRUST) == b"hello"


def test_a_servers_own_certificate_may_be_trusted_alone(serve: Serve, authority: Tls, tmp_path: Path) -> None:
    issued = authority.authority.issue_cert("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    (tmp_path / "server.pem").write_bytes(issued.cert_chain_pems[0].bytes())
    assert heard(serve(greet, tls=context), Trust(str(tmp_path / "server.pem"))) == b"hello"


def test_old_tls_is_refused(serve: Serve, authority: Tls) -> None:
    old = authority.serving("127.0.0.1")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    kind, text = fault(serve(greet, tls=old), Trust(authority.ca_file))
    assert kind is ProbeError
    assert text.startswith("the TLS handshake failed: ")


# Files


@pytest.mark.parametrize("content", [None, "", "no certificate", "-----BEGIN CERTIFICATE-----\nx\n"])
def test_a_ca_file_of_no_use_is_a_probe_error(serve: Serve, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    kind, text = fault(serve(Talk.hang), Trust(str(path)))
    assert kind is ProbeError
    assert re.fullmatch(rf"cannot read the CA file {path}: [a-zPEM ]+", text), text
    assert ("no such file or directory" in text) == (content is None)


@pytest.mark.parametrize("given", ["ca_file", "cert_file", "key_file"])
def test_a_file_that_could_be_waited_for_is_refused(serve: Serve, authority: Tls, tmp_path: Path, given: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    cert, key = authority.client()
    files = {"ca_file": authority.ca_file, "cert_file": cert, "key_file": key} | {given: str(tmp_path / "pipe")}
    kind, text = fault(serve(Talk.hang), Trust(**files))
    assert kind is ProbeError
    assert text.endswith(f"{tmp_path / 'pipe'}: it is no regular file") or given == "cert_file"
    assert "it is no regular file" in text


def test_a_client_certificate_is_shown(serve: Serve, authority: Tls, tmp_path: Path) -> None:
    server = serve(greet, tls=authority.asking_who("127.0.0.1"))
    cert, key = authority.client()
    assert heard(server, Trust(authority.ca_file, cert, key)) == b"hello"
    both = tmp_path / "both.pem"
    both.write_text(Path(key).read_text() + Path(cert).read_text())
    assert heard(server, Trust(authority.ca_file, str(both))) == b"hello"


def test_without_a_client_certificate_a_server_that_wants_one_says_so(serve: Serve, authority: Tls) -> None:
    exchange, wire = secured(serve(greet, tls=authority.asking_who("127.0.0.1")), Trust(authority.ca_file))
    with pytest.raises(ProbeError, match="certificate required") as caught:
        exchange.receive(wire)  # TLS 1.3 tells after the handshake
    assert caught.type is ProbeError
    wire.close()


def rsa_key() -> bytes:
    """A key of another kind than those of the test's certificates."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def encrypted(key: str, path: Path, form: PrivateFormat) -> str:
    private = load_pem_private_key(Path(key).read_bytes(), None)
    path.write_bytes(private.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"hunter2")))
    return str(path)


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_an_encrypted_key_is_refused_and_nobody_is_asked(
    serve: Serve, authority: Tls, tmp_path: Path, form: PrivateFormat
) -> None:
    cert, key = authority.client()
    locked = encrypted(key, tmp_path / "locked.key", form)
    text = f"cannot use the client certificate {cert} with the key {locked}: its key is encrypted; give one that is not"
    assert fault(serve(Talk.hang), Trust(authority.ca_file, cert, locked)) == (ProbeError, text)


@pytest.mark.parametrize(
    ("cert", "key", "text"),
    [
        ("gone.pem", None, "gone.pem: no such file or directory"),
        ("client.pem", "gone.key", "client.pem with the key gone.key: no such file or directory"),
        ("client.pem", "other.key", "client.pem with the key other.key: the key does not belong to the certificate"),
        ("client.pem", "rsa.key", "client.pem with the key rsa.key: the key does not belong to the certificate"),
        ("client.pem", "junk.pem", "client.pem with the key junk.pem: it is not PEM"),
        ("junk.pem", None, "junk.pem: it is not PEM, or its key is not in it: give --key-file"),
        ("client.pem", None, "client.pem: it is not PEM, or its key is not in it: give --key-file"),
    ],
)
def test_a_client_certificate_of_no_use_is_a_probe_error(
    serve: Serve, authority: Tls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cert: str, key: str, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("client.pem").write_text(Path(authority.client()[0]).read_text())
    Path("other.key").write_text(Path(authority.client("other.example")[1]).read_text())
    Path("rsa.key").write_bytes(rsa_key())
    Path("junk.pem").write_text("junk")
    assert fault(serve(Talk.hang), Trust(authority.ca_file, cert, key)) == (
        ProbeError,
        f"cannot use the client certificate {text}",
    )


# Failures


# How a handshake fails otherwise, test_http_contract.py tells.
@pytest.mark.parametrize(
    ("said", "text"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "it speaks HTTP, not TLS"),
        (b"N\0\t127.0.0.1", "the TLS handshake failed: wrong version number"),
    ],
    ids=["http", "rmi"],
)
def test_who_speaks_no_tls_is_told_so(serve: Serve, authority: Tls, said: bytes, text: str) -> None:
    server = serve(lambda talk: (talk.sock.recv(9999), talk.say(said), talk.finish()))
    assert fault(server, Trust(authority.ca_file)) == (ProbeError, text)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "it speaks HTTP, not TLS"),
        (b"\x16\x03\x01", "the TLS handshake was not complete in time"),
        (b"\x15", "the TLS handshake was not complete in time"),
    ],
)
def test_what_comes_before_the_handshake_begins_counts_too(
    serve: Serve, authority: Tls, said: bytes, text: str
) -> None:
    server = serve(lambda talk: (talk.say(said), talk.hang()))
    exchange, sock = dialled(server, 2.0)
    assert said.startswith(sock.recv(1, socket.MSG_PEEK))
    with pytest.raises(ProbeError, match=f"{text}$") as caught:
        tls.secure(exchange, sock, "127.0.0.1", Trust(authority.ca_file))
    assert caught.type is ProbeError


@pytest.mark.parametrize("name", ["", ".", "a..b", "x" * 64, f"{'x.' * 127}x", "kaf\u00e9", "a\0b", ".localhost"])
def test_a_name_that_no_certificate_can_bear_is_a_probe_error(serve: Serve, authority: Tls, name: str) -> None:
    text = f"the TLS handshake failed: {name[:80]!r} is no host name"
    assert fault(serve(greet, tls=authority.server), Trust(authority.ca_file), name) == (ProbeError, text)


def test_a_python_without_tls_says_so(serve: Serve, authority: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "AVAILABLE", False)
    text = "this Python has no TLS"
    assert fault(serve(greet, tls=authority.server), Trust(authority.ca_file)) == (ProbeError, text)


def test_a_peer_that_just_closes_is_no_end(serve: Serve, authority: Tls) -> None:
    exchange, wire = secured(serve(Talk.drop, tls=authority.server), Trust(authority.ca_file))
    with pytest.raises(Unreachable, match="connection closed before a byte came"):
        exchange.receive(wire)
    wire.close()


def test_a_peer_silent_after_the_handshake_is_waited_for_by_the_deadline(serve: Serve, authority: Tls) -> None:
    exchange, sock = dialled(serve(Talk.hang, tls=authority.server), 10.0)
    wire = tls.secure(exchange, sock, "127.0.0.1", Trust(authority.ca_file))
    exchange.end = time.monotonic() + 0.3
    with pytest.raises(Unreachable, match="not a byte in "):
        exchange.receive(wire)
    wire.close()
