"""The figures as Markdown, and into docs/bench.md between its two marks."""

import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.environment import CHECKOUT
from bench.rounds import Cold, Measured, megabytes, milliseconds, ratio
from bench.sweeps import Swept

PAGE = CHECKOUT / "docs" / "bench.md"
BEGIN, END = "<!-- figures: python -m bench --write -->", "<!-- end of figures -->"

PYTHON, CURL_JQ, PEAK = 2.2, 1.0, 14.0  # the most that a cold probe may cost: times, times, MB
JQ = "jq-1.6"  # a newer jq starts in a seventh of its time, and the ratio to it says something else


def probes(cold: Cold, jq: str) -> list[str]:
    """One row for each question."""
    lines = [
        "| `stetho probe …` | requests | CPU ms | curl\\|jq ms | ÷ bare python | ÷ curl\\|jq | peak MB | holds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    bare = f"{milliseconds(cold.bare):.1f} | | | | {megabytes(cold.bare):.1f} | |"
    return [*lines, f"| *bare `python -c pass`* | | {bare}", *(_row(cold, each, jq) for each in cold.measured)]


def _row(cold: Cold, each: Measured, jq: str) -> str:
    python, curl, peak = ratio(each.stetho, cold.bare), ratio(each.stetho, each.curl_jq), megabytes(each.stetho)
    broken = [
        text
        for text, holds in (
            (f"÷ python > {PYTHON}", python.median <= PYTHON),
            (f"÷ curl\\|jq > {CURL_JQ}", curl.median <= CURL_JQ or jq != JQ),
            (f"peak > {PEAK:g} MB", peak <= PEAK),
        )
        if not holds
    ]
    cells = [
        each.question.name,
        str(each.question.requests),
        f"{milliseconds(each.stetho):.1f}",
        f"{milliseconds(each.curl_jq):.1f}",
        f"{python:.2f}",
        f"{curl:.2f}",
        f"{peak:.1f}",
        "NO: " + ", ".join(broken) if broken else "yes",
    ]
    return f"| {' | '.join(cells)} |"


def sweeps(swept: Sequence[Swept]) -> list[str]:
    lines = ["| rules | servers | requests | seconds | CPU s | peak MB |", "|---|---|---|---|---|---|"]
    for each in swept:
        figures = f"{each.seconds:.1f} | {each.cost.cpu:.1f} | {each.cost.peak / 1e6:.0f}"
        lines.append(f"| {each.rules} | 100 | {each.requests} | {figures} |")
    return lines


def conditions(programs: Mapping[str, str], cold: Cold, rounds: int, cpu: int | None) -> list[str]:
    """Under what these figures were taken, and what must hold."""
    jq = version(programs["jq"])
    curl_jq = f"at most {CURL_JQ} times curl|jq" if jq == JQ else f"({CURL_JQ} times curl|jq is for {JQ}: not judged)"
    pinned = "not pinned" if cpu is None else f"all pinned to CPU {cpu}, the servers elsewhere"
    return [
        f"Targets: at most {PYTHON} times bare python, {curl_jq}, peak at most {PEAK:g} MB.",
        f"{rounds} rounds of all commands in turn, {pinned}. Median (least-most); ratios within each round.",
        f"python {version(programs['python'])}, {version(programs['curl'])}, {jq}; {processor()}, "
        f"Linux {platform.release()}; load average {Path('/proc/loadavg').read_text().split()[0]}; {checkout()}.",
        f"No process here shows a peak below {cold.floor / 1e6:.1f} MB, that of the process which starts them.",
    ]


def version(program: str) -> str:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return " ".join(said.removeprefix("Python ").split()[:2])


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} CPUs {names[0]}" if names else platform.machine()


def checkout() -> str:
    """The commit, with a plus sign where the checkout has more than it."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    return f"stetho {said.stdout.strip() or 'outside git'}"


def write(lines: Sequence[str]) -> None:
    """Put the figures into the page in place of the old ones."""
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    tail = rest.partition(END)[2]
    PAGE.write_text("\n".join([f"{head}{BEGIN}", "", *lines, "", f"{END}{tail}"]), encoding="utf-8")
