"""`python -m bench`: what a cold probe costs beside bare Python and what others ask with, and what a sweep costs."""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import jvm, report
from bench.cgroup import Unlimited
from bench.environment import Missing, clean, tools
from bench.processes import Pipeline, Spawner, WrongAnswer, cpus
from bench.questions import Asked
from bench.rounds import cold
from bench.servers import serving
from bench.sweeps import sweep
from bench.targets import Verdicts
from bench.throttled import Command, throttled
from tests.stack.process import StackError

RULES = (1_000, 10_000)
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Programs = dict[str, list[str]]


def main(argv: Sequence[str]) -> int:
    options = arguments(argv)
    for number in ENDING:
        signal.signal(number, interrupted)
    try:
        with clean() as folder:
            found = {**tools(), "python": str(folder / "python"), "stetho": str(folder / "stetho")}
            lines = figures({name: [path] for name, path in found.items()}, options)
    except (Missing, WrongAnswer, StackError, subprocess.CalledProcessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: interrupted; all that it started is stopped", file=sys.stderr)
        return 130
    print("\n".join(lines))
    if options.write:
        report.write(lines)
    return 0


def interrupted(*_: object) -> None:
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)  # a second one would cut the cleaning up short
    raise KeyboardInterrupt


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="of all commands in turn (default: 100)")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/bench.md")
    parser.add_argument("--no-java", dest="java", action="store_false", help="ask nothing over JMX")
    parser.add_argument("--no-cgroup", dest="cgroup", action="store_false", help="measure nothing under a CPU limit")
    parser.add_argument("--all-cpus", action="store_true", help="what is under a limit roams over all CPUs")
    parser.add_argument("--no-sweep", dest="sweep", action="store_false", help="measure no sweeps")
    return parser.parse_args(argv)


def figures(programs: Programs, options: argparse.Namespace) -> list[str]:
    """All of the report's lines."""
    servers, measured = cpus()
    if measured is not None:
        os.sched_setaffinity(0, servers)
    verdicts = Verdicts(report.version(*programs["jq"]))
    with application(programs, options, verdicts) as jmx, serving(programs, jmx) as asked:
        others = jvm.others(jmx) if jmx else {}
        lines = cold_figures(programs, options, asked, others, measured, verdicts)
        usable = {max(servers) if measured is None else measured}
        roaming = usable | servers if options.all_cpus else usable
        lines += ["", *throttled_figures(programs, options, asked, roaming, verdicts)]
    if options.sweep:
        with Spawner(Path(programs["python"][0]), os.defpath) as spawner:
            swept = [sweep(spawner, programs["stetho"][0], rules) for rules in RULES]
        lines += ["", *report.sweeps(swept)]
    return [*lines, "", verdicts.last_line()]


@contextmanager
def application(programs: Programs, options: argparse.Namespace, verdicts: Verdicts) -> Iterator[str]:
    """The JMX of the Streams application as host:port, with its reader among the programs; without Java, nothing."""
    missing = jvm.missing() if options.java else "--no-java"
    if missing:
        verdicts.unmeasured.append(f"JMX ({missing})")
        yield ""
        return
    with jvm.streams() as jmx:
        programs["reader"] = jvm.reader(jmx)
        yield jmx


def cold_figures(
    programs: Programs,
    options: argparse.Namespace,
    asked: Sequence[Asked],
    others: Mapping[str, Pipeline],
    pinned: int | None,
    verdicts: Verdicts,
) -> list[str]:
    """The probes' table, and under what it was measured."""
    with Spawner(Path(programs["python"][0]), os.defpath, () if pinned is None else (pinned,)) as spawner:
        run = cold(spawner, bare(programs), asked, others, options.rounds)
    conditions = report.conditions(programs, run, options.rounds, pinned)
    return [*report.probes(run, verdicts), "", *(f"- {text}" for text in conditions)]


def throttled_figures(
    programs: Programs, options: argparse.Namespace, asked: Sequence[Asked], usable: set[int], verdicts: Verdicts
) -> list[str]:
    """The table of what a CPU limit does, or why there is none."""
    if not options.cgroup:
        verdicts.unmeasured.append("100m (--no-cgroup)")
        return []
    peers = {each.question.peer: each for each in reversed(asked)}  # of each kind the first
    commands = [
        Command("bare `python -c pass`", bare(programs)),
        *(Command(name, each.peer, slow=bool(each.question.read)) for name, each in peers.items()),
        *(Command(each.question.name, each.stetho, judged=True) for each in asked),
    ]
    try:
        with Spawner(Path(programs["python"][0]), os.defpath, usable) as spawner:
            found = throttled(spawner, programs["python"][0], commands, options.rounds, usable)
            return report.throttled(found, usable, verdicts)
    except Unlimited as error:
        verdicts.unmeasured.append(f"100m ({error})")
        return []


def bare(programs: Programs) -> Pipeline:
    return [[*programs["python"], "-c", "pass"]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
