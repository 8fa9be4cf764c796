"""A TCP server on loopback that says exactly the bytes a test wants, when it wants, and ends as it wants."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

import trustme

Script = Callable[["Talk"], None]
Serve = Callable[..., "RawServer"]


class Talk:
    """One connection of a client, as a script sees it."""

    def __init__(self, sock: socket.socket, server: "RawServer") -> None:
        self.sock, self.server = sock, server

    def hear(self) -> bytes:
        """The next request with its body; b"" when the client has gone, or speaks TLS where none is spoken."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.sock.recv(65536)
            if not piece or data + piece[:1] == b"\x16":
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0)
        while len(body) < length:
            piece = self.sock.recv(65536)
            if not piece:
                return b""
            body += piece
        self.server.requests.append(head + b"\r\n\r\n" + body)
        return self.server.requests[-1]

    def say(self, *pieces: bytes) -> None:
        """Send each piece in a segment of its own."""
        for piece in pieces:
            self.sock.sendall(piece)

    def drip(self, data: bytes, pause: float = 0.02) -> None:
        """Send a byte every `pause` seconds until the client goes or the test ends."""
        for byte in data:
            self.sock.sendall(bytes([byte]))
            if self.server.ended.wait(pause):
                return

    def hang(self) -> None:
        """Say no more until the client goes."""
        with contextlib.suppress(OSError):
            while self.sock.recv(65536):
                pass

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def finish(self) -> None:
        """Close after the client has read all: a close with unread data would be a reset. Over TLS, say so by TLS."""
        with contextlib.suppress(OSError, ValueError):  # ValueError: the test has ended it
            if isinstance(self.sock, ssl.SSLSocket):
                self.sock.unwrap()
        self.drop()

    def drop(self) -> None:
        """Close as `finish` does, but without a word of TLS."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)
        self.hang()


class RawServer:
    """Runs `script` for each connection in a thread of its own."""

    def __init__(self, script: Script, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        """`host` may be the path of a Unix socket."""
        self.script, self.tls = script, tls
        self.requests: list[bytes] = []
        self.connections = 0
        self.ended = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        if host.startswith("/"):
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(host)
            self._listener.listen()
            self.url = f"http+unix://{host.replace('/', '%2F')}"
        else:
            self._listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
            self.port = self._listener.getsockname()[1]
            shown = f"[{host}]" if ":" in host else host
            self.url = f"{'https' if tls else 'http'}://{shown}:{self.port}"
        self._start(self._accept)

    def close(self) -> None:
        """End all scripts and wait for them."""
        self.ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        end = time.monotonic() + 10
        while alive := [thread for thread in self._threads if thread.is_alive()]:
            assert time.monotonic() < end, alive
            for sock in list(self._open):  # each time: one may be just accepted, or wrapped in TLS
                with contextlib.suppress(OSError):
                    # Not SSLSocket's own: that drops TLS under the script's feet, which would read on in ciphertext.
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
            alive[0].join(0.1)
        self._listener.close()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.ended.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(sock)
            self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        plain = sock
        try:
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                sock = secure = self.tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
                self._open.add(sock)
                secure.do_handshake()
            self.script(Talk(sock, self))
        except OSError:
            pass  # a client that has had enough closes; a script need not expect it
        finally:
            self._open -= {plain, sock}
            sock.close()
            plain.close()


class Tls:
    """A certificate authority, the file that trusts it, and contexts of servers and clients that it vouches for."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.folder = folder
        self.ca_file = str(folder / "ca.pem")
        self.authority.cert_pem.write_to_path(self.ca_file)
        self.server = self.serving("127.0.0.1", "::1", "localhost")
        self.misnamed = self.serving("elsewhere.example")

    def serving(self, *names: str) -> ssl.SSLContext:
        """A server's context, its certificate good for these names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(*names).configure_cert(context)
        return context

    def asking_who(self, *names: str) -> ssl.SSLContext:
        """A server's context that wants to see a client certificate of this authority."""
        context = self.serving(*names)
        context.verify_mode = ssl.CERT_REQUIRED
        self.authority.configure_trust(context)
        return context

    def client(self, name: str = "probe.example") -> tuple[str, str]:
        """The files of a client's certificate and of its key."""
        cert = self.authority.issue_cert(name)
        paths = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        cert.cert_chain_pems[0].write_to_path(paths[0])
        cert.private_key_pem.write_to_path(paths[1])
        return str(paths[0]), str(paths[1])


class Refuser:
    """An address where nobody listens, held so that nobody else can."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._sock = socket.socket()
        self._sock.bind((host, 0))
        self.port = self._sock.getsockname()[1]
        self.url = f"http://{host}:{self.port}"

    def close(self) -> None:
        self._sock.close()


class Unaccepting:
    """An address whose queue is full: the kernel drops what knocks, so connecting takes forever."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._queue = [socket.socket() for _ in range(4)]
        for sock in self._queue:
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                sock.connect(("127.0.0.1", self.port))

    def close(self) -> None:
        for sock in [*self._queue, self._listener]:
            sock.close()


def answer(body: bytes = b"{}", status: str = "200 OK", *headers: str) -> bytes:
    """A well-formed answer with a Content-Length."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def saying(*pieces: bytes) -> Script:
    """The script of a server that hears one request, says `pieces` and closes."""

    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(*pieces)
        talk.finish()

    return script
