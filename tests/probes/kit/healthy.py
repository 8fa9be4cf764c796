"""A whole platform that is well, at one address: Connect, Burrow, Prometheus, an exporter and a Jolokia agent."""

import json
from typing import Any

from probes.kit.mbeans import is_pattern
from probes.kit.net import Found
from tests.probes.kit.rawserver import Talk, answer

TASK = {"id": 0, "state": "RUNNING", "worker_id": "w:1"}
STATUS = {"name": "s", "connector": {"state": "RUNNING", "worker_id": "w:1"}, "tasks": [TASK], "type": "sink"}
PART = {"topic": "t", "partition": 0, "status": "OK", "current_lag": 1, "complete": 1.0, "end": {"timestamp": 1000}}
LAG = {"status": "OK", "complete": 1.0, "partitions": [PART], "totallag": 1}
TARGET = {
    "labels": {"job": "j", "instance": "i"}, "health": "up", "scrapeUrl": "http://i/metrics", "lastError": "",
    "lastScrape": "2026-11-20T23:33:20.123456789Z", "scrapePool": "j",
}  # fmt: skip
# What each read of a JVM finds, over RMI and Jolokia alike.
MBEANS: dict[str, Any] = {
    "kafka.streams:type=stream-metrics,*": {
        "kafka.streams:type=stream-metrics,client-id=c": {"state": "RUNNING", "alive-stream-threads": 1}
    },
    "kafka.streams:type=kafka-metrics-count": {"count": 100.0},
    "java.lang:type=Runtime": {"Uptime": 5000},
}
BODIES: dict[str, Any] = {
    "": {"version": "4.1.0"},
    "/connectors": {"s": {"status": STATUS}},
    "/v3/kafka": {"error": False, "clusters": ["local"]},
    "/v3/kafka/local/consumer": {"error": False, "consumers": ["g"]},
    "/v3/kafka/local/consumer/g/lag": {"error": False, "status": LAG},
    "/api/v1/targets": {"status": "success", "data": {"activeTargets": [TARGET]}},
    "/metrics": 'jmx_scrape_error 0\nkafka_streams_stream_metrics_alive_stream_threads{client_id="c"} 1\n',
    "/-/healthy": "Exporter is healthy.\n",
    "/jolokia/version": {"status": 200, "value": {"agent": "2.6.0"}},
    "/api/v1/query": {"status": "success", "data": {"resultType": "vector", "result": [
        {"metric": {"__name__": "up", "job": "j", "instance": "i"}, "value": [1, "1"]},
        {"metric": {"__name__": "kafka_streams_stream_metrics_alive_stream_threads", "job": "j", "instance": "i",
                    "client_id": "c"}, "value": [1, "1"]},
    ]}},
}  # fmt: skip


def found_of(name: str) -> Found:
    """What a read over RMI finds."""
    return Found(MBEANS[name] if is_pattern(name) else {name: MBEANS[name]})


def platform(talk: Talk) -> None:
    """The script of a server that is all of them."""
    head, _, body = talk.hear().partition(b"\r\n\r\n")
    if not head:
        return  # a deadline came between connecting and asking
    talk.say(answer(body_of(head.split()[1].decode(), body)))
    talk.finish()


def body_of(target: str, asked: bytes = b"") -> bytes:
    """What a path answers, whatever its query; a Jolokia agent, what it is asked."""
    path = target.partition("?")[0].rstrip("/")
    if path == "/jolokia":
        body = [{"status": 200, "value": MBEANS[read["mbean"]], "request": read} for read in json.loads(asked)]
    else:
        body = BODIES[path]
    return (body if isinstance(body, str) else json.dumps(body)).encode()
