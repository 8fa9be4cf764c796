"""A server that plays as much of a Connect worker as the `connect` probe asks for, and rule files that ask it."""

import json
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from tests.stack.process import free_port


class Worker:
    """`tasks` are the states of each connector's tasks; `says` overrides the answer; `silent()` only listens."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host, self.port = host, free_port()
        self.tasks: dict[str, list[str]] = {"sink": ["RUNNING", "RUNNING", "RUNNING"]}
        self.trace = ""
        self.says: tuple[int, str] | None = None
        self.asked = Counter[str]()
        self.logins = set[str]()
        self.counting = threading.Lock()
        self._speaks = threading.Event()
        self._server: _Server | None = None
        self.speak()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def fail(self, *tasks: int, connector: str = "sink") -> None:
        """Of this connector's tasks these have failed, and no others."""
        count = len(self.tasks[connector])
        self.tasks[connector] = ["FAILED" if number in tasks else "RUNNING" for number in range(count)]

    def silent(self) -> None:
        self._speaks.clear()

    def speak(self) -> None:
        self._speaks.set()

    def answer(self) -> tuple[int, str]:
        if self.says is not None:
            return self.says
        return 200, json.dumps(
            {name: {"status": _status(name, states, self.trace)} for name, states in self.tasks.items()}
        )

    def start(self) -> Self:
        self._server = _Server(self)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """From now on the address refuses; it can be started again."""
        self.speak()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _status(name: str, states: list[str], trace: str) -> dict[str, object]:
    def one(state: str) -> dict[str, object]:
        return {"state": state, "worker_id": "10.0.0.7:8083", **({"trace": trace} if state == "FAILED" else {})}

    tasks = [{"id": number, **one(state)} for number, state in enumerate(states)]
    return {"name": name, "connector": one("RUNNING"), "tasks": tasks, "type": "sink"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        super().__init__((worker.host, worker.port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), OSError):  # a client that gave up is nobody's fault
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        worker = self.server.worker
        with worker.counting:
            worker.asked[self.path] += 1
        worker.logins.add(self.headers.get("Authorization", ""))
        worker._speaks.wait(30)
        status, text = worker.answer()
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
