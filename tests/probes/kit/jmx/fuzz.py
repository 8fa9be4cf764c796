"""Plays broken conversations to the JMX client, and looks for hangs, tracebacks and hunger for memory.

`python -m tests.probes.kit.jmx.fuzz SEED...` repeats cases.
"""

import contextlib
import json
import select
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tests.probes.kit.command import environment
from tests.probes.kit.jmx.fuzz_case import Case
from tests.probes.kit.jmx.fuzz_server import FuzzServer
from tests.probes.kit.rawserver import Refuser, Unaccepting

ROOT = Path(__file__).parents[4]
FINE = {"Found", "ProbeError", "Broken", "Unreachable", "Unrouted"}
MEMORY = 100_000_000  # bytes
# Late is what is left when the time that others had the processor is taken off. With four clients on two busy cores
# that was 0.3 s at most, spent on what one piece of an answer may cost; thrice that is left to slower machines. It must
# be so three times in a row.
SLACK = 1.0
TRIES = 3
HUNG = 10.0  # seconds after the deadline
CLIENTS = 4  # most cases wait for something
ENOUGH = 20  # findings


class Hung(Exception):
    """The client does not answer. Says what it is at."""


class Client:
    """The process under test."""

    def __init__(self) -> None:
        argv = [sys.executable, "-W", "ignore", "-m", "tests.probes.kit.jmx.fuzz_client"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            argv, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT, env=environment()
        )
        assert self.process.stdin
        assert self.process.stdout
        self._in, self._out = self.process.stdin, self.process.stdout

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        self._in.write(json.dumps(question) + "\n")
        self._in.flush()
        readable, _, _ = select.select([self._out], [], [], question["seconds"] + HUNG)
        line = self._out.readline() if readable else ""
        if not line:
            raise Hung(self._last_words())
        said: dict[str, Any] = json.loads(line)
        return said

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            self.process.send_signal(signal.SIGUSR1)
            time.sleep(0.2)
        self.process.kill()
        _, errors = self.process.communicate()
        return f"exit {self.process.returncode}\n{errors[-4000:]}"


@dataclass
class Report:
    """What came of many cases."""

    cases: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    latest: tuple[float, str] = (-1.0, "")  # seconds after the deadline, and the case
    peak: int = 0
    findings: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        late, seed = self.latest
        return (
            f"{self.cases} cases, {self.cases / (self.seconds or 1):.0f} a second, peak {self.peak / 1e6:.1f} MB, "
            f"latest {late:+.2f} s after its deadline ({seed}); {dict(self.outcomes.most_common())}"
        )


class Fuzzer:
    """One client, asked case by case."""

    def __init__(self, report: Report, lock: "threading.Lock | None" = None) -> None:
        self.report, self._lock = report, lock or threading.Lock()
        self._refuser, self._stuck, self._client = Refuser(), Unaccepting(), Client()

    def close(self) -> None:
        for each in (self._client, self._refuser, self._stuck):
            each.close()

    def fresh(self) -> None:
        """Go on with another process."""
        self._client.close()
        self._client = Client()

    def play(self, seed: str, seconds: float | None = None) -> None:
        """Play the case, and note what came of it. `seconds`: another deadline than its own."""
        fault, said = "", dict[str, Any]()
        for _ in range(TRIES):
            fault, said, may_be_chance = self._once(Case(seed), seconds)
            if not (fault and may_be_chance):
                break
        with self._lock:
            self.report.cases += 1
            if fault:
                self.report.findings.append(f"{seed}: {fault}")
            if said:
                self.report.outcomes[said["kind"]] += 1
                self.report.peak = max(self.report.peak, said["peak"])
                self.report.latest = max(self.report.latest, (said["late"], seed))

    def _once(self, case: Case, seconds: float | None) -> tuple[str, dict[str, Any], bool]:
        """What is wrong, what the client said, and whether that can be the doing of a busy machine."""
        case.seconds = seconds or case.seconds
        server = FuzzServer(case, self._refuser, self._stuck)
        try:
            said = self._client.ask({**case.question(server.port), "ports": [*asdict(server.ports).values()]})
        except Hung as error:
            self.fresh()
            return f"hung {HUNG} s after its deadline, or died: {error}", {}, False
        finally:
            server.close()
        said["late"] = said["seconds"] - case.seconds - said["queued"]
        if said["kind"] not in FINE:
            return str(said["told"]), said, False
        if said["peak"] > MEMORY:
            self.fresh()
            return f"it took {said['peak'] / 1e6:.1f} MB; {said}", said, False
        if said["late"] > SLACK:
            return f"late: {said}", said, True
        if said["kind"] == "Unreachable" and server.spoke:
            return f"unreachable, though it answered: {said}", said, True
        return "", said, False


def fuzz(base: str, seconds: float) -> Report:
    """Play cases for so long, over several clients."""
    report, lock, numbers = Report(), threading.Lock(), count()
    begun = time.monotonic()

    def work() -> None:
        with contextlib.closing(Fuzzer(report, lock)) as fuzzer:
            while time.monotonic() - begun < seconds and len(report.findings) < ENOUGH:
                fuzzer.play(f"any:{base}:{next(numbers)}")

    threads = [threading.Thread(target=work) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report.seconds = time.monotonic() - begun
    return report


def main(seeds: list[str]) -> None:
    for seed in seeds:
        report = Report()
        with contextlib.closing(Fuzzer(report)) as fuzzer:
            fuzzer.play(seed)
        print(seed, report, *report.findings, sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
