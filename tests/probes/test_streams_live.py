"""A kubelet must not kill a healthy JVM for a slow agent: at 100m its page takes longer than a kubelet waits."""

import subprocess
import sys
import time

import pytest

from probes.kit.net import Answered, Reply, Request
from probes.kit.result import ProbeError, Unreachable
from tests.probes.kit.command import COMMAND, environment
from tests.probes.kit.rawserver import RawServer, Serve, Talk, answer

WAYS = {"exporter": ("--exporter", "/metrics"), "jolokia": ("--jolokia", "/jolokia")}
SMALL = ([b"/-/healthy"], [b"/jolokia/version"])  # what costs a JVM nothing


def slow(talk: Talk) -> None:
    """A healthy agent whose JVM has no CPU left."""
    if talk.hear().split(b" ")[1:2] in SMALL:
        talk.say(answer(b"ok"))
        talk.finish()
    talk.hang()


def stopped(talk: Talk) -> None:
    talk.hang()


def ask(server: RawServer, way: str, purpose: str, *more: str) -> tuple[int, str]:
    flag, path = WAYS[way]
    call = [sys.executable, str(COMMAND), "probe", "streams", flag, server.url + path, "--as", purpose, *more]
    done = subprocess.run(call, capture_output=True, text=True, env=environment(), timeout=30)
    return done.returncode, done.stdout


@pytest.mark.parametrize("way", WAYS)
def test_an_agent_that_is_slow_is_no_evidence_of_death(way: str, serve: Serve) -> None:
    code, said = ask(serve(slow), way, "liveness", "--timeout", "3s")

    assert (code, "though it answered another question just before" in said) == (0, True), said


@pytest.mark.parametrize("way", WAYS)
def test_a_jvm_that_says_not_a_byte_is_dead(way: str, serve: Serve) -> None:
    code, said = ask(serve(stopped), way, "liveness")

    assert (code, "not a byte in" in said) == (1, True), said


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("purpose", ["alert", "readiness"])
def test_who_does_not_restart_it_asks_nothing_more(way: str, purpose: str, serve: Serve) -> None:
    server = serve(slow)

    ask(server, way, purpose, "--timeout", "2s")

    assert len(server.requests) == 1


def test_the_exporter_of_a_sidecar_tells_nothing_by_its_silence(serve: Serve) -> None:
    server = serve(stopped)

    code, _ = ask(server, "exporter", "liveness", "--sidecar", "--timeout", "2s")

    assert (code, server.connections) == (0, 1)


def test_only_who_answered_before_is_spared() -> None:
    def fetch(request: Request) -> Reply:
        if "silent" in request.url:
            raise Unreachable(f"{request}: not a byte in 1s")
        return Reply(200, {}, b"")

    answered, here, there = Answered(), "http://here:1/{}", "http://there:1/{}"
    with pytest.raises(Unreachable):
        answered.ask(Request(here.format("silent"), here.format("silent")), fetch)
    answered.ask(Request(here.format("small"), here.format("small")), fetch)
    with pytest.raises(ProbeError, match="GET http://here:1/silent: not a byte in 1s, though it answered") as caught:
        answered.ask(Request(here.format("silent"), here.format("silent")), fetch)
    assert caught.type is ProbeError
    with pytest.raises(Unreachable):
        answered.ask(Request(there.format("silent"), there.format("silent")), fetch)


def test_a_silent_server_costs_no_more_than_the_deadline(serve: Serve) -> None:
    begun = time.monotonic()

    ask(serve(slow), "exporter", "liveness", "--timeout", "200ms")

    assert time.monotonic() - begun < 5


def test_an_exporter_whose_container_has_no_cpu_is_not_asked_for_its_page(serve: Serve) -> None:
    """Pages that nobody waits for would take the CPU of the next question."""

    def busy(talk: Talk) -> None:
        talk.hear()
        talk.server.ended.wait(0.9)  # while the probe, too, has no CPU
        talk.say(answer(b"ok"))

    server = serve(busy)
    code, said = ask(server, "exporter", "liveness", "--timeout", "3s")

    assert (code, len(server.requests)) == (0, 1)
    assert "/-/healthy: it answers; for its page, which costs far more, there is no CPU" in said
