import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.template import Template, TemplateError

SCOPE = {
    "$labels": {"pod": "orders-0", "empty": ""},
    "$item": {
        "id": 2,
        "lag": 3.0,
        "rate": 0.25,
        "big": 1e300,
        "ok": True,
        "trace": None,
        "worker": {"host": "w1", "ports": [1, 2]},
        "topics": ["a", "é"],
        "braces": "{{ message }} ${HOME}",
    },
    "$each": {"pod": "orders-1"},
    "message": "1 of 3 tasks FAILED",
    "status": "CRITICAL",
}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("plain }} text { with $item and ${NAME}", "plain }} text { with $item and ${NAME}"),
        ("{{ $labels.pod }}: {{ message }} ({{status}})", "orders-0: 1 of 3 tasks FAILED (CRITICAL)"),
        ("{{$each.pod}}{{$item.id}}", "orders-12"),
        ("{{ $item.worker.host }}", "w1"),
        ("{{ $labels.empty }}", ""),
        ("{{ $item.lag }}", "3"),
        ("{{ $item.rate }}", "0.25"),
        ("{{ $item.big }}", "1e+300"),
        ("{{ $item.ok }}", "true"),
        ("{{ $item.worker }}", '{"host":"w1","ports":[1,2]}'),
        ("{{ $item.topics }}", '["a","é"]'),
        ("{{ $item.braces }}", "{{ message }} ${HOME}"),
        ("{{ $item.trace }}", "<missing: trace>"),
        ("{{ $labels.nope }}", "<missing: nope>"),
        ("{{ $item.worker.nope.deeper }}", "<missing: worker.nope.deeper>"),
        ("{{ $item.id.nope }}", "<missing: id.nope>"),
        ("a {{- $item.id -}} \n b", "a2b"),
        ("a  {{- $item.id }} b", "a2 b"),
        ("{{ $item.id -}}  {{- $item.id }}", "22"),
        ("{{\n$item.id\n}}", "2"),
    ],
)
def test_a_template_yields(text: str, shown: str) -> None:
    assert Template(text).render(SCOPE) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(math.nan, "NaN"), (math.inf, "+Inf"), (-math.inf, "-Inf"), (False, "false"), (-0.5, "-0.5")]
)
def test_a_number_is_shown_as_prometheus_does(value: object, shown: str) -> None:
    assert Template("{{ $item.x }}").render({"$item": {"x": value}}) == shown


def test_what_is_not_in_the_scope_is_missing() -> None:
    assert Template("{{ message }} {{ $item }} {{ $item.x }}").render({}) == (
        "<missing: message> <missing: $item> <missing: x>"
    )


@pytest.mark.parametrize(
    ("text", "offset", "said"),
    [
        ("ab {{ message", 3, "`{{` is never closed; end it with }}"),
        ("{{ $item.x }", 11, "after `$item.x` comes `}`: this version knows no pipes"),
        ("{{ }}", 0, "nothing stands between {{ and }}; write for instance {{ message }}"),
        ("x{{-message }}", 1, "`{{-` wants a space after the dash"),
        ("{{ $lables.x }}", 3, "`$lables` is not known to this version; there are message, status and fields of "),
        ("{{ $value }}", 3, "`$value` is not known to this version; there are"),
        ("{{ humanize 3 }}", 3, "`humanize` is not known to this version; there are"),
        ("{{ labels.pod }}", 3, "`labels` wants a dollar sign: $labels.pod"),
        ("{{ message.x }}", 3, "`message` has no fields; write {{ message }}"),
        ("{{ .Labels.pod }}", 3, "`.Labels.pod` cannot stand here; there are message, status and fields of"),
        ('{{ "text" }}', 3, '`"text"` cannot stand here; there are'),
        ("{{ $item.x | humanize }}", 11, "after `$item.x` comes `| humanize`: this version knows no pipes, functions"),
        ("{{ message status }}", 11, "after `message` comes `status`: this version knows"),
        ("{{ $item.max-lag }}", 12, "after `$item.max` comes `-lag`: this version knows"),
    ],
)
def test_what_is_no_template_is_told_with_its_place(text: str, offset: int, said: str) -> None:
    with pytest.raises(TemplateError) as caught:
        Template(text)
    assert caught.value.offset == offset
    assert str(caught.value).startswith(said)


def test_a_template_tells_what_it_uses() -> None:
    assert Template("{{ $item.a.b }} {{ $item }} {{ message }}").names == {"$item", "message"}


@given(st.text("{}-$ .\n\tabmessage|\"'é"))
def test_any_text_is_a_template_or_a_template_error(text: str) -> None:
    with contextlib.suppress(TemplateError):
        Template(text).render({})


@given(st.text().filter(lambda text: "{{" not in text))
def test_a_text_without_braces_is_itself(text: str) -> None:
    assert Template(text).render(SCOPE) == text
