"""The JVM of jvm.py as a fixture, one for all tests of a run. A test module names it:

pytest_plugins = ["tests.stack.jvm_fixtures"]
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import summary, versions
from tests.stack.jvm import JmxServer, classpath, fetched_java, javas
from tests.stack.process import StackError

JDKS = ["oldest", "newest", *(pytest.param(version, marks=pytest.mark.long) for version in versions.JDKS)]


@pytest.fixture(scope="session", params=JDKS)
def jmx_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JmxServer]:
    """Every mode, on the oldest JDK of this machine, again on the newest, and in `make long` on those pip fetches."""
    try:
        classpath()
        version, java = jdk(request.param)
    except StackError as error:
        summary.missing(request.config, str(error))
        if os.environ.get("CI"):
            pytest.fail(f"in CI the real servers must run: {error}", pytrace=False)
        pytest.skip(f"no JVM: {error}")
    server = JmxServer(tmp_path_factory.mktemp(f"java-{version}"), java=java)
    try:
        yield server.start()
        summary.took_part(request.config, [f"remote JMX of Java {version}"])
    finally:
        server.stop()


def jdk(wanted: str | int) -> tuple[int, Path]:
    """Feature version and `java` command of the oldest or the newest JDK of this machine, or of that version."""
    if isinstance(wanted, int):
        return wanted, fetched_java(wanted)
    found = javas()
    if wanted == "newest" and len(found) == 1:
        pytest.skip("there is one JDK")
    return found[0 if wanted == "oldest" else -1]
