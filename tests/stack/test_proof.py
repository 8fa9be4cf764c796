"""The proof: on the real platform, whatever breaks is told to whom it concerns, once, and so is its end.

Sweeps go on all the while: as things break, while they are broken, as they are mended.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.stack.platform import Platform
from tests.stack.proof import ONCALL, Alarm, Heard, Proof
from tests.stack.proof_faults import (
    DEAD_CLIENT,
    FAILED_TASK,
    KILLED_JVM,
    STOPPED_CONSUMER,
    TARGET_DOWN,
    TWO_FAILED_TASKS,
    Fault,
)

SECONDS = 120  # until all of a fault is told; 15 when the machine has nothing else to do

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def proof(the_platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Proof:
    """One store for all of them, as over a long night."""
    return Proof(the_platform, tmp_path_factory.mktemp("proof"))


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([FAILED_TASK], id="a failed Connect task"),
        pytest.param([STOPPED_CONSUMER], id="a stopped consumer"),
        pytest.param([DEAD_CLIENT], id="a dead Streams application"),
        pytest.param([TARGET_DOWN], id="a scrape target that is down"),
        pytest.param([TWO_FAILED_TASKS, STOPPED_CONSUMER, KILLED_JVM, TARGET_DOWN], id="all at once"),
    ],
)
def test_each_fault_and_its_end_are_told_once_to_whom_they_concern(
    platform: Platform, proof: Proof, faults: Sequence[Fault]
) -> None:
    proof.inbox.forget()
    proof.sweep()
    assert proof.inbox.heard() == []

    alarms = [alarm for fault in faults for alarm in fault.alarms(platform)]
    pages, all_clears = told(alarms, "FIRING"), told(alarms, "RESOLVED")
    with broken(platform, faults) as (struck, mend):
        heard = proof.sweep_until_heard(pages, SECONDS, also=struck.done)
        struck.result()
        proof.sweep_in_silence()
        assert_fires(proof, alarms)
        assert_says_what_and_where(heard, alarms)
        assert all(alarm.alertname in proof.stored() for alarm in alarms)
        assert proof.secrets_shown() == []

        mended = mend()
        proof.sweep_until_heard([*pages, *all_clears], SECONDS, also=mended.done)
        mended.result()
    proof.sweep_in_silence()
    assert_fires(proof, [])
    assert proof.secrets_shown() == []


def told(alarms: Sequence[Alarm], word: str) -> list[Heard]:
    return [heard for alarm in alarms for heard in alarm.told(word)]


def assert_fires(proof: Proof, alarms: Sequence[Alarm]) -> None:
    """`stetho alerts` lists these and no others, and why."""
    firing = proof.firing()
    names = [alarm.alertname for alarm in alarms for _ in range(alarm.count)]
    assert sorted(alert["alertname"] for alert in firing) == sorted(names)
    reasons = [(alert["alertname"], alert["message"]) for alert in firing]
    for alarm in alarms:
        assert any(name == alarm.alertname and alarm.because in why for name, why in reasons), (alarm, reasons)


def assert_says_what_and_where(heard: Sequence[Heard], alarms: Sequence[Alarm]) -> None:
    """The long messages name the culprit, and the page that says what to do."""
    for alarm in alarms:
        for page in alarm.told("FIRING"):
            if page.way != ONCALL:
                body = next(one.body for one in heard if one == page)
                for words in (*alarm.names, "runbook: https://runbooks.example.com/"):
                    assert words in body, page


@contextmanager
def broken(
    platform: Platform, faults: Sequence[Fault]
) -> Iterator[tuple["Future[None]", Callable[[], "Future[None]"]]]:
    """Strike, and give what mends. What is slow goes on beside the sweeps; whatever happens, all is mended."""

    def act(quick: bool, action: Callable[[Fault], object]) -> None:
        for fault in faults:
            if fault.slow is not quick:
                action(fault)

    with ThreadPoolExecutor(1) as pool:
        mended: list[Future[None]] = []

        def mend() -> "Future[None]":
            act(True, lambda fault: fault.mend(platform))
            mended.append(pool.submit(act, False, lambda fault: fault.mend(platform)))
            return mended[-1]

        struck = pool.submit(act, False, lambda fault: fault.strike(platform))
        act(True, lambda fault: fault.strike(platform))
        try:
            yield struck, mend
        finally:
            if not mended:
                mend()
