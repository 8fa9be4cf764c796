"""Rule files, from text to checked rules: all that the files of a sweep declare, or every mistake in them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rules.delivery import check_receivers, read_fallback, read_receivers, read_route
from rules.document import MappingNode, Mistake, Place
from rules.expand import Environment, With
from rules.fit import Fitted, fit
from rules.groups import check_groups, read_defaults, read_rules
from rules.model import Receiver
from rules.route import Route
from rules.rule import Rule
from rules.yamltext import read

SUFFIXES = (".yml", ".yaml")


class RuleErrors(Exception):
    """All mistakes of all files, by place; each reads `file:line:column: what is wrong, and what would be right`."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(map(str, self.mistakes)))


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the files of one sweep declare together. Having no rules is not a mistake of the files."""

    rules: tuple[Rule, ...] = ()
    route: Route | None = None
    receivers: Mapping[str, Receiver] = field(default_factory=dict)
    fallback: str | None = None  # None: the root route's receiver
    defaults: Mapping[str, With] = field(default_factory=dict)  # by probe
    files: tuple[str, ...] = ()


def load(paths: Sequence[str | Path], environment: Environment, ask_apprise: bool = False) -> Loaded:
    """Read and check files, and the `*.yml` and `*.yaml` of folders. RuleErrors holds all that is wrong.

    `environment` is where required options may come from. `ask_apprise` has Apprise look at each URL that holds no
    `${}`: 200 ms that a check has; a sweep has not, and would rather page through its other destinations.
    """
    mistakes: list[Mistake] = []
    names = list(_files(paths, mistakes))
    files = [fitted for name in names if (fitted := _fitted(name, mistakes)) is not None]
    whole = len(files) == len(names)
    defaults = read_defaults(files, mistakes)
    rules = read_rules(files, environment, defaults, whole, mistakes)
    receivers = read_receivers(files, ask_apprise, mistakes)
    route, fallback = read_route(files, mistakes), read_fallback(files, mistakes)
    mistakes += check_groups(files)
    mistakes += check_receivers(files, receivers) if whole else ()
    if mistakes:
        raise RuleErrors(mistakes)
    return Loaded(tuple(rules), route, receivers, fallback, defaults, tuple(map(str, names)))


def _files(paths: Sequence[str | Path], mistakes: list[Mistake]) -> Iterator[Path]:
    """The files meant, each once. A mounted ConfigMap has links, and hidden folders that they lead to."""
    seen: set[Path] = set()
    for path in map(Path, paths):
        try:
            inside = sorted(path.iterdir()) if path.is_dir() else None
        except OSError as error:
            mistakes.append(Mistake(Place(str(path)), f"cannot be read: {error.strerror}"))
            continue
        for name in [path] if inside is None else filter(_is_rule_file, inside):
            if name.resolve() not in seen:
                seen.add(name.resolve())
                yield name


def _is_rule_file(name: Path) -> bool:
    return name.suffix in SUFFIXES and not name.name.startswith(".") and not name.is_dir()


def _fitted(name: Path, mistakes: list[Mistake]) -> Fitted | None:
    """The file as far as it has the shape of one."""
    node, found = read(name)
    mistakes += found
    if isinstance(node, MappingNode):
        fitted, found = fit(node)
        mistakes += found
        return fitted
    if node is not None:
        said = "a rule file is a mapping, with keys such as `groups:`, `route:` and `receivers:`"
        mistakes.append(Mistake(node.place, said))
    return None
