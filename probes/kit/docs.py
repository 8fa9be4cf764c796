"""The page that tells each probe's options and answer, derived from what it declares: `python -m probes.kit.docs`."""

import inspect
import json
import sys
from collections.abc import Iterator
from typing import Any

from probes.kit import catalog
from probes.kit.example import OneOf
from probes.kit.options import Field, ProbeOptions, environment_name
from probes.kit.run import RunOptions

HEAD = """# Probes

`make docs` writes this page from what each probe declares; do not edit it.

An option can come from the command line or a rule's `with:`, from the environment, or from a rule file's `defaults:`;
the first of these wins. In a rule's `with:` it is written with `_` for `-`. Commas part several values in a variable.

## Options of every probe
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *table(ProbeOptions.fields, ""), *table(RunOptions.fields, "")[2:], "", *sections()])


def sections() -> Iterator[str]:
    for name in catalog.names():
        module = catalog.load(name)
        yield f"## {name}\n\n{inspect.cleandoc(module.__doc__)}\n"
        yield "\n".join(table([field for field in module.Options.fields if field not in ProbeOptions.fields], name))
        yield f"\n`data` of its answer:\n\n```json\n{json.dumps(module.EXAMPLE, indent=2, ensure_ascii=False)}\n```\n"
        yield from (f"`{path}` is one of {', '.join(words)}.\n" for path, words in states(module.EXAMPLE, "data"))


def table(fields: "list[Field] | tuple[Field, ...]", probe: str) -> list[str]:
    """The options, one in a row."""
    rows = [(f"`{f.flag}`", kind(f), default(f), f.help, f"`{environment_name(probe, f.keys[-1])}`") for f in fields]
    head = [("Option", "Type", "Default", "", "Environment"), ("---",) * 5]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in (*head, *rows)]


def kind(field: Field) -> str:
    return f"{field.metavar or 'flag'}{', repeated' if field.many else ''}"


def default(field: Field) -> str:
    if field.required:
        return "required"
    return "" if field.default in (None, (), False) else f"`{field.default}`"


def states(example: Any, path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Where the answer has one of a few words, and which."""
    if isinstance(example, OneOf):
        yield path, example.words
    elif isinstance(example, dict):
        for key, inner in example.items():
            yield from states(inner, f"{path}.{key}")
    elif isinstance(example, list):
        yield from states(example[0], f"{path}[]")


if __name__ == "__main__":
    sys.stdout.write(page())
