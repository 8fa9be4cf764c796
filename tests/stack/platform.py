"""The whole platform: every real server of the stack, started side by side, and well when it is handed over."""

import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Self

from tests.stack import burrow, jars, prometheus, versions
from tests.stack.broker import PARTITIONS, create_topics
from tests.stack.burrow import Burrow
from tests.stack.capture import Capture
from tests.stack.groups import Consumers, Load
from tests.stack.kafka import Kafka
from tests.stack.page import Page
from tests.stack.process import StackError, wait_for
from tests.stack.prometheus import Job, Prometheus
from tests.stack.smtp import Smtp

CONNECTORS = ("orders-sink", "payments-sink", "audit-sink")
GROUPS = ("billing", "shipping")
THREADS = 2  # of the Streams application
EXPORTER_EVERY = "3s"  # its page is 340 KB, and takes the JVM of a busy machine more than a second


def prepare() -> None:
    """Have every program the platform runs: found, fetched or built. StackError: all that must be installed."""
    needs: tuple[Callable[[], object], ...] = (jars.prepare, burrow.build, prometheus.install)
    with ThreadPoolExecutor() as pool:
        found = [pool.submit(need) for need in needs]
        missing = [str(error) for each in found if isinstance(error := each.exception(), StackError)]
    if missing:
        raise StackError("; ".join(missing))
    for each in found:
        each.result()


class Platform:
    """One of each server. Whatever a test breaks it mends; `well()` says whether nothing is left broken.

    `connect` has CONNECTORS of three tasks each; `groups` are consumers by the names of GROUPS, beside those of the
    connectors and of the Streams application; `shop` are two scrape targets that can be stopped.
    """

    def __init__(self, work: Path) -> None:
        self.kafka = Kafka(work / "kafka", THREADS)
        self.broker, self.connect, self.streams = self.kafka.broker, self.kafka.connect, self.kafka.streams
        self.burrow = Burrow(self.broker.bootstrap, work / "burrow")
        self.shop = (Page(), Page())
        self.prometheus = Prometheus(work / "prometheus")
        self.prometheus.jobs = self.jobs()
        self.load = Load(self.broker.bootstrap, partitions=PARTITIONS)
        self.groups = {name: Consumers(self.broker.bootstrap, name) for name in GROUPS}
        self.smtp = Smtp()
        self.capture = Capture(work / "capture")

    def start(self) -> Self:
        """Start everything at once; on return all is well."""
        prepare()
        starts: list[Future[None]] = []
        try:
            with ThreadPoolExecutor() as pool:
                for start in (self._receivers, self._kafka, self._watchers, self._scraping):
                    starts.append(pool.submit(start))
            for started in starts:
                started.result()
            self.wait_well()
        except BaseException:
            while wait(starts, 1).not_done:  # what one of them starts only now must be stopped too
                self.stop()
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """The broker last: the others take their leave of it."""
        with ThreadPoolExecutor() as pool:
            for consumers in self.groups.values():
                pool.submit(consumers.stop)
            for each in (self.load, self.burrow, self.prometheus, self.smtp, self.capture, *self.shop):
                pool.submit(each.stop)
        self.kafka.stop()

    def wait_well(self, seconds: float = 60) -> None:
        """Return once all is well; StackError says what is not."""
        try:
            wait_for("the platform to be well", self.well, seconds)
        except StackError as error:
            raise StackError(f"{error}: {'; '.join(self.troubles())}") from None

    def well(self) -> bool:
        """Whether each server says of all it watches that it is as it was at the start."""
        return not any(self.troubles())

    def troubles(self) -> Iterator[str]:
        """What is not as it was at the start, one after the other as it is asked."""
        for name in CONNECTORS:
            states = self.connect.states(name)
            if states != ["RUNNING"] * 4:
                yield f"connector {name} is {states}"
        status = self.streams.status()
        if not status.calm(THREADS):
            yield f"the Streams application is {status}"
        for target in self.prometheus.targets():
            if target["health"] != "up":
                yield f"target {target['scrapeUrl']} is {target['health']}: {target['lastError']}"
        known = self.burrow.groups()
        for name in (*GROUPS, "orders-app", *(f"connect-{name}" for name in CONNECTORS)):
            group = self.burrow.group(name) if name in known else {}
            if group.get("status") != "OK" or group["complete"] != 1:
                yield f"Burrow says of {name}: {group}"

    def jobs(self) -> tuple[Job, ...]:
        """What Prometheus scrapes: all of it is up."""
        exporter = self.streams.exporter_url.removeprefix("http://").removesuffix("/metrics")
        return (
            Job("prometheus", (f"127.0.0.1:{self.prometheus.port}",)),
            Job("burrow", (f"127.0.0.1:{self.burrow.port}",)),
            Job("orders-app", (exporter,), interval=EXPORTER_EVERY, timeout=EXPORTER_EVERY),
            Job("shop", tuple(page.instance for page in self.shop)),
        )

    def _receivers(self) -> None:
        for each in (self.smtp, self.capture, *self.shop):
            each.start()

    def _kafka(self) -> None:
        self.kafka.start()
        for name in CONNECTORS:
            self.connect.create(name)

    def _watchers(self) -> None:
        create_topics(self.broker.bootstrap, {"orders": PARTITIONS})
        self.load.start()
        for consumers in self.groups.values():
            consumers.start()
        self.burrow.start()

    def _scraping(self) -> None:
        self.prometheus.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def servers() -> list[str]:
    """The real servers that take part, with their versions."""
    kafka = jars.version("kafka")
    done = subprocess.run(["prometheus", "--version"], capture_output=True, text=True, check=False)
    scraper = re.search(r"version ([\w.]+)", done.stdout + done.stderr)
    return [
        f"Kafka {kafka}",
        f"Connect {kafka}",
        f"Kafka Streams {kafka}",
        f"jmx_exporter {jars.version('jmx-exporter')}",
        f"Jolokia {jars.version('jolokia')}",
        f"Burrow {versions.BURROW.removeprefix('v')}",
        f"Prometheus {scraper[1] if scraper else '?'}",
        "SMTP",
        "the capture of Slack and Twilio",
    ]
