"""What the end of a test run says of the real servers: how many took part, or why none did.

The hooks are those of tests/conftest.py: under pytest-xdist the controller prints, and it collects no tests.
"""

from typing import Any

import pytest

SAID = pytest.StashKey[dict[str, list[str]]]()
TOOK_PART, MISSING = "took part", "missing"


def took_part(config: pytest.Config, servers: list[str]) -> None:
    """Note real servers that run for these tests."""
    _said(config)[TOOK_PART] += [server for server in servers if server not in _said(config)[TOOK_PART]]


def missing(config: pytest.Config, reason: str) -> None:
    """Note why real servers do not run."""
    _said(config)[MISSING].append(reason)


def _said(config: pytest.Config) -> dict[str, list[str]]:
    return config.stash.setdefault(SAID, {TOOK_PART: [], MISSING: []})


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands over what it knows."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["real servers"] = _said(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    said = getattr(node, "workeroutput", {}).get("real servers", {})
    took_part(node.config, said.get(TOOK_PART, []))
    for reason in said.get(MISSING, []):
        missing(node.config, reason)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    said = _said(config)
    servers, reasons = said[TOOK_PART], said[MISSING]
    if servers:
        terminalreporter.write_line(f"real servers: {len(servers)} took part ({', '.join(servers)})", green=True)
    for reason in reasons:
        terminalreporter.write_line(f"real servers missing: {reason}", yellow=True)
