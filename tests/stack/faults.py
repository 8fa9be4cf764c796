"""What can go wrong on the platform, each as a context: broken inside it, mended and well again after it."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.stack.platform import CONNECTORS, GROUPS, Platform
from tests.stack.process import wait_for
from tests.stack.prometheus import NEVER, Job

Fault = Callable[[Platform], AbstractContextManager[None]]

SINK, TASK = "orders-sink", 2
STUCK = GROUPS[0]
LAG = 100  # what a group that falls behind exceeds


@contextmanager
def nothing(platform: Platform) -> Iterator[None]:
    yield


@contextmanager
def failed_task(platform: Platform) -> Iterator[None]:
    platform.connect.fail_task(SINK, TASK)
    yield
    platform.connect.mend_task(SINK, TASK)


@contextmanager
def failed_connector(platform: Platform) -> Iterator[None]:
    platform.connect.fail_connector(SINK)
    yield
    platform.connect.mend_connector(SINK)


@contextmanager
def paused_connector(platform: Platform) -> Iterator[None]:
    platform.connect.pause(SINK)
    yield
    platform.connect.resume(SINK)


@contextmanager
def stopped_connector(platform: Platform) -> Iterator[None]:
    platform.connect.stop_connector(SINK)
    yield
    platform.connect.resume(SINK)


@contextmanager
def lost_tasks(platform: Platform) -> Iterator[None]:
    platform.connect.lose_tasks(SINK)
    yield
    platform.connect.create(SINK)


@contextmanager
def no_connectors(platform: Platform) -> Iterator[None]:
    for name in CONNECTORS:
        platform.connect.delete(name)
    yield
    for name in CONNECTORS:
        platform.connect.create(name)


@contextmanager
def stopped_consumer(platform: Platform) -> Iterator[None]:
    platform.groups[STUCK].stop()
    _burrow_says(platform, "STOP")
    yield
    platform.groups[STUCK].start()
    wait_for("Burrow to see the consumer again", platform.watched, 30)


@contextmanager
def stalled_consumer(platform: Platform) -> Iterator[None]:
    platform.groups[STUCK].stall()
    _burrow_says(platform, "STALL")
    yield
    platform.groups[STUCK].keep_up()
    wait_for("Burrow to see the consumer move", platform.watched, 30)


@contextmanager
def lagging_consumer(platform: Platform) -> Iterator[None]:
    """It moves all the time, so Burrow's own verdict is OK or WARN as it happens; its lag tells."""
    platform.groups[STUCK].slow(4)
    wait_for(f"{STUCK} to lag", lambda: platform.burrow.group(STUCK)["totallag"] > LAG, 30)
    yield
    platform.groups[STUCK].keep_up()
    wait_for("the consumer to catch up", platform.watched, 30)


def _burrow_says(platform: Platform, verdict: str) -> None:
    """Wait until every partition of the stuck group has this verdict, from a full window."""

    def told() -> bool:
        partitions = platform.burrow.group(STUCK)["partitions"]
        return all(part["status"] == verdict and part["complete"] == 1 for part in partitions)

    wait_for(f"Burrow to say {verdict} of {STUCK}", told, 30)


@contextmanager
def target_down(platform: Platform) -> Iterator[None]:
    page = platform.shop[0]
    page.stop()
    wait_for("Prometheus to see it down", lambda: platform.prometheus.health()[f"shop/{page.instance}"] == "down", 10)
    yield
    page.start()
    wait_for("Prometheus to see it up", lambda: platform.prometheus.health()[f"shop/{page.instance}"] == "up", 10)


@contextmanager
def never_scraped(platform: Platform) -> Iterator[None]:
    new = Job("batch", (platform.shop[1].instance,), interval=NEVER)
    platform.prometheus.reload([*platform.jobs(), new])
    yield
    platform.prometheus.reload(platform.jobs())


@contextmanager
def rebalancing(platform: Platform) -> Iterator[None]:
    platform.streams.rebalance()
    yield
    platform.streams.settle()


@contextmanager
def lost_thread(platform: Platform) -> Iterator[None]:
    _lose_thread(platform)
    yield
    _new_client(platform)  # a client counts its failed threads for as long as it lives


@contextmanager
def all_threads_dead(platform: Platform) -> Iterator[None]:
    """The client goes on saying RUNNING."""
    _lose_thread(platform)
    _lose_thread(platform)
    yield
    _new_client(platform)


@contextmanager
def dead_client(platform: Platform) -> Iterator[None]:
    """ERROR: its MBeans are gone, and the JVM answers."""
    platform.streams.die()
    yield
    platform.streams.run()


@contextmanager
def closed_client(platform: Platform) -> Iterator[None]:
    platform.streams.close()
    yield
    platform.streams.run()


def _lose_thread(platform: Platform) -> None:
    """The thread's end is a rebalance too, for a moment."""
    platform.streams.lose_thread()
    wait_for("the client to be RUNNING again", lambda: platform.streams.status().state == "RUNNING", 20)


def _new_client(platform: Platform) -> None:
    platform.streams.close()
    platform.streams.run()


@contextmanager
def unstarted_client(platform: Platform) -> Iterator[None]:
    """CREATED: the JVM is up and its client is not started yet."""
    platform.streams.stop()
    platform.streams.start(run=False)
    yield
    platform.streams.run()


@contextmanager
def frozen_jvm(platform: Platform) -> Iterator[None]:
    """The kernel accepts connections for it, and not a byte comes back."""
    platform.streams.process.signal(signal.SIGSTOP)
    yield
    platform.streams.process.signal(signal.SIGCONT)
    wait_for("the application to go on", lambda: platform.streams.status().running(2), 30)


@contextmanager
def killed_jvm(platform: Platform) -> Iterator[None]:
    platform.streams.kill()
    yield
    platform.streams.start()
