"""Reading a JVM's MBeans, over RMI (`--jmx`) or through its Jolokia agent (`--jolokia`), with one kind of answer.

Part of the cold path.
"""

from probes.kit.finding import WORDS, cut
from probes.kit.jsontext import dumps
from probes.kit.net import Found, JmxRequest, Unreadable
from probes.kit.options import JmxAddress, OptionError, Url, option
from probes.kit.rest import HttpOptions
from probes.kit.result import ProbeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probes.kit.net import Net, Read


MISSING = object()  # in the place of a value that is not there; null is one


class JvmOptions(HttpOptions):
    """How a JVM is asked, and how to be let in."""

    jmx: JmxAddress | None = option(default=None, help="Remote JMX of the JVM: host:port, or its service URL.")
    jolokia: Url | None = option(default=None, help="Jolokia agent of the JVM; /jolokia if the URL has no path.")
    registry_tls: bool = option(default=False, help="The RMI registry at --jmx speaks TLS too.")
    tls_name: str | None = option(default=None, help="Name in the certificate at --jmx, where the address has another.")

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        # Addresses go first, and of them the one that needs no agent.
        order: dict[type, int] = {JmxAddress: 0, Url: 1}
        cls.fields = tuple(sorted(cls.fields, key=lambda field: order.get(field.type, 2)))

    def check(self) -> None:
        super().check()
        if self.token is not None and self.jmx is not None:
            raise OptionError("token", "cannot be combined with --jmx, which knows only users and passwords")
        for name, given in (("registry_tls", self.registry_tls), ("tls_name", self.tls_name)):
            if given and self.jmx is None:
                raise OptionError(name, "is about --jmx, which is missing")
        if self.tls_name is not None and (not self.tls_name.isprintable() or set(self.tls_name) & set(" */")):
            raise OptionError("tls_name", f"{self.tls_name!r} is no host name; write it like kafka.example.com")

    @property
    def agent(self) -> Url:
        """Where the Jolokia agent answers: what was given, or `/jolokia` if that has no path."""
        return (self.jolokia or Url()).or_below("jolokia")

    def greet(self, net: "Net") -> None:
        """Have the Jolokia agent, if that is who is asked, answer something that costs the JVM nothing."""
        if self.jolokia:
            net.request(self.get(self.agent.below("version")))

    def over_rmi(self, reads: "tuple[Read, ...]") -> JmxRequest:
        """These reads as a question over RMI, with this login."""
        return JmxRequest(
            self.jmx or JmxAddress(),
            reads,
            username=self.username,
            password=self.password,
            trust=self.trust,
            registry_tls=self.registry_tls,
            tls_name=self.tls_name,
        )


class MBean:
    """One MBean's attributes as they came. `asked` says of whom, for errors."""

    __slots__ = ("asked", "attributes", "name")

    def __init__(self, asked: str, name: str, attributes: "dict[str, object]") -> None:
        self.asked, self.name, self.attributes = asked, name, attributes

    def number(self, attribute: str) -> float | None:
        """An attribute that holds a number; None when it is not there, or null: Jolokia's NaN."""
        value = self._readable(attribute)
        if value is None:
            return None
        if isinstance(value, float) or (type(value) is int and abs(value) < 2**64):
            return value
        raise self._unfit(attribute, "a number", value)

    def text(self, attribute: str) -> str | None:
        """An attribute that holds text, or an enum; None when it is not there."""
        value = self._readable(attribute)
        if value is None or isinstance(value, str):
            return value
        raise self._unfit(attribute, "text", value)

    def _readable(self, attribute: str) -> object:
        value = self.attributes.get(attribute)
        if isinstance(value, Unreadable):
            raise ProbeError(f"{self.asked}: {self.name} {attribute}: {value}")
        return value

    def _unfit(self, attribute: str, wanted: str, value: object) -> ProbeError:
        return ProbeError(f"{self.asked}: expected {self.name} {attribute} as {wanted}, got {dumps(value, 80)}")


class Answer:
    """What came back for one MBean's name or pattern."""

    __slots__ = ("asked", "found", "name")

    def __init__(self, asked: object, name: str, found: Found) -> None:
        self.asked, self.name, self.found = str(asked), name, found

    def mbeans(self) -> dict[str, MBean]:
        """Each MBean that the pattern matches, by its name; ProbeError when the JVM would not tell."""
        if self.found.refused:
            raise ProbeError(f"{self.asked}: {self.name}: {self.found.refused}")
        return {name: MBean(self.asked, name, attributes) for name, attributes in self.found.mbeans.items()}

    def one(self) -> MBean:
        """The MBean of this name, without any attribute when there is none."""
        return self.mbeans().get(self.name) or MBean(self.asked, self.name, {})

    def instead(self, path: str) -> str:
        """What one MBean has where a path leads nowhere."""
        attributes = self.one().attributes
        whole, dot, _ = path.partition(".")
        inside = attributes.get(whole)
        if dot and isinstance(inside, dict):
            return f"{whole} has {cut(', '.join(sorted(map(str, inside))))}"
        return f"it has {cut(', '.join(sorted(attributes)))}" if attributes else ""


def read(o: JvmOptions, net: "Net", *reads: "Read") -> list[Answer]:
    """An answer for each read, an MBean's name or pattern and the attributes wanted (none: all), in their order."""
    if o.jmx is not None:
        question = o.over_rmi(reads)
        return [Answer(question, name, found) for (name, _), found in zip(reads, net.jmx(question), strict=True)]
    from probes.kit import jolokia

    request, answers = jolokia.read(o, net, o.agent, reads)
    return [Answer(request, name, found) for (name, _), found in zip(reads, answers, strict=True)]


def heads_of(path: str) -> list[str]:
    """What could be an attribute's name in a path: what is before a dot, and all of it."""
    return [path[:end] for end, letter in enumerate(f"{path}.") if letter == "."]


def at(value: object, path: str) -> object:
    """What a path leads to, or MISSING. Keys of tabular data may hold dots themselves: the longest that fits is meant.

    Below what is null or cannot be read, everything is.
    """
    if not path or value is None or isinstance(value, Unreadable):
        return value
    inner = value if isinstance(value, dict) else {}
    fitting = [key for key in inner if f"{path}.".startswith(f"{key}.")]
    for key in sorted(fitting, key=lambda key: -len(str(key))):
        found = at(inner[key], path[len(str(key)) + 1 :])
        if found is not MISSING:
            return found
    return MISSING


def subject(read: str, *paths: str) -> str:
    """What is read as people call it: `UnderReplicatedPartitions Value`, `consumer-metrics client-id=a lag-max`."""
    keys = {key: value for key, value in properties(read).items() if not is_pattern(f"{key}{value}")}
    main = "name" if "name" in keys else "type"
    others = ",".join(f"{key}={value}" for key, value in keys.items() if key not in (main, "type"))
    return " ".join(filter(None, [keys.get(main) or ("" if others else read), others, *paths]))


def distinct(read: str, name: str) -> str:
    """What tells an MBean from the others that a pattern matches: the keys that it leaves open."""
    asked = properties(read)
    keys = ",".join(f"{key}={value}" for key, value in properties(name).items() if asked.get(key) != value)
    domain_is_given = name.startswith(f"{read.partition(':')[0]}:")
    return keys if keys and domain_is_given else name


def shown(value: object) -> str:
    """A value as people read it: no more digits than they need, and no 1e+06."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and abs(value) < 2**63:
        short = round(value, 3) if abs(value) >= 1 else float(f"{value:.4g}")
        return str(int(short)) if short == int(short) else repr(short)
    return dumps(value, 2 * WORDS).strip('"')


def is_pattern(name: str) -> bool:
    """Whether an ObjectName has wildcards; a quoted `\\*` or `\\?` is none. Source: javax.management.ObjectName."""
    quoted = escaped = False
    for letter in name:
        if escaped:
            escaped = False
        elif letter in "*?":
            return True
        elif letter == '"':
            quoted = not quoted
        else:
            escaped = quoted and letter == "\\"
    return False


def properties(name: str) -> dict[str, str]:
    """The key properties of an ObjectName, in whatever order they come; quoted values lose their quotes."""
    found: dict[str, str] = {}
    at = name.find(":") + 1 or len(name)
    while at < len(name):
        equals = _find(name, "=", at)
        key, at = name[at:equals], equals + 1
        if name.startswith('"', at):
            end = _closing(name, at + 1)
            found[key] = _unquote(name[at + 1 : end])
            at = end + 1 + name.startswith(",", end + 1)
        else:
            end = _find(name, ",", at)
            found[key], at = name[at:end], end + 1
    return found


def _find(name: str, letter: str, at: int) -> int:
    """Where the letter comes next, or where the name ends."""
    found = name.find(letter, at)
    return found if found >= 0 else len(name)


def _closing(name: str, at: int) -> int:
    """Where the quote ends that begins before `at`: at the next one with an even number of backslashes before it."""
    while at < len(name) and name[at] != '"':
        at += 2 if name[at] == "\\" else 1
    return min(at, len(name))


def _unquote(text: str) -> str:
    """ObjectName.quote() puts a backslash before `"`, `*`, `?` and itself, and writes a line feed as `\\n`."""
    halves = text.split("\\\\")
    for written, meant in (('\\"', '"'), ("\\*", "*"), ("\\?", "?"), ("\\n", "\n")):
        halves = [half.replace(written, meant) for half in halves]
    return "\\".join(halves)
