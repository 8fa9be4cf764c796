"""The real platform as a fixture: one for all tests of a run. Under pytest-xdist it needs `--dist loadgroup`."""

import os
from collections.abc import Callable, Iterator

import pytest

from tests.stack import jars, summary
from tests.stack.broker import Broker
from tests.stack.platform import Platform, prepare, servers
from tests.stack.process import StackError

REAL = {"the_platform", "the_broker"}  # fixtures


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if REAL.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("stack")


@pytest.fixture(scope="session")
def the_platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    _have(request.config, prepare)
    with Platform(tmp_path_factory.mktemp("platform")) as platform:
        summary.took_part(request.config, servers())
        yield platform


@pytest.fixture(scope="session")
def the_broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker and nothing else, for tests that bring applications of their own."""
    _have(request.config, jars.prepare)
    broker = Broker(tmp_path_factory.mktemp("broker")).start()
    summary.took_part(request.config, [f"Kafka {jars.version('kafka')}"])
    yield broker
    broker.stop()


def _have(config: pytest.Config, prepare: Callable[[], object]) -> None:
    """Have what the tests need; without it they are skipped, and in CI they fail."""
    try:
        prepare()
    except StackError as error:
        summary.missing(config, str(error))
        if os.environ.get("CI"):
            pytest.fail(f"in CI the real servers must run: {error}", pytrace=False)
        pytest.skip(f"no real servers: {error}")


@pytest.fixture
def platform(the_platform: Platform) -> Platform:
    """The running platform, all of it well. A test mends what it breaks (see faults.py)."""
    the_platform.wait_well()
    return the_platform
