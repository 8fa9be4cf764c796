import json
from typing import Any

import pytest

from probes import targets
from probes.kit.options import OptionErrors
from probes.kit.result import ProbeError, Result, Status, Unreachable
from probes.targets import Options
from tests.probes.fakenet import NOW, FakeNet

ASKED = "GET /api/v1/targets?state=active"

# Prometheus 2.42 (facts/live-servers.md, 1).
REAL = json.loads(
    r'{"status":"success","data":{"activeTargets":[{"discoveredLabels":{"__address__":"127.0.0.1:1","job":"down"},'
    r'"labels":{"instance":"127.0.0.1:1","job":"down"},"scrapePool":"down","scrapeUrl":"http://127.0.0.1:1/metrics",'
    r'"globalUrl":"http://vm:1/metrics","lastError":"Get \"http://127.0.0.1:1/metrics\": dial tcp 127.0.0.1:1: connect:'
    r' connection refused","lastScrape":"2026-11-20T23:24:42.742252271Z","lastScrapeDuration":0.00075295,'
    r'"health":"down","scrapeInterval":"1s","scrapeTimeout":"1s"},{"discoveredLabels":{"job":"prometheus"},"labels":'
    r'{"env":"test","instance":"127.0.0.1:19090","job":"prometheus"},"scrapePool":"prometheus","scrapeUrl":'
    r'"http://127.0.0.1:19090/metrics","globalUrl":"http://vm:19090/metrics","lastError":"","lastScrape":'
    r'"2026-11-20T23:24:43.474596874Z","lastScrapeDuration":0.002635526,"health":"up","scrapeInterval":"1s",'
    r'"scrapeTimeout":"1s"}],"droppedTargets":[]}}'
)
REASON = "dial tcp 127.0.0.1:1: connect: connection refused"
REFUSED = f'Get "http://127.0.0.1:1/metrics": {REASON}'


def target(job: str, health: str = "up", instance: str = "i", error: str = "", **fields: Any) -> dict[str, Any]:
    labels = {"job": job, "instance": instance}
    url = f"http://{instance}/metrics"
    scraped = "0001-01-01T00:00:00Z" if health == "unknown" else "2026-11-20T23:33:10Z"
    told = {"labels": labels, "scrapePool": job, "scrapeUrl": url, "lastScrape": scraped, "lastError": error}
    return told | {"health": health} | fields


def envelope(*active: dict[str, Any]) -> dict[str, Any]:
    return {"status": "success", "data": {"activeTargets": list(active), "droppedTargets": []}}


def ask(answer: object, **options: Any) -> Result:
    return targets.probe(Options.build({"url": "http://prom:9090", **options}), FakeNet({ASKED: answer}))


UP, DOWN, NEW = target("a"), target("a", "down", error="boom"), target("a", "unknown")


@pytest.mark.parametrize(
    ("active", "options", "expected", "message"),
    [
        ([UP], {}, Status.OK, "1 of 1 targets up"),
        ([UP, DOWN], {}, Status.CRITICAL, "1 of 2 targets up; 1 of 2 targets down: a/i (boom)"),
        ([UP, NEW], {}, Status.UNKNOWN, "1 of 2 targets up; 1 of 2 targets never scraped yet: a/i"),
        ([DOWN, NEW], {}, Status.CRITICAL,
         "0 of 2 targets up; 1 of 2 targets down: a/i (boom); 1 of 2 targets never scraped yet: a/i"),
        ([target("a", "odd")], {}, Status.UNKNOWN,
         "0 of 1 targets up; 1 of 1 targets in a state never seen before: a/i (odd)"),
        ([UP, DOWN], {"min_up": "1"}, Status.OK,
         "1 of 2 targets up, enough for --min-up 1; 1 of 2 targets down: a/i (boom)"),
        ([UP, DOWN], {"min_up": "50%"}, Status.OK, "1 of 2 targets up, enough for --min-up 50%; 1 of 2 targets down"),
        ([UP, DOWN], {"min_up": "51%"}, Status.CRITICAL, "1 of 2 targets up, too few for --min-up 51%; 1 of 2"),
        ([UP] * 4 + [DOWN], {"min_up": "80%"}, Status.OK, "4 of 5 targets up, enough for --min-up 80%"),
        ([UP] * 7 + [DOWN] * 3, {"min_up": "70%"}, Status.OK, "7 of 10 targets up, enough for --min-up 70%"),
        ([UP, NEW, DOWN], {"min_up": "2"}, Status.UNKNOWN, "1 of 3 targets up, perhaps enough for --min-up 2; 1 of 3"),
        ([UP, NEW], {"min_up": "1"}, Status.OK, "1 of 2 targets up, enough for --min-up 1; 1 of 2 targets never"),
        ([UP, UP], {"min_up": "3"}, Status.CRITICAL, "2 of 2 targets up, too few for --min-up 3"),
        ([UP, target("b", "down")], {"job": "a"}, Status.OK, "1 of 1 targets up"),
        ([UP, target("b", "down"), target("c", "down")], {"job": ["a", "b"]}, Status.CRITICAL,
         "1 of 2 targets up; 1 of 2 targets down: b/i"),
        ([UP], {"job": ["a", "gone"]}, Status.CRITICAL, "1 of 1 targets up; 1 of 2 jobs asked for without targets: g"),
        ([UP], {"job": "gone"}, Status.CRITICAL, "0 of 0 targets up; 1 of 1 jobs asked for without targets: gone"),
        ([UP], {"job": "gone", "min_up": "50%"}, Status.CRITICAL, "0 of 0 targets up, enough for --min-up 50%; 1 of 1"),
        ([UP, UP], {"expect": "a=2"}, Status.OK, "2 of 2 targets up"),
        ([UP, UP, UP], {"expect": "a=2"}, Status.OK, "3 of 3 targets up"),
        ([UP, target("b")], {"expect": ["a=2"]}, Status.CRITICAL,
         "1 of 1 targets up; 1 of 1 jobs asked for with too few targets: a (1 of 2)"),
        ([UP], {"job": "a", "expect": "b=2"}, Status.CRITICAL,
         "1 of 1 targets up; 1 of 2 jobs asked for without targets: b"),
        ([UP], {"job": "a", "expect": "a=2"}, Status.CRITICAL, "1 of 1 targets up; 1 of 1 jobs asked for with too few"),
        ([target("x=y")], {"expect": "x=y=1"}, Status.OK, "1 of 1 targets up"),
    ],
)  # fmt: skip
def test_targets_have_their_status(
    active: list[dict[str, Any]], options: dict[str, Any], expected: Status, message: str
) -> None:
    result = ask(envelope(*active), **options)

    assert (result.status, result.message.startswith(message)) == (expected, True), result.message


def test_a_real_answer_names_the_target_that_is_down_among_those_up() -> None:
    result = ask(REAL)

    assert result.message == f"1 of 2 targets up; 1 of 2 targets down: down/127.0.0.1:1 ({REASON})"
    assert result.target == "http://prom:9090"
    assert result.data == {
        "targets": [
            {
                "job": "down",
                "instance": "127.0.0.1:1",
                "state": "down",
                "last_error": REFUSED,
                "last_scrape_age_seconds": 517.258,
                "scrape_url": "http://127.0.0.1:1/metrics",
                "pool": "down",
                "labels": {"instance": "127.0.0.1:1", "job": "down"},
            },
            {
                "job": "prometheus",
                "instance": "127.0.0.1:19090",
                "state": "up",
                "last_error": None,
                "last_scrape_age_seconds": 516.525,
                "scrape_url": "http://127.0.0.1:19090/metrics",
                "pool": "prometheus",
                "labels": {"env": "test", "instance": "127.0.0.1:19090", "job": "prometheus"},
            },
        ],
        "up": 1,
        "total": 2,
        "missing": [],
    }


def test_a_target_never_scraped_has_no_state_and_no_age() -> None:
    result = ask(envelope(NEW, UP))

    assert result.data is not None
    new: Any = result.data["targets"][0]  # type: ignore[index]
    assert (new["state"], new["last_scrape_age_seconds"]) == (None, None)


@pytest.mark.parametrize("options", [{}, {"job": "orders"}, {"expect": "orders=2"}, {"min_up": "1"}])
def test_no_targets_at_all_is_unknown_as_in_the_first_seconds_of_a_prometheus(options: dict[str, str]) -> None:
    with pytest.raises(ProbeError, match="GET http://prom:9090/api/v1/targets: Prometheus has no targets at all"):
        ask(envelope(), **options)


@pytest.mark.parametrize(
    ("quoted", "shown", "said"),
    [
        ("http://user:hush@127.0.0.1:1/metrics?token=hush", "http://127.0.0.1:1/metrics", ""),
        ("http://user:***@127.0.0.1:1/metrics?token=hush", "http://127.0.0.1:1/metrics", ""),
        ("https://elsewhere/login?next=hush", "https://elsewhere/login", 'Get "https://elsewhere/login": '),
        ("text/html?hush-hush", "text/html?hush-hush", 'Get "text/html?hush-hush": '),
    ],
)
def test_a_token_in_a_scrape_address_is_not_shown(quoted: str, shown: str, said: str) -> None:
    url = "http://user:hush@127.0.0.1:1/metrics?token=hush"
    result = ask(envelope(target("a", "down", scrapeUrl=url, error=f'Get "{quoted}": EOF? no')))

    assert result.message.endswith(f"1 of 1 targets down: a/i ({said}EOF? no)")
    assert "token=hush" not in f"{result.data}"
    told: Any = result.data
    assert told["targets"][0]["last_error"] == f'Get "{shown}": EOF? no'


def test_a_long_address_leaves_room_for_why_it_cannot_be_scraped() -> None:
    instance = f"{'very-long-host.' * 15}svc.cluster.local:9404"
    url = f"http://{instance}/metrics"
    why = "dial tcp 10.0.0.1:9404: connect: connection refused"

    result = ask(envelope(target("a", "down", instance, f'Get "{url}": {why}')))

    assert result.message.endswith(f" ({why})")
    told: Any = result.data
    assert told["targets"][0]["last_error"] == f'Get "{url}": {why}'


def test_of_ten_thousand_targets_down_the_message_names_five() -> None:
    result = ask(envelope(*(target("a", "down", f"host-{number}:9404", "x" * 5000) for number in range(10_000))))

    assert result.message.startswith(
        "0 of 10000 targets up; 10000 of 10000 targets down: a/host-0:9404, a/host-1:9404, "
    )
    assert result.message.endswith("…) and 9995 more")
    assert len(result.message) < 400


@pytest.mark.parametrize(
    ("labels", "shown"),
    [({}, "None/None"), ({"job": "été", "instance": "h\no"}, "été/h o"), ({"job": ""}, "None/None")],
)
def test_labels_may_be_missing_or_odd(labels: dict[str, str], shown: str) -> None:
    result = ask(envelope(target("a", "down") | {"labels": labels}))

    assert result.message.endswith(f"targets down: {shown}")


def test_what_is_not_told_is_null() -> None:
    result = ask(envelope({"labels": {"job": "a"}, "health": "up"}))

    assert result.data is not None
    assert result.data["targets"] == [
        {
            "job": "a",
            "instance": None,
            "state": "up",
            "last_error": None,
            "last_scrape_age_seconds": None,
            "scrape_url": None,
            "pool": None,
            "labels": {"job": "a"},
        }
    ]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((503, "Service Unavailable"), "HTTP 503 'Service Unavailable'"),
        ((404, "404 page not found"), "HTTP 404 '404 page not found'"),
        ((401, "Unauthorized"), "HTTP 401 'Unauthorized'; give --username"),
        ((422, {"status": "error", "errorType": "execution", "error": "too many\nsamples"}),
         "HTTP 422, execution: too many samples$"),
        ({"status": "error", "errorType": "internal", "error": "x"}, "HTTP 200, internal: x$"),
        ((500, {"message": "gateway"}), "HTTP 500 .*gateway"),
        ((502, '{"cut'), "is not JSON"),
        ("<html>login</html>", "'<html>login</html>' is not JSON"),
        ("null", "expected an object, got null"),
        ([], r"expected an object, got \[\]"),
        ({}, "HTTP 200 '{}'"),
        ({"status": "success"}, "expected `data` as an object, got null"),
        ({"status": "success", "data": []}, r"expected `data` as an object, got \[\]"),
        ({"status": "success", "data": {"activeTargets": None}}, "expected `activeTargets` as a list, got null"),
        ({"status": "success", "data": {"activeTargets": ["a"]}}, 'each an object, got "a"'),
        (envelope(UP | {"labels": None}), "expected `labels` of a target as an object, got null"),
        (envelope(UP | {"labels": {"job": ["a"]}}), r'expected label job as text, got \["a"\]'),
        (envelope(UP | {"health": None}), "expected `health` of a target as text, got null"),
    ],
)  # fmt: skip
def test_an_answer_that_is_of_no_use_is_an_error_that_shows_it(answer: object, words: str) -> None:
    with pytest.raises(ProbeError, match=words) as caught:
        ask(answer)

    assert str(caught.value).startswith("GET http://prom:9090/api/v1/targets: ")


def test_an_unreachable_prometheus_says_nothing_about_the_targets() -> None:
    assert targets.ASKS == "others"
    with pytest.raises(Unreachable):
        ask(Unreachable("refused"))


@pytest.mark.parametrize("text", ["0", "-1", "2.5", "101%", "0%", "%", "many", "²", "9" * 5000, "9" * 5000 + "%"])
def test_min_up_is_a_count_or_a_percentage(text: str) -> None:
    with pytest.raises(OptionErrors, match=r"min_up: .* is neither a count like 2 nor a percentage like 80%"):
        Options.build({"url": "http://p:1", "min_up": text})


@pytest.mark.parametrize("text", ["a", "a=", "=2", "a=b", "a=0", "a=-1", "a=" + "9" * 5000])
def test_expect_is_a_job_and_a_count(text: str) -> None:
    with pytest.raises(OptionErrors, match=r"expect: .* is not job=count; write it like orders=3"):
        Options.build({"url": "http://p:1", "expect": [text]})


def test_one_request_and_the_clock_of_the_net() -> None:
    net = FakeNet({ASKED: envelope(UP)}, now=NOW + 3600)

    result = targets.probe(
        Options.build({"url": "http://prom:9090/prefix/"}), FakeNet({f"GET /prefix{ASKED[4:]}": envelope(UP)})
    )
    later = targets.probe(Options.build({"url": "http://prom:9090"}), net)

    assert net.asked == [ASKED]
    assert [r.data["targets"][0]["last_scrape_age_seconds"] for r in (result, later)] == [10, 3610]  # type: ignore[index]


def test_the_example_has_the_fields_of_an_answer() -> None:
    result = ask(REAL)

    assert result.data is not None
    assert result.data.keys() == targets.EXAMPLE.keys()
    assert result.data["targets"][0].keys() == targets.EXAMPLE["targets"][0].keys()  # type: ignore[index]
