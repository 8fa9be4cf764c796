"""Groups of processes under a CPU limit, as a kubelet makes them: cgroups of version 1 or 2, whichever is there."""

import contextlib
import itertools
import os
import signal
import subprocess
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

PERIOD = 0.1  # seconds: Kubernetes' cpu.cfs_period_us

# It ends by itself if its parent is killed without a chance to clean up.
BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    pass"

_numbers = itertools.count(1)


class Unlimited(Exception):
    """No CPU limit can be set here; the text says why."""


def hierarchy(mounts: str | None = None) -> tuple[Path, bool]:
    """Where the cgroups with the CPU controller are mounted, and whether they are of version 2."""
    for line in (mounts or Path("/proc/self/mounts").read_text()).splitlines():
        _, folder, kind, options, *_ = line.split()
        if kind == "cgroup" and "cpu" in options.split(","):
            return Path(folder), False
        if kind == "cgroup2" and "cpu" in Path(folder, "cgroup.controllers").read_text().split():
            return Path(folder), True
    raise Unlimited("no cgroups with a CPU controller are mounted")


@contextmanager
def limited(cores: float) -> Iterator[Path]:
    """The `cgroup.procs` of a new group that has so many cores; whatever is left in it at the end is killed."""
    root, second = hierarchy()
    folder = root / f"stetho-bench-{os.getpid()}-{next(_numbers)}"
    try:
        if second and "cpu" not in (root / "cgroup.subtree_control").read_text().split():
            (root / "cgroup.subtree_control").write_text("+cpu")
        folder.mkdir()
    except OSError as error:
        raise Unlimited(f"{root} lets us make no group: {error.strerror}") from error
    try:
        limit(folder, cores, second=second)
        yield folder / "cgroup.procs"
    finally:
        _remove(folder)


def limit(folder: Path, cores: float, *, second: bool) -> None:
    """Give a group so many cores."""
    period, quota = round(PERIOD * 1e6), round(PERIOD * 1e6 * cores)
    try:
        if second:
            (folder / "cpu.max").write_text(f"{quota} {period}")
        else:
            (folder / "cpu.cfs_period_us").write_text(str(period))
            (folder / "cpu.cfs_quota_us").write_text(str(quota))
    except OSError as error:
        raise Unlimited(f"{folder} takes no limit: {error.strerror}") from error


def _remove(folder: Path, seconds: float = 5) -> None:
    """Kill who is in the group, and remove it; the kernel lets a group go only some time after its last process."""
    end = time.monotonic() + seconds
    while True:
        for pid in (folder / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        try:
            return folder.rmdir()
        except OSError:
            if time.monotonic() > end:
                raise
        time.sleep(0.02)


@contextmanager
def busy(python: str, group: Path, cpus: Collection[int]) -> Iterator[None]:
    """One process in the group that takes all the CPU it can get."""
    child = subprocess.Popen([python, "-I", "-S", "-c", BUSY], stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        os.sched_setaffinity(child.pid, cpus)
        group.write_text(str(child.pid))
        time.sleep(10 * PERIOD)  # the quota is used up from here on
        yield
    finally:
        child.kill()
        child.wait()
