"""Each mistake that a rule file can have: what it says, and where."""

# ruff: noqa: E501 - a row is a line

from collections.abc import Mapping
from pathlib import Path

import pytest

from rules.load import RuleErrors, load

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # an import of Apprise's


def mistakes(tmp_path: Path, *texts: str, environment: Mapping[str, str] | None = None) -> list[str]:
    """What loading these files says, each as `line:column: text`; files after the first as `2:line:column: text`."""
    names = [f"{number}.yml" for number in range(1, len(texts) + 1)]
    for name, text in zip(names, texts, strict=True):
        (tmp_path / name).write_text(text)
    try:
        load([tmp_path / name for name in names], environment or {}, ask_apprise=True)
    except RuleErrors as errors:
        return [line.removeprefix(f"{tmp_path}/").removeprefix("1.yml:") for line in str(errors).splitlines()]
    return []


def in_rule(rule: str) -> str:
    """A file with one rule that would be well; `rule` is added to it, from line 6 on, at column 5."""
    lines = "".join(f"    {line}\n" for line in rule.splitlines())
    head = "groups:\n- name: g\n  rules:\n  - alert: A\n    probe: connect\n"
    return head + lines + ("" if "with:" in rule else '    with: {url: "http://c"}\n')


def test_the_rule_that_mistakes_are_added_to_is_well(tmp_path: Path) -> None:
    assert mistakes(tmp_path, in_rule("")) == []


NESTED = "[" * 65 + "]" * 65
ALIASES = "a: &a [x]\nb: &b [{}]\nc: &c [{}]\nd: &d [{}]\n".format(*(",".join([f"*{n}"] * 60) for n in "abc"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1:1: the file is empty; a rule file has `groups`, `route`, `receivers`, `fallback` or `defaults`"),
        (
            "# nothing\n",
            "1:1: the file is empty; a rule file has `groups`, `route`, `receivers`, `fallback` or `defaults`",
        ),
        ("- a", "1:1: a rule file is a mapping, with keys such as `groups:`, `route:` and `receivers:`"),
        ("just text", "1:1: a rule file is a mapping, with keys such as `groups:`, `route:` and `receivers:`"),
        (
            "groups: []\n---\ngroups: []",
            "2:1: a second document starts here; move what follows `---` into a file of its own",
        ),
        ("groups: []\ngroups: []", "2:1: the key `groups` was given before in line 1; keep one of the two"),
        ("groups:\n- name: g\n\trules: []", "3:1: a tab indents this line; use spaces"),
        ("groups:\n\t- name: g", "2:1: a tab indents this line; use spaces"),
        ("groups: [a, b\nroute:", "1:9: what opens here is never closed, or lacks a comma; end it with ] or }"),
        ("fallback: 'x\n", "1:11: the quote that opens here is never closed"),
        ("fallback: @x", "1:11: a text that starts with @ must be quoted"),
        ("fallback: *", "1:11: a text that starts with * or & must be quoted"),
        (
            "fallback: *x",
            "1:11: *x stands for nothing: no &x comes before it; a text that starts with * must be quoted",
        ),
        ("fallback: !x y", "1:11: the tag !x is not supported; a text that starts with ! must be quoted"),
        ("fallback: a: b", "1:12: `: ` cannot stand here; quote a text that holds it"),
        ("groups:\n- name: g\n rules: []", "3:2: this does not fit here; look at the indent, and quote texts whole"),
        ('fallback: "a" == b', "1:15: this does not fit here; look at the indent, and quote texts whole"),
        ("fallback: {{ x }}", "1:11: a text that starts with {{ must be quoted"),
        ("fallback: {{ x }}: y", "1:11: a text that starts with {{ must be quoted"),
        ("fallback: {[a]: b}", "1:11: a key must be a text"),
        ("fallback: \x01", "1:11: the control character U+0001 is not allowed in YAML; remove it"),
        (f"groups: {NESTED}", "1:73: this is nested more than 64 deep; no rule file needs that"),
        ("groups: &a [*a]", "1:13: *a stands inside what &a names, or for what is broken"),
        (ALIASES, "4:44: the aliases of this file stand for more than 100000 values; write fewer"),
        (
            "route: {<<: x, receiver: r}\nreceivers: [{name: r}]",
            "1:9: `<<` takes a mapping or a list of mappings, such as *name",
        ),
    ],
)
def test_yaml(tmp_path: Path, text: str, said: str) -> None:
    assert mistakes(tmp_path, text) == [said]


def test_a_byte_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "latin.yml").write_bytes(b"groups: []\nfallback: \xe9")
    with pytest.raises(RuleErrors) as caught:
        load([tmp_path], {})
    assert str(caught.value) == f"{tmp_path}/latin.yml:2:11: byte 0xe9 is not UTF-8; save the file as UTF-8"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RuleErrors) as caught:
        load([tmp_path / "nope.yml"], {})
    assert str(caught.value) == f"{tmp_path}/nope.yml: cannot be read: No such file or directory"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("group: []", ["1:1: the key `group` is not known here; did you mean `groups`?"]),
        ("xyz:", ["1:1: the key `xyz` is not known here; there are defaults, groups, route, receivers, fallback"]),
        ("groups: {}", ["1:9: `groups` must be a list, `[a, b]` or lines that begin with `- `; this is a mapping"]),
        ("groups: [x]", ["1:10: an entry of `groups` must be a mapping, lines of `key: value`; this is a text"]),
        ("groups: [{}]", ["1:10: `name` is missing: the group's name, such as `name: orders`"]),
        ("groups:\n- name:\n", ["2:3: `name` has no value: the group's name, such as `name: orders`"]),
        ("groups: [{name: ' '}]", ["1:17: `name` is empty; give it a name"]),
        ("groups: [{nam: g}]", ["1:11: the key `nam` is not known here; did you mean `name`?"]),
        (
            "groups: [{name: g, interval: 60}]",
            ["1:30: `interval`: '60' has no unit; write 60s for seconds, 60m for minutes"],
        ),
        ("groups: [{name: g, interval: 0s}]", ["1:30: `interval` must be longer than 0; write it like 30s or 5m"]),
        (
            "groups: [{name: g, interval: 1m, max_gap: 30s}]",
            ["1:43: `max_gap` is shorter than `interval`, so no `for` would pass in its time; make it longer"],
        ),
        (
            "groups: [{name: g, interval: 1m, query_offset: 1m}]",
            ["1:34: `query_offset` is not supported by this version of stetho: it is only for `expr`"],
        ),
        (
            "groups:\n- name: g\n- name: g\n",
            ["3:9: the group `g` stands at {tmp}/1.yml:2:9 already; make them one, or rename one"],
        ),
        (
            "inhibit_rules: []\nsilences: []",
            [
                "1:1: `inhibit_rules` is not supported by this version of stetho: every alert is told by itself",
                "2:1: `silences` is not supported by this version of stetho: remove the rule, or its route, for the time",
            ],
        ),
        (
            "kind: PrometheusRule",
            [
                "1:1: `kind` is not supported by this version of stetho: give the rule file itself: what stands under `spec:`"
            ],
        ),
        ("fallback: [a]", ["1:11: `fallback` must be a text; this is a list"]),
        ("fallback: a", ["1:11: there is no receiver `a`; there are none"]),
        (
            "fallback: on-cal\nreceivers: [{name: on-call}]",
            ["1:11: there is no receiver `on-cal`; did you mean `on-call`?"],
        ),
    ],
)
def test_files_and_groups(tmp_path: Path, text: str, said: list[str]) -> None:
    assert mistakes(tmp_path, text) == [one.replace("{tmp}", str(tmp_path)) for one in said]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("wen: status == 'OK'", "6:5: the key `wen` is not known here; did you mean `when`?"),
        ("for: 90", "6:10: `for`: '90' has no unit; write 90s for seconds, 90m for minutes"),
        ("for: 5 minutes", "6:10: `for`: '5 minutes' is not a duration; write it like 90s, 5m or 1h30m"),
        ("for: -5m", "6:10: `for`: '-5m' is not a duration; write it like 90s, 5m or 1h30m"),
        ("for: [5m]", "6:10: `for` must be a text; this is a list"),
        ("for: 999999999h", "6:10: `for`: '999999999h' is too long; a duration is at most 292y"),
        (
            "keep_firing_for: 5m",
            "6:5: `keep_firing_for` is not supported by this version of stetho: an alert resolves as soon as its "
            "condition no longer holds",
        ),
        ("window: 3 of 5", "6:5: `window` is not supported by this version of stetho: use `for`"),
        # when and items
        ("when:\n  status = 'OK'", "7:14: `when`: '=' is not expected here; write == to compare; "),
        ("when: status == 'FOO'", "6:21: `when`: it is never 'FOO'; it is one of OK, WARNING, CRITICAL, UNKNOWN"),
        ("when: 'status == ''CRITICL'''", "6:22: `when`: it is never 'CRITICL'; did you mean 'CRITICAL'?"),
        ("when: \"status == 'CRITICL'\"", "6:22: `when`: it is never 'CRITICL'; did you mean 'CRITICAL'?"),
        (
            "when: |\n  status == 'OK' ||\n  status == 'CRITICL'",
            "8:17: `when`: it is never 'CRITICL'; did you mean 'CRITICAL'?",
        ),
        ("when: >\n  status == 'CRITICL'", "6:11: `when`: it is never 'CRITICL'; did you mean 'CRITICAL'?"),
        ("when: length(data.task) > 1", "6:23: `when`: there is no data.task; did you mean 'tasks'?"),
        ("when: item.state == 'FAILED'", "6:11: `when`: there is no item; "),
        ("when:\n  - a", "7:7: `when` must be a text; this is a list"),
        (
            "items: data.tasks\nlabels: {id: '{{ $item.id }}'}",
            "6:12: `items` needs a `when:`, which says what to alert on, of `item`",
        ),
        (
            "items: data.tasks\nwhen: item.state == 'FAILED'",
            '6:5: `items` needs a label that tells its items apart, such as `topic: "{{ $item.topic }}"`',
        ),
        (
            "items: data.taks\nwhen: item.state == 'FAILED'\nlabels: {id: '{{ $item.id }}'}",
            "6:17: `items`: there is no data.taks; did you mean 'tasks'?",
        ),
        (
            "items: status\nwhen: item == 'OK'\nlabels: {id: '{{ $item }}'}",
            "6:12: `items`: status is a string; `items` wants a list",
        ),
        (
            "items: data.tasks[\nwhen: item.state == 'FAILED'\nlabels: {id: '{{ $item.id }}'}",
            "6:23: `items`: it ends too early; something is still to come, or a bracket to close",
        ),
        (
            "items: data.tasks\nwhen:\nlabels: {id: '{{ $item.id }}'}",
            "6:12: `items` needs a `when:`, which says what to alert on, of `item`",
        ),
        ("items:\neach:\nlabels: {id: '{{ $item.id }}'}", "8:22: `$item` needs an `items:`"),
        ("each:\nlabels: {id: '{{ $each.id }}'}", "7:22: `$each` needs an `each:`"),
        # with
        ("with: http://c", "6:11: `with` must be a mapping, lines of `key: value`; this is a text"),
        ("with: {url: http://c, conector: a}", "6:27: there is no option `conector`; did you mean `connector`?"),
        ("with: {url: [http://c]}", "6:17: `url` takes one value, not a list"),
        ("with: {url: {a: b}}", "6:17: `url` is neither a text nor a list of texts"),
        ("with: {url: }", "6:17: `url` has no value; give it one, or leave the key out"),
        ("with: {url: c:8083}", "6:17: `url`: 'c:8083' is not an address; write it like http://host:8083"),
        ("with: {url: http://c, allow_empty: maybe}", "6:40: `allow_empty`: 'maybe' is neither true nor false"),
        (
            "with: {connector: [a]}",
            "6:5: `url` is missing: Connect REST address, such as http://connect:8083. "
            "Give it in `with:`, in `defaults:` or as STETHO_CONNECT_URL",
        ),
        ("with: {url: http://c, password: x}", "6:5: `username` is missing: a password needs a user"),
        (
            "with: {url: http://c, password_file: /nope, token: x, username: y}",
            "6:49: `token` cannot be combined with --username: give one login",
        ),
        ("with: {url: '${URL'}", "6:18: `${` is never closed; end it with }, or write $${ for a plain ${"),
        (
            "with: {url: 'http://{{ message }}'}",
            "6:28: `message` is not known in `with:`, which is read before the answer is there; it may use $each",
        ),
        (
            "with: {url: 'http://{{ $item.x }}'}",
            "6:28: `$item.x` is not known in `with:`, which is read before the answer is there; it may use $each",
        ),
        ("with: {url: 'http://{{ $each.x }}'}", "6:28: `$each` needs an `each:`"),
        # labels and annotations
        ("labels: {a-b: x}", "6:14: 'a-b' is no label name; use letters, digits and _, and begin with a letter or _"),
        ("labels: {a: [x]}", "6:17: `a` must be a text; this is a list"),
        (
            "labels: {alertname: x}",
            "6:14: stetho sets the label `alertname` itself, that is the text of `alert:`; choose another name",
        ),
        (
            "labels: {target: x}",
            "6:14: stetho sets the label `target` itself, that is the address the probe asks; choose another name",
        ),
        (
            "labels: {a: '{{ $labels.b }}'}",
            "6:21: `$labels.b`: labels are made here and cannot be read yet; use $item or $each, or write it as annotation",
        ),
        ("labels: {a: '{{ $item.b }}'}", "6:21: `$item` needs an `items:`"),
        ("labels: {a: '{{ $each.b }}'}", "6:21: `$each` needs an `each:`"),
        ("labels: {a: '{{ message'}", "6:18: `{{` is never closed; end it with }}"),
        (
            "items: data.tasks\nwhen: item.state == 'FAILED'\nlabels: {id: '{{ $item.idd }}'}",
            "8:22: there is no item.idd; did you mean 'id'?",
        ),
        (
            "annotations: {summary: 'for {{ $labels.sevrity }}'}\nlabels: {severity: critical}",
            "6:36: the alerts of this rule have no label `sevrity`; did you mean `severity`?",
        ),
        (
            "annotations:\n  summary: |\n    one\n    two {{ $value }}",
            "9:16: `$value` is not known to this version; there are message, status and fields of $labels, $item, $each",
        ),
        # each
        ("each: {pod: a}", "6:11: `each` must be a list, `[a, b]` or lines that begin with `- `; this is a mapping"),
        ("each: []", "6:11: `each` is empty, so nothing would be asked; give it entries, or leave the key out"),
        ("each: [{}]", "6:12: an entry of `each` needs a name and a value, such as {pod: orders-0}"),
        ("each: [a]", "6:12: an entry of `each` must be a mapping, lines of `key: value`; this is a text"),
        ("each: [{pod: a}, {pod: a}]", "6:22: `each` has this entry twice; take one out"),
        ("each: [{pod: }]", "6:18: `pod` is empty; give it a value, or leave the name out"),
        (
            "each: [{target: a}]",
            "6:13: stetho sets the label `target` itself, that is the address the probe asks; choose another name",
        ),
        ("each: [{pod: '${POD}'}]", "6:18: `pod`: `each` takes plain texts; templates and ${} are for `with:`"),
        ("each: [{pod: a}]\nlabels: {pod: b}", "7:14: `each` makes the label `pod` already; take one of the two out"),
        (
            "each: [{pod: a}]\nwith: {url: 'http://{{ $each.pdo }}'}",
            "7:28: no entry of `each` has `pdo`; did you mean `pod`?",
        ),
        (
            "each: [{pod: a}, {host: b}]\nwith: {url: 'http://{{ $each.pod }}'}",
            "7:28: entry 2 of `each` has no `pod`; give it one, or leave it out of all",
        ),
        (
            "each: [{pod: a}, {pod: 'b c'}]\nwith: {url: 'http://{{ $each.pod }}'}",
            "7:17: `url`: 'http://b c' has a space or control character in it",
        ),
    ],
)
def test_rules(tmp_path: Path, rule: str, said: str) -> None:
    found = mistakes(tmp_path, in_rule(rule))
    assert len(found) == 1, found
    assert found[0].startswith(said) if said.endswith(" ") else found[0] == said  # what follows is `condition`'s


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{}", ["`alert` is missing: the alert's name, such as `alert: ConnectTaskFailed`",
                "`probe` is missing: the probe to ask, such as `probe: connect`"]),
        ("{alert: A}", ["`probe` is missing: the probe to ask, such as `probe: connect`"]),
        ("{alert: A, prob: connect}", ["the key `prob` is not known here; did you mean `probe`?"]),
        ("{alert: A, probe: conect}", ["there is no probe `conect`; did you mean `connect`?"]),
        ("{alert: A, expr: up == 0}", ["`expr` is not supported by this version of stetho: ask Prometheus with "
                                       "`probe: targets` or keep this rule in Prometheus"]),
        ("{alert: A, probes: {}}", ["`probes` is not supported by this version of stetho: write one rule for each probe"]),
        ("{record: a:b, expr: up}", ["`record` is not supported by this version of stetho: recording rules stay in "
                                     "Prometheus",
                                     "`expr` is not supported by this version of stetho: ask Prometheus with "
                                     "`probe: targets` or keep this rule in Prometheus"]),
    ],
)  # fmt: skip
def test_what_a_rule_asks(tmp_path: Path, rule: str, said: list[str]) -> None:
    found = mistakes(tmp_path, f"groups: [{{name: g, rules: [{rule}]}}]")
    assert [one.split(": ", 1)[1] for one in found] == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "route: {}",
            ["1:8: `receiver` is missing: the root route names the receiver of all that no other route takes"],
        ),
        ("route: {receiver: nobody}", ["1:19: there is no receiver `nobody`; there are a, b"]),
        ("route: {receiver: a, routes: [{receiver: c}]}", ["1:42: there is no receiver `c`; there are a, b"]),
        (
            "route: {receiver: a, matchers: ['x=\"y\"'], continue: yes}",
            [
                "1:22: the root route takes every alert and has no `matchers`; write it in one of its `routes`",
                "1:43: the root route takes every alert and has no `continue`; write it in one of its `routes`",
            ],
        ),
        (
            "route: {receiver: a, routes: [{matchers: [severity]}]}",
            ["1:43: `matchers`: 'severity' is not a matcher: write label=\"value\", or with one of != =~ !~"],
        ),
        (
            "route: {receiver: a, routes: [{matchers: 'a=b'}]}",
            ["1:42: `matchers` must be a list, `[a, b]` or lines that begin with `- `; this is a text"],
        ),
        (
            "route: {receiver: a, routes: [{match: {a: b}}]}",
            ['1:32: `match` is not supported by this version of stetho: write `matchers: [severity="critical"]`'],
        ),
        ("route: {receiver: a, routes: [{continue: maybe}]}", ["1:42: `continue`: 'maybe' is neither true nor false"]),
        (
            "route: {receiver: a, group_by: [a b]}",
            ["1:33: `group_by`: 'a b' is no label name; use letters, digits and _, and begin with a letter or _"],
        ),
        ("route: {receiver: a, group_by: [x, x]}", ["1:36: `group_by` has `x` more than once; give it once"]),
        (
            "route: {receiver: a, routes: [{group_by: ['...', x]}]}",
            ["1:43: `...` stands for all labels; give it alone"],
        ),
        (
            "route: {receiver: a, group_interval: 0s}",
            ["1:38: `group_interval` must be longer than 0; write it like 30s or 5m"],
        ),
        (
            "route: {receiver: a, group_wait: 30}",
            ["1:34: `group_wait`: '30' has no unit; write 30s for seconds, 30m for minutes"],
        ),
        (
            "route: {receiver: a, mute_time_intervals: [x]}",
            ["1:22: `mute_time_intervals` is not supported by this version of stetho: routes are never mute"],
        ),
    ],
)
def test_routes(tmp_path: Path, text: str, said: list[str]) -> None:
    assert mistakes(tmp_path, f"{text}\nreceivers: [{{name: a}}, {{name: b}}]\n") == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("receivers: [{}]", "1:13: `name` is missing: the receiver's name, such as `name: oncall`"),
        ("receivers: [{name: a, apprise: 'x://y'}]", "1:32: `apprise` must be a list, `[a, b]` or lines that begin with `- `; this is a text"),
        ("receivers: [{name: a, slack_configs: []}]", "1:23: `slack_configs` is not supported by this version of stetho: write an Apprise URL: `apprise: [...]`"),
        ("receivers: [{name: a}, {name: a}]", "1:31: the receiver `a` stands at {tmp}/1.yml:1:20 already; keep one of the two"),
        ("receivers: [{name: a, apprise: ['${X}', '${X}']}]", "1:41: the receiver `a` has this destination twice; it is told once, so take one out"),
        ("receivers: [{name: a, apprise: ['s://${X']}]", "1:38: `${` is never closed; end it with }, or write $${ for a plain ${"),
        ("receivers: [{name: a, apprise: [secret]}]", "1:33: receiver `a`: this is no Apprise URL; write one like mailto://user:${PASSWORD}@host or slack://${SLACK_TOKENS}"),
        ("receivers: [{name: a, apprise: ['slak://secret/x']}]", "1:33: receiver `a`: Apprise has no slak://; did you mean slack://?"),
        ("receivers: [{name: a, apprise: ['twilio://secret']}]", "1:33: receiver `a`: Apprise does not understand what follows twilio://; see https://github.com/caronc/apprise/wiki"),
    ],
)  # fmt: skip
def test_receivers(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, text: str, said: str
) -> None:
    assert mistakes(tmp_path, text) == [said.replace("{tmp}", str(tmp_path))]
    shown = capfd.readouterr()
    assert "secret" not in shown.out + shown.err + caplog.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("defaults: {conect: {url: http://c}}", "1:12: there is no probe `conect`; did you mean `connect`?"),
        ("defaults: {connect: http://c}", "1:21: `connect` must be a mapping, lines of `key: value`; this is a text"),
        ("defaults: {connect: {uri: http://c}}", "1:22: there is no option `uri`; did you mean `url`?"),
        ("defaults: {connect: {url: c}}", "1:27: `url`: 'c' is not an address; write it like http://host:8083"),
        ("defaults: {connect: {url: '{{ $each.x }}'}}", "1:28: `defaults:` holds for all rules and takes no templates; write this in `with:`"),
    ],
)  # fmt: skip
def test_defaults(tmp_path: Path, text: str, said: str) -> None:
    assert mistakes(tmp_path, text) == [said]


def test_what_only_all_files_together_can_have_wrong(tmp_path: Path) -> None:
    first = """
defaults: {connect: {url: "http://a"}, burrow: {url: "http://b"}}
groups: [{name: g, interval: 1m, rules: [{alert: A, probe: connect}]}]
route: {receiver: r}
receivers: [{name: r}]
fallback: r
"""
    second = """
defaults: {connect: {url: "http://c"}, burrow: {url: "http://b"}}
groups: [{name: g, interval: 2m, rules: [{alert: A, probe: connect}]}]
route: {receiver: r}
receivers: [{name: r}, {name: s}]
fallback: s
"""
    assert mistakes(tmp_path, first, second) == [
        f"2.yml:2:22: the default of `url` differs from that at {tmp_path}/1.yml:2:22; defaults hold for all files",
        f"2.yml:3:17: the group `g` at {tmp_path}/1.yml:3:17 has another `interval` or `max_gap`; make them alike",
        f"2.yml:3:50: group `g` raises this alert with these labels at {tmp_path}/1.yml:3:50 already; "
        "give one of the two another name or a label",
        f"2.yml:4:1: there is a `route` at {tmp_path}/1.yml:4:1 already; all files have one together, so add to its `routes`",
        f"2.yml:5:20: the receiver `r` stands at {tmp_path}/1.yml:5:20 already; keep one of the two",
        "2.yml:6:11: another file's `fallback` is `r`; there can be only one",
    ]


def test_two_rules_that_raise_one_alert(tmp_path: Path) -> None:
    rules = """
groups:
- name: g
  labels: {team: a}
  rules:
  - {alert: A, probe: connect, with: {url: "http://a"}, labels: {severity: critical}}
  - {alert: A, probe: connect, with: {url: "http://b"}, labels: {severity: critical}}
  - {alert: A, probe: connect, with: {url: "http://a"}, labels: {severity: warning}}
  - {alert: A, probe: connect, with: {url: "http://a"}, labels: {severity: critical}, each: [{pod: a}, {pod: b}]}
  - {alert: A, probe: connect, with: {url: "http://a"}, labels: {severity: critical}, each: [{pod: b}]}
- name: h
  rules:
  - {alert: A, probe: connect, with: {url: "http://a"}, labels: {severity: critical, team: a}}
"""
    assert mistakes(tmp_path, rules) == [
        f"10:13: group `g` raises this alert with these labels at {tmp_path}/1.yml:9:13 already; "
        "give one of the two another name or a label"
    ]


def test_ten_mistakes_in_one_file_are_ten_texts(tmp_path: Path) -> None:
    text = """\
groups:
- name: orders
  interval: 60
  rules:
  - alert: ConnectTaskFailed
    probe: conect
    for: 5 minutes
  - alert: TaskFailed
    probe: connect
    with: {url: "http://connect:8083", conector: orders}
    items: data.tasks
    when: item.state == 'FAILD'
    labels: {severity: critical}
    annotations: {summary: "{{ $lables.connector }}"}
  - alert: Lag
    probe: burrow
    with: {warning: "20:10"}
    keep_firing_for: 5m
route:
  receiver: oncal
  routes: [{matchers: [severity]}]
receivers: [{name: oncall, apprise: ["${SLACK_URL"]}]
"""
    assert mistakes(tmp_path, text) == [
        "3:13: `interval`: '60' has no unit; write 60s for seconds, 60m for minutes",
        "6:12: there is no probe `conect`; did you mean `connect`?",
        "7:10: `for`: '5 minutes' is not a duration; write it like 90s, 5m or 1h30m",
        "10:40: there is no option `conector`; did you mean `connector`?",
        '11:5: `items` needs a label that tells its items apart, such as `topic: "{{ $item.topic }}"`',
        "12:25: `when`: it is never 'FAILD'; did you mean 'FAILED'?",
        "14:32: `$lables` is not known to this version; there are message, status and fields of $labels, $item, $each",
        "17:5: `url` is missing: Burrow address, such as http://burrow:8000. "
        "Give it in `with:`, in `defaults:` or as STETHO_BURROW_URL",
        "17:21: `warning`: the range '20:10' is empty: 20 is above 10",
        "18:5: `keep_firing_for` is not supported by this version of stetho: an alert resolves as soon as its "
        "condition no longer holds",
        "20:13: there is no receiver `oncal`; did you mean `oncall`?",
        "21:24: `matchers`: 'severity' is not a matcher: write label=\"value\", or with one of != =~ !~",
        "22:39: `${` is never closed; end it with }, or write $${ for a plain ${",
    ]


def test_what_is_told_of_already_is_not_told_again_as_missing(tmp_path: Path) -> None:
    assert mistakes(tmp_path, in_rule("with: {url: [a, [b]]}\nitems: [x]\nwhen: item.foo == 1")) == [
        "6:17: `url` is neither a text nor a list of texts",
        "7:12: `items` must be a text; this is a list",
    ]
    assert mistakes(tmp_path, "route: {receiver: r}", "receivers: [{name: r}") == [
        "2.yml:1:12: what opens here is never closed, or lacks a comma; end it with ] or }"
    ]
    assert mistakes(tmp_path, "route: {receiver: r}\nreceivers: [{nam: r}]") == [
        "2:14: the key `nam` is not known here; did you mean `name`?"
    ]
