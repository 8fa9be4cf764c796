"""`python -m bench`: what a cold probe costs beside bare Python and beside curl with jq, and what a sweep costs."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import report
from bench.environment import Missing, clean, tools
from bench.processes import Spawner, WrongAnswer, cpus
from bench.rounds import Cold, cold
from bench.sweeps import Swept, sweep

RULES = (1_000, 10_000)


def main(argv: Sequence[str]) -> int:
    options = arguments(argv)
    try:
        found = tools()
        with clean() as folder:
            programs = {
                **found,
                "python": str(folder / "python"),
                "stetho": str(folder / "stetho"),
                "true": "/bin/true",
            }
            servers, measured = cpus()
            if measured is not None:
                os.sched_setaffinity(0, servers)
            lines = figures(programs, options, measured)
    except (Missing, WrongAnswer, subprocess.CalledProcessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines))
    if options.write:
        report.write(lines)
    return 0


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="of all commands in turn (default: 100)")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/bench.md")
    parser.add_argument("--no-sweep", dest="sweep", action="store_false", help="measure the cold probes only")
    return parser.parse_args(argv)


def figures(programs: dict[str, str], options: argparse.Namespace, cpu: int | None) -> list[str]:
    """All of the report's lines."""
    python, path = Path(programs["python"]), os.defpath
    with Spawner(python, path, cpu) as spawner:
        run: Cold = cold(spawner, programs, options.rounds)
    lines = report.probes(run, report.version(programs["jq"]))
    lines += ["", *(f"- {text}" for text in report.conditions(programs, run, options.rounds, cpu))]
    if options.sweep:
        with Spawner(python, path) as spawner:
            swept: list[Swept] = [sweep(spawner, programs["stetho"], rules) for rules in RULES]
        lines += ["", *report.sweeps(swept)]
    return lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
