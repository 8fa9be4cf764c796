"""Who may import whom, one way: `probes.kit` ← `probes.<probe>` ← `rules`; and what pure modules do without."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(
    str(file.relative_to(ROOT)) for package in ("probes", "rules") for file in (ROOT / package).rglob("*.py")
)

PURE = [
    "rules/state.py",
    "rules/tick.py",
    "rules/route.py",
    "rules/mute.py",
    "rules/message.py",
    "rules/told.py",
    *(file for file in FILES if file.startswith("probes/kit/condition")),
]
# Clocks, the network, other processes, files, stores.
IMPURE = {
    "time", "socket", "_socket", "ssl", "os", "sys", "select", "selectors", "sqlite3", "psycopg", "httpx", "httpcore",
    "requests", "urllib", "http", "subprocess", "asyncio", "threading", "_thread", "random", "secrets", "pathlib", "io",
    "tempfile", "shutil", "logging", "confluent_kafka", "prometheus_api_client", "apprise", "fcntl", "signal",
    "probes.kit.net", "probes.kit.http", "probes.kit.pooled", "probes.kit.wire", "probes.kit.cold", "probes.kit.run",
    "rules.store", "rules.sqlite", "rules.notify", "rules.sweep", "rules.lock", "rules.deliver",
}  # fmt: skip


def module(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


MODULES = {module(file) for file in FILES}


@cache
def imports(file: str) -> frozenset[str]:
    """Every module that a file imports, in functions and for type checkers too; of `from a import b` a module `a.b`."""
    return frozenset(found(file))


def found(file: str) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: imports are absolute"
            inside = {f"{node.module}.{alias.name}" for alias in node.names} & MODULES
            yield from inside or {str(node.module)}


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


KIT = [file for file in FILES if file.startswith("probes/kit/")]
PROBES = [file for file in FILES if file.startswith("probes/") and file not in KIT and not file.endswith("__init__.py")]


@pytest.mark.parametrize("file", [file for file in FILES if file.startswith("probes/")])
def test_nothing_under_probes_imports_the_rules(file: str) -> None:
    assert not [name for name in imports(file) if within(name, "rules")]


@pytest.mark.parametrize("file", KIT)
def test_the_kit_imports_no_probe(file: str) -> None:
    assert not [name for name in imports(file) if within(name, "probes") and not within(name, "probes.kit")] or (
        # The catalogue reads the folder; it names no probe.
        file == "probes/kit/catalog.py" and {name for name in imports(file) if within(name, "probes")} == {"probes"}
    )


@pytest.mark.parametrize("file", PROBES)
def test_a_probe_imports_no_other_probe(file: str) -> None:
    assert not [name for name in imports(file) if within(name, "probes") and not within(name, "probes.kit")]


@pytest.mark.parametrize("file", [file for file in FILES if file.startswith("rules/")])
def test_rules_ask_probes_by_the_catalogue_and_import_none(file: str) -> None:
    assert not [name for name in imports(file) if within(name, "probes") and not within(name, "probes.kit")]


@pytest.mark.parametrize("file", [file for file in PURE if file in FILES])
def test_a_pure_module_has_no_clock_network_or_store(file: str) -> None:
    todo, seen = [file], set()
    while todo:  # by way of what it imports of ours, too
        here = todo.pop()
        seen.add(here)
        assert not {(here, name) for name in imports(here) if any(within(name, impure) for impure in IMPURE)}
        todo += [each for each in FILES if module(each) in imports(here) and each not in seen]


@pytest.mark.parametrize("file", [file for file in PURE if file in FILES])
def test_a_pure_module_asks_no_clock_of_datetime(file: str) -> None:
    attributes = [node for node in ast.walk(ast.parse((ROOT / file).read_text())) if isinstance(node, ast.Attribute)]
    asked = {node.attr for node in attributes if isinstance(node.value, ast.Name) and "date" in node.value.id}
    assert not asked & {"now", "utcnow", "today"}


def test_the_pure_modules_of_today_are_there() -> None:
    assert {file for file in PURE if file not in FILES} <= {"rules/mute.py"}  # mutes come with a later issue


def test_nothing_imports_the_tests() -> None:
    assert not [(file, name) for file in FILES for name in imports(file) if within(name, "tests")]
