"""The option types: what each text means, and what is said of a text that means nothing."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.kit.types import Duration, Range, Secret, Url, parse_bool, parse_float, parse_int

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("90s", 90),
        ("500ms", 0.5),
        ("1h30m", 5400),
        ("1d", 86400),
        ("2w", 1209600),
        ("1y", 31536000),
        ("1m1ms", 60.001),
        ("1y1w1d1h1m1s1ms", 31536000 + 604800 + 86400 + 3600 + 60 + 1.001),
        ("0000000005s", 5),
        ("292y", 292 * 31536000),
    ],
)
def test_durations_are_those_of_prometheus(text: str, seconds: float) -> None:
    assert Duration.parse(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5", "'5' has no unit; write 5s for seconds, 5m for minutes"),
        ("", "'' is not a duration; write it like 90s, 5m or 1h30m"),
        ("1.5h", "is not a duration"),
        ("1.5", "is not a duration"),
        ("-5s", "is not a duration"),
        ("5 s", "is not a duration"),
        (" 5s", "is not a duration"),
        ("5S", "is not a duration"),
        ("s", "is not a duration"),
        ("5x", "is not a duration"),
        ("30m1h", "is not a duration"),
        ("1h1h", "is not a duration"),
        ("5sm", "is not a duration"),
        ("٣s", "is not a duration"),
        ("inf", "is not a duration"),
        ("5s\n", "is not a duration"),
        ("293y", "is at most 292y"),
        ("9" * 30 + "s", "is at most 292y"),
        ("9" * 400 + "y", "is at most 292y"),
        ("9" * 5000 + "ms", "is at most 292y"),
    ],
)
def test_what_is_no_duration_is_refused_with_a_hint(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        Duration.parse(text)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("90s", "1m30s"), ("0", "0s"), ("90d", "90d"), ("14d", "2w"), ("365d", "1y"), ("1500ms", "1s500ms")],
)
def test_a_duration_shows_as_prometheus_writes_it(text: str, shown: str) -> None:
    assert str(Duration.parse(text)) == shown


@given(st.integers(0, 10**12))
def test_what_a_duration_shows_is_the_same_duration(milliseconds: int) -> None:
    assert Duration.parse(str(Duration(milliseconds / 1000))) == pytest.approx(milliseconds / 1000)


# Source: monitoring-plugins.org, Development Guidelines, the table under "Threshold and ranges".
@pytest.mark.parametrize(
    ("text", "alerts", "well"),
    [
        ("10", [-0.1, 10.1, INF, -INF], [0, 10, 5]),
        ("10:", [9.9, -INF], [10, 11, INF]),
        ("~:10", [10.1, INF], [10, -1, -INF]),
        ("10:20", [9.9, 20.1], [10, 15, 20]),
        ("@10:20", [10, 15, 20], [9.9, 20.1, INF, -INF]),
        ("@10", [0, 10], [-0.1, 10.1]),
        (":10", [-0.1, 10.1], [0, 10]),
        ("~:", [], [0, INF, -INF]),
        ("@~:", [0, INF, -INF], []),
        ("-10:-5", [-10.1, -4.9, 0], [-10, -5]),
        ("0", [0.1, -0.1], [0]),
        ("5:5", [4, 6], [5]),
        ("1e3", [1001], [1000]),
        (".5:1.5", [0.4, 1.6], [0.5, 1.5]),
        ("0:18446744073709551616", [2**65], [2**63]),
    ],
)
def test_a_range_names_the_values_that_are_well(text: str, alerts: list[float], well: list[float]) -> None:
    wanted = Range.parse(text)
    assert [wanted.alerts(value) for value in alerts] == [True] * len(alerts)
    assert [wanted.alerts(value) for value in well] == [False] * len(well)


@pytest.mark.parametrize("text", ["10", "@10", "~:", "@~:", "10:20"])
def test_no_range_can_tell_of_nan(text: str) -> None:
    assert Range.parse(text).alerts(NAN) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 10",
        "10 ",
        "\n",
        "\u0661\u0660",
        *"@ : @: ~ x nan nan: 10:nan inf -inf:0 1_0 1:2:3 @@1 10:~ 10:x 0x10 1e --1".split(),
    ],
)
def test_what_is_no_range_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a range; write 10 \(well from 0 to 10\), 10: \(at least\)"):
        Range.parse(text)


@pytest.mark.parametrize("text", ["20:10", "-1", "@5:4", "1e400:5"])
def test_a_range_without_values_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is empty: .* is above"):
        Range.parse(text)


def test_ranges_of_one_text_are_equal_and_show_it() -> None:
    assert Range.parse("10:20") == Range.parse("10:20") != Range.parse("10:21")
    assert len({Range.parse("1:"), Range.parse("1:")}) == 1
    assert str(Range.parse("@1:2")) == "@1:2"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://connect:8083", "http://connect:8083"),
        ("http://connect:8083/", "http://connect:8083"),
        ("HTTPS://connect", "https://connect"),
        ("http://user:secret@connect:8083/a/", "http://connect:8083/a"),
        ("http://us@er:sec@ret@connect/a", "http://connect/a"),
        ("http://connect/a?token=secret", "http://connect/a"),
        ("http://connect?token=secret", "http://connect"),
        ("http://connect/a#secret", "http://connect/a"),
        ("http://[::1]:8083/x", "http://[::1]:8083/x"),
        ("http://u:secret@[::1]", "http://[::1]"),
        ("http+unix://%2Frun%2Fdocker.sock/v1/info?x=secret", "http+unix:///run/docker.sock/v1/info"),
        ("HTTP+UNIX://%2Frun%2Fx.sock/x", "http+unix:///run/x.sock/x"),
        ("http://connect/a%40b?user=c%40d", "http://connect/a%40b"),
        ("http+unix://u:secret@%2frun%2Fx.sock", "http+unix:///run/x.sock"),
    ],
)
def test_a_url_shows_neither_login_nor_query(text: str, shown: str) -> None:
    assert Url.parse(text).shown == shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is not an address; write it like http://host:8083"),
        ("connect:8083", "'connect:8083' is not an address"),
        ("ftp://connect", "'ftp://connect' is not an address"),
        ("http://", "'http://' is not an address"),
        ("http:///path", "is not an address"),
        ("http://:8083", "is not an address"),
        ("http://?x", "is not an address"),
        ("http://user@", "is not an address"),
        ("http://a b", "has a space or control character in it"),
        ("http://a\nb", "has a space or control character in it"),
        ("http://a\x7f", "has a space or control character in it"),
        ("http://a:b", "the port of 'http://a:b' is not a number from 1 to 65535"),
        ("http://a:0", "the port of"),
        ("http://a:65536", "the port of"),
        ("http://a:٨٠", "the port of"),
        ("http://a:1:2", "the port of"),
        ("http://fe80::1", "the port of"),
        ("http://[::1]:x", "the port of"),
        ("http+unix:///run/x.sock", "names no socket"),
        ("http+unix://run%2Fx.sock", "names no socket; write it like http+unix://%2Frun%2Fx.sock/path"),
        ("http+unix://localhost", "names no socket"),
        ("http+unix://%2Frun%2Fx.sock:80/path", "names no socket"),
        ("http+unix://%2Frun%2Fx%00.sock", "names no socket"),
        ("https+unix://%2Frun%2Fx.sock", "is not an address"),
        ("http://a:" + "9" * 5000, "the port of"),
        ("HTTP+UNIX://localhost", "names no socket"),
        (
            "http://u:12/3@h:1",
            "'http://h:1' has an @ after a / or ?; in a password write / as %2F and ? as %3F, in a path or",
        ),
        ("http://h:1/a?user=c@d", "has an @ after a / or ?"),
    ],
)
def test_what_is_no_address_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        Url.parse(text)
    assert said in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "user:s3cret@connect:8083",
        "http://user:s3cret/x@connect",
        "http://user:x/s3cret@connect",
        "http://user:12/s3cret@connect:8083",
        "http://user:12/s3@cret@connect:8083",
        "http://user/s3cret@connect",
        "http://user:12/s3cret?x@connect",
        "http://user:12?s3cret@connect",
        "http://user:s3cret?x@connect:8083",
        "http://user:x?s3cret@connect:8083",
        "http://user:s3cret#x@connect:8083",
        "http://user:x#s3cret@connect:8083",
        "http://user:s3 cret@connect",
        "http://user:s3cret@connect:port",
        "http://connect:port?token=s3cret",
        "http://connect:port?token=s3cret@x",
        "http://connect:port?token=x@s3cret",
        "ftp://user:s3cret@connect",
        "http://user:s3cret@",
    ],
)
def test_the_error_for_a_broken_address_does_not_show_its_password(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        Url.parse(text)
    for part in ("s3", "cret"):
        assert part not in str(error.value)


@pytest.mark.parametrize(
    ("url", "path", "whole"),
    [
        ("http://h", "connectors", "http://h/connectors"),
        ("http://h/", "connectors", "http://h/connectors"),
        ("http://h/a/", "b/c", "http://h/a/b/c"),
        ("http://h/a", "", "http://h/a/"),
        ("http://h?k=v", "b", "http://h/b?k=v"),
        ("http://h/a?k=v", "b?x=y", "http://h/a/b?x=y&k=v"),
        ("http://u:p@h/a", "b?x=y", "http://u:p@h/a/b?x=y"),
    ],
)
def test_a_path_goes_below_the_address_and_its_query_stays(url: str, path: str, whole: str) -> None:
    assert Url.parse(url).below(path) == whole


def test_a_secret_does_not_show_in_a_repr() -> None:
    assert repr([Secret("hunter2")]) == "['***']"


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("Yes", True), ("ON", True), ("1", True), ("false", False), ("no", False), ("0", False)],
)
def test_booleans_are_those_of_yaml_and_the_environment(text: str, value: bool) -> None:
    assert parse_bool(text) is value


@pytest.mark.parametrize("text", ["", "2", "t", "truee"])
def test_other_words_are_no_booleans(text: str) -> None:
    with pytest.raises(ValueError, match="is neither true nor false"):
        parse_bool(text)


@pytest.mark.parametrize(
    "text", ["", "x", "1.5", "nan", "1e3", "9" * 5000, "9" * 19, "-1", "+1", "1_0", " 1", "\u0663"]
)
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a whole number"):
        parse_int(text)


@pytest.mark.parametrize("text", ["", "x", "nan", "-NaN", "1,5"])
def test_what_is_no_number_is_refused_nan_too(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        parse_float(text)


@pytest.mark.parametrize("kind", [Duration, Range, Url])
@given(text=st.text() | st.text("0123456789.:@~-+eEsmhdwyhttp/[]?#"))
def test_any_text_is_parsed_or_refused_with_words(kind: type[Duration | Range | Url], text: str) -> None:
    with contextlib.suppress(ValueError):  # and nothing else, an OverflowError say
        kind.parse(text)
