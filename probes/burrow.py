"""Burrow: every consumer group keeps up, by Burrow's own verdict and by its lag."""

from probes.kit.burrow import STATUSES, read_group, read_names
from probes.kit.example import one_of
from probes.kit.finding import cut, naming, sentence
from probes.kit.options import Choice, Duration, OptionError, Range, Url, option
from probes.kit.rest import HttpOptions, quote
from probes.kit.result import ProbeError, Result, Status, worst

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from probes.kit.finding import Finding
    from probes.kit.net import Net

    Item = dict[str, Any]

ASKS = "others"

NOTFOUND = {"unknown": Status.UNKNOWN, "ok": Status.OK, "warning": Status.WARNING, "critical": Status.CRITICAL}


class Options(HttpOptions):
    url: Url = option(help="Burrow address, such as http://burrow:8000.")
    cluster: str | None = option(default=None, help="Burrow's name of the cluster. Default: the only one it watches.")
    group: list[str] = option(default=(), help="Only this group; may be repeated. Default: all but Burrow's burrow-*.")
    group_regex: str | None = option(default=None, help="Only groups whose whole name matches, but for burrow-*.")
    warning: Range | None = option(default=None, help="WARNING when a group's total lag is outside this range.")
    critical: Range | None = option(default=None, help="CRITICAL when a group's total lag is outside this range.")
    per_partition: bool = option(
        default=False, help="--warning and --critical judge the lag of each partition, not the group's total."
    )
    notfound: Choice = option(
        default="unknown", choices=tuple(NOTFOUND), help="What a group means that Burrow does not know."
    )
    max_age: Duration | None = option(
        default=None, help="UNKNOWN when a group's newest commit is older. An idle topic looks the same."
    )

    def check(self) -> None:
        super().check()
        if self.group and self.group_regex is not None:
            raise OptionError("group_regex", "cannot be combined with --group: name groups or match them")
        if self.per_partition and self.warning is None and self.critical is None:
            raise OptionError("per_partition", "needs --warning or --critical: it says what they judge")
        if self.group_regex is not None:
            compiled(self.group_regex)


EXAMPLE_GROUP = {
    "name": "orders",
    "status": one_of(("OK", "WARN", "ERR", "NOTFOUND")),
    "total_lag": 32,
    "worst_lag": 19,
    "complete": 1.0,
    "last_commit_age_seconds": 4.2,
}
EXAMPLE = {
    "cluster": "local",
    "groups": [EXAMPLE_GROUP],
    "partitions": [
        {
            "group": "orders",
            "topic": "orders",
            "partition": 2,
            "status": one_of(tuple(STATUSES)),
            "lag": 19,
            "complete": 1.0,
            "owner": "10.0.0.9",
            "client_id": "orders-1",
            "last_commit_age_seconds": 4.2,
        }
    ],
}


def probe(o: Options, net: "Net") -> Result:
    request = o.get(o.url.below("v3/kafka"))
    clusters = read_names(net, request, "clusters")
    if o.cluster is None and len(clusters) != 1:
        have = (
            f"watches {cut(', '.join(clusters))}: choose one with --cluster"
            if clusters
            else "watches no cluster at all"
        )
        raise ProbeError(f"Burrow at {o.url.shown} {have}")
    cluster = clusters[0] if o.cluster is None else o.cluster
    if cluster not in clusters:
        message = f"Burrow knows no cluster {cluster!r}; it watches {cut(', '.join(clusters)) or 'none'}"
        return Result(Status.CRITICAL, message, o.url.shown, None)
    answers = [ask_group(o, net, cluster, group) for group in chosen(o, net, cluster)]
    groups = [group for group, _ in answers]
    findings = [finding for group, partitions in answers for finding in judge(o, len(groups), group, partitions)]
    return Result(
        worst([Status.OK, *(finding[0] for finding in findings)]),
        sentence(findings) or well(groups),
        o.url.shown,
        {"cluster": cluster, "groups": groups, "partitions": [item for _, items in answers for item in items]},
    )


def well(groups: "list[Item]") -> str:
    most = max(groups, key=lambda group: group["total_lag"] or 0)
    return f"{len(groups)} of {len(groups)} groups OK, the largest lag is {most['total_lag']} ({most['name']})"


def chosen(o: Options, net: "Net", cluster: str) -> list[str]:
    """The groups to judge. Burrow counts itself among them, as `burrow-*`, often with a huge lag (since 1.3.0)."""
    if o.group:
        return list(dict.fromkeys(o.group))
    known = read_names(net, o.get(o.url.below(f"v3/kafka/{quote(cluster)}/consumer")), "consumers")
    found = sorted(name for name in known if not name.startswith("burrow-"))
    if o.group_regex is not None:
        found = [name for name in found if compiled(o.group_regex).fullmatch(name)]
    if not found:
        which = f"none of {len(known)} groups matches {o.group_regex!r}" if o.group_regex else "there are no groups"
        raise ProbeError(f"Burrow at {o.url.shown}, cluster {cluster}: {which}")
    return found


def compiled(text: str) -> "Any":
    import re  # 4 ms; only who asks for it pays

    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise OptionError("group_regex", f"{text!r} is not a regular expression: {error}") from None


def ask_group(o: Options, net: "Net", cluster: str, name: str) -> "tuple[Item, list[Item]]":
    """One group and all of its partitions: `/lag` has them all, `/status` only those that are not OK."""
    if not fits_an_address(name):  # one such group must not hide the others
        return dict.fromkeys(EXAMPLE_GROUP) | {"name": name}, []
    request = o.get(o.url.below(f"v3/kafka/{quote(cluster)}/consumer/{quote(name)}/lag"))
    group, partitions = read_group(net, request, name)
    if is_stale(o, group):
        for item in (group, *partitions):
            item["status"] = None if item["status"] in ("OK", "WARN") else item["status"]
    return group, partitions


def fits_an_address(name: str) -> bool:
    """Burrow's router takes no escaped slash, and what an address says twice or with dots it asks otherwise."""
    return "/" not in name and name not in ("", ".", "..")


def is_stale(o: Options, group: "Item") -> bool:
    """Burrow goes on saying OK when it has lost its brokers. Other words are of a group that is in trouble already.

    A group's commits all live in one partition of __consumer_offsets, so they go stale together: the newest tells.
    """
    newest = group["last_commit_age_seconds"]
    return o.max_age is not None and (newest is None or newest > o.max_age)


def judge(o: Options, count: int, group: "Item", partitions: "list[Item]") -> "Iterator[Finding]":
    name, of_all = group["name"], f"of {count} groups"
    if group["status"] == "NOTFOUND":
        yield NOTFOUND[o.notfound], f"{of_all} NOTFOUND", name, ""
        return
    if not partitions:
        why = "" if fits_an_address(name) else "it cannot be asked about such a name"
        yield Status.UNKNOWN, f"{of_all} of which Burrow knows no partition", name, why
        return
    if is_stale(o, group):
        newest = group["last_commit_age_seconds"]
        age = "none seen" if newest is None else f"the last {Duration(round(newest))} ago"
        yield Status.UNKNOWN, f"{of_all} without a commit for {o.max_age}", name, age
    if group["status"] is not None or not is_stale(o, group):
        yield from judge_status(group, partitions, of_all)
    for status, wanted in ((Status.WARNING, o.warning), (Status.CRITICAL, o.critical)):
        if wanted is not None:
            yield from judge_lag(o, status, wanted, of_all, group, partitions)


def judge_status(group: "Item", partitions: "list[Item]", of_all: str) -> "Iterator[Finding]":
    bad = sorted((part for part in partitions if part["status"] != "OK"), key=lambda part: part["status"] is None)
    why = f"{len(bad)} of {len(partitions)} partitions: {naming([described(part) for part in bad])}" if bad else ""
    if group["status"] is None:
        yield Status.UNKNOWN, f"{of_all} ERR by windows not yet full", group["name"], why
    elif group["status"] not in STATUSES:
        yield Status.UNKNOWN, f"{of_all} in a state never seen before", group["name"], group["status"]
    elif group["status"] != "OK":
        yield STATUSES[group["status"]], f"{of_all} {group['status']}", group["name"], why
    for part in bad:
        if part["status"] is not None and part["status"] not in STATUSES:
            strange = f"{group['name']} {part['topic']}/{part['partition']}"
            yield Status.UNKNOWN, "partitions in a state never seen before", strange, part["status"]


def described(part: "Item") -> tuple[str, str]:
    return f"{part['topic']}/{part['partition']} {part['status'] or 'unknown'}, lag {part['lag']}", ""


def judge_lag(
    o: Options, status: Status, wanted: Range, of_all: str, group: "Item", partitions: "list[Item]"
) -> "Iterator[Finding]":
    """A lag that Burrow does not tell is UNKNOWN: it may well be outside."""
    if o.per_partition:
        lags = [(f"{part['topic']}/{part['partition']}", part["lag"]) for part in partitions]
    else:
        lags = [("lag", group["total_lag"])]
    outside = [(f"{whose} {lag}", "") for whose, lag in lags if lag is not None and wanted.alerts(lag)]
    untold = [(whose, "") for whose, lag in lags if lag is None]
    if outside:
        yield status, f"{of_all} {wanted.missed(status.name.lower())}", group["name"], naming(outside)
    if untold:
        yield Status.UNKNOWN, f"{of_all} with a lag that Burrow does not tell", group["name"], naming(untold)
