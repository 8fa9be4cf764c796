"""For all tests of probes: servers of raw bytes that end with their test, and no proxies but those a test sets."""

import contextlib
import os
from collections.abc import Iterator

import pytest

from tests.probes.kit.rawserver import RawServer, Serve


@pytest.fixture(autouse=True, scope="module")
def no_proxies() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            monkeypatch.delenv(name)
        yield


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a RawServer, which takes the same arguments."""
    with contextlib.ExitStack() as stack:

        def start(*arguments: object, **more: object) -> RawServer:
            server = RawServer(*arguments, **more)  # type: ignore[arg-type]
            stack.callback(server.close)
            return server

        yield start
