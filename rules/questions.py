"""From rules to questions: each rule for each of its `each` is an instance, and equal questions are one question."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from probes.kit import catalog
from probes.kit.options import OptionErrors, from_environment
from probes.kit.run import timeout
from rules.check import identity
from rules.expand import Environment, Expandable, ExpandError, With, expand_with
from rules.model import Labels
from rules.rule import Rule


@dataclass(frozen=True, slots=True)
class Question:
    """One probe with its options. `problem` instead of options: they cannot be had, so nobody can be asked."""

    probe: str
    options: Any = field(default=None, repr=False)
    problem: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        return (self.probe, self.problem, *(self.options.key if self.options else ()))

    @property
    def target(self) -> str:
        """The address asked, as people may see it."""
        return self.options.target.shown if self.options else ""

    @property
    def endpoint(self) -> str:
        """Who is asked: scheme, host and port of the target."""
        parts = urlsplit(self.target)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

    @property
    def host(self) -> str:
        return urlsplit(self.target).hostname or ""

    @property
    def seconds(self) -> float:
        """Its total deadline."""
        return timeout(self.options)


@dataclass(frozen=True, slots=True)
class Instance:
    """One rule for one of its `each`, with the question it asks."""

    rule: Rule
    each: Labels
    question: Question

    @property
    def key(self) -> str:
        """Stable over sweeps and over edits of thresholds and conditions; holds no text of the file."""
        text = json.dumps(identity(self.rule, self.each), separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def instances(rules: Sequence[Rule], defaults: Mapping[str, With], environment: Environment) -> list[Instance]:
    """Every instance of these rules, its options expanded; what cannot be expanded becomes the question's problem."""
    around = {
        probe: from_environment(catalog.load(probe).Options.fields, probe, environment)
        for probe in {rule.probe for rule in rules}
    }
    built: dict[tuple[object, ...], Question] = {}
    found = []
    for rule in rules:
        for each in rule.each:
            question = _question(rule, each, around[rule.probe], defaults.get(rule.probe, {}), environment)
            found.append(Instance(rule, each, built.setdefault(question.key, question)))
    return found


def _question(
    rule: Rule, each: Labels, around: Mapping[str, Any], defaults: With, environment: Environment
) -> Question:
    try:
        given = expand_with(rule.given, environment, each)
        fallback = expand_with({key: value for key, value in defaults.items() if key not in given}, environment)
        return Question(rule.probe, catalog.load(rule.probe).Options.build(given, around, fallback))
    except ExpandError as error:
        return Question(rule.probe, problem=f"{rule.place}: {error}")
    except OptionErrors as errors:
        said = "; ".join(_said(error.option, str(error), rule, defaults) for error in errors.errors)
        return Question(rule.probe, problem=f"{rule.place}: {said}")


def _said(option: str, text: str, rule: Rule, defaults: With) -> str:
    """What is wrong with an option; not in the words of the error where those might quote what a `${}` gave."""
    value = rule.given.get(option) or defaults.get(option)
    parts = value if isinstance(value, tuple) else (value,) if isinstance(value, Expandable) else ()
    if any(part.references for part in parts):
        return f"{option}: what its ${{}} gives cannot be used as {option} of {rule.probe}"
    return f"{option} {text}"
