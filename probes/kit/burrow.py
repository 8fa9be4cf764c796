"""What Burrow tells of consumer groups and their partitions; probes/burrow.py judges it. Part of the cold path.

A status that cannot be relied on yet is null.
"""

from probes.kit.rest import ask, expect, json_of, number_or_none, objects, refusal
from probes.kit.result import Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from probes.kit.net import Net, Request

    Item = dict[str, Any]

# Source: Burrow's protocol.StatusConstant. A group is only ever NOTFOUND, OK, WARN or ERR; ERR sums up the worse ones.
STATUSES = {
    "OK": Status.OK,
    "WARN": Status.WARNING,
    "ERR": Status.CRITICAL,
    "STOP": Status.CRITICAL,
    "STALL": Status.CRITICAL,
    "REWIND": Status.CRITICAL,
}
_NEED_A_FULL_WINDOW = ("STOP", "STALL")


def read_names(net: "Net", request: "Request", key: str) -> list[str]:
    answer = expect(dict, ask(net, request), "an object", request)
    listed = expect(list, answer.get(key), f"`{key}` as a list", request)
    return [expect(str, name, f"`{key}` as names", request) for name in listed]


def read_group(net: "Net", request: "Request", name: str) -> "tuple[Item, list[Item]]":
    """A group and all of its partitions, from Burrow's answer about its lag."""
    reply = net.request(request)
    if reply.status not in (200, 404):
        raise refusal(request, reply)
    answer = expect(dict, json_of(request, reply), "an object", request)
    # An unknown group is a 404 with "error": false and the status NOTFOUND.
    if answer.get("error") is not False:
        raise refusal(request, reply)
    told = expect(dict, answer.get("status"), "`status` as an object", request)
    status: str | None = expect(str, told.get("status"), "`status` of the group as text", request)
    complete = number_or_none(told.get("complete"), "`complete` of the group as a number", request)
    partitions = [
        _read_partition(part, name, complete, net.now(), request)
        for part in objects(told.get("partitions"), "`partitions` as a list", request)
    ]
    if status == "OK" and not partitions:
        status = None  # Burrow says OK of a group of which it has seen nothing yet
    if status == "ERR" and _rests_on_doubt(partitions):
        status = None
    total = number_or_none(told.get("totallag"), "`totallag` as a number", request)
    group = {
        "name": name,
        "status": status,
        "total_lag": total if partitions else None,
        "worst_lag": max((part["lag"] for part in partitions if part["lag"] is not None), default=None),
        "complete": complete if partitions else None,
        "last_commit_age_seconds": min(_ages(partitions), default=None),
    }
    return group, partitions


def _read_partition(part: "Item", group: str, complete: "float | None", now: float, request: "Request") -> "Item":
    """Burrow judges half-filled windows too (`minimum-complete` is 0 by default): a STOP or STALL of one is null.

    A partition of which it has seen no commit reads OK with no lag, whatever its topic holds: its `lag` is null.
    """
    status = expect(str, part.get("status"), "`status` of a partition as text", request)
    full = number_or_none(part.get("complete", complete), "`complete` of a partition as a number", request)
    end = expect(dict, part.get("end") or {}, "`end` of a partition as an object", request)
    committed = number_or_none(end.get("timestamp"), "`timestamp` of a commit as a number", request)
    lag = part.get("current_lag", part.get("current-lag", end.get("lag"))) if end else None
    return {
        "group": group,
        "topic": expect(str, part.get("topic"), "`topic` of a partition as text", request),
        "partition": expect(int, part.get("partition"), "`partition` as a number", request),
        "status": None if status in _NEED_A_FULL_WINDOW and (full is None or full < 1) else status,
        "lag": number_or_none(lag, "`current_lag` of a partition as a number", request),
        "complete": full,
        "owner": part.get("owner") or None,
        "client_id": part.get("client_id") or None,
        "last_commit_age_seconds": None if committed is None else round(now - committed / 1000, 3),
    }


def _rests_on_doubt(partitions: "list[Item]") -> bool:
    """Whether only partitions with half-filled windows made Burrow say ERR of their group."""
    firm = any(STATUSES.get(part["status"]) is Status.CRITICAL for part in partitions)
    return not firm and any(part["status"] is None for part in partitions)


def _ages(partitions: "list[Item]") -> list[float]:
    return [part["last_commit_age_seconds"] for part in partitions if part["last_commit_age_seconds"] is not None]
