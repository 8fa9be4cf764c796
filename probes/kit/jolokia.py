"""Reading MBeans through Jolokia, all in one POST. Part of the cold path.

Jolokia answers HTTP 200 even where JMX refused: each answer of the bulk has a `status` of its own. NaN comes as null.
Source: Jolokia's protocol documentation; its ReadHandler.
"""

from probes.kit.finding import cut
from probes.kit.jsontext import dumps
from probes.kit.rest import ask, expect, number_or_none, objects
from probes.kit.result import ProbeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from probes.kit.net import Net, Request
    from probes.kit.options import Url
    from probes.kit.rest import HttpOptions


def read(o: "HttpOptions", net: "Net", url: "Url", questions: "dict[str, list[str]]") -> "list[Answer]":
    """An answer for each question, an MBean's name or pattern and the attributes wanted, in their order."""
    body = [{"type": "read", "mbean": mbean, "attribute": names} for mbean, names in questions.items()]
    # The agent serves /jolokia/ but not /jolokia; join() ends the path with the slash.
    request = o.post(url.below(""), dumps(body).encode())
    answer = ask(net, request)
    if isinstance(answer, dict) and "error" in answer:  # the whole was refused
        raise ProbeError(f"{request}: Jolokia says {cut(str(answer['error']))}")
    entries = objects(answer, "a list of answers", request)
    if len(entries) != len(questions):
        raise ProbeError(f"{request}: {len(questions)} questions, {len(entries)} answers")
    return [Answer(request, mbean, entry) for mbean, entry in zip(questions, entries, strict=True)]


class Answer:
    """What came back for one MBean name or pattern."""

    __slots__ = ("_entry", "_mbean", "_request")

    def __init__(self, request: "Request", mbean: str, entry: "dict[str, Any]") -> None:
        self._request, self._mbean, self._entry = request, mbean, entry

    @property
    def learnt(self) -> bool:
        """Whether Jolokia told what was asked for."""
        return self._entry.get("status") == 200

    @property
    def bare(self) -> bool:
        """Whether there are such MBeans, but none with the attributes asked for."""
        # Jolokia 2 says AttributeNotFoundException (404); Jolokia 1, of a pattern, an IllegalArgumentException (400).
        said = f"{self._entry.get('error_type')} {self._entry.get('error')}"
        return self._entry.get("status") in (400, 404) and ("AttributeNotFound" in said or "No matching attr" in said)

    def attributes(self) -> "dict[str, Any]":
        """The attributes of one MBean by name; none when there is no such MBean, or none with what was asked for."""
        if self._entry.get("status") == 404 or self.bare:
            return {}
        if not self.learnt:
            why = f"{self._entry.get('status')} to {self._mbean}: {cut(str(self._entry.get('error')))}"
            raise ProbeError(f"{self._request}: Jolokia answers {why}")
        return expect(dict, self._entry.get("value"), f"the attributes of {self._mbean} as an object", self._request)

    def number(self, attribute: str) -> float | None:
        """An attribute that holds a number; None when it is not there, or NaN."""
        return number_or_none(self.attributes().get(attribute), f"{self._mbean} {attribute} as a number", self._request)

    def text(self, attribute: str) -> str | None:
        """An attribute that holds text, or an enum; None when it is not there."""
        value = self.attributes().get(attribute)
        return None if value is None else expect(str, value, f"{self._mbean} {attribute} as text", self._request)

    def mbeans(self) -> "dict[str, Answer]":
        """What came back for each MBean that the pattern matched, by its name."""
        each = self.attributes().items()
        return {name: Answer(self._request, name, {"status": 200, "value": value}) for name, value in each}


def properties(name: str) -> dict[str, str]:
    """The key properties of an ObjectName, in whatever order they come; quoted values lose their quotes."""
    found: dict[str, str] = {}
    rest = name.partition(":")[2]
    while rest:
        key, _, rest = rest.partition("=")
        if rest.startswith('"'):
            end = rest.find('"', 1)
            while end > 0 and (end - len(rest[:end].rstrip("\\"))) % 2:
                end = rest.find('"', end + 1)
            end = end if end > 0 else len(rest)
            found[key], rest = _unquote(rest[1:end]), rest[end + 1 :].removeprefix(",")
        else:
            found[key], _, rest = rest.partition(",")
    return found


def _unquote(text: str) -> str:
    """ObjectName.quote() puts a backslash before `"`, `*`, `?` and itself, and writes a line feed as `\\n`."""
    halves = text.split("\\\\")
    for written, meant in (('\\"', '"'), ("\\*", "*"), ("\\?", "?"), ("\\n", "\n")):
        halves = [half.replace(written, meant) for half in halves]
    return "\\".join(halves)
