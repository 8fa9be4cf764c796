"""From rules to questions: what is asked, of whom, and that equal questions are one."""

from pathlib import Path

import pytest

from rules.load import load
from rules.questions import Instance, instances

RULE = """
groups:
- name: g
  labels: {{team: orders}}
  rules:
  - alert: A
    probe: {probe}
    {rest}
"""
SECRET = "hunter2-s3cret"


def found(tmp_path: Path, text: str, environment: dict[str, str] | None = None) -> list[Instance]:
    path = tmp_path / "rules.yml"
    path.write_text(text)
    loaded = load([path], environment or {})
    return instances(loaded.rules, loaded.defaults, environment or {})


def one(tmp_path: Path, rest: str, environment: dict[str, str] | None = None, probe: str = "connect") -> Instance:
    [instance] = found(tmp_path, RULE.format(probe=probe, rest=rest), environment)
    return instance


def test_each_entry_is_an_instance_with_a_question_of_its_own(tmp_path: Path) -> None:
    rest = 'each: [{pod: orders-0}, {pod: orders-1}]\n    with: {exporter: "http://{{ $each.pod }}:9404"}'
    pods = found(tmp_path, RULE.format(probe="streams", rest=rest))
    assert [instance.each for instance in pods] == [{"pod": "orders-0"}, {"pod": "orders-1"}]
    assert [instance.question.target for instance in pods] == ["http://orders-0:9404", "http://orders-1:9404"]
    assert len({instance.key for instance in pods}) == 2


@pytest.mark.parametrize(
    ("written", "environment", "url"),
    [
        ("with: {url: 'http://rule'}", {"STETHO_CONNECT_URL": "http://environment"}, "http://rule"),
        ("", {"STETHO_CONNECT_URL": "http://environment"}, "http://environment"),
        ("", {}, "http://default"),
        ("with: {url: 'http://${HOST}:1'}", {"HOST": "expanded"}, "http://expanded:1"),
    ],
)
def test_an_option_comes_from_the_rule_then_the_environment_then_the_defaults(
    tmp_path: Path, written: str, environment: dict[str, str], url: str
) -> None:
    text = "defaults: {connect: {url: 'http://default'}}" + RULE.format(probe="connect", rest=written)
    [instance] = found(tmp_path, text, environment)
    assert instance.question.target == url


def test_equal_questions_are_one(tmp_path: Path) -> None:
    text = """
groups:
- name: g
  rules:
  - {alert: A, probe: connect, with: {url: "http://h"}}
  - {alert: B, probe: connect, with: {url: "http://h"}, items: data.tasks, when: item.state == 'FAILED',
     labels: {task: "{{ $item.id }}"}}
  - {alert: C, probe: connect, with: {url: "http://h", timeout: 1s}}
"""
    a, b, c = found(tmp_path, text)
    assert a.question is b.question
    assert a.question.key != c.question.key
    assert (a.question.seconds, c.question.seconds) == (5.0, 1.0)


@pytest.mark.parametrize(
    ("url", "target", "endpoint", "host"),
    [
        ("http://h:8083", "http://h:8083", "http://h:8083", "h"),
        ("https://user:pw@h:8083/base/?token=x", "https://h:8083/base", "https://h:8083", "h"),
        ("http://[::1]:8083/x", "http://[::1]:8083/x", "http://[::1]:8083", "::1"),
        ("http://H", "http://H", "http://H", "h"),
    ],
)
def test_who_is_asked_is_shown_without_login_and_query(
    tmp_path: Path, url: str, target: str, endpoint: str, host: str
) -> None:
    question = one(tmp_path, f"with: {{url: '{url}'}}").question
    assert (question.target, question.endpoint, question.host) == (target, endpoint, host)
    assert "pw" not in repr(question)


@pytest.mark.parametrize(
    ("rest", "environment", "said"),
    [
        ("with: {url: '${URL}'}", {}, "url: the environment variable URL is not set"),
        ("with: {url: '${file:/no/such}'}", {}, "url: cannot read /no/such: No such file or directory"),
        ("with: {url: '${URL}'}", {"URL": SECRET}, "url: what its ${} gives cannot be used as url of connect"),
        (
            "with: {url: 'http://h', username: u, password_file: '${PASSWORD}'}",
            {"PASSWORD": SECRET},
            "password: what its ${} gives cannot be used as password of connect",
        ),
        ("with: {url: 'http://h', timeout: '${T}'}", {"T": "5"}, "timeout: what its ${} gives cannot be used as"),
        (
            "with: {url: 'http://h', username: u, password_file: /no/such}",
            {},
            "password cannot read /no/such: No such file or directory",
        ),
        (
            "with: {url: 'http://h', username: u, token: '${TOKEN}'}",
            {"TOKEN": SECRET},
            "token: what its ${} gives cannot be used",
        ),
    ],
)
def test_what_cannot_be_had_is_the_questions_problem_and_quotes_no_value(
    tmp_path: Path, rest: str, environment: dict[str, str], said: str
) -> None:
    question = one(tmp_path, rest, environment).question
    assert question.problem.startswith(said)
    assert question.problem.endswith(f" ({tmp_path}/rules.yml:6)")
    assert question.options is None
    assert SECRET not in repr(question)
    meant = ("http://h", "http://h", "h") if "http://h" in rest else ("", "", "")
    assert (question.target, question.endpoint, question.host) == meant, "who is not asked is known all the same"


def test_each_entry_whose_secret_is_missing_keeps_its_own_address(tmp_path: Path) -> None:
    rest = "each: [{host: a}, {host: b}]\n    with: {url: 'http://{{ $each.host }}:1', token: '${TOKEN}'}"
    instances = found(tmp_path, RULE.format(probe="connect", rest=rest))
    assert [instance.question.endpoint for instance in instances] == ["http://a:1", "http://b:1"]
    assert len({instance.question.problem for instance in instances}) == 1


def test_a_default_that_cannot_be_expanded_is_a_problem_only_where_it_is_needed(tmp_path: Path) -> None:
    text = """
defaults: {connect: {url: "${URL}"}}
groups:
- name: g
  rules:
  - {alert: A, probe: connect}
  - {alert: B, probe: connect, with: {url: "http://h"}}
"""
    a, b = found(tmp_path, text)
    assert a.question.problem.startswith("url: the environment variable URL is not set (")
    assert b.question.problem == ""


def test_a_bad_variable_of_the_environment_is_the_questions_problem(tmp_path: Path) -> None:
    question = one(tmp_path, "with: {url: 'http://h'}", {"STETHO_TIMEOUT": "soon"}).question
    assert "timeout 'soon' is not a duration" in question.problem


@pytest.mark.parametrize(
    ("rest", "same"),
    [
        ("with: {url: 'http://h'}\n    when: status == 'CRITICAL'", True),
        ("with: {url: 'http://h', connector: a}\n    for: 5m", True),
        ("with: {url: 'http://h'}\n    annotations: {summary: other}", True),
        ("with: {url: 'http://other'}", False),
        ("with: {url: 'http://h'}\n    labels: {severity: critical}", False),
    ],
)
def test_an_instance_stays_the_same_through_edits_of_what_does_not_name_its_alerts(
    tmp_path: Path, rest: str, same: bool
) -> None:
    before = one(tmp_path, "with: {url: 'http://h'}")
    assert (one(tmp_path, rest).key == before.key) is same


def test_an_instance_stays_the_same_when_its_address_is_rotated(tmp_path: Path) -> None:
    keys = {one(tmp_path, "with: {url: '${URL}'}", environment).key for environment in ({"URL": "http://a"}, {})}
    assert len(keys) == 1
    assert len(keys.pop()) == 16, "a hash: the file's text, which may hold a token, is not stored"
