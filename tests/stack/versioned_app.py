"""One application (its source is in `versioned/`) on any version of Kafka Streams, put into every state on command.

It is compiled once, against the oldest of our versions, and runs on the jars of each. Its JVM carries what users' do:
the jmx_exporter agent, the Jolokia agent, and remote JMX. What it says of itself comes from the clients and the JVM's
list of threads, never from a metric, so that metrics can be measured against it.
"""

import functools
import json
import os
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.stack import jars, versions
from tests.stack.broker import PARTITIONS, add_partition, create_topics
from tests.stack.control import command
from tests.stack.groups import Load
from tests.stack.jars import COMMON, STACK, Jvm
from tests.stack.process import StackError, free_port, wait_for
from tests.stack.prometheus import Job

FOLDER = STACK / "versioned"
THREADS = 2


def all_versions() -> tuple[str, ...]:
    """Those of Kafka Streams that we run, oldest first."""
    return (*versions.OLD_STREAMS, jars.version("kafka"))


def numbers(version: str) -> tuple[int, ...]:
    """A version as it can be compared."""
    return tuple(map(int, version.split(".")))


@functools.cache
def classpath(version: str) -> str:
    """The application, the jars of `version`, and what writes a log."""
    oldest = jars.fetched(FOLDER / "pom.xml", f"kafka.version={all_versions()[0]}")
    ours = jars.compiled([FOLDER, COMMON], f"{oldest}/*")
    libraries = jars.fetched(FOLDER / "pom.xml", f"kafka.version={version}")
    return os.pathsep.join(map(str, [ours, *sorted(libraries.glob("*.jar")), *jars.prepare().logging()]))


def scrapes(apps: Iterable["VersionedApp"]) -> Job:
    """What a Prometheus is given to scrape them; each is an `instance`, its `exporter_target`."""
    return Job("streams", tuple(app.exporter_target for app in apps))


@dataclass(frozen=True)
class Status:
    """One client: its state, its living threads, their tasks, and those of them that are made to wait.

    `held` tasks are being made ready, `wedged` threads are in the middle of a record. `pending`: an order is still to
    be carried out.
    """

    client: str
    state: str
    threads: int
    tasks: int
    held: int
    wedged: int
    pending: bool


class VersionedApp:
    """The JVM with any number of clients, none at first. It outlives them, and goes on answering HTTP and JMX.

    Clients get new names, `orders-1` and up, and those in one JVM at a time are one application, whose topic gets 20
    records a second. A command without a client is for the first one.
    """

    def __init__(self, version: str, bootstrap: str, work: Path) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self.version = version
        # Several may share a broker, one after another or at once, and no topic or group.
        self._topic = f"orders-{version}-{uuid.uuid4().hex[:6]}"
        self._bootstrap, self._partitions = bootstrap, PARTITIONS
        self._control, exporter, jolokia, jmx = (free_port() for _ in range(4))
        self.jmx = f"127.0.0.1:{jmx}"
        self.jolokia_url = f"http://127.0.0.1:{jolokia}/jolokia"
        self.exporter_url = f"http://127.0.0.1:{exporter}/metrics"
        self.exporter_target = f"127.0.0.1:{exporter}"
        self._created, self._application = 0, ""
        self._load: Load | None = None
        self.process = Jvm(
            f"streams-{version}",
            "stack.VersionedApp",
            [bootstrap, str(self._control), str(jmx), self._topic, str(work / "state")],
            work=work,
            agents=[
                ("jmx_prometheus", f"{self.exporter_target}:{STACK / 'streams' / 'exporter.yml'}"),
                ("jolokia", f"host=127.0.0.1,port={jolokia},discoveryEnabled=false"),
            ],
            classpath=lambda: classpath(version),
        )

    def start(self) -> Self:
        """Start the JVM, without a client. The broker has to be up."""
        create_topics(self._bootstrap, {self._topic: self._partitions})
        self.process.start(lambda: not self.status())
        if self._load is None:
            self._load = Load(self._bootstrap, self._topic, rate=20).start()
        return self

    def stop(self) -> None:
        if self._load is not None:
            self._load.stop()
            self._load = None
        self.process.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def status(self) -> list[Status]:
        """Of every client, in the order of their creation."""
        return [Status(**each) for each in json.loads(command(self._control, "status", 5))]

    def first(self) -> Status:
        return self.status()[0]

    def fresh(self, threads: int = THREADS) -> None:
        """A new client in a group of its own, CREATED, and all others closed and gone."""
        old = [each.client for each in self.status()]
        for client in old:
            self.close(client)
            self.release(client)
        self._wait("the old clients to end", lambda all_: all(each.threads == 0 for each in all_))
        for client in old:
            self._order("forget", client)
        self._application = f"{self._topic}-{self._created + 1}"
        self._create(threads)

    def _create(self, threads: int) -> str:
        self._created += 1
        client = f"orders-{self._created}"
        command(self._control, f"create/{self._application}/{client}/{threads}")
        return client

    def start_held(self) -> None:
        """Start the new client, and stop it half way: REBALANCING until `release`, for its tasks are not ready."""
        self._order("hold")
        self._order("start")
        self._wait("tasks held back", lambda all_: all_[0].state == "REBALANCING" and all_[0].held > 0)

    def run(self) -> None:
        """Start the new client."""
        self._order("start")
        self.calm()

    def run_global(self) -> None:
        """A new client with nothing but a global table, RUNNING without a stream thread. Since 2.5."""
        self.fresh(threads=0)
        self._order("start")
        self._wait_state("RUNNING")

    def calm(self, threads: int = THREADS) -> None:
        """Wait until the first client is RUNNING with so many threads that have every task between them."""
        self._wait(f"{threads} calm threads", lambda all_: self._calm(all_[:1], threads))

    def _calm(self, clients: list[Status], threads: int) -> bool:
        return sum(each.tasks for each in clients) == self._partitions and all(
            each.state == "RUNNING" and each.threads == threads and not each.pending and not each.held
            for each in clients
        )

    def beside(self, threads: int = THREADS) -> str:
        """A second client of the same application, which shares the work. All are RUNNING; its name."""
        client = self._create(threads)
        self._order("start", client)
        self._wait("two clients to share the work", lambda all_: self._calm(all_, threads))
        return client

    def rebalance(self) -> None:
        """The topic gets one more partition, whose task is not ready before `release`: REBALANCING until then."""
        self._order("hold")
        self._partitions = add_partition(self._bootstrap, self._topic)
        self._wait("a rebalance held open", lambda all_: all_[0].state == "REBALANCING" and all_[0].held > 0)

    def wedge(self) -> None:
        """One thread is stuck in the middle of a record until `release`."""
        self._order("wedge")
        self._wait("a wedged thread", lambda all_: all_[0].wedged == 1)

    def release(self, client: str = "") -> None:
        """End what holds a client's threads. What then becomes of it is the caller's to wait for."""
        self._order("release", client)

    def lose_thread(self) -> None:
        """One thread dies of an uncaught exception; the others, if any, take over its tasks."""
        left = self.first().threads - 1
        self._order("die")
        self._wait(f"{left} living threads", lambda all_: all_[0].threads == left and not all_[0].pending)
        if left:
            self.calm(left)

    def replace_thread(self) -> None:
        """One thread dies and a new one takes its place. Since 2.8."""
        threads = self.first().threads
        self._order("replace-thread")
        self.calm(threads)

    def shut_down(self) -> None:
        """One thread dies and asks for the end of its client: PENDING_ERROR until no thread lives, then ERROR.

        Since 2.8.
        """
        self._order("shutdown-client")
        self._wait_state("PENDING_ERROR", "ERROR")

    def wait_error(self) -> None:
        self._wait_state("ERROR")

    def close(self, client: str = "") -> None:
        """Begin to close: PENDING_SHUTDOWN until no thread lives, then NOT_RUNNING."""
        self._order("close", client)

    def wait_closed(self, client: str = "") -> None:
        client = client or self.first().client
        self._wait(
            f"{client} to be closed",
            lambda all_: all(
                each.state == "NOT_RUNNING" and not each.threads for each in all_ if each.client == client
            ),
        )

    def _wait_state(self, *states: str) -> None:
        self._wait(" or ".join(states), lambda all_: all_[0].state in states)

    def _order(self, name: str, client: str = "") -> None:
        command(self._control, f"{name}/{client or self.first().client}")

    def _wait(self, what: str, done: Callable[[list[Status]], bool]) -> None:
        try:
            wait_for(f"Streams {self.version}: {what}", lambda: done(self.status()), 90)
        except StackError as error:
            raise StackError(f"{error}; it says {self.status()}") from None
