"""What java.time writes of itself: the bytes are those of Java 17, which test_jmx_values.py reads for real."""

import pytest

from probes.kit.jmx.source import Malformed
from probes.kit.result import ProbeError
from tests.probes.kit.jmx import java
from tests.probes.kit.jmx.feed import plain

SER = java.OBJECT + java.described("java.time.Ser", 4)
DAY, NOON = "000007ea 01 02", "f3"  # 2026-01-02; 12:00, of which only the hour is written


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("01 0000000000000001 1dcd6500", 1.5),
        ("01 fffffffffffffffe 1dcd6500", -1.5),
        ("02 000000006553f100 00000005", "2023-11-14T22:13:20.000Z"),
        (f"03 {DAY}", "2026-01-02"),
        ("03 ffffffff 0c 1f", "-0001-12-31"),
        ("03 00002710 01 01", "+10000-01-01"),
        (f"04 {NOON}", "12:00:00"),
        ("04 03 fb", "03:04:00"),
        ("04 03 04 fa", "03:04:05"),
        ("04 03 04 05 00000006", "03:04:05.000000006"),
        ("04 ff", "00:00:00"),
        ("04 00 00 00 1dcd6500", "00:00:00.5"),
        (f"05 {DAY} {NOON}", "2026-01-02T12:00:00"),
        (f"06 {DAY} {NOON} 04 07 000d 4575726f70652f5a7572696368", "2026-01-02T12:00:00+01:00[Europe/Zurich]"),
        (f"06 {DAY} {NOON} 08 08 08", "2026-01-02T12:00:00+02:00"),
        ("07 000d 4575726f70652f5a7572696368", "Europe/Zurich"),
        ("08 00", "Z"),
        ("08 f2", "-03:30"),
        ("08 7f 00000e11", "+01:00:01"),
        (f"09 {NOON} f2", "12:00:00-03:30"),
        (f"0a {DAY} {NOON} 00", "2026-01-02T12:00:00Z"),
        ("0b 000007ea", 2026),
        ("0c 000007ea 03", "2026-03"),
        ("0d 02 03", "--02-03"),
        ("0e 00000001 00000000 fffffffd", "P1Y-3D"),
        ("0e 00000000 00000000 00000000", "P0D"),
    ],
)
def test_each_kind_is_text_or_a_number_and_what_comes_next_is_read(written: str, value: object) -> None:
    both = java.array_list(SER + bytes.fromhex(written), java.integer(42))

    assert plain(java.reply(both)) == [value, 42]


@pytest.mark.parametrize("kind", ["00", "0f", "ff", f"06 {DAY} {NOON} 04 07 ffff"])
def test_what_is_none_or_is_cut_off_is_told(kind: str) -> None:
    with pytest.raises(ProbeError, match=r"a value of java\.time of kind|the answer broke off"):
        plain(java.reply(SER + bytes.fromhex(kind)))


def test_one_that_was_not_written_by_java_time_is_not_understood() -> None:
    with pytest.raises(Malformed, match="a Ser of a form not known"):
        plain(java.reply(java.OBJECT + java.described("java.time.Ser", 2)))
