"""Where the benchmark finds cgroups, and how it sets their limit; that limits limit is for the benchmark itself."""

from pathlib import Path

import pytest

from bench import cgroup
from bench.cgroup import Unlimited, hierarchy, limit

V1 = "cgroup {folder} cgroup rw,relatime,cpu,cpuacct 0 0\n"
V1_OTHER = "cgroup {folder} cgroup rw,relatime,cpuset 0 0\n"
V2 = "cgroup2 {folder} cgroup2 rw,nosuid 0 0\n"


@pytest.mark.parametrize(
    ("mounts", "controllers", "second"),
    [(V1, "", False), (V2, "cpuset cpu io", True), (V1_OTHER + V1 + V2, "hugetlb", False)],
)
def test_the_version_that_has_the_cpu_controller_is_taken(
    mounts: str, controllers: str, second: bool, tmp_path: Path
) -> None:
    (tmp_path / "cgroup.controllers").write_text(controllers)
    assert hierarchy(mounts.format(folder=tmp_path)) == (tmp_path, second)


@pytest.mark.parametrize("mounts", [V1_OTHER + V2, "proc /proc proc rw 0 0\n"])
def test_without_a_cpu_controller_nothing_is_limited(mounts: str, tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("hugetlb cpuset")
    with pytest.raises(Unlimited, match="no cgroups with a CPU controller"):
        hierarchy(mounts.format(folder=tmp_path))


@pytest.mark.parametrize(
    ("second", "files"),
    [
        (True, {"cpu.max": "10000 100000"}),
        (False, {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "10000"}),
    ],
)
def test_100m_is_10_ms_in_100(second: bool, files: dict[str, str], tmp_path: Path) -> None:
    limit(tmp_path, 0.1, second=second)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == files


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "hierarchy", lambda: (tmp_path / "gone", False))
    with pytest.raises(Unlimited, match="lets us make no group: No such file"), cgroup.limited(0.1):
        pass
