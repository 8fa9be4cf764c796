"""The JVM servers' jars and how such a server is run. Maven fetches the jars; our own sources are compiled with javac.

Both go into the cache, under a name made from what they were made of, so that a new version is fetched and a changed
source compiled, and nothing else ever is.
"""

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.stack.process import Process, StackError, cache, locked

STACK = Path(__file__).parent
POM = STACK / "pom.xml"
OURS = (STACK / "streams", STACK / "connector")

# Small and quick rather than fast: a test's server runs for a minute and is mostly idle.
FLAGS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Xshare:auto",
    "-Xlog:cds=off",
    "-Xlog:cds+dynamic=off",
    f"-Dlog4j2.configurationFile={STACK / 'log4j2.properties'}",
)


@dataclass(frozen=True)
class Jars:
    """Where the jars are: Kafka's with all they need, agents among them, and ours."""

    fetched: Path
    ours: Path

    def classpath(self) -> str:
        libraries = sorted(jar for jar in self.fetched.glob("*.jar") if "javaagent" not in jar.name)
        return os.pathsep.join(map(str, [self.ours, *libraries]))

    def agent(self, name: str) -> Path:
        """The java agent whose jar's name starts with `name`."""
        return next(self.fetched.glob(f"{name}*javaagent*.jar"))

    def archive(self, name: str) -> Path:
        """Where the JVM keeps the parsed classes of the server `name`."""
        return self.ours.with_name(f"{self.ours.stem}-{name}.jsa")


@functools.cache
def prepare() -> Jars:
    """The jars, fetched and compiled unless the cache has them. StackError: what is missing and must be installed."""
    for command, package in (("java", "a Java 17 runtime"), ("javac", "a Java 17 JDK"), ("mvn", "Maven 3")):
        if shutil.which(command) is None:
            raise StackError(f"Kafka, Connect and Streams need {package}: there is no {command} command")
    fetched = cache() / f"jars-{_digest([POM])}"
    # The JVM's version too: another one refuses the classes of a newer one, and the archives of any other.
    jvm = _run("java", "-version")
    sources = sorted(file for folder in OURS for file in folder.rglob("*") if file.is_file())
    ours = cache() / f"stack-{_digest([POM, *sources], jvm)}.jar"
    with locked(cache() / "jars.lock"):
        if not fetched.exists():
            _fetch(fetched)
        if not ours.exists():
            _compile(sources, fetched, ours)
    return Jars(fetched, ours)


def _fetch(wanted: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cache()) as scratch:
        new = Path(scratch) / "jars"
        goal = "dependency:copy-dependencies"
        _run("mvn", "--quiet", "--batch-mode", "--file", str(POM), goal, f"-DoutputDirectory={new}")
        new.rename(wanted)


def _compile(sources: Sequence[Path], fetched: Path, wanted: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cache()) as scratch:
        classes = Path(scratch) / "classes"
        java = [str(file) for file in sources if file.suffix == ".java"]
        _run("javac", "-d", str(classes), "-cp", f"{fetched}/*", *java)
        # Connect finds its plugins by this folder; it scans nothing.
        shutil.copytree(STACK / "connector" / "META-INF", classes / "META-INF")
        new = Path(scratch) / "stack.jar"
        # A jar and not the folder: the JVM archives no classes of a class path with a folder in it.
        _run("jar", "--create", "--file", str(new), "-C", str(classes), ".")
        new.rename(wanted)


def _digest(files: Iterable[Path], *more: str) -> str:
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.read_bytes())
    for text in more:
        whole.update(text.encode())
    return whole.hexdigest()[:12]


def _run(*argv: str) -> str:
    """What a command printed, on stdout or stderr; StackError with its end if it failed."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = done.stdout.decode(errors="replace")
    if done.returncode:
        raise StackError(f"{' '.join(argv[:4])} … ended with {done.returncode}:\n{text[-2000:]}")
    return text


class Jvm(Process):
    """A Java server. Its log is `NAME.log` in `work`.

    The first to stop in good order leaves an archive of its parsed classes in the cache, and those after it start in
    half the time. A JVM with agents writes none (it would refuse to start) but reads the one named.
    """

    def __init__(
        self,
        name: str,
        main: str,
        arguments: Sequence[str],
        *,
        work: Path,
        archive: str,
        agents: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(name, [], log=work / f"{name}.log", cwd=work)
        self._main, self._arguments, self._archive, self._agents = main, arguments, archive, agents
        self._fresh: Path | None = None

    def start(self, ready: Callable[[], bool], seconds: float = 60) -> None:
        self.argv = self._command(prepare())
        super().start(ready, seconds)

    def run(self) -> None:
        """For a tool and not a server: run it to its end."""
        _run(*self._command(prepare(), may_archive=False))

    def _command(self, jars: Jars, *, may_archive: bool = True) -> list[str]:
        archive = jars.archive(self._archive)
        self._fresh = None
        shared = []
        if archive.exists():
            shared = [f"-XX:SharedArchiveFile={archive}"]
        elif may_archive and not self._agents:
            self._fresh = archive.with_name(f"{archive.name}.{os.getpid()}")
            shared = [f"-XX:ArchiveClassesAtExit={self._fresh}"]
        agents = [f"-javaagent:{jars.agent(name)}={options}" for name, options in self._agents]
        return [
            *("java", "-Xmx256m", *FLAGS, *shared, *agents),
            *("-cp", jars.classpath(), self._main, *self._arguments),
        ]

    def stop(self, seconds: float = 30) -> None:
        """Ask it to end; writing an archive takes it some seconds more, once."""
        super().stop(seconds)
        if self._fresh and self._fresh.exists():
            self._fresh.replace(prepare().archive(self._archive))

    def kill(self) -> None:
        super().kill()
        if self._fresh:
            self._fresh.unlink(missing_ok=True)  # perhaps half written
