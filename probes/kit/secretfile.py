"""A secret's text from its file, which may be a pipe. Part of the cold path, where a secret is given."""

import os
import stat
import time

from probes.kit.options import Lacking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST = 65536  # bytes
WRITER_COMES, WRITER_WRITES = 0.5, 5.0  # seconds for a pipe that nobody has open, and for one that somebody has

_piped: dict[str, bytes | None] = {}  # a pipe gives what is in it once, and options may be built twice


def secret_in(path: str, parse: "Callable[[str], object]") -> object:
    """The secret in a file. ValueError names the file and shows nothing of it; Lacking, where it gives none."""
    try:
        text = text_in(path)
    except ValueError as error:
        raise Lacking(str(error)) from None
    if not text:
        raise Lacking(f"{path} is empty")
    try:
        return parse(text)
    except ValueError as error:
        raise ValueError(f"{path} {error}") from None


def text_in(path: str) -> str:
    """The text without the newlines at its end; ValueError names the file and shows nothing of it."""
    try:
        data = _piped[path] if path in _piped else _read(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    if data is None:
        raise ValueError(f"nothing came out of {path} in time")
    if len(data) > LARGEST:
        raise ValueError(f"{path} is larger than {LARGEST} bytes, too large to be a secret")
    try:
        return data.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None


def _read(path: str) -> bytes | None:
    """What is in a file, or has come out of a pipe in time, if anything: to open or read one may take for ever."""
    with open(path, "rb", buffering=0, opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as file:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return file.read(LARGEST + 1)
        data, begun = b"", time.monotonic()
        while len(data) <= LARGEST:
            piece = file.read(LARGEST)  # None while it waits for a writer, b"" when there is none
            if piece:
                data += piece
            elif data and piece is not None:
                break
            elif time.monotonic() - begun > (WRITER_WRITES if piece is None else WRITER_COMES):
                _piped[path] = None
                return None
            else:
                time.sleep(0.005)
        _piped[path] = data
        return data
