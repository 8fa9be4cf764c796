"""What the fuzzer found, each in small."""

import gc
import struct
import tracemalloc
from random import Random

import pytest

from probes.kit.jmx import values
from probes.kit.jmx.objects import Instance
from probes.kit.jmx.reads import MAX_NAME
from probes.kit.jmx.source import Malformed
from probes.kit.jmx.stub import stub_of
from probes.kit.jmx.wire import SWEEP
from probes.kit.result import ProbeError
from tests.probes.kit.jmx import java
from tests.probes.kit.jmx.fakejvm import ask, jvm, says
from tests.probes.kit.jmx.feed import plain, read
from tests.probes.kit.jmx.fuzz_laughs import big_integers, lists_of_little, names_of_little, proxy_in_itself
from tests.probes.kit.jmx.fuzz_nasty import Build, wide_class
from tests.probes.kit.jmx.fuzz_writer import Java
from tests.probes.kit.jmx.replies import info, names


def test_a_proxy_that_is_its_own_handler_is_no_stub() -> None:
    value = read(proxy_in_itself(Random(0))).value
    assert isinstance(value, Instance)
    assert stub_of(value) is None


@pytest.mark.parametrize(
    ("build", "seed"), [(big_integers, 0), (big_integers, 1), (lists_of_little, 0), (names_of_little, 0)]
)
def test_what_is_gone_through_again_and_again_comes_to_an_end(build: Build, seed: int) -> None:
    with pytest.raises(Malformed, match=r"over \d+ (steps|parts)|a whole number of"):
        plain(build(Random(f"nasty:{build.__name__}:{seed}/one")))


def test_text_counts_as_json_writes_it() -> None:
    assert [values.size_of(text) for text in ("plain", "ü", "\x01\n")] == [5, 4, 12]
    long = java.reply(b"\x7c" + struct.pack(">q", 2 << 20) + b"\x01" * (2 << 20))
    with pytest.raises(Malformed, match="over 8 MiB of text"):
        plain(long)


def test_a_class_has_no_tens_of_thousands_of_numbers() -> None:
    with pytest.raises(ProbeError, match="a class with over 1000 numbers"):
        read(wide_class(Random(0)))


@pytest.mark.parametrize(
    ("found", "has"), [("a:" + "k=v," * MAX_NAME, "x"), ("a:b=c", "x" * 5000)], ids=["MBean", "attribute"]
)
def test_a_name_of_thousands_of_letters_is_refused(found: str, has: str) -> None:
    with (
        jvm(queryNames=says(names(found)), getMBeanInfo=says(info(has))) as fake,
        pytest.raises(ProbeError, match=r"it answers with a name of \d+ letters"),
    ):
        ask(fake.port, ("a:*", ()))


def test_many_keys_of_names_count() -> None:
    many = [f"a:{'k=v,' * 1000}i={number}" for number in range(250)]
    with (
        jvm(queryNames=says(names(*many))) as fake,
        pytest.raises(ProbeError, match="it answers with over 150000 values"),
    ):
        ask(fake.port, ("a:*", ("v",)))


def test_what_holds_itself_is_freed_before_it_is_much() -> None:
    size = SWEEP + 1
    stream = Java()
    handle = stream.list(2)
    stream.text(b"x" * size)
    cycle = java.reply(bytes(stream.again(handle).out) + b"\x78")
    many = [f"a:i={number}" for number in range(6)]
    gc.collect()
    gc.disable()  # so few objects would not make it run
    tracemalloc.start()
    try:
        with jvm(queryNames=says(names(*many)), getAttribute=says(cycle)) as fake:
            tracemalloc.reset_peak()
            ask(fake.port, ("a:*", ("v",)))
            peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.enable()
    assert peak < 6 * size
