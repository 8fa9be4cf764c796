"""What a rule file declares, loaded and checked: the rules with their groups' names, labels and intervals."""

from collections.abc import Mapping
from dataclasses import dataclass

from probes.kit.condition import Condition, Path
from rules.expand import With
from rules.model import Labels
from rules.template import Template


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a question, the items and the condition to judge its answer by, and the alert to raise."""

    group: str
    name: str  # the alertname
    probe: str
    given: With  # `with:`; its templates know only `$each`
    items: Path | None
    when: Condition | None  # None: the probe's own WARNING or CRITICAL is MET
    for_seconds: float
    labels: Mapping[str, Template]  # the group's, then the rule's
    annotations: Mapping[str, Template]
    each: tuple[Labels, ...]  # one instance for each; ({},) where the rule has no `each`
    interval: float | None  # the group's, seconds
    max_gap: float | None  # the group's, seconds; None: three intervals
    place: str  # file:line, for messages about the rule
