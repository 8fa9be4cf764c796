"""What docs/*.md show is true: their commands are understood, and links lead somewhere."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from tests.demo.stage import environment, stetho

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def documents() -> list[dict[str, Any]]:
    return [yaml.safe_load(block) for page in PAGES[1:] for block in blocks(page, "yaml")]


def kubelets() -> list[list[str]]:
    """The argv of each exec probe."""
    return [probe["exec"]["command"] for page in documents() for probe in page.values() if "exec" in probe]


def typed() -> list[list[str]]:
    """The argv of each command that a page shows; the README's have tests of their own."""
    lines = [line for page in PAGES[1:] for block in blocks(page, "sh") for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line]


def asked_of_nobody(argv: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """The call with nobody at its address, and with files of its own for those that it names."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(folder / "ca")
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "cert")
    issued.private_key_pem.write_to_path(folder / "key")
    (folder / "password").write_text("secret\n")
    words = [word for each in argv for word in (each.split("=", 1) if each.startswith("--") else [each])]
    for at, word in enumerate(words[:-1]):
        if word.endswith("-file"):
            words[at + 1] = str(folder / word.removeprefix("--").removesuffix("-file"))
        elif word == "--jmx":
            words[at + 1] = "127.0.0.1:1"
        elif word in ("--jolokia", "--exporter", "--prometheus"):
            words[at + 1] = "http://127.0.0.1:1"
    return subprocess.run(
        [stetho(), *words], env=environment(stetho().parent), capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("argv", typed(), ids=" ".join)
def test_a_command_as_shown_is_understood(argv: list[str], tmp_path: Path) -> None:
    if argv[0] == "kubectl":
        argv = argv[argv.index("--") + 1 :]
    assert Path(argv[0]).name == "stetho"

    done = asked_of_nobody(argv[1:], tmp_path)

    assert "connection refused" in done.stdout, done.stderr


@pytest.mark.parametrize("argv", kubelets(), ids=" ".join)
def test_the_probe_of_a_kubelet_is_understood(argv: list[str], tmp_path: Path) -> None:
    assert argv[0] == "/opt/stetho/bin/stetho"

    done = asked_of_nobody([*argv[1:], "--timeout=20s"], tmp_path)  # a kubelet's 800 ms are few on a busy machine

    assert (done.returncode, "refused" in done.stdout) == (1, True), done.stderr


def test_the_rule_shown_has_no_mistakes(tmp_path: Path) -> None:
    (rules,) = (block for block in blocks(ROOT / "docs" / "jmx.md", "yaml") if block.startswith("groups:"))
    (tmp_path / "rules.yml").write_text(rules)

    done = subprocess.run(
        [stetho(), "rules", "check", "rules.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "1 rule in 1 file: no mistakes\n"), done.stderr


def test_the_rules_shown_for_jmx_exporter_are_those_of_the_tests() -> None:
    (shown,) = (block for block in blocks(ROOT / "docs" / "streams.md", "yaml") if block.startswith("rules:"))

    assert yaml.safe_load(shown) == yaml.safe_load((ROOT / "tests" / "stack" / "streams" / "exporter.yml").read_text())


def anchors(page: Path) -> set[str]:
    """What links may end in: its headings, as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    there = page.parent / name if name else page
    return there.exists() and (not anchor or anchor in anchors(there))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")) if "://" not in link]

    assert [link for link in links if not leads_somewhere(page, link)] == []


def test_the_readme_leads_to_every_page() -> None:
    readme = PAGES[0].read_text(encoding="utf-8")

    assert [page.name for page in PAGES[1:] if f"](docs/{page.name})" not in readme] == []
