"""Remote JMX over TLS: which of the two hops speaks it, whom it trusts, and the error of each failure."""

import pytest

from probes.kit.net import Trust
from tests.probes.kit.jmx import java
from tests.probes.kit.jmx.fakejvm import CONNECTION, NOT_THERE, SERVER, VALUE, Fake, ask, jvm, said, says, settled
from tests.probes.kit.rawserver import RawServer, Talk, Tls


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return Tls(tmp_path_factory.mktemp("tls"))


def test_tls_is_spoken_where_the_stub_says_so(tls: Tls) -> None:
    trust = Trust(tls.ca_file)
    with jvm(tls.server) as server, jvm() as registry:
        registry.answers["lookup"] = says(java.reply(java.stub(NOT_THERE, server.port, SERVER, java.TLS_FACTORY)))
        server.answers["newClient"] = says(java.reply(java.stub(NOT_THERE, server.port, CONNECTION, java.TLS_FACTORY)))
        assert ask(registry.port, trust=trust)[0].mbeans == VALUE
        assert settled(server)
        wrong = said(registry.port)
        assert wrong.startswith(f"its RMI server at 127.0.0.1:{server.port}: certificate verify failed")
        assert wrong.endswith("; give --ca-file")


def secured(fake: Fake) -> None:
    fake.answers["lookup"] = says(java.reply(java.stub(NOT_THERE, fake.port, SERVER, java.TLS_FACTORY)))
    fake.answers["newClient"] = says(java.reply(java.stub(NOT_THERE, fake.port, CONNECTION, java.TLS_FACTORY)))


def test_a_registry_with_tls_is_asked_so_on_request(tls: Tls) -> None:
    with jvm(tls.server) as fake:
        secured(fake)
        assert ask(fake.port, trust=Trust(tls.ca_file), registry_tls=True)[0].mbeans == VALUE
        assert settled(fake)
        assert fake.server.connections == 1


def test_the_certificate_may_bear_another_name(tls: Tls) -> None:
    with jvm(tls.misnamed) as fake:
        secured(fake)
        trust = Trust(tls.ca_file)
        wrong = said(fake.port, trust=trust, registry_tls=True)
        assert "certificate verify failed" in wrong
        assert "--ca-file" not in wrong
        assert wrong.endswith("; say with --tls-name what name it bears")
        found = ask(fake.port, trust=trust, registry_tls=True, tls_name="elsewhere.example")
        assert found[0].mbeans == VALUE


def test_a_missing_client_certificate_is_asked_for(tls: Tls) -> None:
    with jvm(tls.asking_who("127.0.0.1")) as fake:
        secured(fake)
        wrong = said(fake.port, trust=Trust(tls.ca_file), registry_tls=True)
        assert wrong.endswith("it wants a client certificate: give --cert-file")
        found = ask(fake.port, trust=Trust(tls.ca_file, *tls.client()), registry_tls=True)
        assert found[0].mbeans == VALUE


def test_a_plain_registry_asked_over_tls_is_not_dead(tls: Tls) -> None:
    def script(talk: Talk) -> None:
        talk.sock.recv(7)  # a JVM reads so much, sees that it is no JRMP, and closes
        talk.reset()

    server = RawServer(script)
    try:
        wrong = said(server.port, trust=Trust(tls.ca_file), registry_tls=True)
        assert wrong == "connection reset at the TLS handshake; if the registry is plain, leave out --registry-tls"
    finally:
        server.close()
