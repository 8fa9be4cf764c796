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
    try:
        prepare()
    except StackError as error:
        summary.missing(request.config, str(error))
        if os.environ.get("CI"):
            pytest.fail(f"in CI the real servers must run: {error}", pytrace=False)
        pytest.skip(f"no real servers: {error}")
    with Platform(tmp_path_factory.mktemp("platform")) as platform:
        summary.took_part(request.config, servers())
        yield platform


@pytest.fixture
def platform(the_platform: Platform) -> Platform:
    """The running platform, all of it well. A test mends what it breaks (see faults.py)."""
    the_platform.wait_well()
    return the_platform
