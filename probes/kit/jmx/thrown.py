"""What a JVM's exceptions say. Part of the cold path."""

from probes.kit.finding import cut, printable
from probes.kit.jmx.objects import Instance, field, short

# By which a JVM takes only some classes; up to Java 8 the second alone.
FILTERS = "com.sun.management.jmxremote.serial.filter.pattern and jdk.serialFilter"

MAX_DEPTH = 10  # exceptions within exceptions

# These only carry another one, in one of these fields.
_BY_MBEAN = ("RuntimeMBeanException", "MBeanException", "RuntimeErrorException")
_BY_REFLECTION = ("UndeclaredThrowableException", "InvocationTargetException", "ExceptionInInitializerError")
_CARRIERS = (*_BY_MBEAN, *_BY_REFLECTION, "RuntimeOperationsException", "ReflectionException", "RemoteException")
_INSIDE = ("runtimeException", "exception", "error", "detail", "undeclaredThrowable", "target")


class Thrown:
    """An exception, by what it carries. `kinds` are the classes of all of them, and those they extend.

    `secret` does not show in its words: the server may repeat the password that it was sent.
    """

    __slots__ = ("kinds", "message", "name")

    def __init__(self, value: object, secret: str = "") -> None:
        self.kinds: set[str] = set()
        inner = value
        for _ in range(MAX_DEPTH):
            if not isinstance(inner, Instance):
                break
            value = inner
            own = {short(level.name) for level in inner.java_class.line()}
            self.kinds |= own
            if own.isdisjoint(_CARRIERS):
                break
            inner = next((found for name in _INSIDE if (found := field(inner, name)) is not None), None)
        self.name = printable(cut(short(value.java_class.name))) if isinstance(value, Instance) else "no exception"
        message = field(value, "detailMessage")
        said = message if isinstance(message, str) else ""
        self.message = printable(cut(said.replace(secret, "***") if secret else said))

    @property
    def by_mbean(self) -> bool:
        """The MBean's own code threw it; what the server itself has to say comes without such a wrapping."""
        return not self.kinds.isdisjoint(_BY_MBEAN)

    @property
    def gone(self) -> bool:
        """There is no such MBean."""
        return "InstanceNotFoundException" in self.kinds and not self.by_mbean

    @property
    def lacking(self) -> bool:
        """The MBean has no such attribute."""
        return "AttributeNotFoundException" in self.kinds and not self.by_mbean

    @property
    def remote(self) -> bool:
        """RMI itself failed, before or after the call."""
        return "RemoteException" in self.kinds

    @property
    def filtered(self) -> bool:
        """The JVM does not take a class that was sent."""
        return "InvalidClassException" in self.kinds and "REJECTED" in self.message

    def __str__(self) -> str:
        return f"{self.name}: {self.message}" if self.message else self.name
