"""What is asked, by stetho and by others alike: `curl -s … | jq -e …`, or a small Java program where JMX is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.processes import Pipeline

JOLOKIA = (
    '[{"type":"read","mbean":"kafka.streams:type=stream-metrics,*",'
    '"attribute":["state","client-state","alive-stream-threads","failed-stream-threads"]},'
    '{"type":"read","mbean":"kafka.streams:type=kafka-metrics-count","attribute":["count"]},'
    '{"type":"read","mbean":"java.lang:type=Runtime","attribute":["Uptime"]}]'
)


@dataclass(frozen=True)
class Question:
    """One question; `{url}` stands for the server that plays the cassette, `{jmx}` for the Streams application.

    `requests` is how many HTTP requests stetho makes for it; curl makes one for each of its addresses. With `read`,
    bench/reader asks the same over JMX in the place of curl and jq. `tls`: the server plays it over https.
    """

    name: str
    cassette: str
    requests: int
    stetho: Sequence[str]
    curl: Sequence[str] = ()
    jq: Sequence[str] = ()
    read: str = ""
    tls: bool = False

    @property
    def peer(self) -> str:
        return "Java reader" if self.read else "curl\\|jq"


@dataclass(frozen=True)
class Asked:
    """A question with the commands that ask it: stetho's, and its peer's."""

    question: Question
    stetho: Pipeline
    peer: Pipeline


def ask(question: Question, places: Mapping[str, str], programs: Mapping[str, Sequence[str]]) -> Asked:
    """`places` are what `{…}` stands for."""

    def placed(words: Sequence[str]) -> list[str]:
        for name, place in places.items():
            words = [word.replace(f"{{{name}}}", place) for word in words]
        return list(words)

    stetho = [[*programs["stetho"], "probe", *placed(question.stetho)]]
    if question.read:
        return Asked(question, stetho, [[*programs["reader"], question.read]])
    curl = [*programs["curl"], "-s", *placed(question.curl)]
    return Asked(question, stetho, [curl, [*programs["jq"], "-e", *placed(question.jq)]])


GROUPS = ("billing", "connect-audit-sink", "connect-orders-sink", "connect-payments-sink", "orders-app", "shipping")
STATUS = "{url}/connectors?expand=status"
RUNNING = 'all(.[].status; .connector.state == "RUNNING" and all(.tasks[]; .state == "RUNNING"))'

QUESTIONS = (
    Question("connect", "connect-healthy", 1, ["connect", "--url", "{url}"], [STATUS], [RUNNING]),
    Question(
        "connect, bearer token",
        "connect-healthy",
        1,
        ["connect", "--url", "{url}", "--token-file", "{token}"],
        ["-H", "@{header}", STATUS],
        [RUNNING],
    ),
    Question(
        "connect, https",
        "connect-healthy",
        1,
        ["connect", "--url", "{url}", "--ca-file", "{ca}"],
        ["--cacert", "{ca}", STATUS],
        [RUNNING],
        tls=True,
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
    Question("streams --jmx", "", 0, ["streams", "--jmx", "{jmx}"], read="streams"),
    Question(
        "jmx",
        "",
        0,
        ["jmx", "--jmx", "{jmx}", "--read", "java.lang:type=Memory", "--attribute", "HeapMemoryUsage.used"],
        read="heap",
    ),
)
