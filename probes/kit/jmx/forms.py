"""The form that each of the JDK's classes gives its objects when it serializes them, and what that is in plain Python.

Source: the "Serialized Form" page of the JDK's API documentation. Part of the cold path.
"""

from struct import unpack

from probes.kit.jmx.moments import utc
from probes.kit.jmx.objects import Array, Instance, after_size, field, odd, pairs_of, short
from probes.kit.jmx.source import Malformed
from probes.kit.jsontext import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from probes.kit.jmx.values import Values

    Form = Callable[[Values, Instance, int], object]

MAX_DIGITS = 1000  # bytes of a whole number; Python itself prints no more than 1,784
MAX_COPIES = 100_000
MAX_INDEXES = 16  # of tabular data


def _value(name: str) -> "Form":
    """What one of its fields holds."""
    return lambda values, one, depth: values.plain(one.fields.get(name), depth + 1)


def _bytes_of(one: Instance, form: str, size: int) -> "tuple[int, ...]":
    """The numbers that a class wrote by itself, before all else."""
    for notes in (one.notes or {}).values():
        if notes and isinstance(notes[0], bytearray) and len(notes[0]) >= size:
            return unpack(form, notes[0][:size])
    raise odd(one)


def _big_integer(values: "Values", one: object) -> int:
    magnitude, sign = field(one, "magnitude"), field(one, "signum")
    if not isinstance(magnitude, Array) or not isinstance(sign, int) or sign not in (-1, 0, 1):
        raise Malformed("a BigInteger of a form not known")
    if len(magnitude.items) > MAX_DIGITS:
        raise Malformed(f"a whole number of {len(magnitude.items)} bytes")
    values.step(len(magnitude.items))
    number = 0
    for digit in magnitude.items:
        number = number << 8 | (digit & 255 if isinstance(digit, int) else 0)
    return sign * number


def _big_decimal(values: "Values", one: Instance, __: int) -> float:
    scale = one.fields.get("scale")
    if not isinstance(scale, int):
        raise odd(one)
    return float(f"{_big_integer(values, one.fields.get('intVal'))}e{-scale}")


def _immutable(values: "Values", one: Instance, depth: int) -> object:
    """List.of, Set.of, Map.of; the lowest byte of the tag says which. Source: java.util.ImmutableCollections."""
    tag = one.fields.get("tag")
    if not isinstance(tag, int):
        raise odd(one)
    if tag & 255 == 3:
        return values.map_of(pairs_of(one), depth)
    return values.all(after_size(one), depth)


def _list(values: "Values", one: Instance, depth: int) -> object:
    return values.all(after_size(one), depth)


def _map(values: "Values", one: Instance, depth: int) -> object:
    return values.map_of(pairs_of(one), depth)


def _keys(values: "Values", one: Instance, depth: int) -> object:
    """A set that is the keys of a map."""
    inner = one.fields.get("m") or one.fields.get("map")
    if not isinstance(inner, Instance):
        raise odd(one)
    return list(values.map_of(pairs_of(inner), depth))


def _vector(values: "Values", one: Instance, depth: int) -> object:
    data, count = one.fields.get("elementData"), one.fields.get("elementCount")
    if not isinstance(data, Array) or not isinstance(count, int):
        raise odd(one)
    return values.all(data.items[: max(count, 0)], depth)


def _single(*names: str) -> "Form":
    """A list of what these fields hold."""
    return lambda values, one, depth: values.all([one.fields.get(name) for name in names], depth)


def _date(_: "Values", one: Instance, __: int) -> str:
    return utc(*divmod(_bytes_of(one, ">q", 8)[0], 1000))


def _calendar(_: "Values", one: Instance, __: int) -> str:
    time = one.fields.get("time")
    if not isinstance(time, int):
        raise odd(one)
    return utc(*divmod(time, 1000))


def _time(values: "Values", one: Instance, depth: int) -> object:
    """A value of java.time, which was made plain as it was read."""
    made = next(iter((one.notes or {}).values()), None)
    if made is None or len(made) != 1:
        raise odd(one)
    return values.plain(made[0], depth + 1)


def _uuid(_: "Values", one: Instance, __: int) -> str:
    high, low = one.fields.get("mostSigBits"), one.fields.get("leastSigBits")
    if not isinstance(high, int) or not isinstance(low, int):
        raise odd(one)
    digits = f"{high % 2**64:016x}{low % 2**64:016x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _throwable(values: "Values", one: Instance, _: int) -> str:
    message = one.fields.get("detailMessage")
    name = short(one.java_class.name)
    return values.text(f"{name}: {message}" if isinstance(message, str) and message else name)


def _tabular(values: "Values", one: Instance, depth: int) -> object:
    """By index, nested for several; a Map that an MXBean wrote as rows of key and value is a map again."""
    rows, names = one.fields.get("dataMap"), values.plain(field(one, "tabularType", "indexNames"), depth + 1)
    if not isinstance(rows, Instance) or not isinstance(names, list) or not 0 < len(names) <= MAX_INDEXES:
        raise odd(one)
    table: dict[str, object] = {}
    for _, raw in pairs_of(rows):
        row = values.plain(raw, depth + 1)
        below: object = table
        for name in names[:-1]:
            below = below.setdefault(_named(row, name), {}) if isinstance(below, dict) else None
        if not isinstance(row, dict) or not isinstance(below, dict):
            raise odd(one)
        is_entry = row.keys() == {"key", "value"} and names == ["key"]
        below[_named(row, names[-1])] = row["value"] if is_entry else row
    return table


def _named(row: object, name: object) -> str:
    key = row.get(name) if isinstance(row, dict) and isinstance(name, str) else None
    return key if isinstance(key, str) else dumps(key)


def _copies(values: "Values", one: Instance, depth: int) -> object:
    times = one.fields.get("n")
    if not isinstance(times, int) or not 0 <= times <= MAX_COPIES:
        raise odd(one)
    return values.all([one.fields.get("element")] * times, depth)


def _empty_map(_: "Values", __: Instance, ___: int) -> object:
    return {}


def _entry(values: "Values", one: Instance, depth: int) -> object:
    return values.map_of([(one.fields.get("k"), one.fields.get("v"))], depth)


def _under(package: str, names: str, form: "Form") -> "dict[str, Form]":
    return {f"{package}{name}": form for name in names.split()}


_ATOMIC = "Integer Long Reference"
_LISTS = "ArrayList LinkedList HashSet TreeSet ArrayDeque PriorityQueue"
_QUEUES = "CopyOnWriteArrayList ConcurrentLinkedQueue ConcurrentLinkedDeque LinkedBlockingQueue LinkedBlockingDeque"
_MAPS = "HashMap TreeMap Hashtable IdentityHashMap EnumMap"
_CONCURRENT_MAPS = "ConcurrentHashMap ConcurrentSkipListMap"

FORMS: "dict[str, Form]" = {
    "java.lang.Throwable": _throwable,
    "java.math.BigInteger": lambda values, one, _: _big_integer(values, one),
    "java.math.BigDecimal": _big_decimal,
    **_under("java.util.concurrent.atomic.Atomic", _ATOMIC, _value("value")),
    "java.util.concurrent.atomic.AtomicBoolean": lambda _, one, __: bool(one.fields.get("value")),
    "java.util.concurrent.atomic.LongAdder$SerializationProxy": _value("value"),
    "java.util.concurrent.atomic.DoubleAdder$SerializationProxy": _value("value"),
    "java.util.Date": _date,
    "java.util.Calendar": _calendar,
    "java.time.Ser": _time,
    "java.util.UUID": _uuid,
    "java.io.File": _value("path"),
    **_under("java.util.", _LISTS, _list),
    **_under("java.util.concurrent.", _QUEUES, _list),
    "java.util.CollSer": _immutable,
    "java.util.Vector": _vector,
    "java.util.Arrays$ArrayList": _value("a"),
    "java.util.EnumSet$SerializationProxy": _value("elements"),
    "java.util.concurrent.CopyOnWriteArraySet": _value("al"),
    "java.util.concurrent.ConcurrentSkipListSet": _keys,
    "java.util.concurrent.ConcurrentHashMap$CollectionView": _keys,
    "java.util.Collections$SetFromMap": _keys,
    **_under("java.util.Collections$", "UnmodifiableCollection SynchronizedCollection CheckedCollection", _value("c")),
    **_under("java.util.Collections$", "UnmodifiableMap SynchronizedMap CheckedMap", _value("m")),
    **_under("java.util.Collections$", "EmptyList EmptySet", _single()),
    **_under("java.util.Collections$", "SingletonList SingletonSet", _single("element")),
    "java.util.Collections$CopiesList": _copies,
    "java.util.Collections$EmptyMap": _empty_map,
    "java.util.Collections$SingletonMap": _entry,
    **_under("java.util.", _MAPS, _map),
    **_under("java.util.concurrent.", _CONCURRENT_MAPS, _map),
    "javax.management.openmbean.CompositeDataSupport": _value("contents"),
    "javax.management.openmbean.TabularDataSupport": _tabular,
}
