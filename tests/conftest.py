"""For all tests: those of the real servers share one worker, and a run's last line says how many servers took part."""

from typing import Any

import hypothesis
import pytest

from tests.stack.summary import pytest_sessionfinish, pytest_terminal_summary, pytest_testnodedown

__all__ = ["pytest_sessionfinish", "pytest_terminal_summary", "pytest_testnodedown", "pytest_xdist_make_scheduler"]

STACK = "tests/stack/"

hypothesis.settings.register_profile("stetho", deadline=None)  # two busy cores say nothing of a property
hypothesis.settings.load_profile("stetho")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """With `--dist loadgroup`, everything in tests/stack is one group.

    pytest-xdist 3.8 loses the groups of its mark under pytest 9.2 (pytest-dev/pytest-xdist#1386), and this process
    sees nothing of a test but its name.
    """
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped]

    class Scheduling(LoadGroupScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return STACK if nodeid.startswith(STACK) else str(super()._split_scope(nodeid))

    return Scheduling(config, log)
