"""Kafka Streams: every client is RUNNING, its threads are alive and poll."""

from probes.kit.example import one_of
from probes.kit.finding import cut, sentence
from probes.kit.mbeans import JvmOptions
from probes.kit.options import Choice, Duration, OptionError, Url, option
from probes.kit.result import ProbeError, Result, Status, worst
from probes.kit.streams.reading import AT_WORK, STATES, Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from probes.kit.finding import Finding
    from probes.kit.net import Net

    Item = dict[str, Any]

WAYS = ("jmx", "jolokia", "exporter", "prometheus")
IDLE = {
    Status.WARNING: "closing or not started",
    Status.CRITICAL: "without a living thread",
    Status.UNKNOWN: "with a global thread only",
}


class Options(JvmOptions):
    exporter: Url | None = option(default=None, help="jmx_exporter of the JVM; /metrics if the URL has no path.")
    prometheus: Url | None = option(default=None, help="Prometheus that scrapes the exporters of the whole --app.")
    app: str | None = option(
        default=None, help='What its JVMs are to Prometheus: a job, or matchers like app="orders",namespace="shop".'
    )
    sidecar: bool = option(
        default=False, help="The exporter runs beside the JVM, not in it: its silence tells nothing of the JVM."
    )
    min_threads: int | None = option(default=None, help="CRITICAL when a client has fewer living threads.")
    max_poll_age: Duration | None = option(
        default=None, help="CRITICAL when a thread has not polled for so long; tells nothing to a kubelet."
    )
    grace: Duration = option(default=Duration(0), help="So long after its start a JVM may be without Streams.")
    rebalancing: Choice = option(
        default="not-ready", choices=("not-ready", "ready"), help="What a rebalance means for readiness."
    )

    def check(self) -> None:
        super().check()
        given = [way for way in WAYS if getattr(self, way) is not None]
        if len(given) > 1:
            raise OptionError(given[1], f"cannot be combined with --{given[0]}: ask one of them")
        if not given:
            raise OptionError("jmx", "is missing: give --jmx, --jolokia, --exporter, or --prometheus and --app")
        if (self.prometheus is None) != (self.app is None):
            missing, there = ("app", "prometheus") if self.app is None else ("prometheus", "app")
            raise OptionError(missing, f"is missing: --{there} needs it")
        if self.app is not None and not self.app.strip("{} "):
            raise OptionError("app", "is empty: give a job's name, or matchers")
        if self.sidecar and self.exporter is None and self.prometheus is None:
            raise OptionError("sidecar", "is about --exporter or --prometheus, which are missing")


def asks(o: Options) -> str:
    """An agent inside the JVM goes with it; a sidecar goes by itself, and Prometheus only tells of others."""
    return "others" if o.sidecar or o.prometheus else "itself"


ASKS = asks

EXAMPLE = {
    "clients": [
        {
            "client_id": "orders-1f0c3a52-7d0e-4a53-8f0e-2c1d6a1c9b5e",
            "instance": "orders-0:9404",
            "state": one_of(tuple(STATES)),
            "alive_threads": 2,
            "failed_threads": 0,
            "expected_threads": 2,
        }
    ],
    "threads": [
        {
            "thread_id": "orders-1f0c3a52-7d0e-4a53-8f0e-2c1d6a1c9b5e-StreamThread-1",
            "instance": "orders-0:9404",
            "status": one_of(("OK", "CRITICAL", "UNKNOWN")),
            "last_poll_age_seconds": 0.1,
        }
    ],
    "metrics_count": 134,
    "uptime_seconds": 3600.5,
}


def probe(o: Options, net: "Net") -> Result:
    if o.prometheus is not None and o.app is not None:
        return of_application(o, net, o.prometheus, o.app)
    reading = of_jvm(o, net)
    if not reading.clients:
        return without_clients(o, reading)
    return of_clients(o, [reading], [])


def live(o: Options, net: "Net") -> Result:
    """For a kubelet: first something that costs the JVM nothing.

    In a container at its CPU limit of 100m, the exporter takes 1 to 2 s to collect its page, and Jolokia up to 0.8 s:
    longer than a kubelet waits. Who answers the small question is alive, however long it takes for the large one. And
    pages that nobody waits for take the CPU of the next question, so none is asked for where there is hardly any.
    """
    if o.exporter and not o.sidecar:
        healthy = o.get(o.exporter.root.below("-/healthy"), accept="text/plain")
        net.request(healthy)  # any answer will do
        if net.hurried():
            raise ProbeError(f"{healthy}: it answers; for its page, which costs far more, there is no CPU")
    o.greet(net)
    return probe(o, net)


def of_jvm(o: Options, net: "Net") -> Reading:
    """What the one JVM tells, by the way that was given; each brings only the modules that it needs."""
    polls = o.max_poll_age is not None
    if o.exporter:
        from probes.kit.streams.series import from_exporter

        return from_exporter(o, net, o.exporter, sidecar=o.sidecar, polls=polls)
    from probes.kit.streams.jvm import from_mbeans

    return from_mbeans(o, net, polls)


def of_application(o: Options, net: "Net", url: Url, app: str) -> Result:
    """Every JVM that Prometheus scrapes for it; one that tells nothing is a finding among the others'."""
    from probes.kit.streams.prometheus import from_prometheus

    told = from_prometheus(o, net, url, app, sidecar=o.sidecar, polls=o.max_poll_age is not None)
    if not told.readings and told.warnings:
        raise ProbeError(f"{url.shown}: no target of {app} in an answer that is not complete: {cut(told.warnings[0])}")
    if not told.readings:
        return Result(Status.CRITICAL, f"Prometheus has no target of {app}", url.shown, None, ready=False)
    findings: list[Finding] = [(Status.UNKNOWN, "warning of Prometheus", cut(text), "") for text in told.warnings]
    for reading in told.readings:
        if reading.down or reading.blind or not reading.clients:
            status, why = lack(o, reading)
            findings.append((status, f"of {len(told.readings)} JVMs", reading.instance or "the JVM", why))
    return of_clients(o, told.readings, findings)


def of_clients(o: Options, readings: list[Reading], findings: "list[Finding]") -> Result:
    """The verdict on all clients of these JVMs, given what was found of the JVMs themselves."""
    of_jvms = [(reading, item) for reading in readings for item in items(o, reading)]
    clients = [item for _, item in of_jvms]
    findings = findings + [finding for jvm, item in of_jvms for finding in judge(o, len(clients), item, jvm)]
    status = worst([Status.OK, *(finding[0] for finding in findings)])
    threads: list[Item] = []
    stuck: list[Finding] = []
    if o.max_poll_age is not None:
        from probes.kit.streams import polls  # no kubelet asks for it

        threads = polls.rows(readings, o.max_poll_age)
        stuck = list(polls.findings(of_jvms, threads, o.max_poll_age))
    fit = ("RUNNING", "REBALANCING", None) if o.rebalancing == "ready" else ("RUNNING",)
    return Result(
        worst([status, *(finding[0] for finding in stuck)]),
        sentence([*findings, *stuck]) or well(clients),
        o.target.shown,
        data(o, clients, threads, readings),
        alive=not all(is_dead(o, reading) for reading in readings),
        ready=status <= Status.WARNING and bool(clients) and all(client["state"] in fit for client in clients),
    )


def items(o: Options, reading: Reading) -> "list[Item]":
    """The clients of one JVM as the answer shows them."""
    rows = sorted(reading.clients.values(), key=lambda client: client["client_id"] or "")
    return [{**row, "instance": reading.instance, "expected_threads": o.min_threads} for row in rows]


def data(o: Options, clients: "list[Item]", threads: "list[Item]", readings: list[Reading]) -> "dict[str, object]":
    only = readings[0] if len(readings) == 1 else Reading()
    return {
        "clients": clients,
        "threads": None if o.max_poll_age is None else threads,
        "metrics_count": only.count,
        "uptime_seconds": only.uptime and round(only.uptime, 3),
    }


def without_clients(o: Options, reading: Reading) -> Result:
    """No MBean shows a state or threads: a version that shows neither, or a client that has died or never was."""
    status, message = lack(o, reading)
    if status is Status.UNKNOWN:
        raise ProbeError(f"{o.target.shown}: {message}")
    fine = status is Status.OK
    told = data(o, [], [], [reading])
    return Result(status, message, o.target.shown, told, alive=fine, ready=fine and o.rebalancing == "ready")


def lack(o: Options, reading: Reading) -> tuple[Status, str]:
    """What it means that this JVM shows no client, and why; who asks about threads is not answered by that."""
    status, why = reading.lack(o.grace)
    about_threads = o.min_threads is not None or o.max_poll_age is not None
    return (Status.UNKNOWN if status is Status.OK and about_threads else status), why


def well(clients: "list[Item]") -> str:
    alive = [client["alive_threads"] for client in clients]
    threads = "" if None in alive else f", {living(sum(alive))}"
    how = "RUNNING" if all(client["state"] for client in clients) else "alive, their state is not shown"
    return f"{len(clients)} of {len(clients)} clients {how}{threads}"


def living(threads: int) -> str:
    return f"{threads} thread{'' if threads == 1 else 's'} alive"


def judge(o: Options, count: int, client: "Item", reading: Reading) -> "Iterator[Finding]":
    whose, of_all = client["client_id"] or "the client", f"of {count} clients"
    state, alive, failed = client["state"], client["alive_threads"], client["failed_threads"]
    threads = "" if alive is None else living(alive)
    shared = reading.shared.get(client["client_id"])
    if shared is not None:
        yield Status.UNKNOWN, f"{of_all} whose name another has too", whose, shared
    elif state is None and alive is None:
        why = reading.faults.get(client["client_id"], "")
        yield Status.UNKNOWN, f"{of_all} showing neither state nor threads", whose, why
    if state is not None and state not in STATES:
        yield Status.UNKNOWN, f"{of_all} in a state never seen before", whose, state
    elif state is not None and state != "RUNNING":
        yield STATES[state], f"{of_all} {state}", whose, threads
    if state not in AT_WORK:
        return
    if (idle := reading.idle(client)) is not Status.OK:
        yield idle, f"{of_all} {IDLE[idle]}", whose, f"state {state or 'not shown'}"
    elif o.min_threads is not None and alive is None:
        yield Status.UNKNOWN, f"{of_all} not showing its threads", whose, ""
    elif o.min_threads is not None and alive < o.min_threads:
        yield Status.CRITICAL, f"{of_all} with fewer than {o.min_threads} living threads", whose, threads
    if failed and alive != 0 and o.min_threads is None:
        yield Status.WARNING, f"{of_all} with failed threads", whose, f"{failed} since its start, {threads}"


def is_dead(o: Options, reading: Reading) -> bool:
    """Whether there is evidence that no client of this JVM will work again before a restart."""
    if not reading.clients:
        return not reading.down and reading.lack(o.grace)[0] is Status.CRITICAL
    return all(
        STATES.get(client["state"]) is Status.CRITICAL or reading.idle(client) is Status.CRITICAL
        for client in reading.clients.values()
    )
