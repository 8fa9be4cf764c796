"""A proxy that records what goes through it, for clients that follow a stub to wherever it leads.

The server listens on 127.0.0.1 and its stubs advertise 127.0.0.2, which on Linux is loopback too: there the proxy
listens, on the same port.
"""

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

PROXY_HOST = "127.0.0.2"


class Proxy:
    """Records each connection to `port` of PROXY_HOST, which it makes to the same port of 127.0.0.1."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listening = socket.create_server((PROXY_HOST, port))
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._heard: list[list[tuple[bool, bytes]]] = []  # by connection: whether the client said it, and what

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listening.close()
        for thread in self._threads:
            thread.join(5)

    def exchanges(self) -> list[tuple[int, int, bytes, bytes]]:
        """Connection and place in it, from 1; what the client said, and what the server answered."""
        found = []
        for connection, heard in enumerate(self._heard, 1):
            turns: list[tuple[bytes, bytes]] = []
            for by_client, said in heard:
                if by_client and (not turns or turns[-1][1]):
                    turns.append((b"", b""))
                sent, received = turns[-1]
                turns[-1] = (sent + said, received) if by_client else (sent, received + said)
            found += [(connection, place, *turn) for place, turn in enumerate(turns, 1)]
        return found

    def _run(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._port))
            heard: list[tuple[bool, bytes]] = []
            self._heard.append(heard)
            self._run(self._pass_on, client, server, heard, True)
            self._run(self._pass_on, server, client, heard, False)

    def _pass_on(
        self, source: socket.socket, sink: socket.socket, heard: list[tuple[bool, bytes]], by_client: bool
    ) -> None:
        with contextlib.suppress(OSError):  # a JVM that exits resets its connections
            while said := source.recv(65536):
                with self._lock:
                    heard.append((by_client, said))
                sink.sendall(said)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
