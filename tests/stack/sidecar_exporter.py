"""jmx_exporter as many run it: not in the JVM that it tells of but beside it, reading it by remote JMX."""

from pathlib import Path
from typing import Self

from tests.stack.jars import FLAGS, STACK, fetched, version
from tests.stack.process import Process, free_port, get

RULES = (STACK / "streams" / "exporter.yml").read_text()


class Sidecar:
    """One that reads the JVM at `jmx`, "HOST:PORT"."""

    def __init__(self, jmx: str, work: Path) -> None:
        work.mkdir(parents=True, exist_ok=True)
        config = work / "sidecar.yml"
        config.write_text(f"hostPort: {jmx}\n{RULES}")
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}/metrics"
        self._arguments = [f"127.0.0.1:{self._port}", str(config)]
        self.process = Process("sidecar", [], log=work / "sidecar.log", cwd=work)

    def start(self) -> Self:
        """Answering on return, whatever it has to tell."""
        folder = fetched(STACK / "sidecar" / "pom.xml", f"jmx-exporter.version={version('jmx-exporter')}")
        (jar,) = folder.glob("*.jar")
        self.process.argv = ["java", "-Xmx64m", *FLAGS, "-jar", str(jar), *self._arguments]
        self.process.start(lambda: get(self._port, "/-/healthy")[0] == 200)
        return self

    def stop(self) -> None:
        self.process.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
