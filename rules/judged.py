"""Conditions and paths of rules, compiled and checked against what their probe answers; alike texts only once."""

from collections.abc import Mapping
from functools import lru_cache

from probes.kit import catalog
from probes.kit.condition import Condition, ConditionError, Path, complaints, path_complaints
from probes.kit.example import one_of
from probes.kit.result import Status

REMEMBERED = 4096  # texts; files of thousands of rules are made by a program, from few conditions

Complaints = tuple[ConditionError, ...]


@lru_cache(REMEMBERED)
def condition(text: str) -> Condition:
    """ConditionError when it is not one."""
    return Condition(text)


@lru_cache(REMEMBERED)
def path(text: str) -> Path:
    """ConditionError when it is not one."""
    return Path(text)


@lru_cache(REMEMBERED)
def condition_complaints(text: str, probe: str, items: str | None) -> Complaints:
    """What a `when:`, or a field of `item`, asks for that the probe never answers."""
    return tuple(complaints(text, _example(probe), items))


@lru_cache(REMEMBERED)
def items_complaints(text: str, probe: str) -> Complaints:
    """Why an `items:` does not lead to a list of the probe's answer."""
    return tuple(path_complaints(text, _example(probe)))


@lru_cache
def _example(probe: str) -> Mapping[str, object]:
    """What a probe's JSON looks like."""
    return {
        "schema": 1,
        "probe": probe,
        "target": "http://host:8083",
        "status": one_of([status.name for status in map(Status, range(4))]),
        "code": 2,
        "message": "1 of 3 tasks FAILED: orders-sink/2",
        "data": catalog.load(probe).EXAMPLE,
        "time": "2026-01-02T03:04:05Z",
        "duration_ms": 12.3,
    }
