"""The JVM of jvm.py as a fixture, one for all tests of a run. A test module names it:

pytest_plugins = ["tests.stack.jvm_fixtures"]
"""

import os
from collections.abc import Iterator

import pytest

from tests.stack import summary
from tests.stack.jvm import JmxServer, classpath, javas
from tests.stack.process import StackError


@pytest.fixture(scope="session", params=["oldest", "newest"])
def jmx_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JmxServer]:
    """Every mode, on the oldest JDK of this machine and again on the newest."""
    try:
        classpath()
    except StackError as error:
        summary.missing(request.config, str(error))
        if os.environ.get("CI"):
            pytest.fail(f"in CI the real servers must run: {error}", pytrace=False)
        pytest.skip(f"no JVM: {error}")
    found = javas()
    if request.param == "newest" and len(found) == 1:
        pytest.skip("there is one JDK")
    version, java = found[0 if request.param == "oldest" else -1]
    server = JmxServer(tmp_path_factory.mktemp(f"java-{version}"), java=java)
    try:
        yield server.start()
        summary.took_part(request.config, [f"remote JMX of Java {version}"])
    finally:
        server.stop()
