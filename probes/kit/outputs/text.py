"""For a person at a terminal: the status and the sentence, then the judged things one by one."""

from probes.kit.finding import cut, printable
from probes.kit.jsontext import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from probes.kit.run import Answer

SHOWN = 20  # rows of each list
WIDE = 80  # characters of a list or an object
LONG = ("labels", "trace")  # what no column holds; the JSON has it
_COLOURS = {"OK": "32", "WARNING": "33", "CRITICAL": "31", "UNKNOWN": "35"}


def render(answer: "Answer", colour: bool) -> str:
    """The answer as lines: what is wrong first, its rows below."""
    word = answer.status.name
    painted = f"\x1b[1;{_COLOURS[word]}m{word}\x1b[0m" if colour else word
    lines = [f"{painted}  {answer.probe} {printable(answer.target)}", f"  {printable(answer.message)}"]
    for name, rows in (answer.data or {}).items():
        if isinstance(rows, list) and rows and isinstance(rows[0], dict):
            lines += table(name, rows)
    return "\n".join(lines)


def table(name: str, rows: "list[dict[str, Any]]") -> list[str]:
    """A list's rows under its name, their fields in columns."""
    columns = [key for key in rows[0] if key not in LONG]
    cells = [[key.replace("_", " ") for key in columns]]
    cells += [[cell(row.get(key)) for key in columns] for row in rows[:SHOWN]]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    lines = ["  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in cells]
    more = [f"    and {len(rows) - SHOWN} more"] if len(rows) > SHOWN else []
    return ["", f"  {name}", *(f"  {line.rstrip()}" for line in lines), *more]


def cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return printable(cut(value))
    text = printable(dumps(value, WIDE + 1).strip('"'))
    return text if len(text) <= WIDE else f"{text[: WIDE - 1]}…"
