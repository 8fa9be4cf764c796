"""The page of the probes is what the probes declare."""

from probes.kit import docs
from tests.probes.kit.command import ROOT


def test_the_committed_page_is_the_derived_one() -> None:
    committed = (ROOT / "docs" / "probes.md").read_text(encoding="utf-8")
    assert committed == docs.page(), "write it anew: make docs"
