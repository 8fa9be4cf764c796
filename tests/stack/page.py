"""A scrape target of Prometheus that can be taken down and up again without touching any other server."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from tests.stack.process import free_port

METRICS = b"# TYPE shop_orders_total counter\nshop_orders_total 42\n"


class Page:
    """One metrics page, served by a thread of the test. A restart keeps its port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.instance = f"127.0.0.1:{self.port}"
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> Self:
        if self._server is None:
            self._server = ThreadingHTTPServer(("127.0.0.1", self.port), _Handler)
            threading.Thread(target=self._server.serve_forever, args=(0.02,), name="page", daemon=True).start()
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Handler(BaseHTTPRequestHandler):  # HTTP/1.0: no kept connection would outlive a stop
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(METRICS)))
        self.end_headers()
        self.wfile.write(METRICS)

    def log_message(self, format: str, *args: object) -> None:
        pass
