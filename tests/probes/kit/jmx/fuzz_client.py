"""The client under test, in a process of its own: a question a line comes in, and how it went goes out.

It reaches nothing but the fuzzer's own ports: a broken stub may name any host there is.
"""

import contextlib
import faulthandler
import ipaddress
import json
import resource
import signal
import socket
import sys
import time
import traceback
from typing import Any

from probes import jmx, streams
from probes.kit.cold import OneShot
from probes.kit.jmx import fetch
from probes.kit.jsontext import dumps
from probes.kit.net import JmxRequest
from probes.kit.result import ProbeError
from probes.kit.run import run
from probes.kit.types import JmxAddress

ADDRESS_SPACE = 1 << 30  # bytes; a client gone wild shall not take the machine with it
LONGEST_NAME = 253  # that DNS knows
MESSAGE = 3000  # letters that still are a message

allowed: set[int] = set()  # ports


def confine(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: what leads out of here fails as it would without a network."""
    if event == "socket.connect":
        host, port = arguments[1][:2]
        if not ipaddress.ip_address(host.partition("%")[0]).is_loopback:
            raise OSError(101, "Network is unreachable")
        if port not in allowed:
            raise ConnectionRefusedError(111, "Connection refused")
    elif event == "socket.getaddrinfo" and not _is_harmless(arguments[0]):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def _is_harmless(host: bytes | str | None) -> bool:
    """Whether to resolve it asks nobody: it is an address, or no name at all."""
    text = host.decode("latin-1") if isinstance(host, bytes) else host or ""
    if text == "localhost" or not text or "\0" in text or len(text) > LONGEST_NAME:
        return True
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def by_fetch(question: dict[str, Any], end: float) -> str:
    reads = tuple((name, tuple(attributes)) for name, attributes in question["reads"])
    login = "user" if question["login"] else None
    address = JmxAddress.parse(f"127.0.0.1:{question['port']}")
    request = JmxRequest(address, reads, username=login, password=login, registry_tls=question["registry_tls"])
    found = fetch(request, end)
    if len(found) != len(reads):
        raise AssertionError(f"{len(found)} answers to {len(reads)} reads")
    json.loads(dumps([[one.mbeans, one.bare, one.refused] for one in found]))
    return max((one.refused for one in found), key=len)


def by_probe(question: dict[str, Any], end: float) -> str:
    name = question["how"]
    given: dict[str, Any] = {"jmx": f"127.0.0.1:{question['port']}"}
    if name == "jmx":
        given |= {"read": question["reads"][0][0], "attribute": list(question["reads"][0][1])}
    if question["registry_tls"]:
        given["registry_tls"] = "true"
    module = {"jmx": jmx, "streams": streams}[name]
    answer = run(name, module, module.Options.build(given), OneShot(end, end - time.monotonic()), question["purpose"])
    dumps(answer.document()).encode("utf-8", "backslashreplace")
    answer.as_read()
    if "a fault inside stetho" in answer.message:
        raise AssertionError(answer.message)
    return ("Unreachable: " if answer.unreachable else "") + answer.message


def outcome(question: dict[str, Any]) -> dict[str, object]:
    begun, cpu, before = time.monotonic(), time.process_time(), queued()
    kind, told = "Found", ""
    try:
        told = (by_fetch if question["how"] == "fetch" else by_probe)(question, begun + question["seconds"])
        if told.startswith("Unreachable: "):
            kind = "Unreachable"
    except ProbeError as error:
        kind, told = type(error).__name__, str(error)
    except BaseException:  # noqa: BLE001 - that is what we are after
        kind, told = "fault", traceback.format_exc()
    taken = {
        "seconds": time.monotonic() - begun,
        "cpu": time.process_time() - cpu,
        "queued": queued() - before,
    }
    if kind != "fault" and len(told) > MESSAGE:
        kind, told = "fault", f"a message of {len(told)} letters: {told[:200]}"
    return {"kind": kind, "told": told[-4000:], "peak": peak(), **taken}


def peak() -> int:
    """The most memory that this process ever had, in bytes."""
    with open("/proc/self/status") as status:
        [line] = [line for line in status if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def queued() -> float:
    """Seconds that this process was ready and another one had the processor; 0 where the kernel keeps no count."""
    with contextlib.suppress(OSError), open("/proc/self/schedstat") as counts:
        return int(counts.read().split()[1]) / 1e9
    return 0.0


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    faulthandler.register(signal.SIGUSR1)
    sys.addaudithook(confine)
    for line in sys.stdin:
        question = json.loads(line)
        allowed.clear()
        allowed.update(question["ports"])
        sys.stdout.write(json.dumps(outcome(question)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
