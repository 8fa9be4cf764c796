"""Real consumer groups on the broker that keep up, lag, stall and stop, and a steady load for them to consume."""

import itertools
import threading
from contextlib import suppress
from typing import Self

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

COMMIT_EVERY = 0.5  # seconds; Burrow takes no more than one commit a second into its window
AT_ONCE = 500


class Load:
    """A thread that produces so many records a second, the same share into each partition of a topic."""

    def __init__(self, bootstrap: str, topic: str = "orders", partitions: int = 4, rate: float = 40) -> None:
        self.rate = rate
        self._topic, self._partitions = topic, partitions
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, "log_level": 0})
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._produce, name=f"load {topic}", daemon=True)

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()
        self._producer.flush(5)

    def _produce(self) -> None:
        for number in itertools.count():
            if self._ended.wait(1 / self.rate):
                return
            partition, customer = number % self._partitions, f"customer-{number % 10}"
            with suppress(BufferError):  # the broker is down for long: what does not fit is lost, the load goes on
                self._producer.produce(self._topic, f"order {number}", customer, partition=partition)
            self._producer.poll(0)


class Consumers:
    """One consumer in a group of its own. It commits twice a second, whatever it does, until it is stopped.

    What Burrow says of it: OK while it keeps up; WARN when it is slower than the load; STALL when it stalls, that is
    commits the same offset while more is produced; STOP when it has stopped; all by Burrow's window, not at once.
    """

    def __init__(self, bootstrap: str, group: str, topic: str = "orders") -> None:
        self.group = group
        self._bootstrap, self._topic = bootstrap, topic
        self._rate: float | None = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Join the group in a thread of its own, at the group's offsets, else at the topic's beginning."""
        self._ended.clear()
        self._thread = threading.Thread(target=self._consume, name=f"group {self.group}", daemon=True)
        self._thread.start()
        return self

    def keep_up(self) -> None:
        """Consume as fast as it can: the default, and the end of `slow` and `stall`."""
        self._rate = None

    def slow(self, rate: float) -> None:
        """Consume at most so many records a second: lag grows when the load is more."""
        self._rate = rate

    def stall(self) -> None:
        """Consume nothing, but stay in the group and commit where it is."""
        self._rate = 0

    def stop(self) -> None:
        """Leave the group and commit no more. `start` joins again."""
        if self._thread is not None:
            self._ended.set()
            self._thread.join()
            self._thread = None

    def _consume(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": self.group,
                "client.id": f"{self.group}-1",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "session.timeout.ms": 6000,
                "log_level": 0,
            }
        )
        consumer.subscribe([self._topic])
        positions: dict[int, int] = {}
        try:
            while not self._ended.is_set():
                for message in self._take(consumer):
                    _advance(positions, message)
                self._commit(consumer, positions)
        finally:
            consumer.close()

    def _take(self, consumer: Consumer) -> list[Message]:
        """The records of one commit interval, at the rate in force."""
        rate = self._rate
        if rate is None:
            return consumer.consume(AT_ONCE, COMMIT_EVERY)
        taken = consumer.consume(max(1, round(rate * COMMIT_EVERY)), COMMIT_EVERY) if rate else []
        self._ended.wait(COMMIT_EVERY)
        return taken

    def _commit(self, consumer: Consumer, positions: dict[int, int]) -> None:
        assigned = {part.partition for part in consumer.assignment()}
        offsets = [TopicPartition(self._topic, part, at) for part, at in positions.items() if part in assigned]
        if not offsets:
            return
        with suppress(KafkaException):  # a rebalance, or the broker is away: the next commit says the same and more
            consumer.commit(offsets=offsets, asynchronous=False)


def _advance(positions: dict[int, int], message: Message) -> None:
    part, offset = message.partition(), message.offset()
    if message.error() is None and part is not None and offset is not None:
        positions[part] = offset + 1
