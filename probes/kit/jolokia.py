"""Reading MBeans through Jolokia, all in one POST. Part of the cold path.

Jolokia answers HTTP 200 even where JMX refused: each answer of the bulk has a `status` of its own. NaN comes as
null, and so do the infinities. Source: Jolokia's protocol documentation; its ReadHandler and JSONWriter.
"""

from probes.kit.finding import cut
from probes.kit.jsontext import dumps
from probes.kit.mbeans import is_pattern
from probes.kit.net import NAMES, Found, Unreadable
from probes.kit.rest import ask, expect, objects
from probes.kit.result import ProbeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from probes.kit.net import Net, Read, Request
    from probes.kit.options import Url
    from probes.kit.rest import HttpOptions


def read(o: "HttpOptions", net: "Net", url: "Url", reads: "tuple[Read, ...]") -> "tuple[Request, list[Found]]":
    """The request made, and what was found for each read, in their order."""
    # The agent serves /jolokia/ but not /jolokia; below() ends the path with the slash.
    request = o.post(url.below(""), dumps([_question(*read) for read in reads]).encode())
    answer = ask(net, request)
    if isinstance(answer, dict) and "error" in answer:  # the whole was refused
        raise ProbeError(f"{request}: Jolokia says {cut(str(answer['error']))}")
    entries = objects(answer, "a list of answers", request)
    if len(entries) != len(reads):
        raise ProbeError(f"{request}: {len(reads)} questions, {len(entries)} answers")
    return request, [_found(request, one, entry) for one, entry in zip(reads, entries, strict=True)]


def _question(name: str, attributes: "tuple[str, ...]") -> "dict[str, Any]":
    # An agent's own limit leaves out what is above it, MBeans too, and nothing tells. Of that and the one asked for it
    # takes the smaller, and 0 as none. Source: its SerializeOptions; in Jolokia 1, JsonConvertOptions.
    whole = {"maxCollectionSize": 0}
    if attributes == NAMES:
        return {"type": "search", "mbean": name, "config": whole}
    wanted = {"attribute": list(attributes)} if attributes else {}
    # Else one getter that throws, or one attribute that is missing, would cost all the others.
    return {"type": "read", "mbean": name, **wanted, "config": {"ignoreErrors": True, **whole}}


def _found(request: "Request", read: "Read", entry: "dict[str, Any]") -> Found:
    name, attributes = read
    status, error = entry.get("status"), f"{entry.get('error_type')} {entry.get('error')}"
    # Jolokia 2 says AttributeNotFoundException (404); Jolokia 1, of a pattern, an IllegalArgumentException (400).
    if status in (400, 404) and ("AttributeNotFound" in error or "No matching attr" in error):
        return Found({}, bare=True)
    if status == 404:
        return Found({})
    if status != 200:
        return Found({}, refused=f"Jolokia answers {status}: {cut(str(entry.get('error')))}")
    if attributes == NAMES:
        return Found(
            {str(one): {} for one in expect(list, entry.get("value"), f"the names of {name} as a list", request)}
        )
    value = expect(dict, entry.get("value"), f"the attributes of {name} as an object", request)
    each = value if is_pattern(name) else {name: value}
    told = {one: expect(dict, each[one], f"the attributes of {one} as an object", request) for one in each}
    there = {one: _readable(attributes) for one, attributes in told.items() if not _is_gone(attributes)}
    return Found(there, bare=bool(there) and not any(there.values()))


def _is_gone(attributes: "dict[str, Any]") -> bool:
    """Whether there is no such MBean: the error then stands in the place of each attribute that was asked for.

    A getter may fail for want of another MBean, which only its words tell.
    """
    return any(error[0] == "InstanceNotFoundException" for error in map(_error, attributes.values()) if error)


def _readable(attributes: "dict[str, Any]") -> "dict[str, object]":
    """What could be read, and why the rest could not; what the MBean does not have is left out."""
    found: dict[str, object] = {}
    for name, value in attributes.items():
        error = _error(value)
        if error is None:
            found[name] = value
        elif error[0] != "AttributeNotFoundException":
            found[name] = Unreadable(": ".join(filter(None, error)))
    return found


def _error(value: object) -> tuple[str, str] | None:
    """The kind and the words of an error in an attribute's place; None of a value."""
    if isinstance(value, dict) and value.get(".error") is True:
        return _short(str(value.get("error_type"))), cut(str(value.get("error")))
    if value == "[Object limit exceeded]":  # its maxObjects
        return "", "Jolokia says the object limit is exceeded"
    if isinstance(value, str) and value.startswith("ERROR: "):  # as Jolokia 1 says it, with "(class a.B)" at its end
        words, _, kind = value.removeprefix("ERROR: ").rpartition(" (class ")
        return (_short(kind[:-1]), cut(words)) if words else ("", cut(kind))
    return None


def _short(name: str) -> str:
    """A class without its package."""
    return name.rpartition(".")[2]
