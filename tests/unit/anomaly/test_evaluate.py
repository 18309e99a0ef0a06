"""The figures are computed as the field computes them, prequentially, beside the peers."""

from __future__ import annotations

import math
import os

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score  # type: ignore[import-untyped]  # ships no types

from anomaly.errors import EventError, StateCorrupt
from anomaly.evaluate import FOREST, evaluate, evaluate_peers
from anomaly.metrics import average_precision, interval, recall_at, roc_auc
from anomaly.persistence import dump, load
from anomaly.simulate import simulate
from anomaly.vectors import VectorDetector
from anomaly.watch import Watch

SEEDS = range(1, int(os.environ.get("BEHAVIOR_SEEDS", "1")) + 1)


def test_metrics_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    labels = rng.random(2_000) < 0.1
    scores = np.round(rng.normal(size=2_000) + labels, 1)
    assert roc_auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))
    assert average_precision(labels, scores) == pytest.approx(average_precision_score(labels, scores))
    assert math.isnan(roc_auc(labels[:0], scores[:0]))
    assert math.isnan(average_precision(np.zeros(3, dtype=bool), scores[:3]))


def test_recall_is_counted_above_what_a_share_of_the_benign_exceed() -> None:
    labels = np.array([False] * 100 + [True] * 4)
    scores = np.array([float(x) for x in range(100)] + [10.0, 98.5, 99.5, 200.0])
    assert recall_at(labels, scores, 0.01) == 0.5


def test_the_interval_is_students() -> None:
    assert interval([1.0, 1.0, 1.0]) == (1.0, 0.0)
    mean, half = interval([1.0, 2.0, 3.0])
    assert mean == 2.0
    assert half == pytest.approx(4.30 / 3**0.5, rel=1e-3)
    assert interval([5.0]).half == 0.0


@pytest.mark.parametrize("seed", SEEDS)
def test_ours_beats_the_peers_on_a_day_of_traffic(seed: int) -> None:
    # A third of the clients of the suite that the documented figures are of: cheaper, and harder.
    rows = list(simulate("standard", seed, clients=120))
    ours = evaluate(rows, Watch(1_000))
    assert ours.auc > 0.93
    assert ours.ap > 0.7
    assert ours.found > 0.65
    assert ours.worst > 0.8
    assert ours.false_episodes < 12.0
    assert ours.delay < 40
    for quality in evaluate_peers(rows, ("fixed rate limit", "max SAD", FOREST)).values():
        assert quality.auc < ours.auc
        assert quality.recall_01 < ours.recall_01


def _bursty(count: int) -> tuple[list[list[float]], list[bool]]:
    """Heavy-tailed usual vectors, scattered odd ones, and one dense burst: what drowns a window that learns it."""
    rng = np.random.default_rng(3)
    rows = rng.lognormal(size=(count, 3)) * [1.0, 100.0, 0.01]
    labels = np.zeros(count, dtype=bool)
    labels[count // 2 : count // 2 + 400] = True
    labels[rng.choice(count, 20, replace=False)] = True
    rows[labels] = [1.0, 2e5, 0.3] * rng.lognormal(0.0, 0.05, size=(int(labels.sum()), 3))
    return rows.tolist(), labels.tolist()


def test_vectors_are_scored_in_the_order_of_arrival_and_a_burst_is_not_learned_away() -> None:
    rows, labels = _bursty(8_000)
    detector = VectorDetector(3)
    scores = [detector.process(row) for row in rows]
    assert roc_auc(np.array(labels[500:]), np.array(scores[500:])) > 0.98
    assert average_precision(np.array(labels[500:]), np.array(scores[500:])) > 0.8


@pytest.mark.parametrize("taught", [100, 1_500])
def test_a_vector_detector_comes_back_bit_for_bit(taught: int) -> None:
    rows, _ = _bursty(2_000)
    first, second = VectorDetector(3), VectorDetector(3)
    for row in rows[:taught]:
        first.process(row)
    second.restore(load(dump(first.state(), "vectors", lambda _: b""), "vectors", lambda *_: None))
    assert [first.process(row) for row in rows[taught:]] == [second.process(row) for row in rows[taught:]]
    with pytest.raises(StateCorrupt):
        VectorDetector(4).restore(first.state())
    with pytest.raises(StateCorrupt):
        VectorDetector(3).restore({**first.state(), "buffer": first.state()["center"], "size": 3, "seen": None})


def test_vectors_that_are_none_are_refused() -> None:
    detector = VectorDetector(2)
    for bad in ([1.0], [1.0, math.nan], [math.inf, 0.0]):
        with pytest.raises(EventError):
            detector.process(bad)
    with pytest.raises(EventError):
        VectorDetector(0)
