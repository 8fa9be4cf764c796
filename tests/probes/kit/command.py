"""The command as a process of its own, in an environment without settings of stetho's and without proxies."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[3]
COMMAND = ROOT / "stetho"

UNWANTED = ("COLUMNS", "NO_COLOR", "PYTHONDONTWRITEBYTECODE")  # uncached, each start would compile all of stetho

Done = subprocess.CompletedProcess[str]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's, without what would change an answer."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("STETHO_") and not name.lower().endswith("_proxy") and name not in UNWANTED
    }
    return {**kept, **(more or {})}


def stetho(*arguments: str, env: Mapping[str, str] | None = None, command: Path = COMMAND, within: float = 30) -> Done:
    """`stetho ARGUMENTS`, its output captured."""
    return subprocess.run(
        [sys.executable, str(command), *arguments],
        capture_output=True,
        encoding="utf-8",
        env=environment(env),
        timeout=within,
    )
