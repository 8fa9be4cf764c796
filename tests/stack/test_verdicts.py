"""In every situation a Kafka Streams application can be in, each way of asking gives the design's verdict."""

from pathlib import Path

import pytest

from tests.stack import signals_page, verdicts
from tests.stack.broker import Broker
from tests.stack.prometheus import Prometheus
from tests.stack.situations import SITUATIONS, walk
from tests.stack.versioned_app import VersionedApp, all_versions, scrapes

*OLDER, NEWEST = all_versions()


@pytest.mark.parametrize("version", [*(pytest.param(each, marks=pytest.mark.long) for each in OLDER), NEWEST])
def test_every_way_of_asking_gives_the_verdict_of_the_situation(
    version: str, the_broker: Broker, tmp_path: Path
) -> None:
    wrong = []
    with VersionedApp(version, the_broker.bootstrap, tmp_path / "app") as app:
        prometheus = Prometheus(tmp_path / "prometheus", [scrapes([app])]).start()
        try:
            for each in walk(app):
                for way, said, messages in verdicts.asked(app, prometheus, each):
                    if said != verdicts.expected(version, each.name, way):
                        wrong.append(f"{each.name} by {way}: {said}: {messages}")
        finally:
            prometheus.stop()
    assert not wrong, "\n".join(wrong)


def test_the_page_shows_the_verdicts_of_today() -> None:
    assert "\n".join(["", *verdicts.table(), ""]) in signals_page.PAGE.read_text()


def test_every_situation_has_a_verdict() -> None:
    assert set(verdicts.VERDICTS) == {each.name for each in SITUATIONS}
