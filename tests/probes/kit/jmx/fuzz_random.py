"""Values of any class that the client knows, with whatever fields: now and then as Java has them, mostly not."""

from random import Random

from probes.kit.jmx.forms import FORMS
from tests.probes.kit.jmx.fuzz_writer import END, EXTERNAL, NULL, PLAIN, WRITES, Form, Java, block, number

SIZES = {"B": 1, "C": 2, "D": 8, "F": 4, "I": 4, "J": 8, "S": 2, "Z": 1}
FIELDS = (
    "value magnitude signum intVal scale tag m map elementData elementCount c contents a elements al element n k v "
    "path time mostSigBits leastSigBits detailMessage dataMap tabularType indexNames h name attributes "
    "isRead exception key"
).split()
# What makes these what they are.
KNOWN = {
    "java.math.BigInteger": ("I signum", "[ magnitude"),
    "java.math.BigDecimal": ("I scale", "L intVal"),
    "java.util.Vector": ("I elementCount", "[ elementData"),
    "java.util.CollSer": ("I tag",),
    "java.util.UUID": ("J leastSigBits", "J mostSigBits"),
    "java.util.Collections$CopiesList": ("I n", "L element"),
    "java.util.Collections$SingletonMap": ("L k", "L v"),
    "java.util.Collections$SetFromMap": ("L m",),
    "java.util.Calendar": ("J time",),
    "java.lang.Throwable": ("L detailMessage",),
    "javax.management.openmbean.TabularDataSupport": ("L dataMap", "L tabularType"),
    "javax.management.openmbean.CompositeDataSupport": ("L contents",),
}
WRITERS = ("Map", "Set", "List", "Deque", "Queue", "Table", "CollSer", "Date", "ObjectName", "org.example.Own")
NAMES = (*FORMS, "org.example.Own", "javax.management.openmbean.TabularType", "java.lang.StackTraceElement")
TEXTS = (b"", b"a", b"key", b"value", b"\xc0\x80", b"\xed\xa0\x80", b"\xff", b"RUNNING", b"0", b"x" * 300, b"\xc3\xbc")
DEEPEST = 12
NUMBERS = (0, 1, 2, 3, -1, 64, 0x7FFFFFFF, -0x80000000, 0x7FF8000000000000, 0x7FF0000000000000, -(1 << 63))


class Dice(Java):
    """Writes at random."""

    def __init__(self, rng: Random) -> None:
        super().__init__()
        self.rng, self.left = rng, rng.randrange(2, 60)  # objects that it may still write

    def value(self, depth: int = 0) -> "Dice":
        """Anything."""
        self.left -= 1
        if self.left < 0 or depth > DEEPEST:
            return self.little()
        roll = self.rng.random()
        if roll < 0.25:
            return self.little()
        if roll < 0.35:
            return self.numbers()
        if roll < 0.42:
            size = self.rng.randrange(4)
            self.array(Form(self.rng.choice(("[Ljava.lang.Object;", "[[I", "[Ljava.lang.String;"))), size)
            return self.values(size, depth)
        if roll < 0.46:
            return self.odd(depth)
        return self.thing(self.rng.choice(NAMES), depth)

    def values(self, size: int, depth: int) -> "Dice":
        for _ in range(size):
            self.value(depth + 1)
        return self

    def little(self) -> "Dice":
        roll = self.rng.random()
        if roll < 0.3:
            self.raw(NULL)
        elif roll < 0.6 and self.handles:
            self.again(0x7E0000 + self.rng.randrange(self.handles + (self.rng.random() < 0.05)))
        else:
            self.text(self.rng.choice(TEXTS))
        return self

    def numbers(self) -> "Dice":
        kind, size = self.rng.choice(list(SIZES.items()))
        count = self.rng.randrange(5)
        self.array(Form(f"[{kind}"), count)
        self.raw(*(number(self.rng.choice(NUMBERS), size) for _ in range(count)))
        return self

    def odd(self, depth: int) -> "Dice":
        """An enum, a class, an exception, a proxy, or what is none of Java's."""
        roll = self.rng.randrange(6)
        if roll == 0:
            self.raw(b"\x7e")
            self.describe(Form("org.example.State", (), 18))
            self.mark()
            self.little()
        elif roll == 1:
            self.raw(b"\x76")
            self.describe(Form(self.rng.choice(NAMES)))
            self.mark()
        elif roll == 2:
            self.raw(b"\x7b")
            self.value(depth + 1)
        elif roll == 3:
            self.raw(b"\x73\x7d", number(1), b"\0\1I", END)
            self.mark()
            self.describe(Form("java.lang.reflect.Proxy", ("L h",)))
            self.mark()
            self.value(depth + 1)
        else:
            self.raw(self.rng.randbytes(3))
        return self

    def thing(self, name: str, depth: int) -> "Dice":
        """An object of a class, or of one that extends it."""
        if depth > DEEPEST:
            return self.little()
        form = self.form(name)
        if self.rng.random() < 0.2:
            form = Form("org.example.Extended", self.rng.choice(((), ("I own",))), PLAIN, form)
        self.object(form)
        for level in (form.parent, form) if form.parent else (form,):
            self.state(level, depth)
        return self

    def form(self, name: str) -> Form:
        """One form for each name, so that the stream can refer to it."""
        for form in self.known:
            if form.name == name:
                return form
        fields = KNOWN.get(name, ())
        if not fields or self.rng.random() < 0.1:
            picked = self.rng.sample(FIELDS, self.rng.choice((0, 1, 1, 2)))
            letters = sorted(self.rng.choice("BCDFIJSZLLLLLL[") for _ in picked)
            letters.sort(key=lambda letter: letter in "L[")
            fields = tuple(f"{letter} {field}" for letter, field in zip(letters, picked, strict=True))
        writes = any(word in name for word in WRITERS) and "$" not in name
        flags = EXTERNAL if name == "java.time.Ser" else WRITES if writes else PLAIN
        if self.rng.random() < 0.03:
            flags = self.rng.choice((0, 1, 4, 12, 15, 18, 255))
        return Form(name, fields, flags)

    def state(self, form: Form, depth: int) -> None:
        """What an object has by one of its classes."""
        if form.flags == EXTERNAL:
            self.raw(self.rng.choice((b"\1", b"\2", b"\3")), number(self.rng.choice(NUMBERS), 8), number(5))
            return
        for field in form.fields:
            kind = field[0]
            if kind in SIZES:
                self.raw(number(self.rng.choice(NUMBERS), SIZES[kind]))
            elif field == "[ magnitude":
                self.numbers()
            elif field == "L intVal":
                self.thing("java.math.BigInteger", depth + 1)
            elif field in ("L dataMap", "L m", "L contents"):
                self.thing("java.util.HashMap", depth + 1)
            elif field == "L tabularType":
                self.thing("javax.management.openmbean.TabularType", depth + 1)
            else:
                self.value(depth + 1)
        if form.flags == WRITES:
            for _ in range(self.rng.choice((0, 1, 1, 1, 1, 2))):
                self.raw(block(self.rng.randbytes(self.rng.choice((0, 1, 4, 8, 12, 13)))))
            self.values(self.rng.choice((0, 1, 2, 2, 4, 4, 5)), depth)
            self.raw(END)


def value(rng: Random) -> bytes:
    """A value without the head of its reply."""
    return bytes(Dice(rng).value().out)
