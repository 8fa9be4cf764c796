import json
import subprocess
import sys

from probes.kit.example import any_keys, one_of


def test_an_example_is_plain_data_that_knows_more() -> None:
    state = one_of(iter(["RUNNING", "FAILED"]))
    assert state == "RUNNING"
    assert state.words == ("RUNNING", "FAILED")
    assert json.dumps({"state": state, "labels": any_keys({"a": "b"})}) == '{"state": "RUNNING", "labels": {"a": "b"}}'


def test_an_example_brings_no_imports_into_a_cold_probe() -> None:
    code = "import sys; before = set(sys.modules); import probes.kit.example; print(*sorted(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["probes", "probes.kit", "probes.kit.example"]
