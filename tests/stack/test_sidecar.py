"""An exporter beside the JVM: when it cannot reach its JVM, or is gone itself, that is no evidence against the JVM."""

import json
import signal
from pathlib import Path
from urllib.parse import urlsplit

from tests.probes.kit.command import stetho
from tests.stack.broker import Broker
from tests.stack.process import get, wait_for
from tests.stack.sidecar_exporter import Sidecar
from tests.stack.versioned_app import VersionedApp, all_versions

BLIND = (3, 0, 1)  # UNKNOWN, and no reason to restart anything


def asked(url: str, timeout: str = "10s") -> tuple[tuple[int, ...], str]:
    """Exit codes for an alert, as liveness and as readiness; the alert's message."""
    call = ("probe", "streams", "--exporter", url, "--sidecar", "--timeout", timeout, "--as")
    said = [stetho(*call, purpose) for purpose in ("alert", "liveness", "readiness")]
    return tuple(done.returncode for done in said), json.loads(said[0].stdout)["message"]


def page(url: str) -> str:
    port = urlsplit(url).port
    assert port
    return get(port, "/metrics")[1].decode()


def test_a_sidecar_whose_jvm_is_gone_is_unknown(the_broker: Broker, tmp_path: Path) -> None:
    with VersionedApp(all_versions()[-1], the_broker.bootstrap, tmp_path / "app") as app:
        with Sidecar(app.jmx, tmp_path / "sidecar") as sidecar:
            app.fresh()
            app.run()
            assert asked(sidecar.url) == ((0, 0, 0), "1 of 1 clients RUNNING, 2 threads alive")

            app.process.signal(signal.SIGSTOP)
            codes, message = asked(sidecar.url, "2s")
            assert (codes, "not a byte in 2s" in message) == (BLIND, True), message
            app.process.signal(signal.SIGCONT)

            app.process.kill()
            # A scrape that was under way ends as one that found nothing, and without an error.
            wait_for("the sidecar to see it", lambda: "jmx_scrape_error 1.0" in page(sidecar.url), 30)
            codes, message = asked(sidecar.url)
            assert (codes, "jmx_scrape_error 1: the exporter cannot read its JVM" in message) == (BLIND, True), message

        codes, message = asked(sidecar.url)
        assert (codes, "connection refused" in message) == (BLIND, True), message
