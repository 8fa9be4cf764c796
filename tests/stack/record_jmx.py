"""Records what real JVMs say over RMI: `python -m tests.stack.record_jmx`, for each JDK of this machine.

It asks by itself, knows as little of the protocol as asking needs, and takes for an answer what comes until the server
is silent: what it records depends on no reader of ours. Java's own client is recorded through a proxy, to know what
such a client says. Not recorded is what tells of this machine: system properties, the JVM's name.
"""

import tempfile
from pathlib import Path

from tests.probes.kit.jmx import recordings
from tests.probes.kit.jmx.recordings import JAVA_CLIENT, Exchange
from tests.stack.jmx_proxy import PROXY_HOST, Proxy
from tests.stack.jmx_talk import Recorder
from tests.stack.jvm import Asked, JmxServer, javas
from tests.stack.jvm_files import Login

ATTRIBUTES = {
    "Values": """Integer IntegerMin Long LongMin Short Byte Double DoubleMax NegativeZero NaN PlusInfinity
        MinusInfinity Float FloatNaN True False Character BigInteger BigIntegerNegative BigIntegerZero BigDecimal
        AtomicLong AtomicInteger AtomicBoolean String Empty Unicode LoneSurrogate Nul Lines Longest Long100000
        LongUnicode Null Enum ThreadState EnumWithBody Ints NoInts Longs Shorts Doubles Floats Booleans Bytes Chars
        Strings NoStrings Boxed Objects Table Enums Names Date ObjectName Instant Duration UUID Address Class
        ClassOfInts Throwable Point Place Points Unserializable HoldsUnserializable Proxy Cycle SameTwice Deep500""",
    "Collected": """ArrayList AsList ListOf ListOfOne ListOfNone UnmodifiableList UnmodifiableLinked
        UnmodifiableCollection SynchronizedList EmptyList SingletonList NCopies LinkedList Vector Stack CopyOnWrite
        ArrayDeque PriorityQueue ConcurrentQueue SubList Numbers Nested HashSet LinkedHashSet TreeSet SetOf EmptySet
        SingletonSet UnmodifiableSet EnumSet ConcurrentSet HashMap LinkedHashMap TreeMap MapOf MapOfOne MapOfNone
        ConcurrentHashMap ConcurrentSkipListMap Hashtable IdentityHashMap EmptyMap SingletonMap UnmodifiableMap
        SynchronizedMap EnumMap Entry Properties""",
    "Opened": "Composite Nested Composites ByTwo ByOne NoRows",
    "Shapes": "Lags Sizes Lists Maps All One Unit Primitive Reference",
    "Faulty": "Well Runtime Checked Error Security WithoutMessage Own Unserializable Stream WriteOnly NoSuch",
    "NoSuch": "Any",
}
PLATFORM = (
    ("java.lang:type=Memory", "HeapMemoryUsage"),
    ("java.lang:type=Threading", "AllThreadIds"),
    ("java.lang:type=Threading", "ThreadCount"),
    ("java.lang:type=Runtime", "Uptime"),
    ("java.lang:name=Copy,type=GarbageCollector", "LastGcInfo"),
    ("java.lang:name=MarkSweepCompact,type=GarbageCollector", "LastGcInfo"),
    ("java.lang:name=MarkSweepCompact,type=GarbageCollector", "MemoryPoolNames"),
)
PATTERNS = ("Quoted,*", "Many,name=many-00*", "NoSuch,*", "Values")


def main() -> None:
    for version, java in javas():
        with tempfile.TemporaryDirectory() as scratch:
            recorded = [*serving(Path(scratch), java), *trap(Path(scratch), java), *java_client(Path(scratch), java)]
        recordings.write(version, recorded)
        print(f"Java {version}: {len(recorded)} exchanges")


def serving(work: Path, java: Path) -> list[Exchange]:
    """A server in each mode, asked for all it has."""
    server = JmxServer(work / "serving", java=java)
    try:
        server.start()
        server.collect()  # so that there is a LastGcInfo
        wrong = Login("monitor", "wrong", Path())
        files = server.files
        recorded = plain(server)
        for mode in ("two-ports", "tls", "denied", "filtered", "unbound"):
            recorded += short(server, mode)
        recorded += short(server, "password", None, wrong, files.stranger, files.monitor)
        recorded += short(server, "filtered-login", files.monitor)
        clear = Recorder(server, "tls-registry")
        clear.handshake("in clear")
        return recorded + clear.exchanges
    finally:
        server.stop()


def plain(server: JmxServer) -> list[Exchange]:
    """Every value and every fault."""
    asking = Recorder(server, "plain")
    asking.handshake("of RMI")
    asking.handshake("of HTTP", b"GET / HTTP/1.0\r\n\r\n")
    asking.handshake("of another version", b"JRMI\0\1\x4b")
    asking.lookup("no-such-name")
    asking.lookup()
    asking.log_in()
    asking.call("getConnectionId")
    for type_, attributes in ATTRIBUTES.items():
        for attribute in attributes.split():
            asking.get(f"stetho.test:type={type_}", attribute)
    for bean, attribute in PLATFORM:
        asking.get(bean, attribute)
    asking.get("no colon", "Any")
    asking.get_all("stetho.test:type=Values", "Integer", "NoSuch", "NaN", "String")
    asking.get_all("stetho.test:type=Faulty", "Well", "Runtime", "WriteOnly")
    asking.get_all("stetho.test:type=Values", "Integer", "Unserializable", "String")
    asking.get_all("stetho.test:type=NoSuch", "Integer")
    for pattern in PATTERNS:
        asking.query(f"stetho.test:type={pattern}")
    for type_ in ("Values", "NoSuch"):
        asking.is_registered(f"stetho.test:type={type_}")
    asking.mbean_info("stetho.test:type=Faulty")
    asking.call("noSuchMethod")
    asking.call("getConnectionId", "of no such object", connection=b"\1" * 22)
    asking.call("close")
    asking.call("getConnectionId", "after close")
    return asking.exchanges


def short(server: JmxServer, mode: str, *logins: Login | None) -> list[Exchange]:
    """As far as this mode lets each of these in: the stubs, a value, names. Of TLS, the registry's answer in clear."""
    asking = Recorder(server, mode)
    asking.lookup()
    if not asking.found() or mode == "tls":
        return asking.exchanges
    for login in logins or (None,):
        asking.log_in(login)
        if asking.logged_in():
            who = f" as {login.username}" if login else ""
            asking.get("stetho.test:type=Values", "Integer", note=who)
            asking.query("stetho.test:type=Val*", note=who)
    return asking.exchanges


def trap(work: Path, java: Path) -> list[Exchange]:
    """The stub of a JVM that was told a name no client can reach."""
    server = JmxServer(work / "trap", java=java, modes=("two-ports",), advertised="no-such-host.invalid")
    try:
        asking = Recorder(server.start(), "two-ports")
        asking.lookup(note="advertised as no-such-host.invalid")
        return asking.exchanges
    finally:
        server.stop()


def java_client(work: Path, java: Path) -> list[Exchange]:
    """What Java's own client says, its distributed garbage collection included."""
    server = JmxServer(work / "client", java=java, modes=("plain", "password"), advertised=PROXY_HOST)
    monitor = server.files.monitor
    conversations = (
        Asked("plain", "stetho.test:type=Values", "Integer"),
        Asked("plain", "stetho.test:type=Values", "Integer,NoSuch,String"),
        Asked("plain", "stetho.test:type=Quoted,*", "?"),
        Asked("password", "stetho.test:type=Größe,name=Ü 😀", "Value", monitor),
    )
    recorded: list[Exchange] = []
    try:
        server.start()
        for asked in conversations:
            with Proxy(server.registry_ports[asked.mode]) as proxy:
                server.read(asked, host=PROXY_HOST)
            what = f"{asked.mode} {asked.bean} {asked.attribute}"
            for connection, turn, sent, received in proxy.exchanges():
                recorded.append(Exchange(JAVA_CLIENT, f"{what}: connection {connection}, {turn}", sent, received))
        return recorded
    finally:
        server.stop()


if __name__ == "__main__":
    main()
