"""The command against servers that misbehave in every way: the design's exit code, in time, and words that help."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from tests.probes.kit.command import COMMAND, environment
from tests.probes.kit.rawserver import RawServer, Refuser, Script, Talk, answer, saying
from tests.probes.kit.test_run import KEYS

PROBES = {
    "connect": ("connect", "--url", ""),
    "burrow": ("burrow", "--url", ""),
    "targets": ("targets", "--url", ""),
    "streams by exporter": ("streams", "--exporter", "/metrics"),
    "streams by Jolokia": ("streams", "--jolokia", "/jolokia"),
    "streams by Prometheus": ("streams", "--prometheus", "", "--app", "orders"),
}
OTHERS = (
    "burrow",
    "targets",
    "streams by Prometheus",
)  # messengers: that they are down says nothing of what they tell about


def drip(talk: Talk) -> None:
    talk.hear()
    talk.drip(answer(b"{}"), pause=1)


def hang(talk: Talk) -> None:
    talk.hear()
    talk.hang()


def flood(talk: Talk) -> None:
    talk.hear()
    talk.say(b"HTTP/1.1 200 OK\r\n\r\n", *[b"[" * (1 << 20)] * 300)
    talk.finish()


def html(status: str) -> Script:
    return saying(answer(b"<html><h1>nginx</h1></html>", status, "Content-Type: text/html"))


# What the server does; what every message must say of it, in one of these words.
SERVERS: dict[str, tuple[Script | None, tuple[str, ...]]] = {
    "refuses": (None, ("connection refused",)),
    "hangs": (hang, ("not a byte in",)),
    "drips": (drip, ("the answer was not complete in",)),
    "cuts off its body": (saying(answer(b'{"a": ' + b" " * 99)[:-50]), ("the answer broke off",)),
    "cuts off its headers": (saying(b"HTTP/1.1 200 OK\r\nContent-"), ("the answer broke off in its headers",)),
    "is no HTTP server": (saying(b"SSH-2.0-OpenSSH_9.2p1\r\n"), ("the answer is not HTTP: 'SSH-2.0-",)),
    "sends 300 MB": (flood, ("the answer is over 32 MiB", "the answer was not complete in")),
    "announces 300 MB": (
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 300000000\r\n\r\n["),
        ("the answer is over 32 MiB",),
    ),
    "says HTML": (html("200 OK"), ("HTTP 200 '<html><h1>nginx</h1></html>'",)),
    "says other JSON": (
        saying(answer(b'{"hello": [1]}')),
        ("hello", "`clusters` as a list, got null", "`data` as an object, got null"),
    ),
    "says null": (saying(answer(b"null")), ("null",)),
    "says nothing": (saying(answer(b"")), ("HTTP 200 without a body",)),
    "says 401": (saying(answer(b'{"message": "who?"}', "401 Unauthorized")), ("HTTP 401",)),
    "says 404": (html("404 Not Found"), ("HTTP 404",)),
    "says 409": (saying(answer(b'{"error_code":409,"message":"rebalance"}', "409 Conflict")), ("HTTP 409",)),
    "says 500": (saying(answer(b'{"error_code":500,"message":"oops"}', "500 Server Error")), ("HTTP 500",)),
    "says 503": (saying(answer(b"Service Unavailable", "503 Service Unavailable")), ("HTTP 503",)),
}
SILENT = ("refuses", "hangs")
TIMEOUTS = {"hangs": "1s", "drips": "3s"}  # what ends by itself has time to, however busy the machine


@pytest.fixture
def serve() -> Iterator[Callable[[str], str]]:
    servers: list[RawServer | Refuser] = []

    def start(what: str) -> str:
        script = SERVERS[what][0]
        servers.append(Refuser() if script is None else RawServer(script))
        return servers[-1].url

    yield start
    for server in servers:
        server.close()


def code(probe: str, what: str, purpose: str) -> int:
    """The design's table."""
    dead = what in SILENT and probe not in OTHERS
    return {"alert": 2 if dead else 3, "liveness": int(dead), "readiness": 1}[purpose]


@pytest.mark.parametrize("purpose", ["alert", "liveness", "readiness"])
@pytest.mark.parametrize("what", SERVERS)
def test_a_server_that(what: str, purpose: str, serve: Callable[[str], str]) -> None:
    url = serve(what)
    begun = time.monotonic()
    asked = {probe: ask(probe, url, purpose, TIMEOUTS.get(what, "10s")) for probe in PROBES}  # all at once
    for probe, process in asked.items():
        stdout, stderr = process.communicate(timeout=30)
        assert time.monotonic() - begun < 15, probe
        assert process.returncode == code(probe, what, purpose), (probe, stdout, stderr)
        check(probe, what, purpose, url, stdout, stderr)


def ask(probe: str, url: str, purpose: str, timeout: str) -> "subprocess.Popen[str]":
    name, flag, path, *more = PROBES[probe]
    call = [sys.executable, str(COMMAND), "probe", name, flag, url + path, *more, "--timeout", timeout, "--as", purpose]
    return subprocess.Popen(
        call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", env=environment({"PYTHONUTF8": "1"})
    )


def check(probe: str, what: str, purpose: str, url: str, stdout: str, stderr: str) -> None:
    document = json.loads(stdout)
    assert stdout.count("\n") == 1
    assert list(document) == KEYS
    assert document["code"] == code(probe, what, purpose)
    assert document["target"].startswith(url)
    assert document["data"] is None
    assert document["duration_ms"] < 10_000
    assert "Traceback" not in stderr
    answers_root = (
        probe == "connect" and purpose == "liveness" and "HTTP" in document["message"].partition("answers")[2]
    )
    assert answers_root or f" {url}" in document["message"], document["message"]
    assert answers_root or any(words in document["message"] for words in SERVERS[what][1]), document["message"]
    if document["code"] == 0:  # well only because it is no evidence
        assert answers_root or stderr.strip() == document["message"]
    else:
        assert stderr == ""
        assert document["status"] in ("CRITICAL", "UNKNOWN")
