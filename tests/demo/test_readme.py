"""What the README shows is true: its commands are understood, its files are well."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.demo.stage import environment, stetho

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NOBODY = "http://127.0.0.1:1"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    lines = (line.partition("    #")[0].strip() for block in blocks("sh") for line in block.splitlines())
    return [line for line in lines if line.startswith("stetho ")]


def rule_file() -> str:
    return next(block for block in blocks("yaml") if "\ngroups:" in block)


def run(command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """The command as a shell runs it, with nobody at any address."""
    command = re.sub(r"http://[a-z.-]+:\d+", NOBODY, command)
    command = re.sub(r"--jmx [a-z0-9.-]+:\d+", f"--jmx {NOBODY.removeprefix('http://')}", command)
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={**environment(stetho().parent), "CONNECT_URL": NOBODY, "SLACK_URL": NOBODY},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", [command for command in commands() if command.startswith("stetho probe ")])
def test_a_probe_as_shown_is_understood(command: str, tmp_path: Path) -> None:
    done = run(command, tmp_path)

    assert "refused" in done.stdout, done.stderr


@pytest.mark.parametrize("command", [command for command in commands() if not command.startswith("stetho probe ")])
def test_a_command_on_rules_as_shown_does_its_work(command: str, tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(rule_file())
    run("stetho sweep rules.yml", tmp_path)

    done = run(command, tmp_path)

    assert done.returncode == 0, done.stderr


def test_the_probe_of_a_kubelet_is_understood(tmp_path: Path) -> None:
    (block,) = (block for block in blocks("yaml") if block.startswith("livenessProbe"))
    argv = yaml.safe_load(block)["livenessProbe"]["exec"]["command"]
    assert argv[0] == "/opt/stetho/bin/stetho"

    done = run(shlex.join(["stetho", *argv[1:]]).replace("127.0.0.1:9404", "127.0.0.1:1"), tmp_path)

    assert done.returncode == 1
    assert "refused" in done.stdout


def test_the_cronjob_shown_is_the_one_in_cronjobs() -> None:
    (shown,) = (yaml.safe_load(block) for block in blocks("yaml") if "kind: CronJob" in block)
    (whole,) = (
        document
        for document in yaml.safe_load_all((ROOT / "cronjobs" / "sweep.yaml").read_text())
        if document["kind"] == "CronJob"
    )

    assert shown["spec"]["schedule"] == whole["spec"]["schedule"]
    pods = [document["spec"]["jobTemplate"]["spec"]["template"]["spec"] for document in (shown, whole)]
    for key in ("name", "image", "args", "envFrom"):
        assert pods[0]["containers"][0][key] == pods[1]["containers"][0][key]
    assert pods[0]["volumes"] == pods[1]["volumes"]


def test_the_answer_shown_has_the_keys_of_a_real_one(tmp_path: Path) -> None:
    (shown,) = map(json.loads, blocks("json"))

    real = json.loads(run(f"stetho probe connect --url {NOBODY} --output json", tmp_path).stdout)

    assert list(shown) == list(real)
    assert list(shown["data"]) == ["connectors", "tasks", "missing"]


def test_every_folder_shown_is_there() -> None:
    folders = re.findall(r"^(\S+/) ", "\n".join(blocks("")), re.MULTILINE)

    assert folders
    assert [name for name in folders if not (ROOT / name).exists()] == []


def test_the_makefile_has_what_the_readme_runs() -> None:
    makefile = (ROOT / "Makefile").read_text()

    for target in set(re.findall(r"(?:`|^)make ([a-z]+)", README, re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_no_secret_is_asked_for_on_the_command_line() -> None:
    assert not re.search(r"--(password|token)(?!-file)", README)
