"""From rules to questions: each rule for each of its `each` is an instance, and equal questions are one question."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from probes.kit import catalog
from probes.kit.options import OptionError, OptionErrors, OptionSet, from_environment
from probes.kit.run import timeout
from rules.check import identity
from rules.expand import Environment, ExpandError, With, expand_with
from rules.given import all_of
from rules.model import Labels
from rules.rule import Rule


@dataclass(frozen=True)  # no slots: what is derived is kept once it is known
class Question:
    """One probe with its options. `problem` instead of options: they cannot be had, so nobody can be asked.

    `meant` is then the address that would be asked, as people may see it, if that is known.
    """

    probe: str
    options: Any = field(default=None, repr=False)
    problem: str = ""
    meant: str = ""

    @cached_property
    def key(self) -> tuple[object, ...]:
        return (self.probe, self.problem, self.meant, *(self.options.key if self.options else ()))

    @cached_property
    def target(self) -> str:
        """The address asked, as people may see it."""
        return self.options.target.shown if self.options else self.meant

    @cached_property
    def endpoint(self) -> str:
        """Who is asked: scheme, host and port of the target."""
        parts = urlsplit(self.target)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

    @cached_property
    def host(self) -> str:
        return urlsplit(self.target).hostname or ""

    @property
    def seconds(self) -> float:
        """Its total deadline."""
        return timeout(self.options)


@dataclass(frozen=True)  # no slots, as with Question
class Instance:
    """One rule for one of its `each`, with the question it asks."""

    rule: Rule
    each: Labels
    question: Question

    @cached_property
    def key(self) -> str:
        """Stable over sweeps and over edits of thresholds and conditions; holds no text of the file."""
        text = json.dumps(identity(self.rule, self.each), separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def instances(rules: Sequence[Rule], defaults: Mapping[str, With], environment: Environment) -> list[Instance]:
    """Every instance of these rules, its options expanded; what cannot be expanded becomes the question's problem."""
    asked = {probe: _Asked(probe, defaults.get(probe, {}), environment) for probe in {rule.probe for rule in rules}}
    built: dict[tuple[object, ...], Question] = {}
    found = []
    for rule in rules:
        for each in rule.each:
            question = asked[rule.probe].question(rule, each)
            found.append(Instance(rule, each, built.setdefault(question.key, question)))
    return found


class _Asked:
    """One probe, and the options that its questions have from elsewhere than their rules."""

    def __init__(self, probe: str, defaults: With, environment: Environment) -> None:
        self._probe, self._defaults, self._environment = probe, defaults, environment
        self._options: type[OptionSet] = catalog.load(probe).Options
        self._around = from_environment(self._options.fields, probe, environment)

    def question(self, rule: Rule, each: Labels) -> Question:
        try:
            given = expand_with(rule.given, self._environment, each)
            unset = {name: value for name, value in self._defaults.items() if name not in given}
            fallback = expand_with(unset, self._environment)
            return Question(self._probe, self._options.build(given, self._around, fallback))
        except ExpandError as error:
            said = str(error)
        except OptionErrors as errors:
            said = "; ".join(self._said(error, rule) for error in errors.errors)
        return Question(self._probe, problem=f"{said} ({rule.place})", meant=self._meant(rule, each))

    def _meant(self, rule: Rule, each: Labels) -> str:
        sources = self._expandable(rule.given, each), self._around, self._expandable(self._defaults, {})
        return self._options.address(*sources).shown

    def _expandable(self, written: With, each: Labels) -> dict[str, str | list[str]]:
        """What can be had of these, should it not be all."""
        found: dict[str, str | list[str]] = {}
        for option, value in written.items():
            with suppress(ExpandError):
                found |= expand_with({option: value}, self._environment, each)
        return found

    def _said(self, error: OptionError, rule: Rule) -> str:
        """What is wrong with an option; not in the words of the error where those might quote what a `${}` gave."""
        keys = next((field.keys for field in self._options.fields if field.name == error.option), (error.option,))
        written = [source[key] for source in (rule.given, self._defaults) for key in keys if key in source]
        if any(text.references for value in written for text in all_of(value)):
            return f"{error.option}: what its ${{}} gives cannot be used as {error.option} of {self._probe}"
        return f"{error.option} {error}"
