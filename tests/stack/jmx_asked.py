"""A JVM asked over remote JMX, by the command and by the client beneath it: what they say, and what they must say."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

from probes.kit.jmx import fetch
from probes.kit.net import Found, JmxRequest
from probes.kit.types import JmxAddress
from tests.probes.kit.command import stetho
from tests.stack.jvm import JmxServer
from tests.stack.said import Said

READ = ("--read", "stetho.test:type=Values", "--attribute", "Integer")
SECRET = "-secret"  # all passwords end so

# Exit codes for an alert, as liveness, as readiness.
Codes = tuple[int, int, int]
WELL, BLIND, DEAD = (0, 0, 0), (3, 0, 1), (2, 1, 1)
WITHOUT_STREAMS = ((2, 1, 1), "no Streams MBean, though the JVM answers")


def asked(probe: str, address: str, *options: str, timeout: str = "5s") -> Said:
    """What `stetho probe PROBE --jmx ADDRESS OPTIONS` says: JSON on one line, no traceback, no secret."""
    done = stetho("probe", probe, "--jmx", address, *options, "--timeout", timeout)
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stdout.splitlines()) == 1, done
    document = json.loads(done.stdout)
    assert "fault inside stetho" not in document["message"]
    return Said(done.returncode, document, done.stderr)


def expect(address: str, options: tuple[str, ...], codes: Codes, words: str, timeout: str = "5s") -> None:
    """What the probes say: `streams` as `jmx`, but where that reads a value: the JVM has no Streams MBean."""
    with ThreadPoolExecutor(2) as pool:  # most of what takes long here is waiting
        for probe, read in (("jmx", READ), ("streams", ())):
            wanted, text = WITHOUT_STREAMS if probe == "streams" and codes == WELL else (codes, words)
            asking = [
                pool.submit(asked, probe, address, *read, *options, "--as", purpose, timeout=timeout)
                for purpose in ("alert", "liveness", "readiness")
            ]
            said = [each.result() for each in asking]
            assert [text in each.message for each in said] == [True] * 3, said
            assert tuple(each.code for each in said) == wanted, said
            # A kubelet's log has why that is no death.
            assert [each.message in each.stderr for each in said] == [False, wanted == BLIND, False], said


def found(
    server: JmxServer, *reads: tuple[str, tuple[str, ...]], mode: str = "plain", within: float = 30
) -> list[Found]:
    """What the client itself finds, in this process."""
    return fetch(JmxRequest(JmxAddress.parse(server.address(mode)), reads), time.monotonic() + within)
