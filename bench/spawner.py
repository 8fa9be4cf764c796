"""Runs pipelines for bench.processes and tells what each cost. Run by itself, as `python -I -S spawner.py [CPU]`.

A process starts out with the peak memory of the one that spawned it (the kernel keeps that figure across exec), so
this one stays smaller than any Python it starts. It must not import anything that bare Python has not loaded.

Each line of stdin is a pipeline: its commands parted by \\x1e, their words by \\x1f. The line that answers it has the
CPU seconds of all of its processes (user and system), the largest peak memory among them in KiB, and their exit codes.
"""

import posix
import sys


def main() -> None:
    if sys.argv[1:]:
        posix.sched_setaffinity(0, [int(sys.argv[1])])
    while line := sys.stdin.readline():
        seconds, peak, codes = run([command.split("\x1f") for command in line.rstrip("\n").split("\x1e")])
        print(seconds, peak, *codes, flush=True)


def run(pipeline: list[list[str]]) -> tuple[float, int, list[int]]:
    """Run the commands, each one's output the next one's input, the last one's dropped."""
    pids = []
    source = posix.open("/dev/null", posix.O_RDONLY)
    for at, words in enumerate(pipeline):
        last = at == len(pipeline) - 1
        following, sink = (source, posix.open("/dev/null", posix.O_WRONLY)) if last else posix.pipe()
        moves = [(posix.POSIX_SPAWN_DUP2, source, 0), (posix.POSIX_SPAWN_DUP2, sink, 1)]
        pids.append(posix.posix_spawn(words[0], words, posix.environ, file_actions=moves))
        posix.close(sink)
        if not last:
            posix.close(source)
        source = following
    posix.close(source)
    ended = [posix.wait4(pid, 0) for pid in pids]
    seconds = sum(usage.ru_utime + usage.ru_stime for _, _, usage in ended)
    peak = max(usage.ru_maxrss for _, _, usage in ended)
    return seconds, peak, [posix.waitstatus_to_exitcode(status) for _, status, _ in ended]


main()
