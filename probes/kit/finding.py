"""What a probe found, in one sentence for someone woken at 3 a.m.: what, how many, which. Part of the cold path."""

from probes.kit.result import Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Finding = tuple[Status, str, str, str]  # how bad; what ("of 3 tasks FAILED"); whose; why, or nothing

NAMED = 5  # culprits that a message names
WORDS = 240  # characters that a message takes over from a name or a reason


def sentence(findings: "Iterable[Finding]") -> str:
    """What a woken person reads, worst first: `2 of 3 tasks FAILED: orders/1, orders/2 (the reason)`."""
    kinds: dict[tuple[Status, str], list[tuple[str, str]]] = {}
    for status, what, whose, why in findings:
        kinds.setdefault((status, what), []).append((whose, why))
    order = (Status.CRITICAL, Status.UNKNOWN, Status.WARNING, Status.OK)
    worst_first = sorted(kinds, key=lambda kind: order.index(kind[0]))
    return "; ".join(f"{len(kinds[kind])} {kind[1]}: {naming(kinds[kind])}" for kind in worst_first)


def naming(culprits: "Sequence[tuple[str, str]]") -> str:
    """The first few by name, each with its reason; of neighbours with one reason, the last shows it."""
    words = []
    for at, (name, why) in enumerate(culprits[:NAMED], start=1):
        shared = at < min(len(culprits), NAMED) and culprits[at][1] == why
        words.append(cut(name) if shared or not why else f"{cut(name)} ({cut(why)})")
    return ", ".join(words) + (f" and {len(culprits) - NAMED} more" if len(culprits) > NAMED else "")


def cut(text: str) -> str:
    """Text from outside as a message can bear it: on one line and not too long."""
    line = " ".join(text[: 2 * WORDS].split())
    return line if len(line) <= WORDS else f"{line[: WORDS - 1]}…"


def reason(error: str, repeated: str) -> str:
    """An error of others for a message, without what it repeats of the question: the reason stands behind that."""
    return cut(error.removeprefix(repeated).replace(repeated, "…"))


def printable(text: str) -> str:
    """Text from outside without what could drive a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
