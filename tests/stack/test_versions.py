"""What docs/streams.md says of seven versions of Kafka Streams is what they show."""

from pathlib import Path

import pytest

from tests.stack import signals_page
from tests.stack.broker import Broker
from tests.stack.versioned_app import VersionedApp, all_versions


@pytest.mark.long
@pytest.mark.parametrize("version", all_versions())
def test_every_situation_shows_what_the_page_says(version: str, the_broker: Broker, tmp_path: Path) -> None:
    with VersionedApp(version, the_broker.bootstrap, tmp_path) as app:
        measured = signals_page.measure(app)
    assert measured == signals_page.on_page(version)


def test_the_page_explains_the_situations_of_today() -> None:
    page = signals_page.PAGE.read_text()
    assert "\n".join(["", *signals_page.legend(), ""]) in page


@pytest.mark.parametrize("version", all_versions())
def test_the_page_has_a_table_of_each_version(version: str) -> None:
    assert signals_page.on_page(version)
