"""The JVM half of the platform: broker, Connect worker and Streams application, started side by side."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from tests.stack.broker import Broker, create_topics
from tests.stack.connect import Connect
from tests.stack.jars import prepare
from tests.stack.streams_app import StreamsApp

__all__ = ["Broker", "Connect", "Kafka", "StreamsApp", "create_topics"]


class Kafka:
    """One of each on one broker."""

    def __init__(self, work: Path, threads: int = 2) -> None:
        self.broker = Broker(work / "broker")
        self.connect = Connect(self.broker.bootstrap, work / "connect")
        self.streams = StreamsApp(self.broker.bootstrap, work / "streams", threads)

    def start(self) -> Self:
        """Start all three at once: worker and application load their classes while the broker comes up."""
        prepare()
        try:
            with ThreadPoolExecutor() as pool:
                starts = [pool.submit(each.start) for each in (self.broker, self.connect, self.streams)]
            for start in starts:
                start.result()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """The broker last: the others take their leave of it."""
        for each in (self.streams, self.connect, self.broker):
            each.stop()
