"""Detectors rank what is unusual, learn within limits, and come back from their state exactly."""

from __future__ import annotations

import random

import pytest

from anomaly.detectors.forest import RollingForest
from anomaly.detectors.protocol import Detector
from anomaly.detectors.ranks import TailRank
from anomaly.detectors.tails import Tails
from anomaly.errors import StateCorrupt
from anomaly.guard import BurstGuard
from anomaly.state import take_array


def rows(seed: int, count: int, size: int = 4) -> list[list[float]]:
    rng = random.Random(seed)
    return [[min(1.0, max(0.0, rng.gauss(0.3, 0.08))) for _ in range(size)] for _ in range(count)]


def detectors() -> list[Detector]:
    return [Tails([0.9] * 4), RollingForest(4, trees=8, reservoir=128, every=64)]


@pytest.mark.parametrize("place", [0, 1])
def test_what_is_far_out_scores_highest_and_the_explanation_names_it(place: int) -> None:
    detector = detectors()[place]
    for row in rows(1, 2_000):
        detector.learn(row)
    usual = max(detector.score(row) for row in rows(2, 100))
    odd = [0.3, 0.3, 0.97, 0.3]
    assert detector.score(odd) > detector.score([0.3] * 4)
    assert detector.score([0.97, 0.96, 0.95, 0.97]) > usual
    parts = detector.explain(odd)
    assert max(range(4), key=parts.__getitem__) == 2


@pytest.mark.parametrize("place", [0, 1])
def test_a_restored_detector_scores_and_learns_bit_for_bit_the_same(place: int) -> None:
    first, second = detectors()[place], detectors()[place]
    for row in rows(3, 700):
        first.learn(row)
    second.restore(first.state())
    for row in rows(4, 300):
        assert first.score(row) == second.score(row)
        first.learn(row, 0.5)
        second.learn(row, 0.5)


def test_the_state_of_another_shape_is_refused() -> None:
    with pytest.raises(StateCorrupt):
        Tails([0.9] * 3).restore(Tails([0.9] * 4).state())
    forest = RollingForest(4, trees=8, reservoir=128, every=16)
    for row in rows(1, 200):
        forest.learn(row)
    for size, reservoir, trees in ((3, 128, 8), (4, 16, 8), (4, 128, 2)):
        with pytest.raises(StateCorrupt):
            RollingForest(size, trees=trees, reservoir=reservoir).restore(forest.state())
    for damage in ("rows", "features", "random"):
        state = forest.state()
        if damage == "random":
            state["random"] = bytes(8)
        elif damage == "rows":
            state["thresholds"] = take_array(state, "thresholds", "d")[:-1]
        else:
            features = take_array(state, "features", "h")
            features[len(features) // 8 - 1] = 2  # a leaf of the last row now leads out of the tree
            state["features"] = features
        with pytest.raises(StateCorrupt):
            RollingForest(4, trees=8, reservoir=128).restore(state)


def test_a_forest_without_trees_knows_nothing() -> None:
    forest = RollingForest(2)
    assert forest.score([0.1, 0.2]) == 0.5
    assert forest.explain([0.1, 0.2]) == [0.0, 0.0]


def test_a_forest_of_equal_rows_does_not_split() -> None:
    forest = RollingForest(2, trees=4)
    for _ in range(200):
        forest.learn([0.5, 0.5])
    assert forest.score([0.5, 0.5]) == forest.score([0.9, 0.1])


def test_a_rank_is_the_share_of_usual_scores_above() -> None:
    rank = TailRank(1.0, 0.5, prior=1.0)
    rng = random.Random(5)
    for _ in range(20_000):
        rank.learn(rng.random())
    assert rank.rank(0.9) == pytest.approx(1.0, abs=0.05)
    assert rank.rank(0.99) == pytest.approx(2.0, abs=0.15)
    ordered = [rank.rank(score / 50) for score in range(-5, 200)]
    assert ordered == sorted(ordered)
    assert rank.rank(3.0) > rank.rank(2.0)


def test_histograms_forget_without_overflow() -> None:
    tails, rank = Tails([0.5], half_life=10.0), TailRank(1.0, 0.5, half_life=10.0)
    for _ in range(2_000):
        tails.learn([0.9])
        rank.learn(0.9)
    assert tails.tails_of([0.9])[0] < 0.05
    assert rank.rank(0.895) < 0.05
    assert tails.quantile(0, 0.5) == pytest.approx(0.9, abs=0.02)


def test_a_burst_is_learned_as_little_in_sum_as_its_tail_allows() -> None:
    guard = BurstGuard()
    for _ in range(5_000):
        assert guard.weight(0.3) == 1.0
    assert guard.weight(2.5) == 1.0  # scattered rare ones are learned in full
    for _ in range(1_000):
        guard.weight(0.3)
    assert sum(guard.weight(4.5) for _ in range(1_000)) < 2.0


def test_what_lasts_becomes_usual_in_the_end() -> None:
    guard = BurstGuard(patience=1_000.0)
    for _ in range(3_000):
        guard.weight(4.5)
    assert guard.weight(4.5) > 0.5
    assert guard.lasting > 0.9
    other = BurstGuard(patience=1_000.0)
    other.restore(guard.state())
    assert other.weight(3.2) == guard.weight(3.2)
