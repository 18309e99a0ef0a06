"""Labels move a client's own ranks, within bounds, and nobody else's."""

from __future__ import annotations

import pytest

from anomaly.event import ApiEvent
from anomaly.labels import MAX_CLIENTS, Labeled, Labels, Verdict
from anomaly.watch import Watch

DAY = 86_400.0


@pytest.mark.parametrize(
    ("labels", "allowance"),
    [
        ([], 0.0),
        ([Labeled(1, Verdict.FALSE, 0.0)], 0.5),
        ([Labeled(1, Verdict.FALSE, 3.5 * DAY)], 0.25),
        ([Labeled(1, Verdict.FALSE, 8 * DAY)], 0.0),
        ([Labeled(1, Verdict.EXPECTED, 29 * DAY)], 3.0),
        ([Labeled(1, Verdict.EXPECTED, 31 * DAY)], 0.0),
        ([Labeled(1, Verdict.TRUE, 0.0)], -0.3),
        ([Labeled(1, Verdict.FALSE, 0.0), Labeled(1, Verdict.TRUE, 0.0)], 0.2),
        ([Labeled(1, Verdict.FALSE, -5.0)], 0.5),  # given by a clock that is ahead
        ([Labeled(2, Verdict.FALSE, 0.0)], 0.0),
    ],
)
def test_what_a_label_is_worth(labels: list[Labeled], allowance: float) -> None:
    assert Labels(labels).allowance(1) == pytest.approx(allowance)


@pytest.mark.parametrize(("verdict", "bound"), [(Verdict.FALSE, 1.5), (Verdict.TRUE, -0.6), (Verdict.EXPECTED, 3.0)])
def test_a_flood_of_labels_moves_a_client_by_so_much(verdict: Verdict, bound: float) -> None:
    labels = Labels(Labeled(1, verdict, 0.0) for _ in range(100_000))
    assert labels.allowance(1) == pytest.approx(bound)
    assert labels.allowance(2) == 0.0


def test_only_so_many_clients_are_kept_the_newest_labels_first() -> None:
    labels = Labels(Labeled(client, Verdict.FALSE, 0.0) for client in range(1, 3 * MAX_CLIENTS))
    assert len(labels) == MAX_CLIENTS
    assert labels.allowance(MAX_CLIENTS) == 0.5
    assert labels.allowance(MAX_CLIENTS + 1) == 0.0


def attacked(labels: Labels) -> list[int]:
    """The episodes of a client that floods one route, by the request that opened each."""
    watch = Watch(100, warm_up=0)
    watch.labels = labels
    for number in range(3_000):
        watch.observe(ApiEvent(1e9 + number, 10 + number % 7, 5, f"GET /{number % 3}", 200, response_bytes=500))
    burst = [ApiEvent(1e9 + 3_000 + number * 0.01, 1, 9, "POST /9", 500) for number in range(300)]
    return [number for number, event in enumerate(burst) if watch.observe(event).explanation is not None]


def test_expected_automation_makes_no_episode_where_the_same_of_a_stranger_does() -> None:
    assert attacked(Labels()) != []
    assert attacked(Labels([Labeled(1, Verdict.EXPECTED, 0.0)])) == []
    assert attacked(Labels([Labeled(2, Verdict.EXPECTED, 0.0)])) == attacked(Labels())


def test_a_true_alert_makes_the_next_one_come_no_later() -> None:
    assert attacked(Labels([Labeled(1, Verdict.TRUE, 0.0)] * 2))[0] <= attacked(Labels())[0]
