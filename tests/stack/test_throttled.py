"""A kubelet's livenessProbe in a container whose CPU limit, 100m, the application itself uses up.

The JVM and the probe share one cgroup, as in a pod. Its readers are slow then: a kubelet must not take that for death.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.cgroup import Unlimited, busy, limited
from tests.probes.kit.command import COMMAND, environment
from tests.stack.broker import Broker
from tests.stack.versioned_app import VersionedApp, all_versions

CORES = 0.1
WAYS = ("jmx", "jolokia", "exporter")


class Pod:
    """A running Streams application in a group with a tenth of a CPU."""

    def __init__(self, app: VersionedApp, group: Path) -> None:
        self.app, self.group = app, group
        self.addresses = {"jmx": app.jmx, "jolokia": app.jolokia_url, "exporter": app.exporter_url}

    def asked(self, way: str) -> tuple[int, str]:
        """What a livenessProbe in it exits with, and what it says."""
        call = ["probe", "streams", f"--{way}", self.addresses[way], "--as", "liveness", "--output", "text"]
        done = subprocess.run(
            [sys.executable, str(COMMAND), *call],
            capture_output=True,
            text=True,
            env=environment(),
            timeout=60,
            preexec_fn=lambda: self.group.write_text(str(os.getpid())),
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def pod(the_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pod]:
    app = VersionedApp(all_versions()[-1], the_broker.bootstrap, tmp_path_factory.mktemp("pod"))
    try:
        with limited(CORES) as group, app:
            app.fresh()
            app.run()
            group.write_text(str(app.process.pid))
            yield Pod(app, group)
            app.process.kill()  # at a tenth of a CPU, its orderly end takes long
    except Unlimited as lacking:
        if os.environ.get("CI"):
            pytest.fail(f"in CI there must be CPU limits: {lacking}", pytrace=False)
        pytest.skip(f"no CPU limits here: {lacking}")


@pytest.mark.parametrize(
    ("way", "times"),
    [
        ("jmx", 100),
        ("jolokia", 20),
        ("exporter", 20),
        pytest.param("jolokia", 100, marks=pytest.mark.long),
        pytest.param("exporter", 100, marks=pytest.mark.long),
    ],
)
def test_a_healthy_application_is_never_failed(pod: Pod, way: str, times: int) -> None:
    failed = [said for code, said in (pod.asked(way) for _ in range(times)) if code]

    assert not failed, f"{len(failed)} of {times}: {failed[0]}"


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
def test_nor_beside_another_process_that_takes_what_cpu_there_is(pod: Pod, way: str) -> None:
    with busy(sys.executable, pod.group, os.sched_getaffinity(0)):
        failed = [said for code, said in (pod.asked(way) for _ in range(50)) if code]

    assert not failed, f"{len(failed)} of 50: {failed[0]}"


@pytest.mark.parametrize("way", WAYS)
def test_a_stopped_one_always_is(pod: Pod, way: str) -> None:
    pod.app.process.signal(signal.SIGSTOP)
    try:
        spared = [said for code, said in (pod.asked(way) for _ in range(5)) if code != 1]
    finally:
        pod.app.process.signal(signal.SIGCONT)

    assert not spared, spared[0]
