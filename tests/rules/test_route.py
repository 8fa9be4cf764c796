"""Alertmanager's routing tree, and who is behind its receivers."""

from typing import Literal

import apprise
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.model import OWN_GROUP, Alert, Destination, Labels, Receiver, State
from rules.route import UNDELIVERED, Matcher, Route, Routing, parse_matchers, routes_for
from rules.schemes import LOUD


@pytest.mark.parametrize(
    ("text", "matchers"),
    [
        ('severity="critical"', [("severity", "=", "critical")]),
        ("severity=critical", [("severity", "=", "critical")]),
        (" severity = critical ", [("severity", "=", "critical")]),
        ('severity=~"a|b"', [("severity", "=~", "a|b")]),
        ("severity!~a|b", [("severity", "!~", "a|b")]),
        ('team!=""', [("team", "!=", "")]),
        ('{a="b",c="d"}', [("a", "=", "b"), ("c", "=", "d")]),
        ('{ a="b" , c=~"d,e", }', [("a", "=", "b"), ("c", "=~", "d,e")]),
        ('a=b,c!="d"', [("a", "=", "b"), ("c", "!=", "d")]),
        (r'a="say \"hi\" \\ \n \d"', [("a", "=", 'say "hi" \\ \n \\d')]),
        ('a="}"', [("a", "=", "}")]),
        ('"my label"="b"', [("my label", "=", "b")]),
        ("foo=bar baz", [("foo", "=", "bar baz")]),
    ],
)
def test_matchers_are_read_as_alertmanager_reads_them(text: str, matchers: list[tuple[str, str, str]]) -> None:
    assert [(one.name, one.op, one.value) for one in parse_matchers(text)] == matchers


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", 'write label="value"'),
        ("severity", 'write label="value"'),
        ("{}", 'write label="value"'),
        ('a="b",', 'write label="value"'),
        ('a="b" c="d"', 'write label="value"'),
        ("severity=", 'write severity="" for an empty or missing label'),
        ("severity==critical", "the operators are = != =~ !~"),
        ('severity="critical', "a double quote is missing"),
        ("severity='critical'", "in double quotes"),
        ("severity=~a{2}", "in double quotes"),
        ('{severity="critical"', "the closing brace is missing"),
        ('severity="critical"}', "in double quotes"),
        ('severity=~"a("', "not a regular expression"),
        ('severity=~"a{99999999999}"', "not a regular expression"),
    ],
)
def test_a_matcher_that_is_wrong_says_what_would_be_right(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        parse_matchers(text)
    assert says in str(error.value)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])), st.sampled_from(["=", "!="]))
def test_a_matcher_reads_back_as_it_is_written(value: str, op: Literal["=", "!="]) -> None:
    matcher = Matcher("a", op, value)
    assert parse_matchers(f"{{{matcher},{matcher}}}") == (matcher, matcher)


@pytest.mark.parametrize(
    ("text", "labels", "matches"),
    [
        ("a=b", {"a": "b"}, True),
        ("a=b", {"a": "bc"}, False),
        ("a=b", {}, False),
        ('a=""', {}, True),  # a missing label is the empty string
        ("a!=b", {}, True),
        ("a=~b|c", {"a": "c"}, True),
        ("a=~b|c", {"a": "cc"}, False),  # anchored, both ends
        ("a=~b", {"a": "b\n"}, False),
        ('a=~".*"', {}, True),
        ("a=~.+", {}, False),
        ("a!~b|c", {"a": "cc"}, True),
        ("a!~b|c", {"a": "b"}, False),
    ],
)
def test_a_matcher_matches_as_alertmanager_does(text: str, labels: Labels, matches: bool) -> None:
    (matcher,) = parse_matchers(text)
    assert matcher.matches(labels) is matches


def node(receiver: str | None, *matchers: str, continue_: bool = False, routes: tuple[Route, ...] = ()) -> Route:
    return Route(receiver, parse_matchers(",".join(matchers)) if matchers else (), continue_=continue_, routes=routes)


TREE = node(
    "root",
    routes=(
        node("audit", "severity=~critical|page", continue_=True),
        node("kafka", "team=kafka", routes=(node("brokers", "alertname=~Broker.*"), node(None, "severity=info"))),
        node("orders", "team=orders", continue_=True),
        node("late", "team=~.*s"),
    ),
)


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ({"alertname": "X"}, ["root"]),
        ({"team": "kafka"}, ["kafka"]),
        ({"team": "kafka", "alertname": "BrokerDown"}, ["brokers"]),
        ({"team": "kafka", "severity": "info"}, ["kafka"]),  # the child's receiver is its parent's
        ({"team": "kafka", "severity": "critical"}, ["audit", "kafka"]),
        ({"severity": "critical"}, ["audit"]),  # something matched, so not the root
        ({"team": "orders"}, ["orders", "late"]),
        ({"team": "payments"}, ["late"]),
    ],
)
def test_an_alert_goes_to_the_first_child_that_matches_and_on_while_continue_holds(
    labels: Labels, receivers: list[str]
) -> None:
    assert [routed.receiver for routed in routes_for(TREE, labels)] == receivers


def test_a_child_inherits_what_it_does_not_say() -> None:
    leaf = Route(matchers=(Matcher("a", "=", "b"),), group_interval=7.0, group_by=())
    middle = Route(receiver="mid", group_wait=30.0, routes=(leaf,))
    root = Route("root", group_by=("alertname",), repeat_interval=60.0, routes=(middle,))
    (deep,) = routes_for(root, {"a": "b", "alertname": "X"})
    assert (deep.receiver, deep.group_by) == ("mid", ())
    assert (deep.group_wait, deep.group_interval, deep.repeat_interval) == (30.0, 7.0, 60.0)
    (shallow,) = routes_for(root, {"alertname": "X"})
    assert (shallow.group_by, shallow.group_interval) == (("alertname",), 300.0)


@pytest.mark.parametrize(
    ("group_by", "key"),
    [
        (None, "{}/{}:{}"),  # no `group_by` is one group
        (("alertname",), '{}/{}:{alertname="X"}'),
        (("team", "alertname", "nothing"), '{}/{}:{alertname="X",team="a\\"b"}'),
        (("...",), '{}/{}:{alertname="X",team="a\\"b"}'),
    ],
)
def test_a_group_is_named_as_alertmanager_names_it(group_by: tuple[str, ...] | None, key: str) -> None:
    root = Route("root", routes=(Route(group_by=group_by),))
    assert [routed.group_key for routed in routes_for(root, {"alertname": "X", "team": 'a"b'})] == [key]


def test_a_group_key_holds_the_matchers_on_the_way() -> None:
    (routed,) = routes_for(TREE, {"team": "kafka", "alertname": "BrokerDown"})
    assert routed.group_key == '{}/{team="kafka"}/{alertname=~"Broker.*"}:{}'


def alert(group: str = "orders", **labels: str) -> Alert:
    return Alert(group, {"alertname": "X", **labels}, "i", State.FIRING, {}, "", 0.0)


def receiver(name: str, *urls: str) -> Receiver:
    return Receiver(name, tuple(Destination(name, url) for url in urls))


def test_a_destination_reached_by_two_routes_is_told_by_the_first() -> None:
    root = node("root", routes=(node("chat", "team=a", continue_=True), node("chat", "alertname=X")))
    routing = Routing(root, {"chat": receiver("chat", "slack://x")}, "chat")
    ((_, routed),) = routing.reached_by(alert(team="a")).values()
    assert routed.group_key.startswith('{}/{team="a"}')


def test_news_of_what_was_not_delivered_goes_to_the_fallback_receiver() -> None:
    routing = Routing(
        node("root"), {"root": receiver("root", "slack://x"), "back": receiver("back", "mailto://x")}, "back"
    )
    ((destination, _),) = routing.reached_by(alert(OWN_GROUP, alertname=UNDELIVERED)).values()
    assert destination.receiver == "back"
    ((destination, _),) = routing.reached_by(alert("orders", alertname=UNDELIVERED)).values()
    assert destination.receiver == "root"  # somebody's own rule of that name


def test_a_receiver_that_nobody_declared_reaches_nobody() -> None:
    assert Routing(node("root"), {}, "root").reached_by(alert()) == {}


@pytest.mark.parametrize(
    ("text", "hears"),
    [
        ("slack://a/b/c", True),
        ("mailtos://user:pass@host", True),
        ("json://host", True),
        ("twilio://sid:token@from/to", False),
        ("PagerDuty://key@token", False),
        ("${SOMETHING}", True),  # better a needless notice than none
        ("${SMS_URL}", False),
    ],
)
def test_late_notices_go_to_chat_and_mail(text: str, hears: bool) -> None:
    destination = Destination("r", text)
    schemes = {Destination("r", "${SMS_URL}").id: "vonage"}
    assert Routing(node("r"), {}, "r", schemes).hears_late(destination) is hears


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of an import of Apprise's
def test_the_loud_schemes_are_apprises() -> None:
    details = apprise.Apprise().details(show_disabled=True)["schemas"]
    schemes = {
        scheme for one in details for kind in ("protocols", "secure_protocols") for scheme in one.get(kind) or ()
    }
    assert schemes >= LOUD
