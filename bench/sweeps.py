"""What a sweep of many rules over a hundred servers costs. All is well there, so nothing is sent."""

import socketserver
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from bench.processes import Cost, Spawner
from tests.cassettes.replay import load

TARGETS = 100


@dataclass(frozen=True)
class Swept:
    """One sweep: how many rules, the requests it made, its wall-clock seconds, what it cost."""

    rules: int
    requests: int
    seconds: float
    cost: Cost


class Workers:
    """A hundred Connect workers, each on a loopback address of its own, giving one recorded answer."""

    def __init__(self) -> None:
        self.answers = load("connect-healthy")
        self.requests = 0
        self.lock = threading.Lock()
        self.urls: list[str] = []

    @contextmanager
    def serving(self) -> Iterator[None]:
        with ExitStack() as running:
            port = 0
            for number in range(1, TARGETS + 1):
                server = running.enter_context(_Server((f"127.0.0.{number}", port), self))
                port = port or server.server_address[1]
                self.urls.append(f"http://127.0.0.{number}:{port}")
                threading.Thread(target=server.serve_forever, daemon=True).start()
                running.callback(server.shutdown)
            yield


class _Server(socketserver.ThreadingTCPServer):  # HTTPServer would look up the name of each address
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], workers: Workers) -> None:
        self.workers = workers
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        workers = self.server.workers
        with workers.lock:
            workers.requests += 1
        answer = workers.answers[f"GET {self.path}"]
        self.send_response_only(answer.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def rule_file(urls: list[str], rules: int) -> str:
    """`rules` rules, as many for each server, half of them with a condition over the tasks."""
    lines = ["groups:"]
    for number, url in enumerate(urls):
        lines += [f"- name: worker-{number}", "  rules:"]
        for rule in range(rules // len(urls)):
            lines += [f"  - alert: Rule{rule}", "    probe: connect", f'    with: {{url: "{url}"}}', "    for: 2m"]
            if rule % 2:
                lines += ["    items: data.tasks", "    when: item.state == 'FAILED' || item.state == 'PAUSED'"]
                lines += ['    labels: {severity: critical, task: "{{ $item.connector }}/{{ $item.id }}"}']
    receivers = ['- name: oncall\n  apprise: ["json://127.0.0.1:9/"]']
    return "\n".join([*lines, "route: {receiver: oncall}", "receivers:", *receivers, ""])


def sweep(spawner: Spawner, stetho: str, rules: int) -> Swept:
    """A second sweep, which finds the state of the first."""
    workers = Workers()
    with workers.serving(), tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "rules.yml")
        file.write_text(rule_file(workers.urls, rules))
        command = [stetho, "sweep", str(file), "--state", str(Path(folder, "stetho.db"))]
        spawner.run(command)
        workers.requests, begun = 0, time.monotonic()
        cost = spawner.run(command)
        return Swept(rules, workers.requests, time.monotonic() - begun, cost)
