import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.kit.exposition import Page, parse
from probes.kit.net import Reply, Request
from probes.kit.result import ProbeError

REQUEST = Request("http://app:9404/metrics", "http://app:9404/metrics")


def page(text: str, status: int = 200) -> Page:
    return Page(REQUEST, Reply(status, {}, text.encode()))


@pytest.mark.parametrize(
    ("line", "labels", "value"),
    [
        ("up 1", {}, 1.0),
        ("up\t1.5e-3", {}, 0.0015),
        ("up 1 1795217083627", {}, 1.0),
        ("up  +Inf", {}, math.inf),
        ("up -Inf -1", {}, -math.inf),
        ("up{} 0", {}, 0.0),
        ('up{job="a"} 1', {"job": "a"}, 1.0),
        ('up{job="a",instance="h:1",} 1', {"job": "a", "instance": "h:1"}, 1.0),
        ('up { job = "a" , x="" } 1 1795217083627', {"job": "a", "x": ""}, 1.0),
        (r'up{a="q\"q",b="b\\",c="l\nl",d="\\n"} 1', {"a": 'q"q', "b": "b\\", "c": "l\nl", "d": "\\n"}, 1.0),
        ('up{a="}{,=# 1"} 2', {"a": "}{,=# 1"}, 2.0),
        ('up{a="été"}3', {"a": "été"}, 3.0),
        ('job:up:sum{_x1="a"} 4', {"_x1": "a"}, 4.0),
    ],
)
def test_a_line_is_a_name_labels_and_a_value(line: str, labels: dict[str, str], value: float) -> None:
    sample = parse(line)

    assert (sample.labels, sample.value) == (labels, value)
    assert sample.name in ("up", "job:up:sum")


def test_nan_is_a_value() -> None:
    assert math.isnan(parse("up NaN").value)


@pytest.mark.parametrize(
    "line",
    ["up", "up ", "up one", "up 1_0", "up 1 2 3", "up 1 now", "1up 1", "u-p 1", "été 1", " 1", "up{", "up{a", "up{a=",
     "up{a=b} 1", 'up{a="b} 1', 'up{a="b"', 'up{a="b"}', 'up{="b"} 1',
     'up{a="b\\"} 1', 'up{1="b"} 1', "{} 1", 'up{"a"} 1', "up} 1"],
)  # fmt: skip
def test_what_is_no_line_is_an_error(line: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says, the caller shows the line
        parse(line)


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@given(st.dictionaries(st.from_regex(r"[a-z_][a-z0-9_]{0,9}", fullmatch=True), st.text(max_size=20), max_size=4))
def test_any_label_values_come_back_as_they_were(labels: dict[str, str]) -> None:
    written = ",".join(f'{name}="{escaped(value)}"' for name, value in labels.items())

    assert parse(f"up{{{written}}} 1").labels == labels


@given(st.text(max_size=60))
def test_any_text_is_a_sample_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        parse(text)


TEXT = """# HELP jmx_scrape_error Non-zero if this scrape failed.
# TYPE jmx_scrape_error gauge
jmx_scrape_error 0.0
# HELP kafka_streams_a kafka_streams_a
kafka_streams_a{client_id="x"} 1.0
kafka_streams_ab{client_id="y"} 2.0
other{name="kafka_streams_a"} 3.0
broken line that nobody wants
kafka_streams_a 4.0
"""


def test_only_wanted_lines_are_read() -> None:
    found = [(sample.name, sample.value) for sample in page(TEXT).samples("kafka_streams_a")]

    assert found == [("kafka_streams_a", 1.0), ("kafka_streams_ab", 2.0), ("kafka_streams_a", 4.0)]


def test_lines_can_be_wanted_for_what_they_hold() -> None:
    found = [sample.value for sample in page(TEXT).samples("kafka_streams", 'client_id="')]

    assert found == [1.0, 2.0]


@pytest.mark.parametrize(
    ("names", "value"),
    [(("jmx_scrape_error",), 0.0), (("nope", "kafka_streams_ab"), 2.0), (("nope",), None), (("kafka_streams",), None)],
)
def test_the_value_of_the_first_name_there_is(names: tuple[str, ...], value: float | None) -> None:
    assert page(TEXT).value(*names) == value


def test_a_wanted_line_that_is_broken_is_an_error_that_shows_it() -> None:
    with pytest.raises(ProbeError, match="GET http://app:9404/metrics: 'broken line that nobody wants' is not a line"):
        list(page(TEXT).samples("broken"))


def test_line_ends_of_windows_and_a_first_line_that_is_wanted() -> None:
    assert [sample.value for sample in page("a 1\r\nb 2\r\n").samples("a")] == [1.0]
    assert [sample.labels for sample in page('a{b="c"} 1\r\n').samples("a")] == [{"b": "c"}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "HTTP 200 without a body is not Prometheus text"),
        ("\n\n", "is not Prometheus text"),
        ("<html>login</html>\n", "'<html>login</html>' is not Prometheus text"),
        ('{"status":"UP"}\n', "is not Prometheus text"),
        ("null\n", "'null' is not a line of Prometheus text"),
        ("OK\n", "'OK' is not a line"),
        ("Service is fine\n", "'Service is fine' is not a line"),
        ("# HELP a b\na 1\nb{c=", "cut off at .*no line feed at the end"),
        ("a 1", "cut off"),
    ],
)
def test_what_is_no_page_of_metrics_is_an_error_that_shows_it(text: str, words: str) -> None:
    with pytest.raises(ProbeError, match=words) as caught:
        page(text)

    assert str(caught.value).startswith("GET http://app:9404/metrics: ")


@pytest.mark.parametrize("status", [401, 404, 500, 503])
def test_another_status_is_an_error(status: int) -> None:
    with pytest.raises(ProbeError, match=f"HTTP {status} 'up 1'"):
        page("up 1\n", status)


def test_open_metrics_end_is_an_end() -> None:
    assert page("a 1\n# EOF").value("a") == 1


def test_bytes_that_are_not_utf_8_do_no_harm() -> None:
    read: Any = Page(REQUEST, Reply(200, {}, b'a{b="\xff"} 1\nb 2\n'))

    assert read.value("b") == 2
