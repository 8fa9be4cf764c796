"""A Kafka broker (KRaft, one node) on loopback, and its topics."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from tests.stack.jars import Jvm
from tests.stack.process import free_port, wait_for

PARTITIONS = 4
CLUSTER_ID = "c3RldGhvLXN0YWNrLTAwMQ"

# One of everything, and small: a start waits for each partition of an internal topic, and each buffer is memory.
# A killed broker may not register anew before its last session has expired: 9 s by default.
CONFIG = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
num.partitions={partitions}
num.network.threads=1
num.io.threads=2
log.cleaner.dedupe.buffer.size=2097152
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
"""


class Broker:
    """One Kafka node, broker and controller in one. A restart keeps its port and its data."""

    def __init__(self, work: Path) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self._data = work / "data"
        config = work / "server.properties"
        config.write_text(CONFIG.format(port=self.port, controller=free_port(), data=self._data, partitions=PARTITIONS))
        self.process = Jvm("broker", "kafka.Kafka", [str(config)], work=work, archive="broker")
        format_it = ["format", "--cluster-id", CLUSTER_ID, "--config", str(config)]
        self._format = Jvm("format", "kafka.tools.StorageTool", format_it, work=work, archive="broker")

    def start(self) -> Self:
        """Start, and return once it answers metadata requests."""
        if not self._data.exists():
            # A node refuses a folder that was not formatted: "No readable meta.properties files found".
            self._format.run()
        self.process.start(self.ready)
        return self

    def ready(self) -> bool:
        return _has_broker(_admin(self.bootstrap))

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        self.process.kill()


def create_topics(bootstrap: str, topics: Mapping[str, int], seconds: float = 60) -> None:
    """Create each topic with so many partitions unless it is there, waiting for the broker if need be."""
    admin = _admin(bootstrap)
    wait_for(f"broker {bootstrap}", lambda: _has_broker(admin), seconds)
    wanted = [NewTopic(name, partitions, 1) for name, partitions in topics.items()]
    for created in admin.create_topics(wanted).values():
        try:
            created.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise


def add_partition(bootstrap: str, topic: str) -> int:
    """One more partition for `topic`; how many it has now."""
    admin = _admin(bootstrap)
    wanted = len(admin.list_topics(topic, timeout=10).topics[topic].partitions) + 1
    admin.create_partitions([NewPartitions(topic, wanted)])[topic].result()
    return wanted


def _has_broker(admin: AdminClient) -> bool:
    try:
        return bool(admin.list_topics(timeout=1).brokers)
    except KafkaException:
        return False


def _admin(bootstrap: str) -> AdminClient:
    # Its complaints about a broker that is still starting would go to the terminal.
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
