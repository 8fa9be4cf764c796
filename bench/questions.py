"""What is asked of the recorded servers, by stetho and by `curl -s … | jq -e …` alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

JOLOKIA = (
    '[{"type":"read","mbean":"kafka.streams:type=stream-metrics,*",'
    '"attribute":["state","client-state","alive-stream-threads","failed-stream-threads"]},'
    '{"type":"read","mbean":"kafka.streams:type=kafka-metrics-count","attribute":["count"]},'
    '{"type":"read","mbean":"java.lang:type=Runtime","attribute":["Uptime"]}]'
)


@dataclass(frozen=True)
class Question:
    """One question; `{url}` stands for the server that plays the cassette.

    `requests` is how many HTTP requests stetho makes for it; curl makes one for each of its addresses.
    """

    name: str
    cassette: str
    requests: int
    stetho: Sequence[str]
    curl: Sequence[str]
    jq: Sequence[str]

    def pipelines(self, url: str, programs: Mapping[str, str]) -> tuple[list[list[str]], list[list[str]]]:
        """stetho's, and curl's with jq."""
        at = {name: [part.replace("{url}", url) for part in getattr(self, name)] for name in ("stetho", "curl", "jq")}
        stetho = [programs["stetho"], "probe", *at["stetho"]]
        return [stetho], [[programs["curl"], "-s", *at["curl"]], [programs["jq"], "-e", *at["jq"]]]


GROUPS = ("billing", "connect-audit-sink", "connect-orders-sink", "connect-payments-sink", "orders-app", "shipping")

QUESTIONS = (
    Question(
        "connect",
        "connect-healthy",
        1,
        ["connect", "--url", "{url}"],
        ["{url}/connectors?expand=status"],
        ['all(.[].status; .connector.state == "RUNNING" and all(.tasks[]; .state == "RUNNING"))'],
    ),
    Question(
        "burrow, one group",
        "burrow-healthy",
        2,
        ["burrow", "--url", "{url}", "--group", "shipping"],
        ["{url}/v3/kafka/local/consumer/shipping/lag"],
        ['.status.status == "OK"'],
    ),
    Question(
        f"burrow, all {len(GROUPS)} groups",
        "burrow-healthy",
        2 + len(GROUPS),
        ["burrow", "--url", "{url}"],
        [f"{{url}}/v3/kafka/local/consumer/{name}/lag" for name in GROUPS],
        ["-s", 'all(.[]; .status.status == "OK")'],
    ),
    Question(
        "targets",
        "prometheus-healthy",
        1,
        ["targets", "--url", "{url}"],
        ["{url}/api/v1/targets?state=active"],
        ['all(.data.activeTargets[]; .health == "up")'],
    ),
    Question(
        "streams --exporter",
        "exporter-healthy",
        1,
        ["streams", "--exporter", "{url}"],
        ["{url}/metrics"],
        ["-Rn", 'any(inputs; startswith("kafka_streams_stream_metrics_client_state{") and endswith(" 2.0"))'],
    ),
    Question(
        "streams --jolokia",
        "jolokia-healthy",
        1,
        ["streams", "--jolokia", "{url}"],
        ["-d", JOLOKIA, "{url}/jolokia/"],
        ['any(.[0].value[]; .state == "RUNNING")'],
    ),
)
