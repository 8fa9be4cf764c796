"""The same commands inside a container's CPU limit: alone in it, and beside a process that uses all of it up."""

import random
import time
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.cgroup import PERIOD, busy, limited
from bench.processes import Pipeline, Spawner, WrongAnswer
from bench.rounds import SELDOM, progress

CORES = 0.1  # of a CPU: Kubernetes' 100m
ENOUGH = 1.0  # seconds: a kubelet's default timeoutSeconds
REFILL = 2.5 * PERIOD  # after so long, a group that has idled has all of its quota again


@dataclass(frozen=True)
class Command:
    """What is run. `judged`: it is ours, and must end in time. `slow`: it takes seconds."""

    name: str
    pipeline: Pipeline
    judged: bool = False
    slow: bool = False


class Runs(list[float]):
    """Seconds of each run; infinite for one that did not exit 0."""

    @property
    def median(self) -> float:
        return median(self)

    @property
    def share(self) -> float:
        """Of those that ended in time, between 0 and 1."""
        return sum(seconds <= ENOUGH for seconds in self) / len(self)


@dataclass(frozen=True)
class Throttled:
    """One command's runs alone in its group, and beside a busy process."""

    command: Command
    alone: Runs
    beside: Runs


def throttled(
    spawner: Spawner, python: str, commands: Sequence[Command], rounds: int, cpus: Collection[int]
) -> list[Throttled]:
    """Raises Unlimited where no limit can be set. The CPUs are for the busy process, which roams as in a container."""
    with ExitStack() as stack:
        # One group for each: while it waits for its turn, its quota is filled again.
        groups = [stack.enter_context(limited(CORES)) for _ in commands]
        alone = _rounds(spawner, commands, groups, rounds, REFILL)
    with limited(CORES) as group, busy(python, group, cpus):
        beside = _rounds(spawner, commands, [group] * len(commands), rounds, 0)
    return [Throttled(*each) for each in zip(commands, alone, beside, strict=True)]


def _rounds(
    spawner: Spawner, commands: Sequence[Command], groups: Sequence[Path], rounds: int, rest: float
) -> list[Runs]:
    """Every command in turn, each in its group, which rests so long after a run."""
    chance = random.Random(1)
    found = [Runs() for _ in commands]
    rested = dict.fromkeys(groups, 0.0)
    for number in range(rounds):
        progress(f"100m, {'alone' if rest else 'beside a busy process'}", number, rounds)
        for command, group, runs in zip(commands, groups, found, strict=True):
            if command.slow and number % SELDOM:
                continue
            time.sleep(max(0, rested[group] - time.monotonic()) + chance.uniform(0, PERIOD))
            try:
                runs.append(spawner.run(*command.pipeline, group=group).wall)
            except WrongAnswer:
                runs.append(float("inf"))
            rested[group] = time.monotonic() + rest
    return found
