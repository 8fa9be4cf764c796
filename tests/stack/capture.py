"""A loopback receiver of web requests: those meant for Slack and Twilio, and those to a plain local address.

A client that has `environment()` sends its HTTPS through here as a proxy. The proxy never dials out: it ends TLS
itself with a certificate of its own authority for whatever host was asked, records the request and answers as that
host does. A plain request (`json://127.0.0.1:PORT/…` of Apprise) is recorded and answered the same way.
"""

import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl

import trustme

from tests.stack.process import free_port


@dataclass(frozen=True)
class Answer:
    """What a host says. `delay` comes first; `cut` closes the connection in place of answering."""

    status: int
    body: str = ""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0
    cut: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the message counts as delivered. Slack's API says no with status 200 and `"ok": false`."""
        return not self.cut and 200 <= self.status < 300 and '"ok":false' not in self.body.replace(" ", "")


OK = Answer(200, "ok", "text/plain")
BROKEN = Answer(500, "server_error", "text/plain")
TOO_MANY = Answer(429, "rate_limited", "text/plain", headers=(("Retry-After", "1"),))
CUT_OFF = Answer(0, cut=True)
SLACK_WEBHOOK_GONE = Answer(404, "no_service", "text/plain")
SLACK_BOT_OK = Answer(200, '{"ok":true,"channel":"C0STETHO","ts":"1767225600.000100","message":{"type":"message"}}')
SLACK_BOT_REFUSES = Answer(200, '{"ok":false,"error":"channel_not_found"}')
TWILIO_QUEUED = Answer(201, '{"sid":"SM00000000000000000000000000000000","status":"queued","error_code":null}')
TWILIO_NOT_A_NUMBER = Answer(400, '{"code":21211,"message":"Invalid \'To\' Phone Number","more_info":"","status":400}')
TWILIO_DENIED = Answer(401, '{"code":20003,"message":"Authenticate","more_info":"","status":401}')


@dataclass(frozen=True)
class Request:
    """One request as it came, and what was answered."""

    host: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    answer: Answer
    at: float

    @property
    def where(self) -> str:
        return self.host + self.path

    def json(self) -> Any:
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


class Capture:
    """Proxy and plain receiver on one port. `answer(where, source)` programs it, `requests(where)` tells what came.

    `where` is a host or the beginning of host and path (`hooks.slack.com`, `127.0.0.1/second`); the longest fits.
    """

    def __init__(self, work: Path) -> None:
        self.port = 0
        self.ca_file = work / "capture-ca.pem"
        self._authority = trustme.CA()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._answers: dict[str, Callable[[], Answer]] = {}
        self._seen: list[Request] = []
        self._lock = threading.Lock()
        self._server: _Server | None = None
        for where, answer in USUAL.items():
            self.answer(where, answer)

    def answer(self, where: str, answer: Answer | Callable[[], Answer]) -> None:
        """From now on `where` answers so: one answer for all, or a source asked each time (see answers.py)."""
        self._answers[where] = (lambda: answer) if isinstance(answer, Answer) else answer

    def requests(self, where: str = "") -> list[Request]:
        with self._lock:
            return [seen for seen in self._seen if seen.where.startswith(where)]

    def accepted(self, where: str = "") -> list[Request]:
        """Those whose sender was told that the message is delivered."""
        return [seen for seen in self.requests(where) if seen.answer.accepted]

    def forget(self) -> None:
        with self._lock:
            self._seen.clear()

    def url(self, path: str = "/") -> str:
        """The Apprise URL of a plain receiver here."""
        return f"json://127.0.0.1:{self.port}{path}"

    def environment(self) -> dict[str, str]:
        """What a child needs so that its HTTPS comes here and is trusted, while loopback stays direct."""
        proxy, direct = f"http://127.0.0.1:{self.port}", "127.0.0.1,localhost"
        return {
            "HTTPS_PROXY": proxy,
            "https_proxy": proxy,
            "NO_PROXY": direct,
            "no_proxy": direct,
            "REQUESTS_CA_BUNDLE": str(self.ca_file),
        }

    def start(self) -> Self:
        """Start, the second time on the same port with the same authority; a child's environment holds."""
        self.ca_file.parent.mkdir(parents=True, exist_ok=True)
        self._authority.cert_pem.write_to_path(str(self.ca_file))
        self.port = self.port or free_port()
        self._server = _Server(self, self.port)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), name="capture", daemon=True).start()
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def record(self, host: str, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Note a request and choose its answer, in one step, so that the order of both is the same."""
        with self._lock:
            answer = self._answer_of(host + path)
            self._seen.append(Request(host, method, path, headers, body, answer, time.time()))
        return answer

    def _answer_of(self, where: str) -> Answer:
        fitting = [known for known in self._answers if where.startswith(known)]
        return self._answers[max(fitting, key=len)]() if fitting else Answer(404, "nobody here", "text/plain")

    def context(self, host: str) -> ssl.SSLContext:
        """TLS as `host`, made when first asked for."""
        with self._lock:
            if host not in self._contexts:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._authority.issue_cert(host).configure_cert(context)
                self._contexts[host] = context
            return self._contexts[host]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


USUAL = {
    "hooks.slack.com": OK,
    "slack.com": SLACK_BOT_OK,
    "api.twilio.com": TWILIO_QUEUED,
    "127.0.0.1": OK,
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client that keeps its connection must not hold up stop()
    request_queue_size = 128

    def __init__(self, capture: Capture, port: int) -> None:
        self.capture = capture
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Senders that are killed reset their connections; only other errors are worth a traceback."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 30
    host = ""  # whom the CONNECT asked for

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_CONNECT(self) -> None:
        self.host = self.path.rpartition(":")[0]
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.wfile.flush()
        try:
            tls = self.server.capture.context(self.host).wrap_socket(self.connection, server_side=True)
        except OSError:  # the client does not trust us, or went away
            self.close_connection = True
            return
        self.connection = tls
        self.rfile, self.wfile = tls.makefile("rb"), tls.makefile("wb")
        self.close_connection = False

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # the sender was killed half way; no host would count that as a message
            self.close_connection = True
            return
        host = self.host or (self.headers.get("Host") or "").partition(":")[0]
        answer = self.server.capture.record(host, self.command, self.path, dict(self.headers.items()), body)
        time.sleep(answer.delay)
        if answer.cut:
            self.close_connection = True
            return
        self._say(answer)

    do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815

    def _say(self, answer: Answer) -> None:
        content = answer.body.encode()
        try:
            self.send_response(answer.status)
            for name, value in (("Content-Type", answer.content_type), *answer.headers):
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:  # the client was killed meanwhile; what it sent is recorded
            self.close_connection = True

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:
            pass  # likewise: nobody there to flush to
        finally:
            if isinstance(self.connection, socket.socket):
                self.connection.close()
