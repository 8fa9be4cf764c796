"""One sweep of a name at a time, and no lock that outlives its owner."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from rules.lock import held, lock_path
from rules.store import StoreError

ROOT = Path(__file__).parents[2]
HOLDER = """
import subprocess, sys, time
from pathlib import Path
from rules.lock import held
with held(Path(sys.argv[1]), sys.argv[2]) as mine:
    if len(sys.argv) > 3:
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], close_fds=False)
    print(mine, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stetho.db"


def holder(path: Path, name: str, *more: str) -> subprocess.Popen[str]:
    """A process that has the lock."""
    argv = [sys.executable, "-c", HOLDER, str(path), name, *more]
    child = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "True\n"
    return child


def end(child: subprocess.Popen[str]) -> None:
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate()


def test_a_second_sweep_of_the_name_does_not_get_the_lock(path: Path) -> None:
    with held(path, "default") as first, held(path, "default") as second:
        assert (first, second) == (True, False)
    with held(path, "default") as third:
        assert third


def test_another_name_has_a_lock_of_its_own(path: Path) -> None:
    with held(path, "one") as one, held(path, "two") as two:
        assert (one, two) == (True, True)


def test_another_store_has_locks_of_its_own(path: Path) -> None:
    with held(path, "default") as one, held(path.with_name("other.db"), "default") as two:
        assert (one, two) == (True, True)


def test_one_store_by_two_paths_has_one_lock(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    with held(path, "default") as one:
        assert one
        for other in (tmp_path / "link" / "stetho.db", Path("stetho.db")):
            with held(other, "default") as two:
                assert not two


def test_a_killed_owner_leaves_the_lock_free(path: Path) -> None:
    child = holder(path, "default")
    with held(path, "default") as mine:
        assert not mine
    child.kill()
    child.communicate()
    with held(path, "default") as mine:
        assert mine


def test_a_child_of_the_owner_does_not_keep_the_lock(path: Path) -> None:
    child = holder(path, "default", "with a child of its own")
    try:
        child.kill()
        child.wait()
        with held(path, "default") as mine:
            assert mine
    finally:
        end(child)


def test_the_lock_ends_with_an_exception(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), held(path, "default"):
        raise ZeroDivisionError
    with held(path, "default") as mine:
        assert mine


def test_who_waits_gets_the_lock_soon_after_it_is_free(path: Path) -> None:
    child = holder(path, "default")
    freed: list[float] = []

    def free() -> None:
        freed.append(time.monotonic())
        child.kill()

    timer = threading.Timer(0.2, free)
    timer.start()
    with held(path, "default", wait_seconds=30) as mine:
        assert mine
        assert freed, "not before it was free"
    timer.join()
    child.communicate()


def test_who_has_waited_in_vain_is_told_so(path: Path) -> None:
    with held(path, "default"):
        start = time.monotonic()
        with held(path, "default", wait_seconds=0.12) as mine:
            assert not mine
        assert time.monotonic() - start >= 0.12


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a/b",
        "../../etc/passwd",
        "x" * 500,
        "größer",
        "new\nline",
        "nul\0",
        "\udcff",
        ".",
        "A",
        "a",
        "a b",
        "a_b",
        " ",
    ],
)
def test_every_name_has_a_file_beside_the_store(path: Path, name: str) -> None:
    with held(path, name) as mine:
        assert mine
    [file] = path.parent.iterdir()
    assert file.name.startswith("stetho.db.")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_no_two_names_share_a_file(path: Path) -> None:
    names = ["a/b", "a_b", "a b", "A_B", "a__b", "", "_", "x" * 40, "x" * 41]
    assert len({lock_path(path, name).name.lower() for name in names}) == len(names)


def test_a_folder_that_is_not_there_is_a_store_error(path: Path) -> None:
    with (
        pytest.raises(StoreError, match=r"the folder .*/none does not exist"),
        held(path.parent / "none" / "s.db", "x"),
    ):
        pass
