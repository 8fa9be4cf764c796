"""The files of a JVM with TLS and logins: certificates, key stores, password files; and those of its clients."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key, pkcs12
from cryptography.x509 import load_pem_x509_certificate, load_pem_x509_certificates

STORE_PASSWORD = "stetho"
_SEALED = BestAvailableEncryption(STORE_PASSWORD.encode())


@dataclass(frozen=True)
class Login:
    """Somebody who may log in; the file has the password and no more."""

    username: str
    password: str
    password_file: Path


@dataclass(frozen=True)
class Files:
    """What a client needs: the CA that signed the server, its own certificate, and the like of a CA nobody trusts."""

    folder: Path
    ca_file: Path
    other_ca_file: Path
    client_cert: Path
    client_key: Path
    other_client_cert: Path
    other_client_key: Path
    monitor: Login  # may read
    control: Login  # may read and write
    stranger: Login  # logs in, and may do nothing

    @property
    def client_store(self) -> Path:
        """The client's certificate and key as PKCS#12."""
        return self.folder / "client.p12"

    @property
    def trust_store(self) -> Path:
        """The CA as Java's own client takes it."""
        return self.folder / "trust.p12"


def write(folder: Path) -> Files:
    """All of them, made anew."""
    folder.mkdir(parents=True, exist_ok=True)
    ours, other = trustme.CA(), trustme.CA()
    ca_file, other_ca_file = folder / "ca.pem", folder / "other-ca.pem"
    ours.cert_pem.write_to_path(ca_file)
    other.cert_pem.write_to_path(other_ca_file)
    here = ("localhost", "127.0.0.1", "::1")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    _store(folder / "server", ours.issue_cert(*here))
    _store(folder / "untrusted", other.issue_cert(*here))
    _store(folder / "wrong-name", ours.issue_cert("elsewhere.example"))
    _store(folder / "expired", ours.issue_cert(*here, not_before=yesterday - timedelta(days=1), not_after=yesterday))
    client_cert, client_key = _store(folder / "client", ours.issue_cert("client@example.org"))
    other_cert, other_key = _store(folder / "other-client", other.issue_cert("client@example.org"))
    _trust(folder / "trust.p12", ca_file)
    monitor, control, stranger = _logins(folder)
    return Files(
        folder,
        ca_file,
        other_ca_file,
        client_cert,
        client_key,
        other_cert,
        other_key,
        monitor,
        control,
        stranger,
    )


def _store(stem: Path, issued: trustme.LeafCert) -> tuple[Path, Path]:
    """Certificate and key as PEM files, and both in the PKCS#12 file that Java reads."""
    chain, key = stem.with_suffix(".pem"), stem.with_suffix(".key")
    chain.write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    own, *above = load_pem_x509_certificates(chain.read_bytes())
    private = load_pem_private_key(key.read_bytes(), None)
    assert isinstance(private, EllipticCurvePrivateKey)  # trustme's default
    stem.with_suffix(".p12").write_bytes(
        pkcs12.serialize_key_and_certificates(stem.name.encode(), private, own, above, _SEALED)
    )
    return chain, key


def _trust(store: Path, ca_file: Path) -> None:
    trusted = pkcs12.PKCS12Certificate(load_pem_x509_certificate(ca_file.read_bytes()), b"ca")
    store.write_bytes(pkcs12.serialize_java_truststore([trusted], _SEALED))


def _logins(folder: Path) -> list[Login]:
    """The JVM's two files, and one for each of its users."""
    logins = []
    for name in ("monitor", "control", "stranger"):
        own = folder / f"{name}.password"
        own.write_text(f"{name}-secret\n")
        logins.append(Login(name, f"{name}-secret", own))
    passwords = folder / "jmxremote.password"
    passwords.touch(mode=0o600)  # a JVM refuses a file that others may read
    passwords.write_text("".join(f"{each.username} {each.password}\n" for each in logins))
    # The stranger is not in here: it is let in, and each of its calls is refused.
    (folder / "jmxremote.access").write_text("monitor readonly\ncontrol readwrite\n")
    return logins
