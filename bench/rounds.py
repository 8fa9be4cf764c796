"""All commands in turn, round after round, so that what disturbs the machine disturbs them alike."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from bench.processes import Command, Cost, Spawner
from bench.questions import QUESTIONS, Question
from tests.cassettes.replay import Replay

WARM_UP = 3  # rounds that do not count


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


def milliseconds(costs: Sequence[Cost]) -> Spread:
    return Spread.of([cost.cpu * 1000 for cost in costs])


def megabytes(costs: Sequence[Cost]) -> float:
    """The highest peak of all rounds, in MB of 10^6 bytes."""
    return max(cost.peak for cost in costs) / 1e6


def ratio(ours: Sequence[Cost], theirs: Sequence[Cost]) -> Spread:
    """How many times theirs ours costs, each round by itself."""
    return Spread.of([our.cpu / their.cpu for our, their in zip(ours, theirs, strict=True)])


@dataclass(frozen=True)
class Measured:
    """What one question cost in each round, by stetho and by curl and jq."""

    question: Question
    stetho: list[Cost]
    curl_jq: list[Cost]


@dataclass(frozen=True)
class Cold:
    """A whole run. `floor` is the peak memory that any process at all shows here, in bytes."""

    bare: list[Cost]
    measured: list[Measured]
    floor: int


def cold(spawner: Spawner, programs: Mapping[str, str], rounds: int) -> Cold:
    """Ask every question both ways in each round, beside bare Python."""
    with ExitStack() as servers:
        urls = [servers.enter_context(Replay(question.cassette)).url for question in QUESTIONS]
        both = [question.pipelines(url, programs) for question, url in zip(QUESTIONS, urls, strict=True)]
        bare: Sequence[Command] = [[programs["python"], "-c", "pass"]]
        pipelines = [bare, *(pipeline for pair in both for pipeline in pair)]
        for _ in range(WARM_UP):
            _round(spawner, pipelines)
        costs = [_round(spawner, pipelines) for _ in range(rounds)]
        floor = spawner.run([programs["true"]]).peak
    first, *rest = (list(column) for column in zip(*costs, strict=True))
    measured = [Measured(*each) for each in zip(QUESTIONS, rest[::2], rest[1::2], strict=True)]
    return Cold(first, measured, floor)


def _round(spawner: Spawner, pipelines: Sequence[Sequence[Command]]) -> list[Cost]:
    return [spawner.run(*pipeline) for pipeline in pipelines]
