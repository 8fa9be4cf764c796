"""Broken RMI replies, seeded: no hang past the deadline, no traceback, never more than 100 MB.

A failure names its seed; `python -m tests.probes.kit.jmx.fuzz SEED` plays it again.
"""

import contextlib
import os
import secrets

import pytest

from tests.probes.kit.jmx.fuzz import Fuzzer, Report, fuzz
from tests.probes.kit.jmx.fuzz_talks import NASTY

BASE = os.environ.get("STETHO_TEST_SEED") or secrets.token_hex(4)
LONG_ENOUGH = 5.0  # seconds in which a reply is read to its end, so that it takes all the memory that it can
MINIMUM = 10  # cases a second; here it is over 100, on a busy machine of one slow core still 20

# What has found something once, as long as the fuzzer draws the same from it; test_fuzz_finds.py has it in small.
FOUND = (
    "nasty:stub_in_itself:0",  # hung, for a proxy's handler was itself
    "nasty:connection_in_itself:1",
    "nasty:big_integers:0",  # hung: 90,000 times a number of 1,000 bytes
    "nasty:big_integers:1",  # and a BigDecimal of one
    "nasty:lists_of_little:0",  # hung: 45,000 times a list of which 45,000 elements do not count
    "nasty:lists_of_little:1",
    "nasty:names_of_little:0",
    "nasty:long_names:3:probe",  # hung: 4 MB of keys taken apart with a copy for each
    "nasty:long_names:5:probe",
    "nasty:one_wide_letter:0:probe",  # 111 MB: answers that held themselves were freed late
    "nasty:keys_of_values:0",  # 91 MB: keys that JSON writes six times as long
)


def verdict(report: Report) -> str:
    return "\n".join(report.findings) or "fine"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seconds", [30, pytest.param(600, marks=pytest.mark.long)])
def test_broken_replies_hang_nothing_raise_nothing_and_cost_little(seconds: int) -> None:
    report = fuzz(BASE, seconds)
    print(report)
    assert verdict(report) == "fine"
    assert report.cases >= MINIMUM * seconds, "a fuzzer that did nothing has shown nothing"
    assert {"Found", "ProbeError"} <= report.outcomes.keys()  # Unreachable is one in 400: none, now and then


@pytest.mark.parametrize("seed", FOUND)
def test_what_was_found_once_is_not_found_again(seed: str) -> None:
    assert verdict(played(seed)) == "fine"


@pytest.mark.parametrize("name", NASTY)
def test_nasty_replies_are_read_in_time_and_in_little_memory(name: str) -> None:
    report = played(f"nasty:{name}:{BASE}", f"nasty:{name}:{BASE}:probe")
    print(report)
    assert verdict(report) == "fine"


def played(*seeds: str) -> Report:
    """Each in its own time and in much, in a process of its own."""
    report = Report()
    for seed in seeds:
        with contextlib.closing(Fuzzer(report)) as fuzzer:
            fuzzer.play(seed)
            fuzzer.play(seed, LONG_ENOUGH)
    return report
