"""Reading Prometheus text (format 0.0.4): only the wanted lines are parsed, the rest is skipped at the speed of `find`.

A JVM's jmx_exporter easily shows 50,000 lines, of which a probe wants ten. Part of the cold path.
"""

from probes.kit.finding import cut
from probes.kit.rest import came_back, refusal
from probes.kit.result import ProbeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from probes.kit.net import Reply, Request


class Sample:
    """One line: `name{label="value"} 1.0`."""

    __slots__ = ("labels", "name", "value")

    def __init__(self, name: str, labels: dict[str, str], value: float) -> None:
        self.name, self.labels, self.value = name, labels, value


class Page:
    """One answer, kept as the bytes that came: decoding all of it would double its cost in time and memory."""

    def __init__(self, request: "Request", reply: "Reply") -> None:
        """ProbeError for an answer that is no such text, or whose end is missing.

        A line that is cut off would read as a series that has gone, so the last line feed must be there.
        """
        if reply.status != 200:
            raise refusal(request, reply)
        self.request, self.body = request, reply.body
        first = self._line(len(self.body) - len(self.body.lstrip()))
        if not first or not (first[0].isalpha() or first[0] in "#_:"):
            raise ProbeError(f"{request}: {came_back(request, reply)} is not Prometheus text")
        if not first.startswith("#"):
            self._sample(first)
        if not self.body.endswith((b"\n", b"# EOF")):
            end = cut(self.body[-40:].decode("utf-8", "replace"))
            raise ProbeError(f"{request}: HTTP 200, cut off at {end!r}: no line feed at the end")

    def samples(self, prefix: str, holding: str = "") -> "Iterator[Sample]":
        """The series whose name begins with `prefix` and whose line holds the text `holding`."""
        wanted, at = (holding or prefix).encode(), 0
        while (at := self.body.find(wanted, at)) >= 0:
            line = self._line(at)
            if line.startswith(prefix):
                yield self._sample(line)
            at = self.body.find(b"\n", at) + 1 or len(self.body)

    def value(self, *names: str) -> "float | None":
        """The value of the first of these that is there."""
        return next((found.value for name in names for found in self.samples(name) if found.name == name), None)

    def _line(self, at: int) -> str:
        """The line around the byte at `at`."""
        begin, end = self.body.rfind(b"\n", 0, at) + 1, self.body.find(b"\n", at)
        return self.body[begin : end if end >= 0 else len(self.body)].decode("utf-8", "replace").rstrip("\r")

    def _sample(self, line: str) -> Sample:
        try:
            return parse(line)
        except ValueError:
            raise ProbeError(f"{self.request}: {cut(line)!r} is not a line of Prometheus text") from None


def parse(line: str) -> Sample:
    """The sample of one line; ValueError when it is none. A timestamp is allowed and not kept."""
    labels: dict[str, str] = {}
    name, brace, rest = line.partition("{")
    if brace:
        labels, rest = _labels(rest)
    else:
        name, rest = line.split(maxsplit=1)
    value, *timestamp = rest.split()
    if not _is_name(name.rstrip()) or "_" in value or len(timestamp) > 1:
        raise ValueError(line)
    for text in timestamp:
        float(text)
    return Sample(name.rstrip(), labels, float(value))


def _labels(rest: str) -> tuple[dict[str, str], str]:
    """The labels at the beginning of `rest`, and what follows their closing brace."""
    labels: dict[str, str] = {}
    while not (rest := rest.lstrip(" ,\t")).startswith("}"):
        name, _, rest = rest.partition("=")
        rest = rest.lstrip()
        if not _is_name(name.rstrip()) or not rest.startswith('"'):
            raise ValueError(name)
        labels[name.rstrip()], rest = _quoted(rest[1:])
    return labels, rest[1:]


def _quoted(text: str) -> tuple[str, str]:
    """The label value that ends at the first quote not escaped, and what follows."""
    end = text.index('"')
    while (end - len(text[:end].rstrip("\\"))) % 2:
        end = text.index('"', end + 1)
    value = text[:end]
    if "\\" in value:
        halves = (half.replace("\\n", "\n").replace('\\"', '"') for half in value.split("\\\\"))
        value = "\\".join(halves)
    return value, text[end + 1 :]


def _is_name(text: str) -> bool:
    return text.isascii() and text.replace(":", "_").isidentifier()
