"""The environment that is measured: a clean one, with this checkout installed as a user would install it.

An editable install starts up slower, and each `.pth` file or sitecustomize of a used environment costs every process
in it, bare Python too. It is kept outside git, and has neither pip nor setuptools.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
TOOLS = ("curl", "jq")


class Missing(Exception):
    """What the benchmark needs is not there; the text says what to install."""


@contextmanager
def clean() -> Iterator[Path]:
    """The `bin` folder of a clean environment with this checkout, held against other benchmarks as long as it runs."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stetho-bench"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two at a time would also spoil each other's figures
        prepare(home / "env", home / "stamp")
        yield home / "env" / "bin"


def prepare(env: Path, stamp: Path) -> None:
    """Make it anew when Python or the pinned dependencies have changed; install the checkout as it is now, always."""
    constraints = CHECKOUT / "constraints.txt"
    parts = [sys.version.encode(), (CHECKOUT / "pyproject.toml").read_bytes(), constraints.read_bytes()]
    wanted = hashlib.sha256(b"\0".join(parts)).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        stamp.unlink(missing_ok=True)
        shutil.rmtree(env, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", env], check=True)
        _install(env, "-c", str(constraints), str(CHECKOUT))
        stamp.write_text(wanted)
    _install(env, "--force-reinstall", "--no-deps", str(CHECKOUT))


def _install(env: Path, *arguments: str) -> None:
    pip = [sys.executable, "-m", "pip", "--python", str(env / "bin" / "python"), "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", *arguments], check=True)


def tools() -> dict[str, str]:
    """Where curl and jq are, installed first if we may."""
    missing = [name for name in TOOLS if shutil.which(name) is None]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-qq", *missing], check=True, stdout=subprocess.DEVNULL)
    found = {name: shutil.which(name) for name in TOOLS}
    if not all(found.values()):
        needed = " and ".join(name for name, path in found.items() if path is None)
        raise Missing(f"{needed} cannot be found, for stetho is measured against them: apt-get install {needed}")
    return {name: path for name, path in found.items() if path}
