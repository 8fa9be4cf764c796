"""The reads of one question: names first, then what each MBean has, then the values. Part of the cold path.

Each step makes all its calls one behind the other and reads the replies as they come: three round trips, or few more.
"""

from probes.kit.finding import cut, printable
from probes.kit.jmx import calls
from probes.kit.jmx.objects import Array, Instance, after_size, field
from probes.kit.jmx.source import Malformed
from probes.kit.jmx.thrown import FILTERS, Thrown
from probes.kit.jmx.values import Values, size_of
from probes.kit.jmx.wire import Broken
from probes.kit.mbeans import is_pattern
from probes.kit.net import Found, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeVar

    from probes.kit.jmx.session import Session
    from probes.kit.jmx.wire import Reply
    from probes.kit.net import Read

    Answer = Reply | Broken
    T = TypeVar("T")

MAX_VALUES = 200_000  # of all that one question is answered
BEAN = 4  # values that an MBean counts for beyond its name, as its memory does
MAX_TEXT = 8 << 20  # bytes of their texts; as one text, with one letter beyond 16 bits, they take four times that
MAX_NAME = 4096  # letters of an MBean's or attribute's name


class Bean:
    """One MBean of a read. `gone`: there is no such MBean, or no more."""

    __slots__ = ("attributes", "gone", "name", "read", "wanted")

    def __init__(self, read: "Reading", name: str) -> None:
        self.read, self.name, self.gone = read, name, False
        self.wanted: list[str] = list(dict.fromkeys(read.attributes))
        self.attributes: dict[str, object] = {}


class Reading:
    """One read under way."""

    __slots__ = ("attributes", "beans", "name", "refused")

    def __init__(self, read: "Read") -> None:
        self.name, self.attributes = read
        self.beans: list[Bean] = [] if is_pattern(self.name) else [Bean(self, self.name)]
        self.refused = ""

    def found(self) -> Found:
        if self.refused:
            return Found({}, refused=self.refused)
        mbeans = {bean.name: bean.attributes for bean in self.beans if not bean.gone}
        return Found(mbeans, bare=bool(mbeans) and not any(mbeans.values()))


class Reads:
    """All reads of one question."""

    def __init__(self, session: "Session", reads: "Iterable[Read]") -> None:
        self.session, self.target = session, session.connection
        self.readings = [Reading(read) for read in reads]
        self.values = self.text_bytes = 0  # how much is kept

    def all(self) -> list[Found]:
        """One Found for each read. Raises ProbeError."""
        patterns = [reading for reading in self.readings if not reading.beans]
        for reading, answer in self._ask(patterns, lambda one: (one.name, calls.query_names(self.target, one.name))):
            self._take_names(reading, answer)
        # Kafka's MBeans log a warning with its stack for each attribute of several that is asked for in vain, so what
        # they have is asked first.
        beans = [one for one in self._beans() if len(one.wanted) != 1]
        for bean, answer in self._ask(beans, lambda one: (one.name, calls.get_info(self.target, one.name))):
            self._take_info(bean, answer)
        values = [(one, one.wanted) for one in self._beans() if one.wanted]
        for (bean, names), answer in self._ask(values, self._value_of):
            self._take_values(bean, names, answer)
        # What is not among several, has a getter that threw: asked for alone, it tells why.
        several = [one for one in self._beans() if len(one.wanted) > 1]
        alone = [(one, [name]) for one in several for name in one.wanted if name not in one.attributes]
        for (bean, names), answer in self._ask(alone, self._value_of):
            self._take_values(bean, names, answer)
        return [reading.found() for reading in self.readings]

    def _value_of(self, one: "tuple[Bean, list[str]]") -> tuple[str, bytes]:
        bean, names = one
        if len(names) == 1:
            return f"{bean.name} {names[0]}", calls.get_attribute(self.target, bean.name, names[0])
        return bean.name, calls.get_attributes(self.target, bean.name, names)

    def _take_values(self, bean: Bean, names: list[str], answer: "Answer") -> None:
        if len(names) == 1:
            self._take_one(bean, names[0], answer)
        else:
            self._take_several(bean, set(names), answer)

    def _beans(self) -> "Iterator[Bean]":
        for reading in self.readings:
            if not reading.refused:
                yield from (bean for bean in reading.beans if not bean.gone)

    def _ask(self, things: "list[T]", call: "Callable[[T], tuple[str, bytes]]") -> "Iterator[tuple[T, Answer]]":
        """The answer to a call for each of them; `call` tells what is read, and the bytes."""
        return zip(things, self.session.replies(things, call), strict=True)

    def _take_names(self, reading: Reading, answer: "Answer") -> None:
        value = self._value(reading, answer)
        for name in after_size(value) if isinstance(value, Instance) else []:
            plain = self._plain(name)
            if isinstance(plain, str) and not isinstance(plain, Unreadable):
                self._keep(max(BEAN, plain.count(",") + plain.count('"')), 0)  # its keys become a dict
                reading.beans.append(Bean(reading, self._named(plain)))

    def _take_info(self, bean: Bean, answer: "Answer") -> None:
        """Of what is wanted, want what there is. Types are not looked at: Kafka calls each attribute a double."""
        if bean.wanted and (isinstance(answer, Broken) or (answer.thrown and Thrown(answer.value).by_mbean)):
            return  # it may tell its attributes all the same
        attributes = field(self._value(bean.read, answer, bean), "attributes")
        infos = attributes.items if isinstance(attributes, Array) else []
        there = {name: None for info in infos if field(info, "isRead") and isinstance(name := field(info, "name"), str)}
        if not bean.wanted:
            self._keep(len(there), sum(size_of(self._named(name)) for name in there))
        bean.wanted = [name for name in bean.wanted if name in there] if bean.wanted else list(there)

    def _take_several(self, bean: Bean, names: set[str], answer: "Answer") -> None:
        # One value that cannot be sent spoils them all, and an MBean may fail as a whole; alone, each tells for itself.
        if isinstance(answer, Broken) or (answer.thrown and Thrown(answer.value).by_mbean):
            return
        value = self._value(bean.read, answer, bean)
        for one in after_size(value) if isinstance(value, Instance) else []:
            name = field(one, "name")
            if isinstance(name, str) and name in names:
                bean.attributes[name] = self._plain(field(one, "value"))

    def _take_one(self, bean: Bean, name: str, answer: "Answer") -> None:
        if isinstance(answer, Broken):
            bean.attributes[name] = Unreadable(answer.what)
        elif not answer.thrown:
            bean.attributes[name] = self._plain(answer.value)
        elif not (thrown := Thrown(answer.value)).by_mbean and "AttributeNotFoundException" in thrown.kinds:
            return
        elif thrown.by_mbean or not self._refused(thrown, bean):
            bean.attributes[name] = Unreadable(str(thrown))

    def _value(self, reading: Reading, answer: "Answer", bean: Bean | None = None) -> object:
        """The value of an answer; None where there is none, and then it is noted why."""
        if isinstance(answer, Broken):
            reading.refused = answer.what
        elif not answer.thrown:
            return answer.value
        else:
            thrown = Thrown(answer.value)
            if not self._refused(thrown, bean or Bean(reading, reading.name)):
                reading.refused = str(thrown)
        return None

    def _refused(self, thrown: Thrown, bean: Bean) -> bool:
        """Whether this is about the MBean or the read as a whole, which is then noted."""
        if "InstanceNotFoundException" in thrown.kinds:
            bean.gone = True
            return True
        refused = ""
        if thrown.filtered:
            refused = f"its serial filter refuses the question; see {FILTERS}"
        elif "SecurityException" in thrown.kinds:
            who = self.session.request.username
            refused = f"access denied{'' if who is None else f' to {who!r}'}: {thrown.message or thrown.name}"
        elif "InvalidObjectException" in thrown.kinds:
            refused = f"no ObjectName: {thrown.message}"
        bean.read.refused = bean.read.refused or refused
        return bool(refused)

    def _plain(self, value: object) -> object:
        """A value in Python's terms, or why it is not understood."""
        values = Values()
        try:
            made = values.plain(value)
        except Malformed as error:
            made = Unreadable(printable(cut(str(error))))
        else:
            self._keep(values.values, values.text_bytes)
        if self.session.exchange.left() <= 0:
            raise self.session.exchange.late()
        return made

    def _named(self, name: str) -> str:
        if len(name) > MAX_NAME:
            raise self.session.exchange.error(f"it answers with a name of {len(name)} letters")
        return name

    def _keep(self, values: int, text_bytes: int) -> None:
        """Note that so much more is kept until the end."""
        self.values += values
        self.text_bytes += text_bytes
        if self.values > MAX_VALUES or self.text_bytes > MAX_TEXT:
            limits = f"over {MAX_VALUES} values or {MAX_TEXT >> 20} MiB of text"
            raise self.session.exchange.error(f"it answers with {limits}")
