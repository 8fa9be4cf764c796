"""Kafka Connect: every connector and every one of its tasks is RUNNING."""

from probes.kit.example import one_of
from probes.kit.finding import sentence
from probes.kit.options import Url, option
from probes.kit.rest import HttpOptions, ask, expect, json_of, objects, quote, refusal
from probes.kit.result import ProbeError, Result, Status, worst

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from probes.kit.finding import Finding
    from probes.kit.net import Net, Request

    Item = dict[str, Any]

ASKS = "itself"

# Of connectors and of tasks alike; only a connector is ever STOPPED. Source: Kafka's AbstractStatus.State.
STATES = {
    "RUNNING": Status.OK,
    "UNASSIGNED": Status.WARNING,
    "RESTARTING": Status.WARNING,
    "PAUSED": Status.WARNING,
    "STOPPED": Status.WARNING,
    "FAILED": Status.CRITICAL,
}


class Options(HttpOptions):
    url: Url = option(help="Connect REST address, such as http://connect:8083.")
    connector: list[str] = option(default=(), help="Only this connector; may be repeated. Default: all.")
    allow_empty: bool = option(default=False, help="A worker without any connector is well.")


EXAMPLE = {
    "connectors": [
        {
            "name": "orders-sink",
            "state": one_of(tuple(STATES)),
            "type": "sink",
            "worker": "10.0.0.7:8083",
            "trace": None,
        }
    ],
    "tasks": [
        {
            "connector": "orders-sink",
            "id": 2,
            "state": one_of(tuple(STATES)),
            "worker": "10.0.0.7:8083",
            "trace": "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask …\n\tat …",
        }
    ],
    "missing": ["payments-sink"],
}


def probe(o: Options, net: "Net") -> Result:
    """A worker answers for the whole cluster, from what it last heard: RUNNING on a dead worker cannot be seen here."""
    found = statuses(o, net)
    missing = [name for name in dict.fromkeys(o.connector) if name not in found]
    if not found and not missing and not o.allow_empty:
        raise ProbeError(f"{o.url.shown} has no connectors at all; if that is well, say --allow-empty")
    connectors = [connector for connector, _ in found.values()]
    tasks = [task for _, tasks in found.values() for task in tasks]
    findings = [*judge(connectors, tasks), *absent(o, missing)]
    well = f"{len(connectors)} of {len(connectors)} connectors and {len(tasks)} of {len(tasks)} tasks RUNNING"
    return Result(
        worst([Status.OK, *(finding[0] for finding in findings)]),
        sentence(findings) or (well if connectors else "no connectors, which is allowed"),
        o.url.shown,
        {"connectors": connectors, "tasks": tasks, "missing": missing},
    )


def live(o: Options, net: "Net") -> Result:
    """A worker that answers `GET /` lives, whatever it says: a wedged herder pages, it does not restart."""
    reply = net.request(o.get(o.url.below("")))
    way = f", {reply.way}" if reply.way else ""
    return Result(Status.OK, f"GET / answers{way}: HTTP {reply.status}", o.url.shown, None)


def ready(o: Options, net: "Net") -> Result:
    """A worker is ready when it lists its connectors; how they are is no reason to take it out of service."""
    request = o.get(o.url.below("connectors"))
    names = expect(list, ask(net, request), "a list of connector names", request)
    return Result(Status.OK, f"GET /connectors answers: {len(names)} connectors", o.url.shown, None)


def statuses(o: Options, net: "Net") -> "dict[str, tuple[Item, list[Item]]]":
    """Of each connector asked about that there is: itself and its tasks.

    One request tells of all, and in a sweep it is the same for every rule; it needs no name in the URL either, where
    newer Jettys refuse an escaped slash. It is silent about connectors without a status, so a name that is not in it
    is looked up in the plain list; which of all connectors it does not tell of is not asked.
    """
    request = o.get(o.url.below("connectors?expand=status"))
    answer = ask(net, request)
    if isinstance(answer, list):  # Connect before 2.3 does not know `expand`
        return {name: one_status(o, net, name) for name in selected(o, names_in(answer, request))}
    told = {
        name: expect(dict, entry, f"an object for connector {name}", request).get("status")
        for name, entry in expect(dict, answer, "an object of connectors or a list of names", request).items()
    }
    if not told or any(name not in told for name in o.connector):
        request = o.get(o.url.below("connectors"))
        listed = expect(list, ask(net, request), "a list of connector names", request)
        told = {**dict.fromkeys(names_in(listed, request)), **told}
    return {name: read(name, told[name], request) for name in selected(o, told)}


def names_in(answer: "list[Any]", request: "Request") -> list[str]:
    return [expect(str, name, "names of connectors as text", request) for name in answer]


def selected(o: Options, names: "Iterable[str]") -> list[str]:
    return sorted(set(names).intersection(o.connector) if o.connector else names)


def one_status(o: Options, net: "Net", name: str) -> "tuple[Item, list[Item]]":
    request = o.get(o.url.below(f"connectors/{quote(name)}/status"))
    reply = net.request(request)
    if reply.status == 404 and "error_code" in expect(dict, json_of(request, reply), "an error object", request):
        return read(name, None, request)  # "No status found": it is in the list, so it was created just now
    if reply.status != 200:
        raise refusal(request, reply)
    return read(name, json_of(request, reply), request)


def read(name: str, status: object, request: "Request") -> "tuple[Item, list[Item]]":
    """The items of one connector; its state is null while Connect has none."""
    if status is None:
        return {"name": name, "state": None, "type": None, "worker": None, "trace": None}, []
    answer = expect(dict, status, f"a status object for connector {name}", request)
    itself = expect(dict, answer.get("connector"), f"`connector` of {name} as an object", request)
    tasks = [
        {
            "connector": name,
            "id": expect(int, task.get("id"), f"`id` of a task of {name} as a number", request),
            **state_of(task, f"a task of {name}", request),
        }
        for task in objects(answer.get("tasks"), f"`tasks` of {name} as a list", request)
    ]
    connector = {"name": name, "type": answer.get("type"), **state_of(itself, f"connector {name}", request)}
    return connector, sorted(tasks, key=lambda task: task["id"])


def state_of(answer: "Item", whose: str, request: "Request") -> "Item":
    state = expect(str, answer.get("state"), f"`state` of {whose} as text", request)
    return {"state": state, "worker": answer.get("worker_id"), "trace": answer.get("trace")}


def judge(connectors: "list[Item]", tasks: "list[Item]") -> "Iterator[Finding]":
    working = {task["connector"] for task in tasks}
    for connector in connectors:
        name, state = connector["name"], connector["state"]
        if state is None:
            yield Status.UNKNOWN, f"of {len(connectors)} connectors without a status, created just now", name, ""
            continue
        yield from judge_state(connector, f"of {len(connectors)} connectors", name)
        if name not in working and state != "STOPPED":
            yield Status.CRITICAL, f"of {len(connectors)} connectors without tasks", name, ""
    for task in tasks:
        yield from judge_state(task, f"of {len(tasks)} tasks", f"{task['connector']}/{task['id']}")


def judge_state(item: "Item", of_all: str, name: str) -> "Iterator[Finding]":
    status = STATES.get(item["state"])
    if status is None:
        yield Status.UNKNOWN, f"{of_all} in a state never seen before", name, item["state"]
    elif status is not Status.OK:
        yield status, f"{of_all} {item['state']}", name, why(str(item["trace"] or ""))


def why(trace: str) -> str:
    """A trace's first line, and the root cause: the first of a failed task is always that it exits, and no more."""
    lines = trace.strip().splitlines()
    causes = [line.strip() for line in lines[1:] if line.startswith("Caused by: ")]
    return "; ".join(line.removesuffix(".") for line in [*lines[:1], *causes[-1:]])


def absent(o: Options, missing: list[str]) -> "Iterator[Finding]":
    for name in missing:
        yield Status.CRITICAL, f"of {len(set(o.connector))} connectors asked about do not exist", name, ""
