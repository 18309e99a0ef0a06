"""The tables of quality in docs/behavior.md are those of the committed measurements."""

from __future__ import annotations

import json

from anomaly.detectors.peers import PEERS
from anomaly.evaluate import FOREST, OURS
from anomaly.simulate import SUITES
from tests.docs.quality_tables import DATA, PAGE, page_with_tables


def test_the_page_shows_what_was_measured() -> None:
    page = PAGE.read_text()
    assert page == page_with_tables(page, json.loads(DATA.read_text()))


def test_every_peer_and_every_suite_was_measured() -> None:
    streams = json.loads(DATA.read_text())["streams"]
    assert {stream["detector"] for stream in streams} == {OURS, FOREST, *PEERS}
    assert {stream["stream"] for stream in streams} >= SUITES.keys() - {"poison"}
    assert all(seed in range(21, 41) for stream in streams for seed in stream["seeds"])
