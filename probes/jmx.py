"""JMX: the MBeans asked about are there, their attributes within the thresholds.

`value` is what the JVM gives: a number, text, true or false, a list, an object, or null; thresholds take true for 1 and
false for 0. `labels` are the key properties of the MBean's name. MBeans of a pattern that lack the attribute are left
out. With --skip-nan, so are values that are NaN, as those of idle Kafka clients are: they stay in `mbeans`, with status
OK; where all are NaN, the answer is UNKNOWN.
"""

from probes.kit.example import any_keys, one_of
from probes.kit.finding import WORDS, cut, naming, sentence
from probes.kit.jsontext import dumps
from probes.kit.mbeans import MISSING, JvmOptions, at, distinct, heads_of, is_pattern, properties, read, shown, subject
from probes.kit.net import NAMES, Unreadable
from probes.kit.options import Choice, OptionError, Range, option
from probes.kit.result import ProbeError, Result, Status, worst

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from probes.kit.finding import Finding
    from probes.kit.mbeans import Answer, MBean
    from probes.kit.net import Net

    Item = dict[str, Any]
    Verdict = tuple[Status, str, str]  # how bad; what is wrong ("outside --critical 0"); how much it is, or why
    Judged = tuple[Item, Verdict]

ASKS = "itself"

AGGREGATES = ("sum", "max", "min", "count")
NAN = float("nan")
LEFT_OUT: "Verdict" = (Status.OK, "left out", "")
NOTHING_MEASURED: "Verdict" = (Status.UNKNOWN, "NaN, so nothing was measured", "")


class Options(JvmOptions):
    read: str = option(help="An MBean's ObjectName, or a pattern such as kafka.log:type=Log,name=Size,*.")
    attribute: list[str] = option(
        default=(), help="Only this attribute, or a part of it: HeapMemoryUsage.used; may be repeated. Default: all."
    )
    aggregate: Choice | None = option(
        default=None, choices=AGGREGATES, help="Judge all values as one: their sum, max or min; or the count of MBeans."
    )
    warning: Range | None = option(default=None, help="WARNING when a value, or the aggregate, is outside this range.")
    critical: Range | None = option(
        default=None, help="CRITICAL when a value, or the aggregate, is outside this range."
    )
    skip_nan: bool = option(default=False, help="Leave out values that are NaN, as idle clients show them.")

    def check(self) -> None:
        super().check()
        if self.jmx is not None and self.jolokia is not None:
            raise OptionError("jolokia", "cannot be combined with --jmx: ask one of them")
        if self.jmx is None and self.jolokia is None:
            raise OptionError("jmx", "is missing: give --jmx or --jolokia")
        keys = self.read.partition(":")[2]
        if keys != "*" and "=" not in keys[1:]:
            likes = "kafka.server:type=ReplicaManager,name=UnderReplicatedPartitions or kafka.log:type=Log,*"
            raise OptionError("read", f"{self.read!r} is no ObjectName (domain:key=value); write it like {likes}")
        for path in self.attribute:
            if not path.partition(".")[0]:
                raise OptionError("attribute", f"{path!r} names none; write it like Value or HeapMemoryUsage.used")
        judging = [name for name in ("warning", "critical", "aggregate") if getattr(self, name) is not None]
        if judging and len(self.paths) != 1 and (self.paths or self.aggregate != "count"):
            wrong = "can be only one" if self.paths else "is missing"
            raise OptionError("attribute", f"{wrong}: --{judging[0]} is about the values of one attribute")

    @property
    def paths(self) -> list[str]:
        return list(dict.fromkeys(self.attribute))

    @property
    def wants_numbers(self) -> bool:
        return any(wanted is not None for wanted in (self.warning, self.critical, self.aggregate))

    def leaves_out(self, value: object) -> bool:
        """Whether it is NaN and such are not judged. Jolokia shows NaN as null, and so it does the infinities."""
        nan = value != value or (value is None and self.jmx is None)
        return nan and self.skip_nan and self.wants_numbers and self.aggregate != "count"


EXAMPLE = {
    "mbeans": [
        {
            "mbean": "kafka.log:type=Log,name=Size,topic=orders,partition=3",
            "labels": any_keys({"type": "Log", "name": "Size", "topic": "orders", "partition": "3"}),
            "attribute": "Value",
            "value": None,
            "status": one_of(("OK", "WARNING", "CRITICAL", "UNKNOWN")),
        }
    ],
    "aggregate": one_of(AGGREGATES),
    "value": 1048576,
}


def probe(o: Options, net: "Net") -> Result:
    answer = ask(o, net)
    mbeans = answer.mbeans()
    judged = [one for _, mbean in sorted(mbeans.items()) for one in judge_mbean(o, mbean)]
    if not judged and (o.aggregate != "count" or mbeans or answer.found.bare):
        raise ProbeError(f"{answer.asked}: {nothing(o, answer)}")
    items = [item for item, _ in judged]
    measured = [one for one in judged if one[1] is not LEFT_OUT]
    numbers = [item for item, _ in measured]
    findings = [*name_values(o, judged, measured), *name_missing(o, answer, items)]
    value = None if o.aggregate is None or findings else aggregated(o.aggregate, numbers)
    status, message = of_all(o, len(mbeans), numbers, value) if value is not None else of_each(o, measured, findings)
    if 0 < len(measured) < len(judged):
        message += f"; {len(judged) - len(measured)} left out as NaN"
    return Result(status, message, o.target.shown, {"mbeans": items, "aggregate": o.aggregate, "value": value})


def live(o: Options, net: "Net") -> Result:
    """For a kubelet: a JVM whose agent answers is alive, however long it takes for these reads."""
    o.greet(net)
    return probe(o, net)


def ask(o: Options, net: "Net") -> "Answer":
    """What the JVM tells. JMX knows attributes as a whole, most of them by what is before the first dot of a path.

    Older Kafkas put dots into their names, though: of a pattern, all that could be a name is asked for; where one MBean
    seems to lack an attribute, all that it has are read, for an error had better tell what there is.
    """
    wanted: tuple[str, ...] = NAMES
    if o.paths or o.aggregate != "count":
        longest = None if is_pattern(o.read) else 1
        wanted = tuple(dict.fromkeys(head for path in o.paths for head in heads_of(path)[:longest]))
    (answer,) = read(o, net, (o.read, wanted))
    found = [mbean.attributes for mbean in ([] if answer.found.refused else answer.mbeans().values())]
    complete = not answer.found.bare and all(at(one, path) is not MISSING for one in found for path in o.paths)
    if complete or is_pattern(o.read):
        return answer
    (everything,) = read(o, net, (o.read, ()))
    return answer if everything.found.refused else everything


def nothing(o: Options, answer: "Answer") -> str:
    """Why there is no value at all."""
    if answer.found.bare and not answer.found.mbeans and o.jmx is not None and is_pattern(o.read):
        return f"the MBeans of {o.read} were gone when they were asked"
    if not answer.found.mbeans and not answer.found.bare:
        return f"no MBean matches {o.read}" if is_pattern(o.read) else f"no such MBean: {o.read}"
    paths = " or ".join(o.paths)
    if is_pattern(o.read) and o.paths:
        return f"no MBean of {o.read} has {paths}; without --attribute it shows what they have"
    if answer.found.bare and o.paths:  # Jolokia says so of several where it lacks but one
        return f"{o.read} lacks {paths}"
    return "; ".join(
        f"{o.read} has no {path}" + (f": {there}" if (there := answer.instead(path)) else "")
        for path in o.paths or ["attributes"]
    )


def judge_mbean(o: Options, mbean: "MBean") -> "Iterator[Judged]":
    """The values of one MBean that were asked about and are there; a count alone needs none."""
    everything = [(None, None)] if o.aggregate == "count" else sorted(mbean.attributes.items())
    for path, value in [(path, at(mbean.attributes, path)) for path in o.paths] or everything:
        if value is not MISSING:
            left_out = o.leaves_out(value)
            verdict = LEFT_OUT if left_out else judge(o, value)
            told = {"attribute": path, "value": NAN if left_out else None if isinstance(value, Unreadable) else value}
            identity = {"mbean": mbean.name, "labels": properties(mbean.name)}
            yield {**identity, **told, "status": verdict[0].name}, verdict


def judge(o: Options, value: object) -> "Verdict":
    if o.aggregate == "count":
        return Status.OK, "", ""
    if isinstance(value, Unreadable):
        return Status.UNKNOWN, "unreadable", value
    if not o.wants_numbers:
        return Status.OK, "", ""
    number = number_of(value)
    if number is None or number != number:
        return Status.UNKNOWN, "not a number", dumps(value, 2 * WORDS) if isinstance(value, str) else shown(value)
    return (Status.OK, "", "") if o.aggregate else (*judge_number(o, number), shown(number))


def number_of(value: object) -> float | None:
    """A truth value is 1 or 0, as it is to jmx_exporter."""
    if isinstance(value, (int, float)) and (isinstance(value, float) or abs(value) < 2**64):
        return value
    return None


def judge_number(o: Options, number: float) -> tuple[Status, str]:
    for status, wanted in ((Status.CRITICAL, o.critical), (Status.WARNING, o.warning)):
        if wanted is not None and wanted.alerts(number):
            return status, wanted.missed(status.name.lower())
    return Status.OK, ""


def aggregated(aggregate: str, items: "list[Item]") -> float:
    if aggregate == "count":
        return len(items)
    numbers = [number_of(item["value"]) or 0 for item in items]
    return sum(numbers) if aggregate == "sum" else max(numbers) if aggregate == "max" else min(numbers)


def of_all(o: Options, total: int, items: "list[Item]", value: float) -> tuple[Status, str]:
    """The verdict on the aggregate, naming the MBean that has the largest or smallest value."""
    over = f"{len(items)} of {total}" if len(items) < total else str(total)
    told = f"{o.aggregate} of {subject(o.read, *o.paths)} over {over} MBeans: {shown(value)}"
    if o.aggregate == "count":
        told = f"count of MBeans {o.read}: {value}"
    if value != value:
        return Status.UNKNOWN, told
    status, what = judge_number(o, value)
    whose = next((name(o, item) for item in items if number_of(item["value"]) == value), "")
    named = f" ({cut(whose)})" if o.aggregate in ("max", "min") and len(items) > 1 else ""
    return status, f"{told}{named}" + (f", {what}" if what else "")


def of_each(o: Options, judged: "list[Judged]", findings: "list[Finding]") -> tuple[Status, str]:
    """The verdict on all values, each by itself; of an aggregate that they allow none of, it is that."""
    status = worst([Status.OK, *(finding[0] for finding in findings)])
    if len(judged) == 1 and len(o.paths) < 2 and not is_pattern(o.read):
        item, (_, what, why) = judged[0]
        told = f"{why}, {what}" if " --" in what else f"{what}: {cut(why)}" if what else ""
        return status, f"{subject(o.read, item['attribute'])} {told or cut(shown(item['value']))}"
    values = naming([(f"{name(o, item)} {shown(item['value'])}", "") for item, _ in judged])
    unknown = f"{o.aggregate} not known; " if o.aggregate else ""
    return status, unknown + sentence(findings) or f"{len(judged)} {together(o)}: {values}"


def name_values(o: Options, judged: "list[Judged]", measured: "list[Judged]") -> "Iterator[Finding]":
    """Those measured that are not well; all, where none was measured."""
    for item, verdict in measured or judged:
        status, what, why = verdict if measured else NOTHING_MEASURED
        if status is not Status.OK:
            yield status, f"of {len(measured or judged)} {together(o)} {what}", name(o, item), why


def name_missing(o: Options, answer: "Answer", items: "list[Item]") -> "Iterator[Finding]":
    """The attributes that no MBean has, while it has others that were asked about."""
    for path in o.paths:
        if items and not any(item["attribute"] == path for item in items):
            yield Status.UNKNOWN, f"of {len(o.paths)} attributes missing", path, answer.instead(path)


def together(o: Options) -> str:
    """What the values are of, whatever MBean."""
    return f"MBeans with {subject(o.read, *o.paths)}" if len(o.paths) == 1 else f"values of {subject(o.read)}"


def name(o: Options, item: "Item") -> str:
    """A value among the others: its MBean, and the attribute if several are asked for."""
    words = [distinct(o.read, item["mbean"])] if is_pattern(o.read) else []
    return " ".join(filter(None, words if len(o.paths) == 1 else [*words, item["attribute"]])) or item["mbean"]
