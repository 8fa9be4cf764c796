"""The real platform as a fixture: one for all tests of a run. Under pytest-xdist it needs `--dist loadgroup`."""

import os
from collections.abc import Iterator

import pytest

from tests.stack import summary
from tests.stack.platform import Platform, prepare, servers
from tests.stack.process import StackError


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "the_platform" in getattr(item, "fixturenames", ()):
            item.add_marker("stack")


@pytest.fixture(scope="session")
def the_platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    if lacking := _lacking():
        summary.missing(request.config, lacking)
        if os.environ.get("CI"):
            pytest.fail(f"in CI the real servers must run: {lacking}", pytrace=False)
        pytest.skip(f"no real servers: {lacking}")
    with Platform(tmp_path_factory.mktemp("platform")) as platform:
        summary.took_part(request.config, servers())
        yield platform


def _lacking() -> str:
    """What must be installed before the platform can start."""
    try:
        prepare()
    except StackError as error:
        return str(error)
    return ""


@pytest.fixture
def platform(the_platform: Platform) -> Platform:
    """The running platform, all of it well. A test mends what it breaks (see faults.py)."""
    the_platform.wait_well()
    return the_platform
