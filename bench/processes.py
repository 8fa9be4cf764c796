"""The CPU time, wall-clock time and peak memory of whole pipelines of processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

Command = Sequence[str]  # its first word is an absolute path
Pipeline = Sequence[Command]


class WrongAnswer(Exception):
    """A command that is measured did not say that all is well; what it cost means nothing."""


@dataclass(frozen=True)
class Cost:
    """CPU seconds, user and system, of all processes of a pipeline; seconds to its end; the largest peak, in bytes."""

    cpu: float
    wall: float
    peak: int


class Spawner:
    """A small process that starts what is measured, with an environment of its own, on these CPUs if any are given."""

    def __init__(self, python: Path, path: str, cpus: Collection[int] = ()) -> None:
        pinned = [",".join(map(str, sorted(cpus)))] if cpus else []
        self._process = subprocess.Popen(
            [python, "-I", "-S", Path(__file__).with_name("spawner.py"), *pinned],
            env={"PATH": path, "LANG": "C.UTF-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is not for it, and one kill ends all that it has started
        )

    def run(self, *pipeline: Command, group: Path | None = None) -> Cost:
        """Run it to its end, inside the cgroup with this `cgroup.procs`. WrongAnswer unless every command exits 0."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the spawner has no pipes")
        commands = ["\x1f".join(command) for command in pipeline]
        self._process.stdin.write("\x1e".join([str(group or ""), *commands]) + "\n")
        self._process.stdin.flush()
        cpu, wall, peak, *codes = self._process.stdout.readline().split()
        if codes != ["0"] * len(pipeline):
            shown = " | ".join(" ".join(command) for command in pipeline)
            raise WrongAnswer(f"exit codes {' '.join(codes)} of: {shown}")
        return Cost(float(cpu), float(wall), int(peak) * 1024)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)  # perhaps in the middle of a run
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


def cpus() -> tuple[set[int], int | None]:
    """The CPUs for the servers, and the one for what is measured; None where there is but one for both."""
    usable = os.sched_getaffinity(0) if sys.platform == "linux" else set()
    if len(usable) < 2:
        return set(usable), None
    measured = max(usable)
    return set(usable) - {measured}, measured
