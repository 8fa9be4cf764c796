"""The recordings of real JVMs can be read, and hold what the tests of the JMX client take from them."""

import re
from pathlib import Path

import pytest

from tests.probes.kit.jmx.recordings import JAVA_CLIENT, Exchange, exchange, exchanges, versions, write
from tests.stack import record_jmx

pytestmark = pytest.mark.parametrize("version", versions())
RETURN = b"\x51\xac\xed\0\5\x77"


def test_every_value_and_every_mode_is_recorded(version: int) -> None:
    asked = [each.asked for each in exchanges(version) if each.mode == "plain"]
    assert len(set(asked)) == len(asked)
    for type_, attributes in record_jmx.ATTRIBUTES.items():
        for attribute in attributes.split():
            assert f"getAttribute stetho.test:type={type_} {attribute}" in asked
    modes = {each.mode for each in exchanges(version)}
    assert modes >= {"plain", "two-ports", "tls", "password", "denied", "filtered", "unbound", JAVA_CLIENT}


def test_what_was_sent_and_received_comes_back_as_it_was(version: int) -> None:
    found = exchange(version, "plain", "getAttribute stetho.test:type=Values Integer")
    assert found.sent.startswith(b"\x50\xac\xed\0\5\x77\x22")
    assert b"stetho.test:type=Values" in found.sent
    assert found.received.startswith(RETURN)
    assert found.received.endswith((42).to_bytes(4, "big"))
    assert not found.closed
    assert exchange(version, "filtered", "getAttribute stetho.test:type=Values Integer").closed


def test_it_tells_nothing_of_the_machine_it_was_recorded_on(version: int) -> None:
    for each in exchanges(version):
        assert not re.search(rb"/(home|root|tmp|usr|var|opt|work)/", each.sent + each.received), each.asked


def test_a_recording_is_read_as_it_was_written(version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = [
        Exchange("plain", "a ünïcode question | of two parts", b"\0\xff", b"", closed=True),
        *exchanges(version)[:3],
    ]
    monkeypatch.setattr("tests.probes.kit.jmx.recordings.FOLDER", tmp_path)
    write(99, some)
    assert exchanges(99) == some
    exchanges.cache_clear()
