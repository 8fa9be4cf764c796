"""What real JVMs said over RMI, byte for byte, so that unit tests need no JVM.

`python -m tests.stack.record_jmx` records. A file's exchanges are of four lines each: `MODE | what was asked`, `> ` and
what was sent, `< ` and what was received, `. ` and what became of the connection. The bytes are base85 of zlib:
exceptions and long texts shrink tenfold.
"""

import base64
import functools
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "recorded"
JAVA_CLIENT = "java-client"  # the mode of what Java's own client said to a plain server


@dataclass(frozen=True)
class Exchange:
    """One question and its answer, on a connection whose handshake is over unless `asked` says handshake.

    `closed`: the server closed the connection after its answer.
    """

    mode: str
    asked: str
    sent: bytes
    received: bytes
    closed: bool = False


def versions() -> list[int]:
    """The Java versions that were recorded, oldest first."""
    return sorted(int(file.stem.removeprefix("java-")) for file in FOLDER.glob("java-*.txt"))


@functools.cache
def exchanges(version: int) -> list[Exchange]:
    """All that was recorded of this Java version, in the order of the recording."""
    lines = [line for line in _file(version).read_text().splitlines() if line and not line.startswith("#")]
    found = []
    for head, sent, received, end in zip(*(lines[start::4] for start in range(4)), strict=True):
        mode, _, asked = head.partition(" | ")
        found.append(Exchange(mode, asked, _bytes(sent), _bytes(received), end == ". closed"))
    return found


def exchange(version: int, mode: str, asked: str) -> Exchange:
    """The one exchange of this name: `exchange(17, "plain", "getAttribute stetho.test:type=Values Integer")`."""
    [found] = [each for each in exchanges(version) if (each.mode, each.asked) == (mode, asked)]
    return found


def write(version: int, recorded: Iterable[Exchange]) -> None:
    """Replace what is kept of this Java version."""
    FOLDER.mkdir(exist_ok=True)
    lines = [f"# Java {version}. Recorded by `python -m tests.stack.record_jmx`; recordings.py reads it.", ""]
    for each in recorded:
        end = ". closed" if each.closed else ". open"
        lines += [f"{each.mode} | {each.asked}", f"> {_text(each.sent)}", f"< {_text(each.received)}", end, ""]
    _file(version).write_text("\n".join(lines))


def _file(version: int) -> Path:
    return FOLDER / f"java-{version}.txt"


def _text(raw: bytes) -> str:
    return base64.b85encode(zlib.compress(raw, 9)).decode()


def _bytes(line: str) -> bytes:
    return zlib.decompress(base64.b85decode(line[2:]))
