"""What can go wrong on the platform, each as a context: broken inside it, mended and well again after it."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps

from tests.stack.platform import CONNECTORS, GROUPS, THREADS, Platform
from tests.stack.process import wait_for
from tests.stack.prometheus import NEVER, Job

Fault = Callable[[Platform], AbstractContextManager[None]]
Steps = Iterator[None]  # break; yield; mend

SINK, TASK = "orders-sink", 2
STUCK = GROUPS[0]
LAG = 200  # what only a group exceeds that falls behind


def breaks(steps_of: Callable[[Platform], Steps]) -> Fault:
    """Make a fault of its steps. However the `with` ends, what was broken is mended and all is well afterwards."""

    @wraps(steps_of)
    @contextmanager
    def fault(platform: Platform) -> Iterator[None]:
        steps = steps_of(platform)
        next(steps)
        try:
            yield
        finally:
            next(steps, None)
            platform.wait_well()

    return fault


@breaks
def nothing(platform: Platform) -> Steps:
    yield


@breaks
def failed_task(platform: Platform) -> Steps:
    platform.connect.fail_task(SINK, TASK)
    yield
    platform.connect.mend_task(SINK, TASK)


@breaks
def failed_connector(platform: Platform) -> Steps:
    platform.connect.fail_connector(SINK)
    yield
    platform.connect.mend_connector(SINK)


@breaks
def paused_connector(platform: Platform) -> Steps:
    platform.connect.pause(SINK)
    yield
    platform.connect.resume(SINK)


@breaks
def stopped_connector(platform: Platform) -> Steps:
    platform.connect.stop_connector(SINK)
    yield
    platform.connect.resume(SINK)


@breaks
def lost_tasks(platform: Platform) -> Steps:
    platform.connect.lose_tasks(SINK)
    yield
    platform.connect.create(SINK)


@breaks
def no_connectors(platform: Platform) -> Steps:
    for name in CONNECTORS:
        platform.connect.delete(name)
    yield
    for name in CONNECTORS:
        platform.connect.create(name)


@breaks
def killed_worker(platform: Platform) -> Steps:
    platform.connect.kill()
    yield
    platform.connect.start()


@breaks
def stopped_consumer(platform: Platform) -> Steps:
    platform.groups[STUCK].stop()
    _burrow_says(platform, "STOP")
    yield
    platform.groups[STUCK].start()


@breaks
def stalled_consumer(platform: Platform) -> Steps:
    platform.groups[STUCK].stall()
    _burrow_says(platform, "STALL")
    yield
    platform.groups[STUCK].keep_up()


@breaks
def lagging_consumer(platform: Platform) -> Steps:
    """It moves all the time, so Burrow's own verdict is OK or WARN as it happens; its lag tells."""
    platform.groups[STUCK].slow(2)
    wait_for(f"{STUCK} to lag", lambda: platform.burrow.group(STUCK)["totallag"] > LAG, 60)
    yield
    platform.groups[STUCK].keep_up()


def _burrow_says(platform: Platform, verdict: str) -> None:
    """Wait until every partition of the stuck group has this verdict, from a full window."""

    def told() -> bool:
        partitions = platform.burrow.group(STUCK)["partitions"]
        return all(part["status"] == verdict and part["complete"] == 1 for part in partitions)

    wait_for(f"Burrow to say {verdict} of {STUCK}", told, 60)


@breaks
def target_down(platform: Platform) -> Steps:
    page = platform.shop[0]
    page.stop()
    wait_for("Prometheus to see it down", lambda: platform.prometheus.health()[f"shop/{page.instance}"] == "down", 30)
    yield
    page.start()


@breaks
def never_scraped(platform: Platform) -> Steps:
    new = Job("batch", (platform.shop[1].instance,), interval=NEVER)
    platform.prometheus.reload([*platform.jobs(), new])
    yield
    platform.prometheus.reload(platform.jobs())


@breaks
def rebalancing(platform: Platform) -> Steps:
    platform.streams.rebalance()
    yield
    platform.streams.settle()


@breaks
def lost_thread(platform: Platform) -> Steps:
    """One thread has died. The other has all the work, once the group's patience with the dead one has ended."""
    platform.streams.lose_thread()
    wait_for("the other thread to take over", lambda: platform.streams.status().calm(THREADS - 1), 60)
    yield
    _new_client(platform)  # a client counts its failed threads for as long as it lives


@breaks
def all_threads_dead(platform: Platform) -> Steps:
    """The client goes on saying RUNNING, when it did before the last thread died."""
    platform.streams.lose_thread()
    wait_for("the client to be RUNNING again", lambda: platform.streams.status().state == "RUNNING", 60)
    platform.streams.lose_thread()
    yield
    _new_client(platform)


@breaks
def dead_client(platform: Platform) -> Steps:
    """ERROR: its MBeans are gone, and the JVM answers."""
    platform.streams.die()
    yield
    platform.streams.run()


@breaks
def closed_client(platform: Platform) -> Steps:
    platform.streams.close()
    yield
    platform.streams.run()


def _new_client(platform: Platform) -> None:
    platform.streams.close()
    platform.streams.run()


@breaks
def unstarted_client(platform: Platform) -> Steps:
    """CREATED: the JVM is up and its client is not started yet."""
    platform.streams.stop()
    platform.streams.start(run=False)
    yield
    platform.streams.run()


@breaks
def frozen_jvm(platform: Platform) -> Steps:
    """The kernel accepts connections for it, and not a byte comes back."""
    platform.streams.process.signal(signal.SIGSTOP)
    yield
    platform.streams.process.signal(signal.SIGCONT)


@breaks
def killed_jvm(platform: Platform) -> Steps:
    platform.streams.kill()
    yield
    platform.streams.start()
