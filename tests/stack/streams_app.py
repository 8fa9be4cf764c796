"""A Kafka Streams application (its source is in `streams/`) that rebalances, loses a thread and dies on command.

Its JVM carries what users' do: the jmx_exporter agent, the Jolokia agent, and remote JMX.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.stack.broker import PARTITIONS, create_topics
from tests.stack.control import command
from tests.stack.jars import STACK, Jvm
from tests.stack.process import free_port, wait_for


@dataclass(frozen=True)
class Status:
    """The client's state, its living threads' states and tasks; whether a fault is still to strike; tasks held back."""

    state: str
    threads: list[str]
    tasks: int
    pending: bool
    held: int

    def running(self, threads: int) -> bool:
        """All is well, with so many threads: a client is RUNNING before an added thread is."""
        return self.state == "RUNNING" and self.threads == ["RUNNING"] * threads

    def calm(self, threads: int) -> bool:
        """Running, and all partitions are consumed here: no rebalance is to come.

        A thread that has died keeps its tasks until its session ends.
        """
        return self.running(threads) and self.tasks == PARTITIONS


class StreamsApp:
    """The application `orders-app`: it counts the topic `orders` into `order-counts`, with so many stream threads.

    The JVM outlives its Streams client: after `die` and `close`, HTTP and JMX go on answering, as in an application
    with a web server. Another instance on the same broker joins the same group.
    """

    def __init__(self, bootstrap: str, work: Path, threads: int = 2) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self._bootstrap, self._threads = bootstrap, threads
        self._control, exporter, jolokia, self.jmx_port = (free_port() for _ in range(4))
        self.exporter_url = f"http://127.0.0.1:{exporter}/metrics"
        self.jolokia_url = f"http://127.0.0.1:{jolokia}/jolokia"
        self.jmx = f"127.0.0.1:{self.jmx_port}"
        self.control_url = f"http://127.0.0.1:{self._control}"  # POST a command, such as /lose-thread
        self.process = Jvm(
            "streams",
            "stack.OrdersApp",
            [bootstrap, str(self._control), str(self.jmx_port), str(threads), str(work / "state")],
            work=work,
            archive="connect",  # the same client library, so much the same classes
            agents=[
                ("jmx_prometheus", f"127.0.0.1:{exporter}:{STACK / 'streams' / 'exporter.yml'}"),
                # Discovery would listen for multicasts, on every address.
                ("jolokia", f"host=127.0.0.1,port={jolokia},discoveryEnabled=false"),
            ],
        )

    def start(self, *, run: bool = True) -> Self:
        """Start the JVM and its client; RUNNING on return. Without `run` the client stays CREATED.

        The broker may come up meanwhile.
        """
        self.process.start(lambda: self.status().state == "CREATED")
        if run:
            # A client whose input topic is missing gives up at once.
            create_topics(self._bootstrap, {"orders": PARTITIONS, "order-counts": PARTITIONS})
            self.run()
        return self

    def run(self) -> None:
        """Start the client, a new one if the last has died or was closed."""
        self._do("start", lambda now: now.running(self._threads))

    def rebalance(self) -> None:
        """Begin a rebalance that lasts until `settle`: one more thread, whose task is not ready sooner.

        It takes fewer threads than the topic has partitions, and may last five minutes.
        """
        self._do("rebalance", lambda now: now.state == "REBALANCING" and now.held > 0)

    def settle(self) -> None:
        """End the rebalance, with as many threads as before it."""
        wanted = len(self.status().threads) - 1
        self._do("settle", lambda now: now.running(wanted))

    def add_thread(self) -> None:
        """One more thread, after a short rebalance; it makes up for a lost one."""
        wanted = len(self.status().threads) + 1
        self._do("add-thread", lambda now: now.running(wanted))

    def remove_thread(self) -> None:
        """One thread fewer, in good order: it does not count as failed."""
        wanted = len(self.status().threads) - 1
        self._do("remove-thread", lambda now: now.running(wanted))

    def lose_thread(self) -> None:
        """One thread dies of an exception and is not replaced. The client stays RUNNING, even without any thread."""
        wanted = len(self.status().threads) - 1
        self._do("lose-thread", lambda now: not now.pending and len(now.threads) == wanted)

    def replace_thread(self) -> None:
        """One thread dies of an exception and a new one takes its place: RUNNING, with one failed thread more."""
        wanted = len(self.status().threads)
        self._do("replace-thread", lambda now: not now.pending and now.running(wanted))

    def die(self) -> None:
        """The client goes to ERROR, its threads end, and the JVM lives on."""
        self._do("die", lambda now: now.state == "ERROR")

    def close(self) -> None:
        """The client ends in good order, NOT_RUNNING, and the JVM lives on."""
        self._do("close", lambda now: now.state == "NOT_RUNNING")

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        self.process.kill()

    def status(self) -> Status:
        """What the application says of itself, past JMX and the agents."""
        return self._command("status")

    def _do(self, name: str, done: Callable[[Status], bool]) -> None:
        self._command(name)
        wait_for(f"the Streams application to {name}", lambda: done(self.status()), 60)

    def _command(self, name: str) -> Status:
        return Status(**json.loads(command(self._control, name)))
