"""What a cold probe imports, exactly: a kubelet starts one every ten seconds inside somebody else's CPU limit."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.probes.kit.healthy import platform
from tests.probes.kit.jmx.fakejvm import jvm, says
from tests.probes.kit.rawserver import RawServer, Refuser, Serve, Talk, Tls, answer

ROOT = Path(__file__).parents[3]
COMMAND = ROOT / "stetho"

# Beyond what `python -c pass` has. To add to these lists is to slow every probe of every pod: measure first.
ALWAYS = {
    "_json", "_socket", "errno", "gc", "probes", "probes.kit", "probes.kit.argv", "probes.kit.catalog",
    "probes.kit.cold", "probes.kit.dial", "probes.kit.example", "probes.kit.exchange", "probes.kit.faults",
    "probes.kit.finding", "probes.kit.http", "probes.kit.jsontext", "probes.kit.net", "probes.kit.options",
    "probes.kit.rest", "probes.kit.result", "probes.kit.run", "probes.kit.types",
}  # fmt: skip
STREAMS = {"probes.streams", "probes.kit.mbeans", "probes.kit.streams", "probes.kit.streams.reading"}
MORE = {
    "connect": {"probes.connect"},
    "burrow": {"probes.burrow", "probes.kit.burrow"},
    "targets": {"probes.targets", "_datetime"},
    "streams --exporter": {*STREAMS, "probes.kit.streams.series", "probes.kit.exposition"},
    "streams --jolokia": {*STREAMS, "probes.kit.streams.jvm", "probes.kit.jolokia"},
    "streams --app orders --prometheus": {
        *STREAMS,
        "probes.kit.streams.prometheus",
        "probes.kit.streams.series",
        "probes.kit.exposition",
    },
    "jmx --read java.lang:type=Runtime --attribute Uptime --jolokia": {
        "probes.jmx",
        "probes.kit.jolokia",
        "probes.kit.mbeans",
    },
}
# Where an answer is none, what reads it is not needed.
AT_LEAST = {"probes.kit.cold", "probes.kit.http", "probes.kit.jsontext"}

REPORT = """
import atexit, os, sys
# At its very end, by whichever way it leaves.
atexit.register(lambda: sys.stderr.write("MODULES " + " ".join(sorted(sys.modules))))
os._exit = sys.exit
sys.argv = sys.argv[1:]
with open(sys.argv[0]) as file:
    code = file.read()
exec(compile(code, sys.argv[0], "exec"))
"""


@pytest.fixture
def healthy() -> Iterator[str]:
    server = RawServer(platform)
    yield server.url
    server.close()


def modules(*arguments: str) -> set[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("STETHO_") and not name.lower().endswith("_proxy")
    }
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, env=environment, timeout=30
    )
    said, mark, found = done.stderr.partition("MODULES ")
    assert mark, done.stderr
    assert not said, said
    return set(found.split())


@pytest.fixture(scope="module")
def bare() -> set[str]:
    """The modules of a Python that does nothing, and `atexit`, which only the report needs."""
    with_report = 'import atexit, sys; sys.stderr.write("MODULES " + " ".join(sys.modules))'
    return modules("-c", with_report)


def question(probe: str, url: str) -> list[str]:
    name, *flags = probe.split()
    return ["probe", name, *(flags or ["--url"]), url]


def test_the_report_is_of_the_command(bare: set[str], healthy: str) -> None:
    done = subprocess.run(
        [sys.executable, str(COMMAND), *question("connect", healthy)], capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("probe", MORE)
def test_a_cold_probe_imports_exactly_this(probe: str, bare: set[str], healthy: str) -> None:
    assert modules("-c", REPORT, str(COMMAND), *question(probe, healthy)) - bare == ALWAYS | MORE[probe]


@pytest.mark.parametrize("purpose", ["liveness", "readiness"])
@pytest.mark.parametrize("probe", MORE)
def test_so_it_does_for_a_kubelet(probe: str, purpose: str, bare: set[str], healthy: str) -> None:
    found = modules("-c", REPORT, str(COMMAND), *question(probe, healthy), "--as", purpose, "--timeout", "5s") - bare
    assert found <= ALWAYS | MORE[probe]
    assert found >= AT_LEAST


@pytest.mark.parametrize(
    "said",
    [
        answer(b"<html>", "200 OK", "Content-Type: text/html"),
        answer(b'{"error_code":404,"message":"no"}', "404 Not Found"),
        answer(b"[" * 100_000),
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
)
@pytest.mark.parametrize("probe", MORE)
def test_a_failure_costs_no_more(probe: str, said: bytes, bare: set[str]) -> None:
    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(said)
        talk.finish()

    server = RawServer(script)
    try:
        found = modules("-c", REPORT, str(COMMAND), *question(probe, server.url)) - bare
    finally:
        server.close()
    assert found <= ALWAYS | MORE[probe]
    assert found >= AT_LEAST


def test_who_hangs_up_is_asked_whether_it_speaks_tls(bare: set[str], serve: Serve) -> None:
    url = serve(lambda talk: (talk.hear(), talk.drop())).url

    found = modules("-c", REPORT, str(COMMAND), *question("connect", url)) - bare

    assert found == {*ALWAYS, *MORE["connect"], "probes.kit.hello", "probes.kit.tls", "_ssl"}


@pytest.mark.parametrize("probe", MORE)
def test_a_refused_connection_costs_no_more(probe: str, bare: set[str]) -> None:
    refuser = Refuser()
    try:
        found = modules("-c", REPORT, str(COMMAND), *question(probe, refuser.url)) - bare
    finally:
        refuser.close()
    assert found <= ALWAYS | MORE[probe]


def test_a_name_that_does_not_resolve_costs_one_module(bare: set[str]) -> None:
    found = modules("-c", REPORT, str(COMMAND), *question("connect", "http://no-such-host.invalid:1")) - bare
    assert found <= ALWAYS | MORE["connect"] | {"probes.kit.within"}


OF_HTTP = {"probes.kit.http", "probes.kit.faults"}
RMI = {"probes.kit.mbeans", "probes.kit.jmx", "struct", "_struct"} | {
    f"probes.kit.jmx.{name}" for name in "calls objects reads serial session source stub thrown values wire".split()
}


def test_a_read_over_rmi_imports_exactly_this(bare: set[str]) -> None:
    call = ["probe", "jmx", "--read", "java.lang:type=Runtime", "--attribute", "Uptime", "--jmx"]
    with jvm() as fake:
        found = modules("-c", REPORT, str(COMMAND), *call, f"127.0.0.1:{fake.port}") - bare
    assert found == ALWAYS - OF_HTTP | RMI | {"probes.jmx"}


@pytest.mark.parametrize("purpose", ["alert", "readiness"])
def test_streams_over_rmi_imports_no_more(purpose: str, bare: set[str]) -> None:
    call = ["probe", "streams", "--as", purpose, "--timeout", "5s", "--jmx"]
    with jvm(queryNames=says(b"nonsense")) as fake:
        found = modules("-c", REPORT, str(COMMAND), *call, f"127.0.0.1:{fake.port}") - bare
    assert found == ALWAYS - OF_HTTP | RMI | STREAMS | {"probes.kit.streams.jvm"}


def test_a_login_costs_binascii_and_the_reading_of_its_file(bare: set[str], healthy: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2")
    login = ["--username", "u", "--password-file", str(tmp_path / "secret")]
    found = modules("-c", REPORT, str(COMMAND), *question("connect", healthy), *login) - bare
    assert found == ALWAYS | MORE["connect"] | {"binascii", "probes.kit.secretfile"}


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return Tls(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def safe(tls: Tls) -> Iterator[str]:
    server = RawServer(platform, tls=tls.server)
    yield server.url
    server.close()


TLS = {"_ssl", "probes.kit.tls"}  # not `ssl`, which brings enum, re and socket


def test_https_with_a_ca_file_costs_only_the_c_beneath_ssl(bare: set[str], safe: str, tls: Tls) -> None:
    found = modules("-c", REPORT, str(COMMAND), *question("connect", safe), "--ca-file", tls.ca_file) - bare
    assert found == ALWAYS | MORE["connect"] | TLS


def test_a_client_certificate_costs_no_more(bare: set[str], tls: Tls) -> None:
    cert, key = tls.client()
    shown = ["--ca-file", tls.ca_file, "--cert-file", cert, "--key-file", key]
    server = RawServer(platform, tls=tls.asking_who("127.0.0.1"))
    try:
        found = modules("-c", REPORT, str(COMMAND), *question("connect", server.url), *shown) - bare
    finally:
        server.close()
    assert found == ALWAYS | MORE["connect"] | TLS


def test_a_certificate_that_is_not_trusted_costs_no_more(bare: set[str], safe: str, tmp_path: Path) -> None:
    stranger = Tls(tmp_path).ca_file
    found = modules("-c", REPORT, str(COMMAND), *question("connect", safe), "--ca-file", stranger) - bare
    assert found <= ALWAYS | MORE["connect"] | TLS
    assert found >= AT_LEAST | TLS


def test_headers_cost_the_reading_of_their_file(bare: set[str], healthy: str, tmp_path: Path) -> None:
    (tmp_path / "headers").write_text("X-Vault-Token: s3cret\n")
    headers = ["--header", "X-Scope-OrgID: team-a", "--headers-file", str(tmp_path / "headers")]
    found = modules("-c", REPORT, str(COMMAND), *question("connect", healthy), *headers) - bare
    assert found == ALWAYS | MORE["connect"] | {"probes.kit.secretfile"}
