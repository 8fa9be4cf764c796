"""A local server that answers as a recorded one did: same status, headers, body and framing, for every client alike.

    with Replay("connect-healthy") as connect:
        ...                                  # ask connect.url
        connect.play("connect-failed-task")  # from now on it answers so

The cassettes beside this file were recorded by `make cassettes` (tests/stack/record.py) on the real servers. This
needs nothing but PyYAML, so that the demo can use it.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import yaml

from tests.stack.process import free_port

CASSETTES = Path(__file__).parent
PIECE = 1000  # bytes of a chunk, where the recorded answer came in chunks


@dataclass(frozen=True)
class Recorded:
    """One recorded answer."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def chunked(self) -> bool:
        return ("transfer-encoding", "chunked") in self.headers


def names() -> list[str]:
    """The cassettes there are."""
    return sorted(path.stem for path in CASSETTES.glob("*.yaml"))


def load(cassette: str) -> dict[str, Recorded]:
    """The answers of a cassette by the question, `GET /path?query`."""
    text = (CASSETTES / f"{cassette}.yaml").read_text(encoding="utf-8")
    return {_question(each["request"]): _recorded(each["response"]) for each in yaml.safe_load(text)["interactions"]}


def recorded_at(cassette: str) -> float:
    """When the servers gave these answers, in seconds since the epoch."""
    dates = (value for each in load(cassette).values() for name, value in each.headers if name == "date")
    return parsedate_to_datetime(next(dates)).timestamp()


def _question(request: dict[str, Any]) -> str:
    parts = urlsplit(request["uri"])
    return f"{request['method']} {parts.path or '/'}{'?' if parts.query else ''}{parts.query}"


def _recorded(response: dict[str, Any]) -> Recorded:
    body = response["body"]["string"]
    headers = [(name.lower(), value) for name, values in response["headers"].items() for value in values]
    return Recorded(
        status=response["status"]["code"],
        reason=response["status"]["message"],
        headers=tuple(headers),
        body=body.encode() if isinstance(body, str) else body,
    )


class Replay:
    """One recorded server on loopback. What was not recorded is answered 501, naming the question."""

    def __init__(self, cassette: str, port: int = 0) -> None:
        self.asked: list[str] = []
        self._server = _Server(self, port or free_port())
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="replay", daemon=True)
        self.play(cassette)

    def play(self, cassette: str) -> None:
        """Answer from this cassette from now on."""
        self._answers = load(cassette)

    def answer(self, question: str) -> Recorded:
        self.asked.append(question)
        return self._answers.get(question) or Recorded(
            501, "Not Recorded", (("content-type", "text/plain"),), f"not recorded: {question}\n".encode()
        )

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        """From now on connections are refused."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client that keeps its connection must not hold up stop()
    request_queue_size = 128

    def __init__(self, replay: Replay, port: int) -> None:
        self.replay = replay
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        recorded = self.server.replay.answer(f"{self.command} {self.path}")
        self.send_response_only(recorded.status, recorded.reason)
        for name, value in recorded.headers:
            if name != "content-length":
                self.send_header(name, value)
        if not recorded.chunked:
            self.send_header("content-length", str(len(recorded.body)))
        self.end_headers()
        for piece in _chunks(recorded.body) if recorded.chunked else (recorded.body,):
            self.wfile.write(piece)

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        pass


def _chunks(body: bytes) -> Iterable[bytes]:
    for at in range(0, len(body), PIECE):
        piece = body[at : at + PIECE]
        yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"
