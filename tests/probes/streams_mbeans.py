"""The MBeans of a JVM with Kafka Streams, named as those of real ones are."""

from typing import Any

ID = "orders-1f0c"


def client(client_id: str = ID, **attributes: Any) -> dict[str, dict[str, Any]]:
    """A client's MBean as since 2.8; the attributes' names with _ for -."""
    return {f"kafka.streams:type=stream-metrics,client-id={client_id}": dashed(attributes)}


def dashed(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("_", "-"): value for name, value in attributes.items()}


def ordinal(state: int, client_id: str = ID) -> dict[str, dict[str, Any]]:
    """The MBean that 4.x adds, with more tags."""
    name = f"kafka.streams:type=stream-metrics,process-id=8a1f,application-id=orders,client-id={client_id}"
    return {name: {"client-state": state}}


def running(threads: int = 2, failed: float = 0.0) -> dict[str, dict[str, Any]]:
    return client(state="RUNNING", alive_stream_threads=threads, failed_stream_threads=failed) | ordinal(2)


def count(value: float) -> dict[str, dict[str, Any]]:
    return {"kafka.streams:type=kafka-metrics-count": {"count": value}}


def polls(*ages: float, client_id: str = ID) -> dict[str, dict[str, Any]]:
    """The consumer of each thread, and the one that restores its state."""
    name = "kafka.consumer:type=consumer-metrics,client-id={}-StreamThread-{}-{}"
    return {
        name.format(client_id, number, kind): {"last-poll-seconds-ago": age if kind == "consumer" else 99_999.0}
        for number, age in enumerate(ages, start=1)
        for kind in ("consumer", "restore-consumer")
    }


def threads(*names: str, kind: str = "stream-metrics,client-id") -> dict[str, dict[str, Any]]:
    return {f"kafka.streams:type={kind}={name}": {"commit-total": 7.0} for name in names}


def global_consumer(client_id: str = ID) -> dict[str, dict[str, Any]]:
    """Of the thread that reads a client's global tables."""
    name = f"kafka.consumer:type=consumer-metrics,client-id={client_id}-global-consumer"
    return {name: {"connection-count": 2.0, "last-poll-seconds-ago": 0.0}}


T1, T2 = f"{ID}-StreamThread-1", f"{ID}-StreamThread-2"
OTHERS = {"kafka.streams:type=stream-task-metrics,task-id=0_0": {"process-rate": 1.0}}
