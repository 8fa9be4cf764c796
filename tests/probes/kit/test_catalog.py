"""Adding a probe is one file: dropped into `probes/`, it has a command, help, a schema and a checked `with:`."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from probes.kit import catalog
from tests.probes.kit.command import COMMAND, ROOT, stetho
from tests.probes.kit.rawserver import RawServer, answer, saying

SCHEMA_REGISTRY = '''"""Schema Registry: it lists its subjects."""

from probes.kit.options import Choice, Range, Url, option
from probes.kit.rest import HttpOptions, ask, expect
from probes.kit.result import Result, Status

ASKS = "itself"


class Options(HttpOptions):
    url: Url = option(help="Schema Registry address.")
    subjects: Range | None = option(default=None, help="CRITICAL when the number of subjects is outside this range.")
    mode: Choice = option(default="strict", choices=("strict", "lax"), help="How to judge.")


EXAMPLE = {"subjects": [{"name": "orders-value", "state": "ACTIVE"}]}


def probe(o, net):
    request = o.get(o.url.below("subjects"))
    names = expect(list, ask(net, request), "a list of subjects", request)
    status = Status.CRITICAL if o.subjects and o.subjects.alerts(len(names)) else Status.OK
    subjects = [{"name": name, "state": "ACTIVE"} for name in names]
    return Result(status, f"{len(names)} subjects", o.url.shown, {"subjects": subjects})
'''


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command in a copy of the packages, in which one file more lies in `probes/`; no other is touched."""
    folder = tmp_path_factory.mktemp("copy")
    for package in ("probes", "rules"):
        shutil.copytree(ROOT / package, folder / package)
    shutil.copy(COMMAND, folder)
    (folder / "probes" / "schema_registry.py").write_text(SCHEMA_REGISTRY)
    return folder / "stetho"


@pytest.fixture
def registry() -> Iterator[str]:
    server = RawServer(saying(answer(b'["a","b"]')))
    yield server.url
    server.close()


def test_a_file_dropped_into_the_folder_is_listed(copy: Path) -> None:
    assert "schema-registry  Schema Registry: it lists its subjects." in stetho("probes", command=copy).stdout


def test_it_has_help(copy: Path) -> None:
    told = stetho("probe", "schema-registry", "--help", command=copy).stdout
    for said in (
        "Schema Registry: it lists its subjects.",
        "--subjects RANGE",
        "strict|lax",
        "STETHO_SCHEMA_REGISTRY_URL",
    ):
        assert said in told


def test_it_answers_the_cold_way_and_the_slow_one(copy: Path, registry: str) -> None:
    for call in (["--url", registry, "--subjects", "3:"], [f"--url={registry}", "--subjects=3:"]):
        done = stetho("probe", "schema-registry", *call, command=copy)
        assert (done.returncode, json.loads(done.stdout)["message"]) == (2, "2 subjects"), done.stderr


def test_it_can_be_asked_through_the_environment(copy: Path, registry: str) -> None:
    done = stetho("probe", "schema-registry", command=copy, env={"STETHO_SCHEMA_REGISTRY_URL": registry})
    assert done.returncode == 0


def test_its_options_are_in_the_schema_of_rule_files(copy: Path) -> None:
    schema = json.loads(stetho("rules", "schema", command=copy).stdout)
    options = schema["properties"]["defaults"]["properties"]["schema-registry"]["properties"]
    assert {"url", "subjects", "mode", "timeout", "token_file"} <= set(options)
    assert "schema-registry" in schema["$defs"]["RuleShape"]["properties"]["probe"]["enum"]


RULES = """
groups:
- name: registry
  rules:
  - alert: NoSubjects
    probe: schema-registry
    with: {%s}
    items: data.subjects
    when: %s
    labels: {subject: "{{ $item.name }}"}
    for: 5m
"""


@pytest.mark.parametrize(
    ("options", "when", "said"),
    [
        ("url: http://registry, subjects: 10:20, mode: lax", "item.state == 'ACTIVE'", ""),
        ("url: http://registry, subjects: x", "item.state == 'ACTIVE'", "'x' is not a range"),
        ("url: http://registry, mode: laxer", "item.state == 'ACTIVE'", "'laxer' is none of strict, lax"),
        ("url: http://registry, modes: lax", "item.state == 'ACTIVE'", "there is no option `modes`"),
        ("mode: lax", "item.state == 'ACTIVE'", "`url` is missing"),
        ("url: http://registry", "item.stat == 'ACTIVE'", "stat"),
    ],
)
def test_its_with_is_checked_in_rule_files(copy: Path, tmp_path: Path, options: str, when: str, said: str) -> None:
    (tmp_path / "rules.yml").write_text(RULES % (options, when))
    done = stetho("rules", "check", str(tmp_path / "rules.yml"), command=copy)
    assert done.returncode == (64 if said else 0), done.stdout + done.stderr
    assert said in done.stdout + done.stderr


def test_no_file_but_the_new_one_differs(copy: Path) -> None:
    def files(folder: Path) -> dict[str, bytes]:
        return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.py")}

    for package in ("probes", "rules"):
        added = set(files(copy.parent / package)) - set(files(ROOT / package))
        assert added == ({"schema_registry.py"} if package == "probes" else set())


@pytest.mark.parametrize(
    ("files", "modules"),
    [
        (["connect.py"], ["connect"]),
        (["b.py", "a.py"], ["a", "b"]),
        (["a.py", "a.pyc"], ["a"]),
        (["a.pyc"], ["a"]),  # an installation without sources
        (["_own.py", "__init__.py", "notes.md", "kit", "a.py~", ".a.py.swp", ".#a.py", "a-b.py", "a.b.py", "9.py"], []),
    ],
)
def test_the_modules_of_a_folder(tmp_path: Path, files: list[str], modules: list[str]) -> None:
    for name in files:
        (tmp_path / name).touch()
    assert catalog.modules(str(tmp_path)) == modules


@pytest.mark.parametrize("name", ["", "kit", "nosuch", "__init__", "connect.py", "../connect", "schema_registry"])
def test_there_is_no_probe_of_another_name(name: str) -> None:
    with pytest.raises(KeyError):
        catalog.load(name)
