import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import probes
import rules
from rules.check import identity
from rules.expand import expand_with
from rules.load import Loaded, RuleErrors, load
from rules.model import Destination
from rules.route import Matcher, Route
from rules.rule import Rule

WHOLE = """\
defaults: {connect: {url: "${CONNECT_URL}"}}
groups:
- name: orders
  interval: 1m
  max_gap: 10m
  labels: {team: orders, severity: warning, region: eu}
  rules:
  - alert: OrdersStreamsDown
    each: [{pod: orders-0}, {pod: orders-1}]
    probe: streams
    with: {exporter: "http://{{ $each.pod }}.orders:5555/metrics"}
    for: 1h30m
    labels: {severity: critical, region: ""}
    annotations: {summary: "{{ $labels.pod }}: {{ message }}", runbook_url: "https://runbooks/{{ $labels.alertname }}"}
  - alert: ConnectTaskFailed
    probe: connect
    with: {connector: [orders-sink, no, 10:20], allow_empty: yes, username: x, password_file: /run/secrets/password,
           headers_file: /run/secrets/headers}
    items: data.tasks
    when: item.state == 'FAILED'
    labels: {connector: "{{ $item.connector }}", task: "{{ $item.id }}"}
  - alert: Plain
    probe: burrow
    with: {url: "http://burrow:8000", warning: "10:20", cluster: null-cluster}
- name: none
route:
  receiver: oncall
  group_by: [alertname, team]
  routes:
  - receiver: chat
    matchers: [severity="warning", 'team=~"a|b"']
    continue: true
    group_wait: 0s
    group_interval: 1s
    repeat_interval: 1d
receivers:
- {name: oncall, apprise: ["${SLACK_URL}", "json://localhost/{{ not.a.template }}"]}
- {name: chat, apprise: ["slack://${TOKEN}/#ops"]}
- name: nobody
fallback: chat
"""


def loaded(tmp_path: Path, text: str) -> Loaded:
    (tmp_path / "rules.yml").write_text(text)
    return load([tmp_path / "rules.yml"], {})


@pytest.fixture
def whole(tmp_path: Path) -> Loaded:
    return loaded(tmp_path, WHOLE)


def test_a_rule_is_loaded_with_its_groups_labels_and_times(whole: Loaded, tmp_path: Path) -> None:
    rule = whole.rules[0]
    assert (rule.group, rule.name, rule.probe, rule.place) == (
        "orders", "OrdersStreamsDown", "streams", f"{tmp_path}/rules.yml:8",
    )  # fmt: skip
    assert (rule.for_seconds, rule.interval, rule.max_gap) == (5400.0, 60.0, 600.0)
    assert rule.each == ({"pod": "orders-0"}, {"pod": "orders-1"})
    assert (rule.items, rule.when) == (None, None)
    assert {name: template.text for name, template in rule.labels.items()} == {"team": "orders", "severity": "critical"}
    assert rule.annotations["summary"].render({"$labels": {"pod": "p"}, "message": "dead"}) == "p: dead"


def test_an_empty_label_takes_the_groups_away_as_in_prometheus(whole: Loaded) -> None:
    assert "region" not in whole.rules[0].labels
    assert "region" in whole.rules[1].labels


def test_options_stay_texts_until_they_are_expanded(whole: Loaded) -> None:
    streams, connect, burrow = whole.rules
    assert expand_with(streams.given, {}, streams.each[1]) == {"exporter": "http://orders-1.orders:5555/metrics"}
    assert expand_with(connect.given, {}) == {
        "connector": ["orders-sink", "no", "10:20"],
        "allow_empty": "yes",
        "username": "x",
        "password_file": "/run/secrets/password",
        "headers_file": "/run/secrets/headers",
    }
    assert expand_with(burrow.given, {})["warning"] == "10:20"
    assert expand_with(whole.defaults["connect"], {"CONNECT_URL": "http://c"}) == {"url": "http://c"}


def test_the_condition_of_an_item_is_loaded(whole: Loaded) -> None:
    rule = whole.rules[1]
    assert rule.items is not None
    assert rule.when is not None
    assert (rule.items.text, rule.when.text) == ("data.tasks", "item.state == 'FAILED'")
    assert rule.each == ({},)


def test_the_route_is_loaded(whole: Loaded) -> None:
    assert whole.route == Route(
        receiver="oncall",
        group_by=("alertname", "team"),
        routes=(
            Route(
                receiver="chat",
                matchers=(Matcher("severity", "=", "warning"), Matcher("team", "=~", "a|b")),
                group_wait=0.0,
                group_interval=1.0,
                repeat_interval=86400.0,
                continue_=True,
            ),
        ),
    )


def test_receivers_keep_their_texts_as_they_were_written(whole: Loaded) -> None:
    assert list(whole.receivers) == ["oncall", "chat", "nobody"]
    assert whole.receivers["oncall"].destinations == (
        Destination("oncall", "${SLACK_URL}"),
        Destination("oncall", "json://localhost/{{ not.a.template }}"),
    )
    assert whole.receivers["nobody"].destinations == ()
    assert whole.fallback == "chat"


def test_files_without_rules_are_well(tmp_path: Path) -> None:
    assert load([tmp_path], {}) == Loaded()
    assert loaded(tmp_path, "groups: []").rules == ()
    assert loaded(tmp_path, "groups:\nreceivers: ~\n").rules == ()


def test_a_folder_gives_its_rule_files_in_order_each_once(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yaml", "c.txt", ".hidden.yml"):
        (tmp_path / name).write_text(f"groups: [{{name: {name[0]}}}]" if name[0] != "." else "broken: [")
    (tmp_path / "folder.yml").mkdir()
    (tmp_path / "link.yml").symlink_to("b.yml")
    found = load([tmp_path / "b.yml", tmp_path, str(tmp_path / "a.yaml")], {})
    assert found.files == (f"{tmp_path}/b.yml", f"{tmp_path}/a.yaml")


def test_a_mounted_config_map_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026" / "rules.yml").write_text("groups: []")
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "rules.yml").symlink_to("..data/rules.yml")
    assert load([tmp_path], {}).files == (f"{tmp_path}/rules.yml",)


RULE = "groups: [{name: g, rules: [{alert: A, probe: connect, with: {%s}}]}]"


def test_a_required_option_may_come_from_with_or_defaults_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(RULE % "")
    assert load([file], {"STETHO_CONNECT_URL": "http://c"}).rules
    with pytest.raises(RuleErrors):
        load([file], {"STETHO_CONNECT_URL": ""})
    with pytest.raises(RuleErrors):
        load([file], {"STETHO_BURROW_URL": "http://c"})
    assert loaded(tmp_path, RULE % "url: '${URL}'").rules
    assert loaded(tmp_path, "defaults: {connect: {url: '${URL}'}}\n" + RULE % "").rules


def test_defaults_of_one_file_hold_for_the_rules_of_another(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(RULE % "")
    (tmp_path / "b.yml").write_text("defaults: {connect: {url: http://c}}")
    (tmp_path / "c.yml").write_text("defaults: {connect: {url: http://c, allow_empty: true}}")
    found = load([tmp_path], {})
    assert len(found.rules) == 1
    assert expand_with(found.defaults["connect"], {}) == {"url": "http://c", "allow_empty": "true"}


def test_a_variable_that_is_not_set_is_no_mistake_of_the_file(tmp_path: Path) -> None:
    assert loaded(tmp_path, RULE % "url: '${NOPE}', token_file: '${file:/nope}'").rules


def test_options_that_contradict_each_other_only_by_environment_are_the_sweeps_to_tell(tmp_path: Path) -> None:
    assert loaded(tmp_path, RULE % "url: 'http://c', token: '${TOKEN}', username: x").rules


def test_an_anchor_carries_what_rules_share(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        """
groups:
- name: g
  rules:
  - &rule
    alert: A
    probe: connect
    with: {url: "http://a"}
    labels: {severity: critical}
  - <<: *rule
    with: {url: "http://b"}
""",
    ).rules
    assert [expand_with(rule.given, {})["url"] for rule in found] == ["http://a", "http://b"]


def test_the_address_is_part_of_what_an_alert_is_known_by(tmp_path: Path) -> None:
    def one(url: str) -> Rule:
        return loaded(tmp_path, RULE % f"url: '{url}'").rules[0]

    assert identity(one("http://a"), {}) == identity(one("http://a"), {})
    assert identity(one("http://a"), {}) != identity(one("http://b"), {})
    assert identity(one("http://a"), {}) != identity(one("http://a"), {"pod": "x"})


def test_secrets_show_in_no_repr(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        """
defaults: {connect: {url: http://c, username: u, password: s3cr3t}}
receivers: [{name: r, apprise: ["slack://s3cr3t"]}]
groups: [{name: g, rules: [{alert: A, probe: connect, with: {token: s3cr3t}}]}]
""".replace("with: {token: s3cr3t}", "with: {password: s3cr3t}"),
    )
    assert "s3cr3t" not in repr(found)


KEYS = ["groups", "name", "rules", "alert", "probe", "with", "items", "when", "for", "labels", "annotations", "each"]
MORE = ["route", "routes", "receiver", "receivers", "apprise", "matchers", "group_by", "fallback", "defaults", "url"]
WORDS = ["", "connect", "burrow", "data.tasks", "item.state == 'FAILED'", "{{ $item.id }}", "${X}", "5m", "a", "?"]
DOCUMENTS = st.recursive(
    st.sampled_from([*WORDS, None, "{{", "${", "http://c"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*KEYS, *MORE, *WORDS]), inner, max_size=6)
    ),
    max_leaves=20,
)


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_whatever_a_file_holds_the_answer_is_rules_or_mistakes(rule: object, group: object, top: object) -> None:
    """Where a shape is right so far, what hangs below it may be anything."""
    whole = {
        "groups": [{"name": "g", "rules": [rule, {"alert": "A", "probe": "connect", "labels": rule, "each": group}]}]
    }
    for document in (whole, top, {"groups": group}, {"route": rule, "receivers": group, "defaults": {"connect": top}}):
        load_text(json.dumps(document))


@given(st.integers(0, len(WHOLE)), st.integers(0, 12), st.text("{}[]:-'\"*&!|$ \nab5.", max_size=4))
def test_whatever_is_mistyped_the_answer_is_rules_or_mistakes(at: int, gone: int, typed: str) -> None:
    load_text(WHOLE[:at] + typed + WHOLE[at + gone :])


def load_text(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(RuleErrors):
        file = Path(folder, "rules.yml")
        file.write_text(text)
        load([file], {})


def test_a_sweep_does_not_pay_for_apprise(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(WHOLE)
    code = f"import sys; from rules.load import load; load([{str(tmp_path)!r}], {{}}); print('apprise' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout == "False\n"


def test_a_new_probes_options_are_checked_without_more_ado(tmp_path: Path) -> None:
    """A probe file that is dropped into `probes/` is all there is to add."""
    for package in (probes, rules):
        shutil.copytree(package.__path__[0], tmp_path / package.__name__)
    (tmp_path / "probes" / "my_disk.py").write_text('''"""A disk: it has room."""
from probes.kit.options import OptionSet, Url, option
ASKS = "itself"
class Options(OptionSet):
    url: Url = option(help="Where it is.")
    per_cent: int = option(default=10, help="Room that is enough.")
EXAMPLE = {"disks": [{"name": "sda", "free": 12}]}
def probe(o, net): ...
''')
    (tmp_path / "rules.yml").write_text("""
groups: [{name: g, rules: [{alert: A, probe: my-disk, when: data.disk, with: {url: http://c, per_cent: x}}]}]
""")
    code = "from rules.load import load, RuleErrors\ntry: load(['rules.yml'], {})\nexcept RuleErrors as e: print(e)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "rules.yml:2:66: `when`: there is no data.disk; did you mean 'disks'?",
        "rules.yml:2:104: `per_cent`: 'x' is not a whole number",
    ]
