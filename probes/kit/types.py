"""The closed list of option types, each parsed from text alone: argv, environment and rule files all give text.

Part of the cold path: no `re`, no `typing`. A parse that fails raises ValueError saying what would be right.
"""

INFINITY = float("inf")

# Milliseconds of each unit, and whether people rather read it when it comes out even: 90d, not 12w6d.
_UNITS = (
    ("y", 31536000000, True),
    ("w", 604800000, True),
    ("d", 86400000, False),
    ("h", 3600000, False),
    ("m", 60000, False),
    ("s", 1000, False),
    ("ms", 1, False),
)
_LONGEST = 292 * _UNITS[0][1]  # about where Prometheus' durations end
_DIGITS = "0123456789"
_SCHEMES = ("http", "https", "http+unix")
_SERVICE_URL = "service:jmx:rmi:///jndi/rmi://host:5555/jmxrmi"
_OF_RANGES = _DIGITS + "+-.eE~:"  # float() would take inf, nan, 1_0 and other scripts' digits too


class Duration(float):
    """Seconds, written as Prometheus does: `90s`, `1h30m`, `500ms`."""

    METAVAR = "DURATION"

    @classmethod
    def parse(cls, text: str) -> "Duration":
        if text == "0":
            return cls(0)
        if text and not text.strip(_DIGITS):
            raise ValueError(f"{text!r} has no unit; write {text}s for seconds, {text}m for minutes")
        milliseconds, rest, units = 0, text, iter(_UNITS)
        while rest or not text:
            digits = rest[: len(rest) - len(rest.lstrip(_DIGITS))]
            rest = rest[len(digits) :]
            unit = rest[: len(rest) - len(rest.lstrip("ywdhms"))]
            size = next((size for name, size, _ in units if name == unit), None)
            if not digits or size is None:
                raise ValueError(f"{text!r} is not a duration; write it like 90s, 5m or 1h30m")
            # Of too many digits Python makes no number, and a float holds no number of too many.
            milliseconds += int(digits) * size if len(digits) < 20 else _LONGEST + 1
            rest = rest[len(unit) :]
        if milliseconds > _LONGEST:
            raise ValueError(f"{text!r} is too long; a duration is at most 292y")
        return cls(milliseconds / 1000)

    def __str__(self) -> str:
        rest, words = round(self * 1000), []
        for name, size, even in _UNITS:
            if even and rest % size:
                continue
            count, rest = divmod(rest, size)
            if count:
                words.append(f"{count}{name}")
        return "".join(words) or "0s"

    __repr__ = __str__


class Range:
    """A Monitoring Plugins range: the values that are well (`@`: that are not), both ends inclusive.

    Source: monitoring-plugins.org, Development Guidelines, "Threshold and ranges".
    """

    METAVAR = "RANGE"
    __slots__ = ("end", "inside", "start", "text")

    def __init__(self, text: str, start: float, end: float, inside: bool) -> None:
        self.text, self.start, self.end, self.inside = text, start, end, inside

    @classmethod
    def parse(cls, text: str) -> "Range":
        hint = (
            f"{text!r} is not a range; write 10 (well from 0 to 10), 10: (at least), ~:10 (at most) or @10:20 (outside)"
        )
        inside, body = text.startswith("@"), text.removeprefix("@")
        first, colon, last = body.rpartition(":")
        if not body or body == ":" or (not last and not colon) or body.strip(_OF_RANGES):
            raise ValueError(hint)
        try:
            start = -INFINITY if first == "~" else float(first) if first else 0.0
            end = float(last) if last else INFINITY
        except ValueError:
            raise ValueError(hint) from None
        if start > end:
            raise ValueError(f"the range {text!r} is empty: {start:g} is above {end:g}")
        return cls(text, start, end, inside)

    def alerts(self, value: float) -> bool | None:
        """Whether `value` is one to alert on; None for NaN, of which nobody can tell."""
        if value != value:
            return None
        return (self.start <= value <= self.end) == self.inside

    def missed(self, option: str) -> str:
        """Where a value is that alerts: `outside --critical 10`."""
        return f"{'inside' if self.inside else 'outside'} --{option} {self}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Range) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


class Choice(str):
    """One of a few words; `option(choices=…)` says which."""

    METAVAR = "WORD"
    __slots__ = ()


class Url(str):
    """An http, https or `http+unix` address. `shown` is what people may see: no user, no password, no query."""

    METAVAR = "URL"
    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Url":
        scheme, mark, rest = text.partition("#")[0].partition("://")
        scheme = scheme.lower()
        whole = rest.partition("/")[0].partition("?")[0]
        authority = whole.rpartition("@")[2]
        port = authority.rpartition("]")[2].partition(":")[2]
        shown = repr(_without_login(text))
        if scheme == "http+unix" and (authority[:3].upper() != "%2F" or ":" in authority or "%00" in authority):
            raise ValueError(f"{shown} names no socket; write it like http+unix://%2Frun%2Fx.sock/path")
        if not mark or scheme not in _SCHEMES or not authority or authority.startswith(":"):
            raise ValueError(f"{shown} is not an address; write it like http://host:8083")
        if "@" in rest[len(whole) :]:  # what precedes it may be a password with a slash, and would show
            likes = "in a password write / as %2F and ? as %3F, in a path or query @ as %40"
            raise ValueError(f"{shown} has an @ after a / or ?; {likes}")
        if any(ord(letter) <= 32 or ord(letter) == 127 for letter in rest):
            raise ValueError(f"{shown} has a space or control character in it")
        if port and (port.strip(_DIGITS) or len(port) > 5 or not 0 < int(port) < 65536):
            raise ValueError(f"the port of {shown} is not a number from 1 to 65535")
        return cls(scheme + mark + rest)

    @property
    def shown(self) -> str:
        scheme, mark, rest = self.partition("?")[0].partition("://")
        authority, slash, path = rest.partition("/")
        place = authority.rpartition("@")[2]
        place = place.replace("%2F", "/").replace("%2f", "/") if scheme == "http+unix" else place
        return f"{scheme}{mark}{place}{slash}{path}".rstrip("/")

    @property
    def root(self) -> "Url":
        """This address without path and query."""
        scheme, mark, rest = self.partition("?")[0].partition("://")
        return Url(f"{scheme}{mark}{rest.partition('/')[0]}")

    def below(self, path: str) -> "Url":
        """The address of `path` below this one; a query of this one stays at the end."""
        base, _, query = self.partition("?")
        query = "&".join(part for part in (path.partition("?")[2], query) if part)
        return Url(f"{base.rstrip('/')}/{path.partition('?')[0]}{'?' if query else ''}{query}")

    def or_below(self, path: str) -> "Url":
        """This address; the one of `path` below it, if it has no path of its own."""
        return self if self.partition("://")[2].partition("?")[0].partition("/")[2] else self.below(path)


class JmxAddress(Url):
    """Where a JVM serves remote JMX, kept as `jmx://host:port`.

    Also taken: `host:port`, and a service URL whose registry is named (`service:jmx:rmi:///jndi/rmi://host:port/jmxrmi`).
    """

    METAVAR = "HOST:PORT"
    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "JmxAddress":
        shown, rest = repr(_without_login(text)), text.removeprefix("jmx://")
        if text[:12].lower() == "service:jmx:":
            if text[12:16].lower() != "rmi:":
                raise ValueError(f"{shown} is of another protocol than RMI; write it like {_SERVICE_URL}")
            # Its first host is where the connector server would be if it were not looked up.
            rest = text.partition("/jndi/rmi://")[2].removesuffix("/jmxrmi")
        host, _, port = rest.rpartition(":")
        bare = host[1:-1] if host[:1] == "[" and host[-1:] == "]" else host
        named = bare and not (set(bare) & set(" /@?#[]%") or (":" in bare and bare == host)) and bare.isprintable()
        if not named or not port or port.strip(_DIGITS) or len(port) > 5 or not 0 < int(port) < 65536:
            raise ValueError(f"{shown} is not a JMX address; write it like host:5555 or {_SERVICE_URL}")
        return cls(f"jmx://{host}:{int(port)}")

    @property
    def host(self) -> str:
        """The name or address to dial, without brackets."""
        return self.removeprefix("jmx://").rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.rpartition(":")[2])


class Secret(str):
    """A password or token. It comes from a file or the environment, and shows nowhere."""

    METAVAR = "FILE"
    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def _without_login(text: str) -> str:
    """What may be shown of a text that is no address: in it a password may end anywhere up to the last `@`."""
    login, _, rest = text.rpartition("@")
    scheme = f"{login.partition('://')[0]}://" if "://" in login else ""
    return scheme + ("…" if "?" in login else rest.partition("?")[0])


def parse_bool(text: str) -> bool:
    word = text.lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise ValueError(f"{text!r} is neither true nor false")


def parse_int(text: str) -> int:
    """No option takes a negative number, nor one that needs more than 64 bits."""
    if not text or text.strip(_DIGITS) or len(text) > 18:
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def parse_float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if value != value:
        raise ValueError(f"{text!r} is not a number")
    return value
