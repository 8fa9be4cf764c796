"""The servers that are asked: recorded ones on loopback, some behind TLS, and the Kafka Streams application."""

import ssl
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import trustme

from bench.questions import QUESTIONS, Asked, ask
from tests.cassettes.replay import Replay

TOKEN = "a-bearer-token-of-an-everyday-length-0123456789abcdef"


class SecureReplay(Replay):
    """A recorded server that answers over https."""

    def __init__(self, cassette: str, context: ssl.SSLContext) -> None:
        super().__init__(cassette)
        # The handshake is left to the thread that reads, for the one that accepts must not wait.
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{self.port}"


@contextmanager
def serving(programs: Mapping[str, Sequence[str]], jmx: str) -> Iterator[list[Asked]]:
    """Every question with its commands, as long as the servers run; without the JMX ones if `jmx` is empty."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stetho-bench-")))
        contents = {
            "ca": authority.cert_pem.bytes(),
            "token": TOKEN.encode(),
            "header": f"Authorization: Bearer {TOKEN}".encode(),
        }
        places = {"jmx": jmx, **{name: str(folder / name) for name in contents}}
        for name, content in contents.items():
            (folder / name).write_bytes(content)
        asked: list[Asked] = []
        for question in QUESTIONS:
            if not question.read:
                replay = SecureReplay(question.cassette, context) if question.tls else Replay(question.cassette)
                asked.append(ask(question, {**places, "url": stack.enter_context(replay).url}, programs))
            elif jmx:
                asked.append(ask(question, places, programs))
        yield asked
