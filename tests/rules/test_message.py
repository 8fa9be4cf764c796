"""What a woken person reads."""

# ruff: noqa: RUF001  titles have the multiplication sign, and this is where letters that look alike are told apart

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.message import SMS, SMS_WIDE, TITLE, Message, clean, compose, span, summary
from rules.model import Alert, Destination, Ended, Ending, Labels, Notice, State, Told

NOW = 1_767_348_720.0  # 2026-01-02 10:12 UTC
START = NOW - 720


def alert(labels: Labels | None = None, /, **annotations: str) -> Alert:
    return Alert(
        "orders",
        labels
        or {
            "alertname": "ConnectTaskFailed",
            "target": "http://connect:8083",
            "connector": "orders-sink",
            "task": "2",
            "severity": "critical",
        },
        "i",
        State.FIRING,
        annotations,
        "1 of 3 tasks FAILED: orders-sink/2",
        started_at=START,
        fired_at=START + 120,
        last_firing_at=NOW,
    )


def many(*counts: tuple[str, int, str]) -> list[Alert]:
    return [
        replace(alert({"alertname": name, "partition": str(number), "severity": severity}), message=f"{name} {number}")
        for name, count, severity in counts
        for number in range(count)
    ]


def ended(one: Alert, ending: Ending = Ending.RESOLVED, *, told: State | None = State.FIRING) -> Ended:
    over = replace(one, state=State.RESOLVED, ended_at=NOW, ending=ending)
    row = Told("d", one.key, told, START, "g", "ops", one.labels, summary(one)) if told else None
    return Ended(over, (row,) if row else ())


def composed(*firing: Alert, ends: tuple[Ended, ...] = ()) -> Message:
    return compose(Notice(Destination("ops", "slack://a"), "g", firing, ends, True), NOW)


def test_a_page_says_what_where_since_when_how_bad_and_what_to_do() -> None:
    page = composed(
        alert(
            summary="orders-sink: 1 of 3 tasks FAILED",
            description="Records pile up in orders.\nRestart the task once.",
            runbook_url="https://runbooks/connect",
        )
    )
    assert page == Message(
        title="FIRING ConnectTaskFailed: orders-sink: 1 of 3 tasks FAILED",
        body="""\
ConnectTaskFailed (critical)
  orders-sink: 1 of 3 tasks FAILED
  1 of 3 tasks FAILED: orders-sink/2
  Records pile up in orders.
  Restart the task once.
  target=http://connect:8083, connector=orders-sink, task=2
  since 2026-01-02 10:00 UTC, for 12m
  runbook: https://runbooks/connect""",
        short="FIRING ConnectTaskFailed: orders-sink: 1 of 3 tasks FAILED (critical, since 10:00 UTC)",
        kind="failure",
    )


def test_without_a_summary_the_probes_sentence_is_said_once() -> None:
    page = composed(alert())
    assert page.title == "FIRING ConnectTaskFailed: 1 of 3 tasks FAILED: orders-sink/2"
    assert page.body.count("1 of 3 tasks") == 1


def test_an_all_clear_repeats_what_the_page_said() -> None:
    told = ended(alert(summary="orders-sink: 1 of 3 tasks FAILED"))
    fixed = replace(told, alert=replace(told.alert, annotations={"summary": "3 of 3 tasks RUNNING"}))
    assert composed(ends=(fixed,)) == Message(
        title="RESOLVED ConnectTaskFailed: orders-sink: 1 of 3 tasks FAILED",
        body="""\
ConnectTaskFailed (critical)
  orders-sink: 1 of 3 tasks FAILED
  target=http://connect:8083, connector=orders-sink, task=2
  resolved 10:12 UTC after 12m""",
        short="RESOLVED ConnectTaskFailed: orders-sink: 1 of 3 tasks FAILED (critical, 10:12 UTC)",
        kind="success",
    )


@pytest.mark.parametrize(
    ("ending", "told", "title", "line"),
    [
        (Ending.RESOLVED, State.FIRING, "RESOLVED", "resolved 10:12 UTC after 12m"),
        (
            Ending.UNREPORTED,
            State.FIRING,
            "NO LONGER REPORTED",
            "no longer reported, which is not resolved: closed 10:12 UTC, last verified 09:57 UTC",
        ),
        (
            Ending.UNWATCHED,
            State.FIRING,
            "NO LONGER WATCHED",
            "no longer watched, which is not resolved: closed 10:12 UTC, last verified 09:57 UTC",
        ),
        (
            Ending.RESOLVED,
            None,
            "RESOLVED (told late)",
            "fired 10:02 UTC, ended 10:12 UTC, told late because it could not be delivered before",
        ),
        (
            Ending.RESOLVED,
            State.PENDING,
            "RESOLVED",
            "fired 10:02 UTC, ended 10:12 UTC, its page may not have arrived",
        ),
        (
            Ending.UNWATCHED,
            None,
            "NO LONGER WATCHED (told late)",
            "fired 10:02 UTC, ended 10:12 UTC, told late because it could not be delivered before; "
            "no longer watched, which is not resolved",
        ),
    ],
)
def test_an_end_says_which_end_it_is(ending: Ending, told: State | None, title: str, line: str) -> None:
    held = alert() if ending is Ending.RESOLVED else replace(alert(), unverified_since=NOW - 900)
    clear = composed(ends=(ended(held, ending, told=told),))
    assert clear.title == f"{title} ConnectTaskFailed: 1 of 3 tasks FAILED: orders-sink/2"
    assert clear.body.splitlines()[-1] == f"  {line}"
    assert clear.kind == "success"


def test_ends_of_several_kinds_are_not_called_resolved() -> None:
    first, second, third = many(("TaskFailed", 3, "critical"))
    title = composed(ends=(ended(first), ended(second, Ending.UNREPORTED), ended(third))).title
    assert title == "ENDED 3 × TaskFailed: TaskFailed 0, and 2 more"


@pytest.mark.parametrize(
    ("since", "line"),
    [
        (NOW - 480, "not verified since 10:04 UTC: GET http://connect:8083: refused"),
        (NOW - 86400, "not verified since 2026-01-01 10:12 UTC: GET http://connect:8083: refused"),
    ],
)
def test_what_is_held_says_since_when_it_is_not_verified(since: float, line: str) -> None:
    held = replace(alert(), unverified_since=since, unverified_reason="GET http://connect:8083: refused")
    assert composed(held).body.splitlines()[-1] == f"  {line}"


@pytest.mark.parametrize(
    ("severities", "kind"),
    [
        (["critical"], "failure"),
        (["warning"], "warning"),
        (["Info", "warning"], "warning"),
        (["warning", "critical"], "failure"),
        (["page"], "failure"),
        ([""], "failure"),
    ],
)
def test_only_warnings_make_a_warning(severities: list[str], kind: str) -> None:
    assert composed(*many(*[("Down", 1, severity) for severity in severities])).kind == kind


def test_several_alerts_are_counted_and_the_most_severe_comes_first() -> None:
    page = composed(*many(("LagHigh", 2, "warning"), ("Custom", 1, "odd"), ("TaskFailed", 3, "critical")))
    assert page.title == "FIRING 3 × TaskFailed, 1 × Custom, 2 × LagHigh: TaskFailed 0, and 5 more"
    assert page.body.startswith("TaskFailed (critical)\n  TaskFailed 0\n")
    clear = composed(ends=tuple(ended(one) for one in many(("TaskFailed", 3, "critical"))))
    assert clear.title == "RESOLVED 3 × TaskFailed: TaskFailed 0, and 2 more"


def test_a_page_with_ends_in_it_tells_both() -> None:
    first, second = many(("TaskFailed", 2, "critical"))
    page = composed(first, ends=(ended(second),))
    assert page.title == "FIRING TaskFailed: TaskFailed 0 (1 ended)"
    assert page.body.startswith("1 firing\n\nTaskFailed (critical)")
    assert "\n\n1 ended\n\nTaskFailed (critical)" in page.body
    assert page.kind == "failure"


def test_of_many_alerts_twenty_are_spelled_out_and_none_is_lost() -> None:
    page = composed(*many(("PartitionStuck", 100, "critical"), ("TargetDown", 3, "warning")))
    assert page.title.startswith("FIRING 100 × PartitionStuck, 3 × TargetDown: ")
    assert page.body.count("(critical)") == 20
    assert page.body.endswith("\n\nand 83 more: 80 × PartitionStuck, 3 × TargetDown")
    names = composed(*[one for number in range(300) for one in many((f"Rule{number}", 1, "critical"))]).body
    assert names.splitlines()[-1].startswith("and 280 more: 1 × Rule")
    assert names.endswith("others")


WORDS = st.text(max_size=600) | st.text("x \n\r\t\v\f\x00\x1b\x85\u2028\u202e<>!@[]{}^€ž", max_size=600)


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=30), st.integers(0, 30))
def test_no_answer_breaks_the_layout(words: list[tuple[str, str, str]], firing: int) -> None:
    alerts = [
        replace(
            alert({"alertname": a, "severity": b, "target": c}, summary=a, description=b, runbook_url=c),
            message=c,
            unverified_since=START,
            unverified_reason=a,
        )
        for a, b, c in words
    ]
    over = tuple(ended(one, Ending.UNREPORTED, told=None) for one in alerts[firing:])
    message = composed(*alerts[:firing], ends=over)
    for line in (message.title, message.short, *message.body.split("\n")):
        assert line.isprintable()
    assert len(message.title) <= TITLE
    assert len(message.body) <= 3000
    assert len(message.short) <= SMS


@pytest.mark.parametrize(
    ("name", "sentence", "short"),
    [
        ("Down", "a “quoted” Müller – ž…", 'FIRING Down: a "quoted" Müller - z... (critical, since 10:00 UTC)'),
        ("Down", "x" * 200, "FIRING Down: " + "x" * 116 + "... (critical, since 10:00 UTC)"),
        ("Down", "[" * 200, "FIRING Down: " + "[" * 58 + "... (critical, since 10:00 UTC)"),  # two characters each
        ("Down", "оффлайн", "FIRING Down: оффлайн (critical, since 10:00 UTC)"),
        ("Down", "о" * 99, "FIRING Down: " + "о" * 28 + "… (critical, since 10:00 UTC)"),
    ],
)
def test_the_short_form_is_one_sms_and_keeps_its_facts(name: str, sentence: str, short: str) -> None:
    text = composed(replace(alert({"alertname": name, "severity": "critical"}), message=sentence)).short
    assert text == short
    assert len(text) <= (SMS if text.isascii() or "ü" in text else SMS_WIDE)


def test_several_alerts_fit_one_sms_without_leaving_its_alphabet() -> None:
    assert composed(*many(("TaskFailed", 3, "critical"))).short == (
        "FIRING 3 x TaskFailed: TaskFailed 0, and 2 more (critical, since 10:00 UTC)"
    )


def test_an_alert_with_nothing_to_say_has_a_title() -> None:
    assert composed(replace(alert({"alertname": "Down"}), message="")).title == "FIRING Down"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0s"), (0, "0s"), (59.9, "59s"), (60, "1m"), (3600, "1h"), (3900, "1h5m"), (90061, "1d1h"), (86700, "1d")],
)
def test_a_span_has_two_units(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_clean_leaves_one_line() -> None:
    assert clean(" a\r\nSubject: b\x00\u202ec  d ") == "a Subject: b c d"
