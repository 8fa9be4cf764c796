"""A real Kafka Streams application to ask over JMX, and the JVM that asks it beside stetho."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.processes import Pipeline
from tests.stack.broker import Broker
from tests.stack.jars import compiled, fetched
from tests.stack.streams_app import StreamsApp

SOURCE = Path(__file__).with_name("reader")
JMXTERM = Path(__file__).with_name("jmxterm")

# The cheapest of what was tried with OpenJDK 17, in ms of CPU: as it comes 342; with C1 alone, the serial collector and
# a small heap 278; interpreted in its place 246; with an archive of its classes, too, 207. Neither verification nor the
# size of stacks makes a difference.
FLAGS = ("-Xint", "-XX:+UseSerialGC", "-Xmx32m", "-XX:-UsePerfData", "-Xlog:disable")


def missing() -> str:
    """What of Java is not there, or nothing."""
    absent = [name for name in ("java", "javac", "mvn") if shutil.which(name) is None]
    return f"no {' and no '.join(absent)} here" if absent else ""


@contextmanager
def streams() -> Iterator[str]:
    """A running Kafka Streams application; its remote JMX as host:port. StackError when it does not come up."""
    with tempfile.TemporaryDirectory(prefix="stetho-bench-") as folder:
        broker = Broker(Path(folder, "broker"))
        application = StreamsApp(broker.bootstrap, Path(folder, "streams"))
        try:
            broker.start()
            application.start()
            yield application.jmx
        finally:
            application.stop()
            broker.stop()


def reader(jmx: str) -> list[str]:
    """The command that reads over JMX, as cheap as a JVM can be made; what is read is still to be added."""
    java, program = shutil.which("java") or "java", ["-cp", str(compiled(SOURCE)), "Read", jmx]
    archive = compiled(SOURCE).with_suffix(".jsa")
    if not archive.exists():
        new = archive.with_name(f"{archive.name}.{os.getpid()}")
        subprocess.run([java, *FLAGS, f"-XX:ArchiveClassesAtExit={new}", *program, "streams", "heap"], check=True)
        new.replace(archive)
    return [java, *FLAGS, f"-XX:SharedArchiveFile={archive}", *program]


def others(jmx: str) -> dict[str, Pipeline]:
    """What else people read JMX with, for comparison."""
    java = shutil.which("java") or "java"
    plain = [java, "-cp", str(compiled(SOURCE)), "Read", jmx, "streams"]
    jar = next(fetched(JMXTERM / "pom.xml").glob("*.jar"))
    reads = str(JMXTERM / "reads.txt")
    jmxterm = [java, "-jar", str(jar), "-l", jmx, "-n", "-e", "-v", "silent", "-i", reads]
    return {"Java reader, default flags": [plain], f"{jar.stem}, count and Uptime only": [jmxterm]}
