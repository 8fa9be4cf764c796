"""Prometheus: every scrape target is up."""

from probes.kit.example import any_keys, one_of
from probes.kit.finding import cut, reason, sentence
from probes.kit.options import OptionError, Url, option
from probes.kit.rest import HttpOptions, expect, json_of, objects, refusal, since_epoch
from probes.kit.result import ProbeError, Result, Status, worst

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from probes.kit.finding import Finding
    from probes.kit.net import Net, Reply, Request

    Item = dict[str, Any]

ASKS = "others"


class Options(HttpOptions):
    url: Url = option(help="Prometheus address, such as http://prometheus:9090.")
    job: list[str] = option(default=(), help="Only targets of this job; may be repeated. Default: all.")
    expect: list[str] = option(
        default=(),
        help="job=count: this job too, and it must have at least so many targets, up or not; may be repeated.",
    )
    min_up: str | None = option(
        default=None, help="It is enough that so many of all these targets are up: 2 or 80%. Default: all."
    )

    def check(self) -> None:
        super().check()
        for text in self.expect:
            job, _, count = text.rpartition("=")
            if not job or not positive(count):
                raise OptionError("expect", f"{text!r} is not job=count; write it like orders=3")
        if self.min_up is not None:
            number = self.min_up.removesuffix("%")
            if not positive(number) or (number != self.min_up and int(number) > 100):
                raise OptionError("min_up", f"{self.min_up!r} is neither a count like 2 nor a percentage like 80%")

    @property
    def expected(self) -> dict[str, int]:
        """How many targets each job must have at least that was asked for."""
        named = dict.fromkeys(self.job, 1)
        return named | {text.rpartition("=")[0]: int(text.rpartition("=")[2]) for text in self.expect}

    def enough(self, total: int) -> int:
        """How many of `total` targets must be up."""
        if self.min_up is None:
            return total
        number = int(self.min_up.removesuffix("%"))
        return -(-total * number // 100) if self.min_up.endswith("%") else number


def positive(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0


EXAMPLE = {
    "targets": [
        {
            "job": "orders",
            "instance": "10.0.0.7:9404",
            "state": one_of(("up", "down")),
            "last_error": None,
            "last_scrape_age_seconds": 4.2,
            "scrape_url": "http://10.0.0.7:9404/metrics",
            "pool": "orders",
            "labels": any_keys({"job": "orders", "instance": "10.0.0.7:9404"}),
        }
    ],
    "up": 1,
    "total": 1,
    "missing": ["payments"],
}


def probe(o: Options, net: "Net") -> Result:
    request = o.get(o.url.below("api/v1/targets?state=active"))
    data = expect(dict, data_of(request, net.request(request)), "`data` as an object", request)
    active = objects(data.get("activeTargets"), "`activeTargets` as a list", request)
    if not active:  # for its first 5 s a Prometheus knows of none
        raise ProbeError(f"{request}: Prometheus has no targets at all")
    targets = [read(target, net.now(), request) for target in active]
    chosen = [target for target in targets if not o.expected or target["job"] in o.expected]
    present = [target["job"] for target in chosen]
    up = sum(target["state"] == "up" for target in chosen)
    verdict = judge(o, chosen, up)
    findings = [*judge_jobs(o, present), *name_targets(chosen, verdict)]
    words = {Status.OK: "enough", Status.UNKNOWN: "perhaps enough", Status.CRITICAL: "too few"}
    counted = f"{up} of {len(chosen)} targets up" + (f", {words[verdict]} for --min-up {o.min_up}" if o.min_up else "")
    return Result(
        worst([verdict, *(finding[0] for finding in findings)]),
        "; ".join(filter(None, [counted, sentence(findings)])),
        o.url.shown,
        {
            "targets": chosen,
            "up": up,
            "total": len(chosen),
            "missing": [job for job in o.expected if job not in present],
        },
    )


def data_of(request: "Request", reply: "Reply") -> "Any":
    """What the envelope holds. Prometheus puts errors of its API into one too; others (503 at start) are plain text."""
    if reply.status != 200 and not reply.body.lstrip().startswith(b"{"):
        raise refusal(request, reply)
    envelope = expect(dict, json_of(request, reply), "an object", request)
    if envelope.get("status") == "error":
        why = cut(f"{envelope.get('errorType')}: {envelope.get('error')}")
        raise ProbeError(f"{request}: HTTP {reply.status}, {why}")
    if reply.status != 200 or envelope.get("status") != "success":
        raise refusal(request, reply)
    return envelope.get("data")


def read(target: "Item", now: float, request: "Request") -> "Item":
    labels = expect(dict, target.get("labels"), "`labels` of a target as an object", request)
    health = expect(str, target.get("health"), "`health` of a target as text", request)
    url = str(target.get("scrapeUrl") or "")
    shown = Url(url).shown
    scraped = since_epoch(str(target.get("lastScrape") or ""))
    return {
        "job": expect(str, labels.get("job", ""), "label job as text", request) or None,
        "instance": expect(str, labels.get("instance", ""), "label instance as text", request) or None,
        "state": None if health == "unknown" else health,  # not scraped yet
        "last_error": without_queries(str(target.get("lastError") or "").replace(url, shown)) or None,
        "last_scrape_age_seconds": None if scraped is None else round(now - scraped, 3),
        "scrape_url": shown or None,
        "pool": target.get("scrapePool"),
        "labels": labels,
    }


def without_queries(error: str) -> str:
    """Go's errors quote the URL, that of a redirect too, its password as ***; its query may hold a token."""
    pieces = error.split('"')
    pieces[1::2] = [Url(one).shown if one.startswith(("http://", "https://")) else one for one in pieces[1::2]]
    return '"'.join(pieces)


def judge_jobs(o: Options, present: "list[str | None]") -> "Iterator[Finding]":
    """A target that discovery no longer finds is absent, never down: only who knows how many there must be can tell."""
    of_all = f"of {len(o.expected)} jobs asked for"
    for job, least in o.expected.items():
        count = present.count(job)
        if not count:
            yield Status.CRITICAL, f"{of_all} without targets", job, ""
        elif count < least:
            yield Status.CRITICAL, f"{of_all} with too few targets", job, f"{count} of {least}"


def judge(o: Options, targets: "list[Item]", up: int) -> Status:
    """UNKNOWN when those whose state is not known would make up the number that must be up."""
    enough = o.enough(len(targets))
    untold = sum(target["state"] not in ("up", "down") for target in targets)
    if up >= enough:
        return Status.OK
    return Status.UNKNOWN if up + untold >= enough else Status.CRITICAL


def name_targets(targets: "list[Item]", verdict: Status) -> "Iterator[Finding]":
    """Those that are not up, as bad as they are together."""
    of_all = f"of {len(targets)} targets"
    unsure = Status.OK if verdict is Status.OK else Status.UNKNOWN
    for target in targets:
        whose = f"{target['job']}/{target['instance']}"
        if target["state"] == "down":
            why = reason(target["last_error"] or "", f'Get "{target["scrape_url"]}": ')
            yield verdict, f"{of_all} down", whose, why
        elif target["state"] is None:
            yield unsure, f"{of_all} never scraped yet", whose, ""
        elif target["state"] != "up":
            yield unsure, f"{of_all} in a state never seen before", whose, target["state"]
