"""Runs pipelines for bench.processes and tells what each cost. Run by itself: `python -I -S spawner.py [CPU,CPU…]`.

A process starts out with the peak memory of the one that spawned it (the kernel keeps that figure across exec), so
this one stays smaller than any Python it starts. It must not import anything that bare Python has not loaded.

Each line of stdin is a cgroup's `cgroup.procs`, or nothing, and the commands of a pipeline, parted by \\x1e, the words
of a command by \\x1f. The line that answers it has the CPU seconds of all of its processes (user and system), the
seconds from before the first start to the last end, the largest peak memory among them in KiB, and their exit codes.
"""

import posix
import sys
import time


def main() -> None:
    if sys.argv[1:]:
        posix.sched_setaffinity(0, [int(cpu) for cpu in sys.argv[1].split(",")])
    while line := sys.stdin.readline():
        group, *commands = line.rstrip("\n").split("\x1e")
        cpu, wall, peak, codes = run(group, [command.split("\x1f") for command in commands])
        print(cpu, wall, peak, *codes, flush=True)


def run(group: str, pipeline: list[list[str]]) -> tuple[float, float, int, list[int]]:
    """Run the commands, each one's output the next one's input, the last one's dropped."""
    pids = []
    begun = time.monotonic()
    source = posix.open("/dev/null", posix.O_RDONLY)
    for at, words in enumerate(pipeline):
        last = at == len(pipeline) - 1
        following, sink = (source, posix.open("/dev/null", posix.O_WRONLY)) if last else posix.pipe()
        pids.append(start(words, source, sink, group))
        posix.close(sink)
        if not last:
            posix.close(source)
        source = following
    posix.close(source)
    ended = [posix.wait4(pid, 0) for pid in pids]
    wall = time.monotonic() - begun
    cpu = sum(usage.ru_utime + usage.ru_stime for _, _, usage in ended)
    peak = max(usage.ru_maxrss for _, _, usage in ended)
    return cpu, wall, peak, [posix.waitstatus_to_exitcode(status) for _, status, _ in ended]


def start(words: list[str], source: int, sink: int, group: str) -> int:
    """The PID of the command, started from `source` to `sink`, in the cgroup if one is given."""
    if not group:
        moves = [(posix.POSIX_SPAWN_DUP2, source, 0), (posix.POSIX_SPAWN_DUP2, sink, 1)]
        return posix.posix_spawn(words[0], words, posix.environ, file_actions=moves)
    pid = posix.fork()
    if pid:
        return pid
    try:
        posix.write(posix.open(group, posix.O_WRONLY), b"0")  # 0 is who writes it
        posix.dup2(source, 0)
        posix.dup2(sink, 1)
        posix.execve(words[0], words, posix.environ)
    finally:
        posix._exit(127)


main()
