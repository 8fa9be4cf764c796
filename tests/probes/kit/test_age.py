"""How long a kubelet's probe may take: its second begins with the process, of which a throttled one spends half."""

import json
import subprocess
import sys
import time

import pytest

from probes import connect
from probes.kit import cold
from probes.kit.cold import OneShot, is_hurried, left_of
from probes.kit.run import RunOptions
from tests.probes.kit.command import COMMAND, ROOT
from tests.probes.kit.rawserver import Serve, Talk


@pytest.mark.parametrize(
    ("age", "left"),
    [(0.0, 0.8), (0.03, 0.77), (0.3, 0.5), (0.5, 0.4), (0.79, 0.4), (0.8, 0.8), (3600.0, 0.8)],
)
def test_a_kubelet_counts_from_the_start_of_the_process(age: float, left: float) -> None:
    assert left_of(0.8, age) == pytest.approx(left)


@pytest.mark.parametrize(
    ("left", "used", "age", "hurried"),
    [
        (0.76, 0.03, 0.04, False),  # as it should be
        (0.5, 0.03, 0.3, True),  # at a tenth of a CPU
        (0.5, 0.1, 0.3, False),  # on a machine with much to do
        (0.7, 0.02, 0.15, False),  # there is time
        (0.1, 0.01, 0.0, False),  # its age is not known
    ],
)
def test_who_had_hardly_any_cpu_is_hurried(left: float, used: float, age: float, hurried: bool) -> None:
    assert is_hurried(left, 0.8, used, age) is hurried


def test_a_process_knows_its_age() -> None:
    call = "import time; from probes.kit.cold import age; a = age(); time.sleep(0.2); print(a, age())"
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True, cwd=ROOT)
    young, old = map(float, done.stdout.split())

    assert 0 <= young < old - 0.19
    assert old < time.monotonic() - begun + 0.02  # the kernel counts in hundredths


@pytest.mark.parametrize(("purpose", "left"), [("alert", 1.0), ("liveness", 0.7), ("readiness", 0.7)])
def test_only_a_kubelet_counts_so(purpose: str, left: float, monkeypatch: pytest.MonkeyPatch) -> None:
    nets: list[OneShot] = []
    monkeypatch.setattr(cold, "age", lambda: 0.3)
    monkeypatch.setattr(cold, "run", lambda name, module, options, net, purpose: nets.append(net))
    options = connect.Options.build({"url": "http://connect:8083", "timeout": "1s"})

    before = time.monotonic()
    cold.asked("connect", connect, options, RunOptions.build({"as": purpose}))

    assert before + left <= nets[0]._end <= time.monotonic() + left


def test_a_process_that_came_up_late_ends_in_time_all_the_same(serve: Serve) -> None:
    """An alert, which nobody waits a second for, asks its question whole."""
    late = f"import time, runpy, sys; time.sleep(0.5); sys.argv = sys.argv[1:]; runpy.run_path({str(COMMAND)!r})"
    said = {}
    for purpose in ("liveness", "alert"):
        call = ["probe", "connect", "--url", serve(Talk.hang).url, "--timeout", "1s", "--as", purpose]
        done = subprocess.run([sys.executable, "-c", late, "stetho", *call], capture_output=True, text=True, cwd=ROOT)
        said[purpose] = json.loads(done.stdout)["duration_ms"]

    assert said["liveness"] < 900 < said["alert"]
