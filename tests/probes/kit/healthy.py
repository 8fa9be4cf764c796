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
MBEAN = {"kafka.streams:type=stream-metrics,client-id=c": {"state": "RUNNING", "alive-stream-threads": 1}}
BODIES: dict[str, Any] = {
    "": {"version": "4.1.0"},
    "/connectors": {"s": {"status": STATUS}},
    "/v3/kafka": {"error": False, "clusters": ["local"]},
    "/v3/kafka/local/consumer": {"error": False, "consumers": ["g"]},
    "/v3/kafka/local/consumer/g/lag": {"error": False, "status": LAG},
    "/api/v1/targets": {"status": "success", "data": {"activeTargets": [TARGET]}},
    "/jolokia": [
        {"status": 200, "value": MBEAN, "request": {}},
        {"status": 200, "value": {"count": 100.0}, "request": {}},
        {"status": 200, "value": {"Uptime": 5000}, "request": {}},
    ],
    "/metrics": 'jmx_scrape_error 0\nkafka_streams_stream_metrics_alive_stream_threads{client_id="c"} 1\n',
}


def found_of(name: str) -> Found:
    """What a read over RMI finds."""
    read = {
        "kafka.streams:type=stream-metrics,*": 0,
        "kafka.streams:type=kafka-metrics-count": 1,
        "java.lang:type=Runtime": 2,
    }
    value = BODIES["/jolokia"][read[name]]["value"]
    return Found(value if is_pattern(name) else {name: value})


def platform(talk: Talk) -> None:
    """The script of a server that is all of them."""
    talk.say(answer(body_of(talk.hear().split()[1].decode())))
    talk.finish()


def body_of(target: str) -> bytes:
    """What a path answers, whatever its query."""
    body = BODIES[target.partition("?")[0].rstrip("/")]
    return (body if isinstance(body, str) else json.dumps(body)).encode()
