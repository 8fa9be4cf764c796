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
from probes.kit.net import NAMES, Found, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeVar

    from probes.kit.jmx.session import Session
    from probes.kit.jmx.wire import Reply
    from probes.kit.net import Read

    Answer = Reply | Broken
    T = TypeVar("T")

MAX_VALUES = 150_000  # of all that one question is answered
BEAN = 4  # values that an MBean counts for beyond its name, as its memory does
MAX_TEXT = 6 << 20  # bytes of their texts; as one text, with one letter beyond 16 bits, they take four times that
MAX_NAME = 4096  # letters of an MBean's or attribute's name


class Bean:
    """One MBean of a read. `gone`: there is no such MBean, or no more. `refused`: why it tells nothing more."""

    __slots__ = ("attributes", "gone", "name", "refused", "wanted")

    def __init__(self, name: str, wanted: "Iterable[str]") -> None:
        self.name, self.gone, self.refused = name, False, ""
        self.wanted = list(dict.fromkeys(wanted))
        self.attributes: dict[str, object] = {}

    @property
    def answers(self) -> bool:
        return not self.gone and not self.refused

    def told(self) -> dict[str, object]:
        """Its attributes; where it refuses, why stands in the place of those that it did not tell."""
        untold = dict.fromkeys(self.wanted or [""], Unreadable(self.refused)) if self.refused else {}
        return {**untold, **self.attributes}


class Reading:
    """One read under way. `listed`: the server is asked which MBeans it is about."""

    __slots__ = ("attributes", "beans", "listed", "name", "refused")

    def __init__(self, read: "Read") -> None:
        self.name, self.attributes = read
        self.listed = is_pattern(self.name) or self.attributes == NAMES
        self.beans = [] if self.listed else [Bean(self.name, self.attributes)]
        self.refused = ""

    def found(self) -> Found:
        there = [bean for bean in self.beans if not bean.gone]
        reasons = {bean.refused if not bean.attributes else "" for bean in there}
        refused = self.refused or (reasons.pop() if len(reasons) == 1 else "")  # all of them, and all alike
        if refused:
            return Found({}, refused=refused)
        mbeans = {bean.name: bean.told() for bean in there}
        known = self.beans if self.listed else there  # what was listed a moment ago is not "never there"
        return Found(mbeans, bare=self.attributes != NAMES and bool(known) and not any(mbeans.values()))


class Reads:
    """All reads of one question."""

    def __init__(self, session: "Session", reads: "Iterable[Read]") -> None:
        self.session, self.target = session, session.connection
        self.readings = [Reading(read) for read in reads]
        self.values = self.text_bytes = 0  # how much is kept

    def all(self) -> list[Found]:
        """One Found for each read. Raises ProbeError."""
        self._list([reading for reading in self.readings if reading.listed])
        self._tell([bean for one in self.readings if one.attributes != NAMES for bean in one.beans])
        # Kafka's JmxReporter unregisters an MBean and registers it again, for each metric that comes or goes.
        hasty = [one for one in self.readings if one.listed and any(bean.gone for bean in one.beans)]
        self._tell(self._list(hasty))
        return [reading.found() for reading in self.readings]

    def _list(self, readings: list[Reading]) -> list[Bean]:
        """The MBeans that there are, but for those that were listed before and are not gone."""
        asked = self._ask(readings, lambda one: (one.name, calls.query_names(self.target, one.name)))
        return [bean for reading, answer in asked for bean in self._take_names(reading, answer)]

    def _tell(self, beans: list[Bean]) -> None:
        """Ask these MBeans for what is wanted of them."""
        # Kafka's MBeans log a warning with its stack for each attribute of several that is asked for in vain, so what
        # they have is asked first.
        unknown = [one for one in beans if len(one.wanted) != 1]
        for bean, answer in self._ask(unknown, lambda one: (one.name, calls.get_info(self.target, one.name))):
            self._take_info(bean, answer)
        values = [(one, one.wanted) for one in beans if one.wanted and one.answers]
        for (bean, names), answer in self._ask(values, self._value_of):
            self._take_values(bean, names, answer)
        # What is not among several, has a getter that threw: asked for alone, it tells why.
        several = [one for one in beans if len(one.wanted) > 1 and one.answers]
        alone = [(one, [name]) for one in several for name in one.wanted if name not in one.attributes]
        for (bean, names), answer in self._ask(alone, self._value_of):
            self._take_values(bean, names, answer)

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

    def _ask(self, things: "list[T]", call: "Callable[[T], tuple[str, bytes]]") -> "Iterator[tuple[T, Answer]]":
        """The answer to a call for each of them; `call` tells what is read, and the bytes."""
        return zip(things, self.session.replies(things, call), strict=True)

    def _take_names(self, reading: Reading, answer: "Answer") -> list[Bean]:
        value = self._value(reading, answer)
        known = {bean.name for bean in reading.beans if not bean.gone}
        beans: list[Bean] = []
        for name in after_size(value) if isinstance(value, Instance) else []:
            plain = self._plain(name)
            if isinstance(plain, str) and not isinstance(plain, Unreadable) and plain not in known:
                self._keep(max(BEAN, plain.count(",") + plain.count('"')), 0)  # its keys become a dict
                beans.append(Bean(self._named(plain), reading.attributes))
        reading.beans += beans
        return beans

    def _take_info(self, bean: Bean, answer: "Answer") -> None:
        """Of what is wanted, want what there is. Types are not looked at: Kafka calls each attribute a double."""
        attributes = field(self._value(bean, answer), "attributes")
        if bean.refused and bean.wanted:
            bean.refused = ""  # it may tell its attributes all the same
            return
        infos = attributes.items if isinstance(attributes, Array) else []
        there = {name: None for info in infos if field(info, "isRead") and isinstance(name := field(info, "name"), str)}
        if not bean.wanted:
            self._keep(len(there), sum(size_of(self._named(name)) for name in there))
        bean.wanted = [name for name in bean.wanted if name in there] if bean.wanted else list(there)

    def _take_several(self, bean: Bean, names: set[str], answer: "Answer") -> None:
        # One value that cannot be sent spoils them all, and an MBean may fail as a whole; alone, each tells for itself.
        if isinstance(answer, Broken) or (answer.thrown and self._thrown(answer).by_mbean):
            return
        value = self._value(bean, answer)
        for one in after_size(value) if isinstance(value, Instance) else []:
            name = field(one, "name")
            if isinstance(name, str) and name in names:
                bean.attributes[name] = self._plain(field(one, "value"))

    def _take_one(self, bean: Bean, name: str, answer: "Answer") -> None:
        if isinstance(answer, Broken):
            bean.attributes[name] = Unreadable(answer.what)
        elif not answer.thrown:
            bean.attributes[name] = self._plain(answer.value)
        elif (thrown := self._thrown(answer)).gone or self._refusal(thrown):
            self._value(bean, answer)
        elif not thrown.lacking:
            bean.attributes[name] = Unreadable(str(thrown))

    def _value(self, whose: Bean | Reading, answer: "Answer") -> object:
        """The value of an answer; None where there is none, and then it is noted why."""
        if isinstance(answer, Broken):
            whose.refused = answer.what
        elif not answer.thrown:
            return answer.value
        elif (thrown := self._thrown(answer)).gone and isinstance(whose, Bean):
            whose.gone = True
        else:
            whose.refused = self._refusal(thrown) or str(thrown)
        return None

    def _thrown(self, answer: "Reply") -> Thrown:
        return self.session.exchange.thrown(answer.value)

    def _refusal(self, thrown: Thrown) -> str:
        """What the server itself, not an MBean, has against the question; empty if nothing."""
        if thrown.by_mbean:
            return ""
        if thrown.filtered:
            return f"its serial filter refuses the question; see {FILTERS}"
        if "SecurityException" in thrown.kinds:
            who = self.session.request.username
            return f"access denied{'' if who is None else f' to {who!r}'}: {thrown.message or thrown.name}"
        return f"no ObjectName: {thrown.message}" if "InvalidObjectException" in thrown.kinds else ""

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
            raise self.session.exchange.error(f"it answers with {limits}; ask for fewer MBeans or attributes")
