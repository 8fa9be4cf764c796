"""The CPU time and peak memory of whole pipelines of processes."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

Command = Sequence[str]  # its first word is an absolute path


class WrongAnswer(Exception):
    """A command that is measured did not say that all is well; what it cost means nothing."""


@dataclass(frozen=True)
class Cost:
    """CPU seconds, user and system, of all processes of a pipeline; the peak of the largest, in bytes."""

    cpu: float
    peak: int


class Spawner:
    """A small process that starts what is measured, with an environment of its own, on one CPU if `cpu` is given."""

    def __init__(self, python: Path, path: str, cpu: int | None = None) -> None:
        pin = [] if cpu is None else [str(cpu)]
        self._process = subprocess.Popen(
            [python, "-I", "-S", Path(__file__).with_name("spawner.py"), *pin],
            env={"PATH": path, "LANG": "C.UTF-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *pipeline: Command) -> Cost:
        """Run it to its end. WrongAnswer unless every command exits 0."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the spawner has no pipes")
        self._process.stdin.write("\x1e".join("\x1f".join(command) for command in pipeline) + "\n")
        self._process.stdin.flush()
        seconds, peak, *codes = self._process.stdout.readline().split()
        if codes != ["0"] * len(pipeline):
            shown = " | ".join(" ".join(command) for command in pipeline)
            raise WrongAnswer(f"exit codes {' '.join(codes)} of: {shown}")
        return Cost(float(seconds), int(peak) * 1024)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
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
