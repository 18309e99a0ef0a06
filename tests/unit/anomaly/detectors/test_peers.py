"""Other people's detectors run in our harness."""

from __future__ import annotations

import math
import random
import sys

import pytest

from anomaly.detectors.peers import PEERS, hourly_forest, prequential
from anomaly.errors import LibraryMissing


@pytest.mark.parametrize("name", sorted(PEERS))
def test_every_peer_scores_an_outlier_no_lower_than_the_usual(name: str) -> None:
    rng = random.Random(1)
    rows = [[rng.uniform(0.2, 0.4) for _ in range(3)] for _ in range(600)] + [[0.99, 0.98, 0.97]]
    scores = prequential(PEERS[name](), rows)
    assert all(math.isfinite(score) for score in scores)
    assert scores[-1] >= sorted(scores[300:-1])[150]


def test_the_hourly_forest_has_seen_nothing_of_the_hour_that_it_scores() -> None:
    rng = random.Random(2)
    times = [60.0 * minute for minute in range(240)]
    rows = [[rng.random() * 0.1, rng.random() * 0.1] for _ in times]
    rows[130] = [0.9, 0.9]
    scores = hourly_forest(times, rows)
    assert scores[:60] == [0.0] * 60
    assert max(range(240), key=scores.__getitem__) == 130
    changed = [*rows[:200], *([[0.5, 0.5]] * 40)]
    assert hourly_forest(times, changed)[:180] == scores[:180]


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "river", None)
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    for make in (PEERS["LODA"], PEERS["max SAD"], lambda: hourly_forest([0.0], [[0.0]])):
        with pytest.raises(LibraryMissing, match=r"secure-api\[behavior\]"):
            make()


def test_the_random_cut_forest_tells_outliers_without_having_seen_any() -> None:
    rng = random.Random(4)
    forest = PEERS["RRCF, our own, subsampled"]()
    assert forest.score([0.0, 0.0]) == 0.0
    for _ in range(1_000):
        forest.learn([rng.gauss(0.5, 0.05), rng.gauss(0.5, 0.05)])
    usual = [forest.score([rng.gauss(0.5, 0.05), rng.gauss(0.5, 0.05)]) for _ in range(50)]
    assert forest.score([0.95, 0.1]) > 3 * max(usual)
    for _ in range(3_000):
        forest.learn([0.3, 0.3])
    assert forest.score([0.3, 0.3]) < 0.1 < forest.score([0.5, 0.5])
