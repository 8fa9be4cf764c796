"""The JVM servers' jars and how such a server is run. Maven fetches the jars; our own sources are compiled with javac.

Both go into the cache, under a name made from what they were made of, so that a new version is fetched and a changed
source compiled, and nothing else ever is.
"""

import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.stack.process import Process, StackError, cache, locked

STACK = Path(__file__).parent
POM = STACK / "pom.xml"
COMMON = STACK / "common"  # sources that several programs of ours need
OURS = (STACK / "streams", STACK / "connector", COMMON)

# Small and quick rather than fast: a test's server runs for a minute and is mostly idle.
FLAGS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Xshare:auto",
    "-Xlog:cds*=off",
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

    def logging(self) -> list[Path]:
        """What writes the log of a program with jars of its own, if those have slf4j-api 1.7."""
        return sorted(self.fetched.glob("log4j-*.jar"))

    def archive(self, name: str) -> Path:
        """Where the JVM keeps the parsed classes of the server `name`."""
        return self.ours.with_name(f"{self.ours.stem}-{name}.jsa")


@functools.cache
def prepare() -> Jars:
    """The stack's jars, fetched and compiled unless the cache has them. StackError: what must be installed first."""
    all_fetched = fetched(POM)
    return Jars(all_fetched, compiled(OURS, f"{all_fetched}/*"))


def version(name: str) -> str:
    """The version that the pom gives to `name`: `version("kafka")`."""
    found = re.search(rf"<{name}\.version>(.+?)<", POM.read_text())
    if found is None:
        raise StackError(f"{POM} names no version of {name}")
    return found[1]


@functools.cache
def fetched(pom: Path, *properties: str) -> Path:
    """The folder with all jars that `pom` asks for, given properties such as `kafka.version=2.8.2`."""
    _installed()
    folder = cache() / f"jars-{_digest([pom], *properties)}"
    plugin = f"org.apache.maven.plugins:maven-dependency-plugin:{version('dependency-plugin')}:copy-dependencies"
    with locked(cache() / "jars.lock"):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=cache()) as scratch:
                new = Path(scratch) / "jars"
                given = [f"-D{each}" for each in (f"outputDirectory={new}", *properties)]
                _run("mvn", "--quiet", "--batch-mode", "--file", str(pom), plugin, *given)
                new.rename(folder)
    return folder


def compiled(folders: Path | Sequence[Path], classpath: str = "", *, release: int | None = None) -> Path:
    """One jar of all Java sources in `folders`, with what lies in their META-INF.

    Several folders are one program: `compiled([STACK / "jmx", COMMON])` may use what is in COMMON. `classpath` is what
    javac takes: jars parted by `:`, or `folder/*`. `release` is the oldest Java that shall run it; else the compiler's.
    """
    _installed()
    roots = [folders] if isinstance(folders, Path) else list(folders)
    sources = sorted(file for root in roots for file in root.rglob("*.java"))
    others = {
        file.relative_to(root): file for root in roots for file in sorted(root.glob("META-INF/**/*")) if file.is_file()
    }
    options = [] if release is None else ["--release", str(release)]
    # The JVM's version too: another one refuses the classes of a newer one, and the archives of any other.
    digest = _digest([*sources, *others.values()], classpath, _run("java", "-version"), *options)
    wanted = cache() / f"{roots[0].name}-{digest}.jar"
    with locked(cache() / "jars.lock"):
        if not wanted.exists():
            _compile(sources, others, ["-cp", classpath, *options], wanted)
    return wanted


def _compile(sources: Iterable[Path], others: Mapping[Path, Path], options: Sequence[str], wanted: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cache()) as scratch:
        classes = Path(scratch) / "classes"
        _run("javac", "-d", str(classes), *options, *map(str, sources))
        for name, file in others.items():
            (classes / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, classes / name)
        new = Path(scratch) / wanted.name
        # A jar and not the folder: the JVM archives no classes of a class path with a folder in it.
        _run("jar", "--create", "--file", str(new), "-C", str(classes), ".")
        new.rename(wanted)


def _installed() -> None:
    for command, package in (("java", "a Java 17 runtime"), ("javac", "a Java 17 JDK"), ("mvn", "Maven 3")):
        if shutil.which(command) is None:
            raise StackError(f"Kafka, Connect and Streams need {package}: there is no {command} command")


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
    """A Java server. Its log is `NAME.log` in `work`. Its class path is the stack's jars, unless it is given one.

    The first to stop in good order leaves an archive of its parsed classes in the cache, and those after it start in
    half the time. A JVM with agents writes none (it would refuse to start) but reads the one named. Without a name it
    does neither.
    """

    def __init__(
        self,
        name: str,
        main: str,
        arguments: Sequence[str],
        *,
        work: Path,
        archive: str = "",
        agents: Sequence[tuple[str, str]] = (),
        classpath: Callable[[], str] | None = None,
    ) -> None:
        super().__init__(name, [], log=work / f"{name}.log", cwd=work)
        self._main, self._arguments, self._archive, self._agents = main, arguments, archive, agents
        self._classpath = classpath or (lambda: prepare().classpath())
        self._fresh: Path | None = None

    def start(self, ready: Callable[[], bool], seconds: float = 60) -> None:
        self.argv = self._command(prepare())
        super().start(ready, seconds)

    def run(self) -> None:
        """For a tool and not a server: run it to its end."""
        _run(*self._command(prepare(), may_archive=False))

    def _command(self, jars: Jars, *, may_archive: bool = True) -> list[str]:
        agents = [f"-javaagent:{jars.agent(name)}={options}" for name, options in self._agents]
        return [
            *("java", "-Xmx256m", *FLAGS, *self._sharing(jars, may_archive), *agents),
            *("-cp", self._classpath(), self._main, *self._arguments),
        ]

    def _sharing(self, jars: Jars, may_archive: bool) -> list[str]:
        self._fresh = None
        if not self._archive:
            return []
        archive = jars.archive(self._archive)
        if archive.exists():
            return [f"-XX:SharedArchiveFile={archive}"]
        if not may_archive or self._agents:
            return []
        self._fresh = archive.with_name(f"{archive.name}.{os.getpid()}")
        return [f"-XX:ArchiveClassesAtExit={self._fresh}"]

    def stop(self, seconds: float = 30) -> None:
        """Ask it to end; writing an archive takes it some seconds more, once."""
        super().stop(seconds)
        if self._fresh and self._fresh.exists():
            self._fresh.replace(prepare().archive(self._archive))

    def kill(self) -> None:
        super().kill()
        if self._fresh:
            self._fresh.unlink(missing_ok=True)  # perhaps half written
