"""Every way into a JVM and every way to fail, each with words of its own: the command against real JVMs.

What hinders us from asking (logins, TLS, filters) is UNKNOWN, and never a reason to restart anything.
"""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from tests.probes.kit.command import stetho
from tests.stack.jmx_asked import BLIND, READ, SECRET, WELL, Codes, asked, expect
from tests.stack.jvm import MODES, JmxServer

pytest_plugins = ["tests.stack.jvm_fixtures"]
pytestmark = pytest.mark.stack

FORTY_TWO = "Values Integer 42"
CA, OTHER_CA, NO_CA = "--ca-file {ca}", "--ca-file {other-ca}", "--ca-file {no-such-file}"
TLS, OTHER_TLS = f"--registry-tls {CA}", f"--registry-tls {OTHER_CA}"
MONITOR = "--username monitor --password-file {monitor}"
CONTROL = "--username control --password-file {control}"
STRANGER = "--username stranger --password-file {stranger}"
WRONG = "--username monitor --password-file {wrong}"
NOBODY = "--username nobody --password-file {monitor}"
CERT = "--cert-file {client} --key-file {client-key}"
OTHER_CERT = "--cert-file {other-client} --key-file {other-client-key}"

GIVE_LOGIN = "it wants a login; give --username and --password-file"
REFUSED = "it refuses the login of 'monitor': Authentication failed! Invalid username or password"
IN_CLEAR = "the registry speaks TLS; say --registry-tls"
NO_TLS = "at the TLS handshake; if the registry is plain, leave out --registry-tls"
UNTRUSTED = "certificate verify failed: unable to get local issuer certificate"
GIVE_CA = f"{UNTRUSTED}; give --ca-file"
UNTRUSTED_BEHIND = f"its RMI server at 127.0.0.1:{{server}}: {UNTRUSTED}"
FILTERS = "com.sun.management.jmxremote.serial.filter.pattern and jdk.serialFilter"
SAY_NAME = "; say with --tls-name what name it bears"
UNUSABLE = "cannot use the client certificate {client}"

# What the JVM is, what the command is told, its exit codes, what its message says.
ROWS: list[tuple[str, str, Codes, str]] = [
    ("plain", "", WELL, FORTY_TWO),
    ("plain", MONITOR, WELL, FORTY_TWO),  # a JVM without logins takes any
    ("plain", CA, WELL, FORTY_TWO),
    ("plain", TLS, BLIND, NO_TLS),
    ("two-ports", "", WELL, FORTY_TWO),
    ("two-ports", TLS, BLIND, NO_TLS),
    ("password", "", BLIND, GIVE_LOGIN),
    ("password", MONITOR, WELL, FORTY_TWO),
    ("password", CONTROL, WELL, FORTY_TWO),
    ("password", "--username monitor --password-file {no-newline}", WELL, FORTY_TWO),
    ("password", "--username monitor --password-file {windows}", WELL, FORTY_TWO),
    ("password", "--username monitor --password-file {empty}", BLIND, "password: {empty} is empty"),
    ("password", "--username monitor --password-file {no-such-file}", BLIND, "password: cannot read {no-such-file}: "),
    ("password", "--username monitor", BLIND, "it refuses the login of 'monitor' without a password: "),
    ("password", WRONG, BLIND, REFUSED),
    ("password", NOBODY, BLIND, "it refuses the login of 'nobody': Authentication failed!"),
    ("password", STRANGER, BLIND, "access denied to 'stranger': "),
    ("password", f"{MONITOR} {TLS}", BLIND, NO_TLS),
    ("tls", "", BLIND, UNTRUSTED_BEHIND),
    ("tls", CA, WELL, FORTY_TWO),
    ("tls", OTHER_CA, BLIND, UNTRUSTED_BEHIND),
    ("tls", NO_CA, BLIND, "cannot read the CA file {no-such-file}: no such file"),
    ("tls", f"{CA} --tls-name elsewhere.example", BLIND, "Hostname mismatch, certificate is not valid for 'elsewhere"),
    ("tls", TLS, BLIND, NO_TLS),
    ("tls-registry", "", BLIND, IN_CLEAR),
    ("tls-registry", CA, BLIND, IN_CLEAR),
    ("tls-registry", "--registry-tls", BLIND, GIVE_CA),
    ("tls-registry", TLS, WELL, FORTY_TWO),
    ("tls-registry", OTHER_TLS, BLIND, UNTRUSTED),
    ("tls-registry", f"--registry-tls {NO_CA}", BLIND, "cannot read the CA file {no-such-file}: no such file"),
    ("tls-untrusted", "--registry-tls", BLIND, GIVE_CA),
    ("tls-untrusted", TLS, BLIND, UNTRUSTED),
    ("tls-untrusted", OTHER_TLS, WELL, FORTY_TWO),
    ("tls-wrong-name", TLS, BLIND, f"IP address mismatch, certificate is not valid for '127.0.0.1'{SAY_NAME}"),
    ("tls-wrong-name", f"{TLS} --tls-name elsewhere.example", WELL, FORTY_TWO),
    ("tls-expired", TLS, BLIND, "certificate verify failed: certificate has expired"),
    ("mtls", "", BLIND, IN_CLEAR),
    ("mtls", TLS, BLIND, "it wants a client certificate: give --cert-file"),
    ("mtls", f"{TLS} {CERT}", WELL, FORTY_TWO),
    ("mtls", f"{TLS} --cert-file {{client-both}}", WELL, FORTY_TWO),
    ("mtls", f"{TLS} {OTHER_CERT}", BLIND, "it does not take the client certificate {other-client}"),
    ("mtls", f"{TLS} --cert-file {{client}}", BLIND, UNUSABLE),
    (
        "mtls",
        f"{TLS} --cert-file {{client}} --key-file {{no-such-file}}",
        BLIND,
        "the key {no-such-file}: no such file",
    ),
    (
        "mtls",
        f"{TLS} --cert-file {{client}} --key-file {{other-client-key}}",
        BLIND,
        "the key does not belong to the certificate",
    ),
    (
        "mtls",
        f"{TLS} --cert-file {{client}} --key-file {{sealed-key}}",
        BLIND,
        "its key is encrypted; give one that is",
    ),
    ("password-tls", "", BLIND, IN_CLEAR),
    ("password-tls", MONITOR, BLIND, IN_CLEAR),
    ("password-tls", TLS, BLIND, GIVE_LOGIN),
    ("password-tls", f"{TLS} {MONITOR}", WELL, FORTY_TWO),
    ("password-tls", f"{TLS} {WRONG}", BLIND, REFUSED),
    ("password-tls", f"{OTHER_TLS} {MONITOR}", BLIND, UNTRUSTED),
    ("filtered", "", BLIND, f"its serial filter refuses the question; see {FILTERS}"),
    ("filtered-login", "", BLIND, GIVE_LOGIN),
    ("filtered-login", MONITOR, BLIND, f"its serial filter refuses the login; see {FILTERS}"),
    ("denied", "", BLIND, "access denied: "),
    ("unbound", "", BLIND, "an RMI registry, but it has no jmxrmi: no remote JMX is served there"),
]


def paths(server: JmxServer) -> dict[str, str]:
    """The files that the options name, those included that users spoil."""
    files, folder = server.files, server.files.folder
    key = load_pem_private_key(files.client_key.read_bytes(), None)
    sealing = BestAvailableEncryption(b"sealed-secret")
    spoilt = {
        "wrong": b"wrong-secret\n",
        "no-newline": b"monitor-secret",
        "windows": b"monitor-secret\r\n",
        "empty": b"",
        "client-both": files.client_cert.read_bytes() + files.client_key.read_bytes(),
        "sealed-key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealing),
    }
    for name, content in spoilt.items():
        (folder / name).write_bytes(content)
    found: dict[str, Path] = {
        **{name: folder / name for name in (*spoilt, "no-such-file")},
        **{login.username: login.password_file for login in (files.monitor, files.control, files.stranger)},
        "ca": files.ca_file,
        "other-ca": files.other_ca_file,
        "client": files.client_cert,
        "client-key": files.client_key,
        "other-client": files.other_client_cert,
        "other-client-key": files.other_client_key,
    }
    return {name: str(path) for name, path in found.items()}


@pytest.mark.parametrize(("mode", "options", "codes", "words"), ROWS, ids=[f"{mode} {told}" for mode, told, *_ in ROWS])
def test_each_way_in_and_each_way_to_fail_says_so(
    jmx_server: JmxServer, mode: str, options: str, codes: Codes, words: str
) -> None:
    named = {**paths(jmx_server), "server": str(jmx_server.server_ports[mode])}
    given = tuple(word.format_map(named) for word in options.split())
    expect(jmx_server.address(mode), given, codes, words.format_map(named))


def test_every_mode_is_asked() -> None:
    assert {mode for mode, *_ in ROWS} == set(MODES)


@pytest.mark.parametrize(
    ("mode", "options", "code"), [("plain", "", 0), ("password-tls", f"{TLS} {MONITOR}", 0), ("mtls", TLS, 3)]
)
def test_the_full_command_line_says_the_same(jmx_server: JmxServer, mode: str, options: str, code: int) -> None:
    """Which a `--flag=value` takes."""
    given = [word.format_map(paths(jmx_server)) for word in options.split()]
    quick, full = (asked("jmx", jmx_server.address(mode), *read, *given) for read in (READ, _joined(READ)))
    assert quick.code == full.code == code
    assert quick.message == full.message
    assert quick.document["data"] == full.document["data"]


def _joined(options: tuple[str, ...]) -> list[str]:
    return [f"{flag}={value}" for flag, value in zip(options[::2], options[1::2], strict=True)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--password-file {monitor}", "--username is missing: a password needs a user"),
        ("--key-file {client-key}", "--cert-file is missing: a key needs its certificate"),
    ],
)
def test_options_that_cannot_be_meant_are_a_usage_error(jmx_server: JmxServer, options: str, words: str) -> None:
    given = [word.format_map(paths(jmx_server)) for word in options.split()]
    for purpose in ("alert", "liveness", "readiness"):
        done = stetho("probe", "jmx", "--jmx", jmx_server.address("password"), *READ, *given, "--as", purpose)
        assert done.returncode == 64
        assert words in done.stderr
        assert SECRET not in done.stdout + done.stderr
