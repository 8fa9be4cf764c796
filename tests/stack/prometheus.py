"""Prometheus as Debian packages it, scraping what the caller names."""

import http.client
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.stack import versions
from tests.stack.process import Process, StackError, cache, free_port, get, locked, wait_for

PACKAGE = "prometheus"
APT = ("apt-get", "-o", "DPkg::Lock::Timeout=300", "-q")
POLICY = Path("/usr/sbin/policy-rc.d")

# Prometheus waits a part of the interval, chosen by the target's hash, before its first scrape: with a year, a target
# stays "unknown" for as long as any test runs.
NEVER = "1y"


@dataclass(frozen=True)
class Job:
    """One scrape job. A target nobody listens on is down after an interval; `interval=NEVER` leaves it unknown."""

    name: str
    targets: tuple[str, ...]
    path: str = "/metrics"
    interval: str = "2s"
    timeout: str = "2s"  # a loaded machine may stall for more than one

    def config(self) -> dict[str, object]:
        return {
            "job_name": self.name,
            "metrics_path": self.path,
            "scrape_interval": self.interval,
            "scrape_timeout": self.timeout,
            "static_configs": [{"targets": list(self.targets)}],
        }


def install() -> str:
    """Have the `prometheus` command: found, or installed by apt when we are root. StackError says what to install."""
    with locked(cache() / "prometheus.lock"):
        if shutil.which("prometheus") is None:
            if os.geteuid() != 0 or shutil.which("apt-get") is None:
                raise StackError(f"there is no prometheus command: apt-get install --no-install-recommends {PACKAGE}")
            with _nothing_starts_by_itself():
                _apt("update")
                _apt("install", "-y", "--no-install-recommends", PACKAGE)
    _check_version()
    return "prometheus"


@contextmanager
def _nothing_starts_by_itself() -> Iterator[None]:
    """Debian starts a service it installs unless policy-rc.d says no (101)."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


def _apt(*argv: str) -> None:
    done = subprocess.run(
        [*APT, *argv], env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, capture_output=True, check=False
    )
    if done.returncode:
        raise StackError(f"apt-get {' '.join(argv)}: {done.stderr.decode(errors='replace')[-2000:]}")


def _check_version() -> None:
    done = subprocess.run(["prometheus", "--version"], capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode(errors="replace")
    found = re.search(r"version (\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < versions.PROMETHEUS:
        wanted = ".".join(map(str, versions.PROMETHEUS))
        raise StackError(f"the stack needs Prometheus {wanted} or newer, and this is {said.splitlines()[:1]}")


class Prometheus:
    """One Prometheus on a port of its own, with its data in `work`. A restart keeps both."""

    def __init__(self, work: Path, jobs: Iterable[Job] = ()) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.jobs = tuple(jobs)
        self._config = work / "prometheus.yml"
        work.mkdir(parents=True, exist_ok=True)
        argv = [
            "prometheus",
            f"--config.file={self._config}",
            f"--storage.tsdb.path={work / 'prometheus-data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--web.enable-lifecycle",
        ]
        self.process = Process("Prometheus", argv, log=work / "prometheus.log", cwd=work)

    def start(self) -> Self:
        """Start and wait for the first scrapes. Its list of targets is empty for its first five seconds."""
        install()
        self._write()
        self.process.start(self.ready, 60)
        wait_for("Prometheus to scrape its targets", self.settled, 30)
        return self

    def ready(self) -> bool:
        return get(self.port, "/-/ready")[0] == 200

    def stop(self) -> None:
        self.process.stop()

    def reload(self, jobs: Iterable[Job]) -> None:
        """Scrape these jobs from now on. Others are gone from its list at once, new ones come within five seconds."""
        self.jobs = tuple(jobs)
        self._write()
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        client.request("POST", "/-/reload")
        reply = client.getresponse()
        said = reply.read()
        client.close()
        if reply.status != 200:
            raise StackError(f"Prometheus does not reload: HTTP {reply.status} {said[:500]!r}")
        wait_for("Prometheus to take its new jobs", self.settled, 30)

    def settled(self) -> bool:
        """Whether its targets are those of `jobs`, each scraped once but for those of interval NEVER."""
        wanted = {(job.name, target) for job in self.jobs for target in job.targets}
        targets = self.targets()
        waiting = [t for t in targets if t["health"] == "unknown" and t["scrapeInterval"] != NEVER]
        return not waiting and {(t["scrapePool"], t["discoveredLabels"]["__address__"]) for t in targets} == wanted

    def targets(self) -> list[dict[str, Any]]:
        """Its active targets, as /api/v1/targets lists them."""
        status, body = get(self.port, "/api/v1/targets?state=active")
        if status != 200:
            raise ConnectionError(f"Prometheus answers {status}: {body[:200]!r}")
        targets: list[dict[str, Any]] = json.loads(body)["data"]["activeTargets"]
        return targets

    def health(self) -> dict[str, str]:
        """Each target's health (up, down, unknown) by `job/instance`."""
        return {f"{t['labels']['job']}/{t['labels']['instance']}": t["health"] for t in self.targets()}

    def _write(self) -> None:
        # JSON is YAML, and quotes what needs quoting.
        self._config.write_text(json.dumps({"scrape_configs": [job.config() for job in self.jobs]}, indent=1))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
