"""The tables of docs/streams.md: `python -m tests.stack.signals_page` measures them, with `--write` into the page.

Given versions of Kafka Streams, it measures those; any that Maven has will do, but only ours have a place in the page.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.stack.broker import Broker
from tests.stack.process import StackError
from tests.stack.signals import COLUMNS, NONE, read
from tests.stack.situations import SITUATIONS, told, walk
from tests.stack.versioned_app import VersionedApp, all_versions

PAGE = Path(__file__).parents[2] / "docs" / "streams.md"
BEGIN, END = "<!-- measured: python -m tests.stack.signals_page --write -->", "<!-- end of measured -->"


def legend() -> list[str]:
    """What each situation is."""
    rows = [(each.name, each.says + since(each.since)) for each in SITUATIONS]
    return table(("situation", "the application"), rows)


def since(version: tuple[int, ...]) -> str:
    return f" (since {'.'.join(map(str, version))})" if version else ""


def measure(app: VersionedApp) -> list[str]:
    """The table of one version: what each situation shows. The application is dead afterwards."""
    rows = []
    for each in walk(app):
        itself = ", ".join(told(app)) if each.answers else ""
        rows.append((each.name, itself or NONE, *read(app.jolokia_url).cells()))
    return table(("situation", "itself", *COLUMNS), rows)


def table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return ["| " + " | ".join(row) + " |" for row in (names, ["---"] * len(names), *rows)]


def heading(version: str) -> str:
    return f"### Kafka Streams {version}"


def on_page(version: str) -> list[str]:
    """The table of a version as the page has it; none if it has none."""
    lines = PAGE.read_text().splitlines()
    if heading(version) not in lines:
        return []
    rest = lines[lines.index(heading(version)) + 2 :]
    return rest[: rest.index("")]


def write(tables: dict[str, list[str]]) -> None:
    """Put the tables of our versions into the page; those not measured now stay."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    lines = [BEGIN, "", *legend(), ""]
    for version in all_versions():
        lines += [heading(version), "", *(tables.get(version) or on_page(version)), ""]
    PAGE.write_text(before + "\n".join([*lines, END]) + after)


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.stack.signals_page", description=__doc__)
    parser.add_argument("version", nargs="*", help="of Kafka Streams (default: all of ours)")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/streams.md")
    options = parser.parse_args(argv)
    tables = {}
    try:
        with tempfile.TemporaryDirectory(prefix="stetho-streams-") as folder:
            broker = Broker(Path(folder) / "broker").start()
            try:
                for version in options.version or all_versions():
                    with VersionedApp(version, broker.bootstrap, Path(folder) / version) as app:
                        tables[version] = measure(app)
                    print("\n".join([heading(version), "", *tables[version], ""]), flush=True)
            finally:
                broker.stop()
    except StackError as error:
        print(f"cannot measure: {error}", file=sys.stderr)
        return 1
    if options.write:
        write(tables)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
