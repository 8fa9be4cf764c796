"""When the threads of Kafka Streams clients last polled: nothing else tells of one that is alive and stuck."""

from probes.kit.result import Status
from probes.kit.types import Duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from probes.kit.finding import Finding
    from probes.kit.streams.reading import Reading

    Item = dict[str, Any]


def rows(readings: "Iterable[Reading]", limit: Duration) -> "list[Item]":
    """The threads of these JVMs, each by how long ago it polled."""
    return [
        {
            "thread_id": thread,
            "instance": reading.instance,
            "status": _status(age, limit).name,
            "last_poll_age_seconds": age,
        }
        for reading in readings
        for thread, age in sorted((reading.polls or {}).items())
    ]


def _status(age: float | None, limit: Duration) -> Status:
    if age is None:
        return Status.UNKNOWN
    return Status.CRITICAL if age > limit else Status.OK


def findings(of_jvms: "list[tuple[Reading, Item]]", threads: "list[Item]", limit: Duration) -> "Iterator[Finding]":
    """What is wrong with the polling of these clients, each given with its JVM; `threads` are the rows of all."""
    of_all = f"of {len(threads)} stream threads"
    for thread in threads:
        age = thread["last_poll_age_seconds"]
        if thread["status"] == "CRITICAL":
            what = f"{of_all} not polling for over {limit}"
            yield Status.CRITICAL, what, thread["thread_id"], f"last poll {Duration(round(age))} ago"
    by_jvm = {jvm: jvm.by_client(jvm.polls or {}) for jvm in {reading for reading, _ in of_jvms}}
    for reading, client in of_jvms:
        # A client that is not started has not polled; one with no thread left is judged by that.
        if client["state"] == "CREATED" or client["alive_threads"] == 0:
            continue
        own = by_jvm[reading].get(client["client_id"], [])
        for thread_id in own:
            if (reading.polls or {})[thread_id] is None:
                yield Status.UNKNOWN, f"{of_all} that have not polled yet", thread_id, ""
        if not own:
            what = f"of {len(of_jvms)} clients not showing when its threads last polled"
            yield Status.UNKNOWN, what, client["client_id"] or "the client", "that is told since Kafka 2.4"
