"""Burrow, built from its Go module and watching the stack's Kafka, with windows short enough for a test.

It needs no ZooKeeper as long as no notifier is configured. It exits when it cannot reach a broker at its start.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Self

from tests.stack import versions
from tests.stack.process import Process, StackError, cache, free_port, get, locked

CONFIG = """\
[general]
pidfile="{work}/burrow.pid"

[logging]
filename=""
level="info"

[client-profile.stack]
client-id="burrow"
kafka-version="{kafka_version}"

[cluster.{cluster}]
class-name="kafka"
servers=["{bootstrap}"]
client-profile="stack"
topic-refresh=1
offset-refresh=1

[consumer.{cluster}]
class-name="kafka"
cluster="{cluster}"
servers=["{bootstrap}"]
client-profile="stack"
start-latest=false

[storage.default]
class-name="inmemory"
intervals={intervals}
min-distance=1

[evaluator.default]
class-name="caching"
expire-cache=1

[httpserver.default]
address="127.0.0.1:{port}"
"""


def binary() -> Path:
    return cache() / f"burrow-{versions.BURROW}"


def build() -> Path:
    """The Burrow binary of `versions.BURROW`, built by the ordinary go client once and then kept in the cache.

    `go install module@version` asks the proxy for the list of all versions, which it does not have for Burrow;
    downloading one version and building in its own folder needs no list, and takes Burrow's own go.sum.
    """
    wanted = binary()
    with locked(cache() / "burrow.lock"):
        if not wanted.exists():
            _check_go()
            source = json.loads(_go("mod", "download", "-json", f"{versions.BURROW_MODULE}@{versions.BURROW}"))["Dir"]
            built = wanted.with_name(wanted.name + ".new")
            _go("build", "-C", source, "-trimpath", "-o", str(built), ".")
            built.rename(wanted)
    return wanted


def _check_go() -> None:
    wanted = ".".join(map(str, versions.BURROW_NEEDS_GO))
    if shutil.which("go") is None:
        raise StackError(f"Burrow is built with Go, and there is no go command: install Go {wanted} or newer")
    found = _go("env", "GOVERSION").strip()
    numbers = re.match(r"go(\d+)\.(\d+)", found)
    if numbers and (int(numbers[1]), int(numbers[2])) < versions.BURROW_NEEDS_GO:
        raise StackError(f"Burrow needs Go {wanted} or newer, and this is {found}")


def _go(*argv: str) -> str:
    # Outside any module, so that no go.mod above the working folder has a say.
    done = subprocess.run(
        ["go", *argv], cwd=cache(), env={**os.environ, "CGO_ENABLED": "0", "GO111MODULE": "on"}, capture_output=True
    )
    if done.returncode:
        # With -json the reason stands in the output.
        said = (done.stdout + done.stderr).decode(errors="replace")
        raise StackError(f"go {' '.join(argv)}: {said[-2000:]}")
    return done.stdout.decode()


class Burrow:
    """One Burrow on a port of its own. A restart keeps the port and learns the groups anew from their commits.

    Offsets are refreshed each second and verdicts cached for one, so a window of `intervals` commits, at least a
    second apart, decides how soon a verdict changes: with 5, a group that stops while its topic grows is STOP
    within about ten seconds. Burrow's default is 10 commits, a refresh each 10 s and a cache of 10 s.
    """

    cluster = "local"

    def __init__(self, bootstrap: str, work: Path, *, intervals: int = 5, kafka_version: str = "2.8.0") -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        work.mkdir(parents=True, exist_ok=True)
        self._config = CONFIG.format(
            work=work,
            bootstrap=bootstrap,
            port=self.port,
            cluster=self.cluster,
            intervals=intervals,
            kafka_version=kafka_version,
        )
        self._work = work
        argv = [str(binary()), "-config-dir", str(work)]
        self.process = Process("Burrow", argv, log=work / "burrow.log", cwd=work)

    def start(self) -> Self:
        build()
        (self._work / "burrow.toml").write_text(self._config)
        # A broker that has just made __consumer_offsets may have no leader for a partition yet; Burrow then ends.
        for again in (True, True, False):
            (self._work / "burrow.pid").unlink(missing_ok=True)  # left by a kill; it would refuse to start beside it
            try:
                self.process.start(self.ready, 60)
                break
            except StackError as error:
                if not again or "not the leader" not in str(error):
                    raise
        return self

    def ready(self) -> bool:
        """Burrow's own word: its modules run. The offsets of old commits may still be on their way."""
        return get(self.port, "/burrow/admin/ready") == (200, b"READY")

    def stop(self) -> None:
        self.process.stop()

    def groups(self) -> list[str]:
        """Every group it knows, its own burrow-local included."""
        groups: list[str] = self._get("")["consumers"]
        return groups

    def group(self, name: str) -> dict[str, Any]:
        """What it says of one group: the `status` object with all partitions; NOTFOUND for one it does not know."""
        status: dict[str, Any] = self._get(f"/{name}/lag")["status"]
        return status

    def _get(self, path: str) -> dict[str, Any]:
        _, body = get(self.port, f"/v3/kafka/{self.cluster}/consumer{path}")
        answer: dict[str, Any] = json.loads(body)
        return answer

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
