"""The figures as Markdown, and into docs/bench.md between its two marks."""

import platform
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from bench.environment import CHECKOUT
from bench.processes import Cost
from bench.rounds import Cold, cpu, megabytes, ratio, wall
from bench.sweeps import Swept
from bench.targets import CURL_JQ, JAVA, JQ, PEAK, PYTHON, SHARE, TLS_PEAK, Verdicts
from bench.throttled import ENOUGH, Runs, Throttled
from tests.stack import jars

PAGE = CHECKOUT / "docs" / "bench.md"
BEGIN, END = "<!-- figures: python -m bench --write -->", "<!-- end of figures -->"


def probes(cold: Cold, verdicts: Verdicts) -> list[str]:
    """Two rows for each question: stetho's, and its peer's below it."""
    lines = table("command", "requests", "CPU ms", "wall ms", "peak MB", "÷ bare python", "÷ its peer", "holds")
    lines.append(row("*bare `python -c pass`*", "", *_costs(cold.bare), "", "", ""))
    for each in cold.measured:
        ratios = [f"{ratio(each.stetho, cold.bare):.2f}", f"{ratio(each.stetho, each.peer):.3f}"]
        requests = str(each.question.requests or "")
        lines.append(row(each.question.name, requests, *_costs(each.stetho), *ratios, verdicts.cold(cold, each)))
        beside = f"{ratio(each.peer, cold.bare):.2f}"
        lines.append(row(f"*{each.question.peer}*", "", *_costs(each.peer), beside, "", ""))
    lines += [row(f"*{name}*", "", *_costs(costs), "", "", "") for name, costs in cold.others.items()]
    return lines


def _costs(costs: Sequence[Cost]) -> tuple[str, str, str]:
    return f"{cpu(costs):.1f}", f"{wall(costs):.1f}", f"{megabytes(costs):.1f}"


def throttled(found: Sequence[Throttled], cpus: Collection[int], verdicts: Verdicts) -> list[str]:
    """One row for each command."""
    ways = [f"{way}: {what}" for way in ("alone", "beside") for what in ("wall ms", "in time")]
    lines = table(f"command at 100m of {len(cpus)} CPU{'s' if len(cpus) > 1 else ''}", "runs", *ways, "holds")
    for each in found:
        name = each.command.name if each.command.judged else f"*{each.command.name}*"
        cells = [*_runs(each.alone), *_runs(each.beside), verdicts.throttled(each) if each.command.judged else ""]
        lines.append(row(name, str(len(each.beside)), *cells))
    return lines


def _runs(runs: Runs) -> tuple[str, str]:
    return f"{1000 * runs.median:.0f} (most {1000 * max(runs):.0f})", f"{runs.share:.0%}"


def sweeps(swept: Sequence[Swept]) -> list[str]:
    lines = table("rules", "servers", "requests", "seconds", "CPU s", "peak MB")
    for each in swept:
        figures = (f"{each.seconds:.1f}", f"{each.cost.cpu:.1f}", f"{each.cost.peak / 1e6:.0f}")
        lines.append(row(str(each.rules), "100", str(each.requests), *figures))
    return lines


def table(*heads: str) -> list[str]:
    return [row(*heads), "|---" * len(heads) + "|"]


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def conditions(programs: Mapping[str, Sequence[str]], cold: Cold, rounds: int, pinned: int | None) -> list[str]:
    """Under what these figures were taken, and what must hold."""
    jq = version(*programs["jq"])
    curl_jq = f"at most {CURL_JQ} times curl|jq" if jq == JQ else f"({CURL_JQ} times curl|jq is for {JQ}: not judged)"
    where = "not pinned" if pinned is None else f"all pinned to CPU {pinned}, the servers elsewhere"
    java = [version(programs["reader"][0]), f"Kafka {jars.version('kafka')}"] if "reader" in programs else []
    versions = [f"python {version(*programs['python'])}", version(*programs["curl"]), jq, *java]
    return [
        f"Targets: at most {PYTHON} times bare python, {curl_jq}, over JMX at most {JAVA} times the Java reader, "
        f"peak at most {PEAK:g} MB ({TLS_PEAK:g} MB with TLS); at 100m beside a busy process, at least {SHARE:.0%} of "
        f"runs end within {ENOUGH:g} s.",
        f"{rounds} rounds of all commands in turn, {where}. Median (least-most); ratios of CPU within each round.",
        f"{', '.join(versions)}; {processor()}, Linux {platform.release()}; "
        f"load average {Path('/proc/loadavg').read_text().split()[0]}; {checkout()}.",
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
