"""What is owed: a row for each rule, then a model that lets sends fail, processes die and receivers change."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.kit.condition import Verdict
from rules.model import Alert, Destination, Ending, EpisodeKey, Failure, Notice, Receiver, State, Tick, Told
from rules.route import Route, Routing, parse_matchers
from rules.state import Sighting, step
from rules.told import Owed, attempt_rows, owed, told_rows

NOW = 1_767_348_000.0
MINUTE = 60.0
CHAT, MAIL, SMS = Destination("ops", "slack://a"), Destination("ops", "mailto://b"), Destination("duty", "twilio://c")


RECEIVERS = {"ops": ["slack://a"], "duty": ["twilio://c"], "back": ["mailto://back"]}


def routing(*routes: Route, root: Route | None = None, **receivers: list[str]) -> Routing:
    return declared(receivers or RECEIVERS, root or Route("ops", group_by=("alertname",), routes=routes))


def declared(receivers: Mapping[str, list[str]], root: Route) -> Routing:
    made = {name: Receiver(name, tuple(Destination(name, url) for url in urls)) for name, urls in receivers.items()}
    return Routing(root, made, "back")


def alert(name: str = "Down", *, age: float = 0.0, ended: float | None = None, pod: str = "0") -> Alert:
    """Firing for `age` seconds, or ended so many seconds ago."""
    firing = Alert(
        "orders",
        {"alertname": name, "pod": pod},
        "i",
        State.FIRING,
        {"summary": f"{name} of {pod}"},
        "",
        started_at=NOW - age,
        fired_at=NOW - age,
        last_firing_at=NOW,
    )
    if ended is None:
        return firing
    return replace(
        firing,
        state=State.RESOLVED,
        last_firing_at=NOW - ended - MINUTE,
        ended_at=NOW - ended,
        ending=Ending.RESOLVED,
    )


def told(one: Alert, *, ago: float = 0.0, to: Destination = CHAT, state: State = State.FIRING, key: str = "") -> Told:
    group_key = key or f'{{}}:{{alertname="{one.name}"}}'
    return Told(to.id, one.key, state, NOW - ago, group_key, to.receiver, one.labels, f"{one.name} as told")


def owe(
    alerts: Iterable[Alert] = (),
    rows: Iterable[Told] = (),
    where: Routing | None = None,
    failures: Iterable[Failure] = (),
    *,
    sweep: int = 1,
    forgiven: float = 0.0,
) -> Owed:
    return owed(alerts, rows, failures, where or routing(), now=NOW, sweep=sweep, forgiven=forgiven)


def shown(notices: Iterable[Notice]) -> list[tuple[str, list[str], list[str], bool]]:
    return [
        (
            one.destination.text,
            [f"{alert.name}/{alert.labels['pod']}" for alert in one.firing],
            [f"{ended.alert.name}/{ended.alert.labels['pod']}" for ended in one.ended],
            one.due,
        )
        for one in notices
    ]


WAITS = Route("ops", group_by=("alertname",), group_wait=30.0)


@pytest.mark.parametrize(
    ("age", "root", "forgiven", "due"),
    [
        (0, None, 0, True),  # group_wait is 0s unless it is set
        (0, WAITS, 0, False),
        (29, WAITS, 0, False),
        (30, WAITS, 0, True),
        (0, WAITS, 30, False),  # half an interval is not forgiven
        (1, WAITS, 30, True),
        (-3600, WAITS, 0, True),  # the clock was set back: nobody waits for it to catch up
    ],
)
def test_a_new_group_is_told_after_its_group_wait(age: float, root: Route | None, forgiven: float, due: bool) -> None:
    notices = owe([alert(age=age)], (), routing(root=root), forgiven=forgiven).notices
    assert shown(notices) == [("slack://a", ["Down/0"], [], due)]
    assert notices[0].page
    assert notices[0].group_key == '{}:{alertname="Down"}'


def test_a_group_waits_for_its_first_alert_and_tells_all_that_fire() -> None:
    first, second = alert(age=30), alert(age=0, pod="1")
    assert shown(owe([first, second], (), routing(root=WAITS)).notices) == [
        ("slack://a", ["Down/0", "Down/1"], [], True)
    ]


@pytest.mark.parametrize(("ago", "forgiven", "due"), [(299, 0, False), (300, 0, True), (271, 30, True), (-60, 0, True)])
def test_news_of_a_group_already_told_waits_for_group_interval(ago: float, forgiven: float, due: bool) -> None:
    old, new = alert(age=900), alert(age=400, pod="1")
    assert shown(owe([old, new], [told(old, ago=ago)], forgiven=forgiven).notices) == [
        ("slack://a", ["Down/0", "Down/1"], [], due)
    ]


@pytest.mark.parametrize(("ago", "due"), [(299, False), (300, True)])
def test_an_all_clear_waits_for_group_interval(ago: float, due: bool) -> None:
    over = alert(age=900, ended=0)
    done = owe([over], [told(over, ago=ago)])
    assert shown(done.notices) == [("slack://a", [], ["Down/0"], due)]
    assert done.keep == {over.key}  # due or not
    assert not done.notices[0].page


def test_a_message_carries_what_still_fires_and_what_has_ended() -> None:
    over, still = alert(age=900, ended=0), alert(age=900, pod="1")
    (notice,) = owe([over, still], [told(over, ago=300), told(still, ago=300)]).notices
    assert shown([notice]) == [("slack://a", ["Down/1"], ["Down/0"], True)]
    rows = told_rows(notice, NOW)
    assert [(row.episode, row.state, row.at, row.summary) for row in rows] == [
        (still.key, State.FIRING, NOW, "Down of 1"),
        (over.key, State.RESOLVED, NOW, "Down as told"),
    ]
    assert {(row.destination, row.receiver, row.group_key) for row in rows} == {
        (CHAT.id, "ops", '{}:{alertname="Down"}')
    }


def test_an_end_and_the_next_fire_of_the_same_labels_are_both_told() -> None:
    over, again = alert(age=900, ended=60), alert(age=0)
    (notice,) = owe([over, again], [told(over, ago=300)]).notices
    assert shown([notice]) == [("slack://a", ["Down/0"], ["Down/0"], True)]


def test_groups_are_told_apart() -> None:
    assert shown(owe([alert("Down"), alert("Slow")]).notices) == [
        ("slack://a", ["Down/0"], [], True),
        ("slack://a", ["Slow/0"], [], True),
    ]


@pytest.mark.parametrize(
    ("ago", "repeated"), [(4 * 3600 - 1, False), (4 * 3600, True), (-1, True)]
)  # -1: the clock was set back
def test_what_fires_and_was_told_is_told_again_after_repeat_interval(ago: float, repeated: bool) -> None:
    old = alert(age=86400)
    notices = owe([old], [told(old, ago=ago)]).notices
    assert [(one.repeat, one.due) for one in notices] == ([(True, True)] if repeated else [])


def test_a_repeat_interval_below_group_interval_is_group_interval_as_in_alertmanager() -> None:
    old, root = alert(age=86400), Route("ops", group_by=("alertname",), repeat_interval=60.0)
    assert not owe([old], [told(old, ago=299)], routing(root=root)).notices
    assert owe([old], [told(old, ago=300)], routing(root=root)).notices


def test_pending_alerts_are_nobodys_business() -> None:
    assert owe([replace(alert(), state=State.PENDING, fired_at=None)]) == Owed((), ())


def test_an_end_goes_to_whoever_was_told_though_no_route_leads_there() -> None:
    over = alert(age=900, ended=0)
    where = routing(ops=[], duty=["twilio://c"], back=[])
    (notice,) = owe([over], [told(over, ago=900, to=SMS)], where).notices
    assert shown([notice]) == [("twilio://c", [], ["Down/0"], True)]


def test_a_page_that_may_have_arrived_is_sent_again_while_it_fires_and_cleared_when_it_has_ended() -> None:
    where = routing(root=Route("duty"))
    fire, over = alert(age=60), alert(age=60, ended=0)
    (page,) = owe([fire], (), where).notices
    (attempt,) = attempt_rows(page, (), NOW - 400)
    assert (attempt.state, attempt.summary) == (State.PENDING, "Down of 0")
    assert owe([fire], [attempt], where).notices == (page,)
    (clear,) = owe([over], [attempt], where).notices
    assert (clear.destination, clear.due, clear.ended[0].told) == (SMS, True, (attempt,))


def test_an_attempt_says_nothing_of_what_was_told_before() -> None:
    old, new = alert(age=900), alert(pod="1")
    row = told(old, ago=900)
    (page,) = owe([old, new], [row]).notices
    assert [one.episode for one in attempt_rows(page, {(row.destination, row.episode)}, NOW)] == [new.key]


def test_a_changed_group_by_tells_nobody_twice() -> None:
    old = alert(age=900)
    assert not owe([old], [told(old, ago=600, key="{}:{}")]).notices
    (repeat,) = owe([old], [told(old, ago=14400, key="{}:{}")]).notices
    assert (repeat.repeat, repeat.group_key) == (True, '{}:{alertname="Down"}')


def test_an_end_whose_alert_is_no_longer_stored_is_told_all_the_same() -> None:
    lost = alert(age=900)
    (notice,) = owe([], [told(lost, ago=900)]).notices
    (ended,) = notice.ended
    assert (ended.alert.key, ended.alert.ending, ended.alert.ended_at) == (lost.key, Ending.UNWATCHED, NOW)
    assert told_rows(notice, NOW)[0].summary == "Down as told"


GONE = Destination("ops", "slack://old")


@pytest.mark.parametrize(
    ("receivers", "heirs"),
    [
        ({"ops": ["slack://a", "mailto://b"], "back": ["mailto://back"]}, ["slack://a", "mailto://b"]),
        ({"ops": [], "back": ["mailto://back"]}, ["mailto://back"]),
        ({"back": ["mailto://back"]}, ["mailto://back"]),
        ({"other": ["mailto://x"]}, []),
    ],
)
def test_a_destination_that_has_gone_leaves_its_all_clears_to_others(
    receivers: dict[str, list[str]], heirs: list[str]
) -> None:
    over = alert(age=900, ended=0)
    row = told(over, ago=900, to=GONE)
    done = owe([over], [row], declared(receivers, Route("ops")))
    assert shown(done.notices) == [(heir, [], ["Down/0"], True) for heir in heirs]
    assert all(notice.ended[0].told == (row,) for notice in done.notices)
    assert done.dropped == (() if heirs else (row,))


def test_heirs_that_were_told_themselves_are_told_the_end_once() -> None:
    over, where = alert(age=900, ended=0), routing(ops=["slack://a", "mailto://b"], back=["mailto://back"])
    gone = told(over, ago=900, to=GONE, key="{}:{}")
    own = told(over, ago=900)
    first = owe([over], [gone, own], where)
    assert [(one.destination, one.ended[0].told) for one in first.notices] == [(CHAT, (own, gone)), (MAIL, (gone,))]
    (cleared,) = told_rows(first.notices[0], NOW)
    second = owe([over], [gone, cleared], where)  # the mail did not get through
    assert [one.destination for one in second.notices] == [MAIL]
    third = owe([over], [gone, cleared, *told_rows(second.notices[0], NOW)], where)
    assert (third.notices, third.keep, third.dropped) == ((), set(), (gone,))


def test_a_gone_destination_of_an_alert_that_still_fires_keeps_its_row() -> None:
    still = alert(age=900)
    assert owe([still], [told(still, to=GONE), told(still)]) == Owed((), ())


@pytest.mark.parametrize(
    ("url", "fired", "last", "group_wait", "late"),
    [
        ("slack://a", 600, 300, 0, True),
        ("mailto://a", 600, 300, 0, True),
        ("${URL}", 600, 300, 0, True),
        ("twilio://a", 600, 300, 0, False),  # nobody is woken by what is over
        ("pagerduty://a", 600, 300, 0, False),
        ("slack://a", 600, 600, 0, True),  # one sweep saw it
        ("slack://a", 600, 600, 30, False),  # it ended within group_wait: it never was due
        ("slack://a", 600, 570, 30, True),
        ("slack://a", 600, 700, 30, True),  # the clock was set back meanwhile
    ],
)
def test_what_fired_and_ended_untold_is_told_once_late(
    url: str, fired: float, last: float, group_wait: float, late: bool
) -> None:
    over = replace(alert(age=fired, ended=0), last_firing_at=NOW - last)
    where = routing(root=Route("ops", group_wait=group_wait), ops=[url])
    done = owe([over], (), where)
    assert [(one.due, one.ended[0].told) for one in done.notices] == ([(True, ())] if late else [])
    assert done.keep == ({over.key} if late else set())
    for notice in done.notices:
        assert not owe([over], told_rows(notice, NOW), where).notices


def test_a_late_notice_joins_its_group() -> None:
    old, over = alert(age=900), alert(age=200, ended=60, pod="1")
    assert shown(owe([old, over], [told(old, ago=240)]).notices) == [("slack://a", ["Down/0"], ["Down/1"], False)]
    assert shown(owe([old, over], [told(old, ago=300)]).notices) == [("slack://a", ["Down/0"], ["Down/1"], True)]


def test_an_end_told_here_and_owed_there_is_not_told_here_again() -> None:
    over, where = alert(age=900, ended=0), routing(ops=["slack://a", "mailto://b"])
    rows = [told(over, state=State.RESOLVED), told(over, ago=900, to=MAIL)]
    done = owe([over], rows, where)
    assert [one.destination for one in done.notices] == [MAIL]
    assert done.keep == {over.key}


def test_an_alert_that_reaches_a_destination_by_two_routes_is_told_there_once() -> None:
    twice = (Route("ops", parse_matchers("pod=0"), continue_=True), Route("ops", parse_matchers("pod=~.*")))
    (notice,) = owe([alert()], (), routing(*twice)).notices
    assert notice.group_key == '{}/{pod="0"}:{alertname="Down"}'


@pytest.mark.parametrize(
    ("count", "sweeps", "ago", "due"),
    [
        (4, 1, 60, True),  # a failed send is due again at the next sweep
        (5, 1, 60, False),
        (5, 2, 120, True),
        (6, 2, 120, False),
        (6, 3, 180, True),
        (9, 16, 899, False),
        (9, 17, 899, True),
        (9, 2, 900, True),  # at most 15 minutes
        (10000, 2, 120, False),
        (10000, 2, 900, True),
        (9, 2, -60, True),  # the clock was set back
    ],
)
def test_a_notice_that_keeps_failing_skips_one_sweep_then_two_then_four(
    count: int, sweeps: int, ago: float, due: bool
) -> None:
    failure = Failure(CHAT.id, '{}:{alertname="Down"}', count, NOW - ago, 100, False, "HTTP 500")
    (notice,) = owe([alert(age=60)], (), None, [failure], sweep=100 + sweeps).notices
    assert notice.due is due


def test_a_failure_holds_back_no_other_group_and_no_other_destination() -> None:
    failures = [
        Failure(CHAT.id, '{}:{alertname="Slow"}', 9, NOW, 1, False, ""),
        Failure(MAIL.id, '{}:{alertname="Down"}', 9, NOW, 1, False, ""),
    ]
    (notice,) = owe([alert()], (), None, failures).notices
    assert notice.due


@dataclass
class World:
    """A sweep's store and its destinations' inboxes."""

    where: Routing
    live: dict[str, Alert] = field(default_factory=dict)
    ended: dict[EpisodeKey, Alert] = field(default_factory=dict)
    rows: dict[tuple[str, EpisodeKey], Told] = field(default_factory=dict)
    failures: dict[tuple[str, str], Failure] = field(default_factory=dict)
    inbox: list[tuple[str, Notice]] = field(default_factory=list)
    in_flight: list[tuple[str, Notice]] = field(default_factory=list)  # delivered, and it was not noted
    sweeps: int = 0

    @property
    def now(self) -> float:
        return NOW + self.sweeps * MINUTE

    def owed(self) -> Owed:
        alerts = [*self.live.values(), *self.ended.values()]
        return owed(
            alerts,
            self.rows.values(),
            self.failures.values(),
            self.where,
            now=self.now,
            sweep=self.sweeps,
            forgiven=MINUTE / 2,
        )

    def sweep(self, met: Sequence[bool], luck: Iterable[str]) -> None:
        self.sweeps += 1
        for pod, one in enumerate(met):
            self._step(str(pod), Verdict.MET if one else Verdict.NOT_MET)
        due = [notice for notice in self.owed().notices if notice.due]
        for notice, fate in zip(due, luck, strict=False):
            self._send(notice, fate)
            if fate in ("crash", "lost"):
                return
        self._prune()

    def _step(self, pod: str, verdict: Verdict) -> None:
        seen = Sighting("orders", {"alertname": "Down", "pod": pod}, {}, "down", "i", verdict)
        after = step(self.live.pop(pod, None), seen, 0, Tick(self.now, MINUTE, MINUTE))
        if after and after.state is State.RESOLVED:
            self.ended[after.key] = after
        elif after:
            self.live[pod] = after

    def _send(self, notice: Notice, fate: str) -> None:
        where = notice.destination.id
        attempt = attempt_rows(notice, self.rows.keys(), self.now)
        if fate == "refused":
            before = self.failures.get((where, notice.group_key))
            count = before.count + 1 if before else 1
            failure = Failure(where, notice.group_key, count, self.now, self.sweeps, False, "")
            self.failures[where, notice.group_key] = failure
            return
        if fate == "lost":  # dead before it was delivered
            self.rows |= {(row.destination, row.episode): row for row in attempt}
            return
        self._check(notice)
        self.inbox.append((where, notice))
        if fate in ("crash", "unsure"):
            self.in_flight.append((where, notice))
            self.rows |= {(row.destination, row.episode): row for row in attempt}
            return
        self.rows |= {(row.destination, row.episode): row for row in told_rows(notice, self.now)}
        self.failures = {key: failure for key, failure in self.failures.items() if key[0] != where}

    def _check(self, notice: Notice) -> None:
        """Nobody is told of nothing new."""
        where = notice.destination.id
        rows = {key: row for key, row in self.rows.items() if row.state is not State.PENDING}
        news = [one for one in notice.firing if (where, one.key) not in rows]
        assert news or notice.ended or notice.repeat
        for ended in notice.ended:
            row = self.rows.get((where, ended.alert.key))
            assert row is None or row.state is not State.RESOLVED
            if not ended.told:
                assert row is None
                assert notice.destination.scheme != "twilio"

    def _prune(self) -> None:
        done = self.owed()
        dropped = {(row.destination, row.episode) for row in done.dropped}
        finished = self.ended.keys() - done.keep
        self.ended = {key: one for key, one in self.ended.items() if key in done.keep}
        self.rows = {key: row for key, row in self.rows.items() if key not in dropped and row.episode not in finished}


def _ends(inbox: Iterable[tuple[str, Notice]]) -> Counter[tuple[str, EpisodeKey]]:
    return Counter((where, one.alert.key) for where, notice in inbox for one in notice.ended)


SENDS = st.lists(
    st.sampled_from(["fine", "fine", "fine", "refused", "unsure", "crash", "lost"]), min_size=4, max_size=4
)
SWEEPS = st.lists(st.tuples(st.lists(st.booleans(), min_size=3, max_size=3), SENDS, st.booleans()), max_size=25)
URLS = [["slack://a", "mailto://b"], ["mailto://b", "slack://new"]]


@settings(max_examples=200)
@given(SWEEPS, st.sampled_from([0.0, 90.0]), st.sampled_from([1.0, 300.0]), st.sampled_from([(), ("pod",)]))
def test_whoever_was_told_of_a_fire_is_told_of_its_end_once(
    sweeps: list[tuple[list[bool], list[str], bool]], wait: float, interval: float, group_by: tuple[str, ...]
) -> None:
    duty = Route("duty", parse_matchers("pod=~0|1"), continue_=True)
    rest = Route("ops")
    root = Route("ops", group_by=group_by, group_wait=wait, group_interval=interval, routes=(duty, rest))
    wheres = [routing(root=root, ops=urls, duty=["twilio://c"], back=["mailto://back"]) for urls in URLS]
    world, current, episodes = World(wheres[0]), 0, dict[EpisodeKey, Alert]()
    for met, luck, change in sweeps:
        current = current ^ change
        world.where = wheres[current]
        world.sweep(met, luck)
        episodes |= {one.key: one for one in [*world.live.values(), *world.ended.values()]}
    for _ in range(25):  # all is well and everything arrives; longer than any back-off and any interval
        world.sweep([False] * 3, ["fine"] * 20)
        episodes |= {one.key: one for one in world.ended.values()}

    assert world.owed() == Owed((), ())
    assert not world.ended
    assert not world.rows
    fires = {(where, one.key) for where, notice in world.inbox for one in notice.firing}
    ends, repeated = _ends(world.inbox), _ends(world.in_flight)
    lasting = {one.id for one in (MAIL, SMS)}  # in every version of the files
    assert {one for one in fires if one[0] in lasting} <= ends.keys()
    assert {episode for _, episode in fires} <= {episode for _, episode in ends}
    assert all(count <= 1 + repeated[end] for end, count in ends.items())
    if not any(change for _, _, change in sweeps):
        assert fires <= ends.keys()
    for episode, one in episodes.items():  # and nothing that lasted was never told
        lasted = (one.last_firing_at or 0.0) - (one.fired_at or 0.0) > wait - MINUTE / 2
        assert not lasted or (MAIL.id, episode) in ends
