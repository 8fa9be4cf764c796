"""The fast argv parser: plain `--name value` and bare flags. What is beyond it, it leaves to typer.

Part of the cold path. What it accepts, typer parses alike.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from probes.kit.options import Field


def read(argv: "Sequence[str]", fields: "Sequence[Field]") -> "dict[str, str | list[str]] | None":
    """The texts by option name (a secret's by its file's); None where argv is not plain."""
    by_flag = {field.flag: field for field in fields}
    given: dict[str, str | list[str]] = {}
    words = iter(argv)
    for word in words:
        field = by_flag.get(word)
        if field is None:
            return None
        key = field.keys[-1]
        if field.type is bool:
            given[key] = "true"
            continue
        value = next(words, "-")
        if value.startswith("-") or (key in given and not field.many):
            return None
        if field.many:
            given[key] = [*given.get(key, []), value]
        else:
            given[key] = value
    return given
