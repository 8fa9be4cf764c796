"""All commands in turn, round after round, so that what disturbs the machine disturbs them alike."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.processes import Cost, Pipeline, Spawner
from bench.questions import Asked, Question

WARM_UP = 3  # rounds that do not count
SELDOM = 10  # what takes seconds each time is run in each tenth round only


@dataclass(frozen=True)
class Spread:
    """A median with the least and the most."""

    median: float
    least: float
    most: float

    def __format__(self, form: str) -> str:
        return f"{self.median:{form}} ({self.least:{form}}-{self.most:{form}})"

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(median(values), min(values), max(values))


def cpu(costs: Sequence[Cost]) -> Spread:
    """In milliseconds."""
    return Spread.of([cost.cpu * 1000 for cost in costs])


def wall(costs: Sequence[Cost]) -> Spread:
    """In milliseconds."""
    return Spread.of([cost.wall * 1000 for cost in costs])


def megabytes(costs: Sequence[Cost]) -> float:
    """The highest peak of all rounds, in MB of 10^6 bytes."""
    return max(cost.peak for cost in costs) / 1e6


def ratio(ours: Sequence[Cost], theirs: Sequence[Cost]) -> Spread:
    """How many times theirs ours costs, each round by itself."""
    return Spread.of([our.cpu / their.cpu for our, their in zip(ours, theirs, strict=True)])


@dataclass(frozen=True)
class Measured:
    """What one question cost in each round, by stetho and by its peer."""

    question: Question
    stetho: list[Cost]
    peer: list[Cost]


@dataclass(frozen=True)
class Cold:
    """A whole run. `others` are for comparison only; `floor` is the peak of any process at all here, in bytes."""

    bare: list[Cost]
    measured: list[Measured]
    others: dict[str, list[Cost]]
    floor: int


def cold(spawner: Spawner, bare: Pipeline, asked: Sequence[Asked], others: Mapping[str, Pipeline], rounds: int) -> Cold:
    """Ask every question both ways in each round, beside bare Python; the others in each tenth round."""
    pipelines = [bare, *(pipeline for each in asked for pipeline in (each.stetho, each.peer))]
    for _ in range(WARM_UP):
        _round(spawner, pipelines)
    costs: list[list[Cost]] = []
    beside: list[list[Cost]] = []
    for number in range(rounds):
        progress("cold", number, rounds)
        costs.append(_round(spawner, pipelines))
        if number % SELDOM == 0:
            beside.append(_round(spawner, list(others.values())))
    floor = spawner.run(["/bin/true"]).peak
    first, *rest = (list(column) for column in zip(*costs, strict=True))
    both = zip(asked, rest[::2], rest[1::2], strict=True)
    measured = [Measured(each.question, stetho, peer) for each, stetho, peer in both]
    return Cold(first, measured, dict(zip(others, map(list, zip(*beside, strict=True)), strict=True)), floor)


def _round(spawner: Spawner, pipelines: Sequence[Pipeline]) -> list[Cost]:
    return [spawner.run(*pipeline) for pipeline in pipelines]


def progress(what: str, number: int, rounds: int) -> None:
    """Tell every tenth of the way whoever waits."""
    if number % max(rounds // 10, 1) == 0:
        print(f"bench: {what}, round {number} of {rounds}", file=sys.stderr, flush=True)
