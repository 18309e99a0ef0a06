"""Features are bounded, cheap in memory and deaf to clocks and extremes."""

from __future__ import annotations

import pytest

from anomaly.clients import EW_LENGTH, MOVES
from anomaly.errors import EventError
from anomaly.event import ApiEvent, Proof
from anomaly.features import FEATURES, GROUPS, FeatureExtractor
from anomaly.owners import Owners
from anomaly.priors import SCALES, WEIGHTS
from anomaly.routes import MAX_ROUTES, Routes
from anomaly.simulate import simulate

EVENT = ApiEvent(time=1_000.0, client=7, network=9, route="GET /v1/studies", status=200, latency=0.01)


def feature(values: list[float], name: str) -> float:
    return values[FEATURES.index(name)]


def test_every_feature_has_a_group_a_prior_and_a_place() -> None:
    assert len(FEATURES) == len(set(FEATURES)) == len(GROUPS) == len(SCALES) == len(WEIGHTS) == 31
    assert MOVES < EW_LENGTH


def test_features_lie_between_0_and_1_and_depend_on_nothing_but_the_events() -> None:
    events = [row.event for row in simulate("standard", 5, clients=60, days=0.2)]
    first, second = FeatureExtractor(64), FeatureExtractor(64)
    for event in events:
        values = first.take(event)
        assert len(values) == len(FEATURES)
        assert min(values) >= 0.0
        assert max(values) <= 1.0
        assert values == second.take(event)


@pytest.mark.parametrize("times", [[5e8, 1.0, 2.0, 3.0], [1.0, 9e11, 2.0], [100.0] * 4, [10.0, 9.9, 9.8]])
def test_clock_jumps_and_extreme_numbers_stay_in_bounds(times: list[float]) -> None:
    extractor = FeatureExtractor(64)
    for time in times * 30:
        values = extractor.take(
            EVENT._replace(time=time, request_bytes=1 << 62, response_bytes=1 << 62, latency=1e11, object=5)
        )
        assert min(values) >= 0.0
        assert max(values) <= 1.0


def test_a_clock_that_was_set_back_goes_on_from_where_it_was() -> None:
    extractor = FeatureExtractor(64)
    for step in range(50):
        extractor.take(EVENT._replace(time=1e9 + 10.0 * step))
    values = [extractor.take(EVENT._replace(time=1e6 + 10.0 * step)) for step in range(50)]
    assert feature(values[-1], "requests in 10 s") < 0.3


def test_a_refused_event_leaves_no_trace() -> None:
    extractor = FeatureExtractor(64)
    with pytest.raises(EventError):
        extractor.take(EVENT._replace(latency=float("nan")))
    assert len(extractor.clients) == 0


def test_foreign_objects_are_seen_without_and_with_a_refusal() -> None:
    extractor = FeatureExtractor(64)
    for thing in range(1, 40):
        extractor.take(EVENT._replace(client=1, organization=1, object=thing * 977))
    shown = [extractor.take(EVENT._replace(client=2, organization=2, object=thing * 977)) for thing in range(1, 40)]
    assert feature(shown[-1], "foreign objects") > 0.9
    missing = [extractor.take(EVENT._replace(client=3, object=thing, status=404)) for thing in range(1, 40)]
    assert feature(missing[-1], "foreign objects") > 0.9


def test_an_object_that_a_second_organization_was_shown_is_shared() -> None:
    owners = Owners()
    assert not owners.foreign(5, 1, shown=True)
    assert not owners.foreign(5, 1, shown=False)
    assert owners.foreign(5, 2, shown=False)
    assert owners.foreign(5, 2, shown=True)
    assert not owners.foreign(5, 3, shown=True)


def test_a_new_network_agent_and_bad_signatures_show() -> None:
    extractor = FeatureExtractor(64)
    for step in range(30):
        extractor.take(EVENT._replace(time=1_000.0 + step, agent=1))
    values = extractor.take(EVENT._replace(time=1_040.0, network=10, agent=2, proof=Proof.BAD))
    assert feature(values, "new network") > 0.5
    assert feature(values, "new agent") > 0.5
    assert feature(values, "bad signatures") == pytest.approx(0.1)
    values = extractor.take(EVENT._replace(time=1_041.0, network=9, agent=2))
    assert feature(values, "new network") < 0.7


def test_routes_without_end_take_bounded_memory() -> None:
    routes = Routes()
    last = [routes.touch(f"GET /{number}", 0.0) for number in range(2_000)][-1]
    assert len(routes.names) == len(routes.table) == MAX_ROUTES + 1
    assert last is routes.touch("GET /another", 0.0)
    assert last.index == MAX_ROUTES


def test_the_chain_of_routes_forgets_and_learns_what_is_usual() -> None:
    routes = Routes()
    for name in "abc":
        routes.touch(name, 0.0)
    first = routes.surprise(0, 1, 1.0)
    usual = [routes.surprise(0, 1, 1.0) for _ in range(6_000)]
    assert usual[-1] < 0.01 < first
    assert routes.totals[0] < 4_200
    assert routes.surprise(0, 2, 1.0) > 0.8


def test_many_unknown_clients_are_remembered_by_their_network_only() -> None:
    extractor = FeatureExtractor(64)
    for number in range(500):
        extractor.take(EVENT._replace(client=0, network=number + 1))
    assert len(extractor.clients) == 0
    assert len(extractor.unknown) <= 16
    assert len(extractor.networks) <= 16


def test_who_speeds_up_within_an_hour_is_faster_than_ever_and_who_was_so_fast_yesterday_is_not() -> None:
    def burst(extractor: FeatureExtractor, start: float) -> list[float]:
        return [extractor.take(EVENT._replace(time=start + 0.05 * step)) for step in range(400)][-1]

    extractor = FeatureExtractor(64)
    now, gap = 0.0, 20.0
    ramped: list[float] = []
    while gap > 0.05:
        now, gap = now + gap, gap * 0.99
        ramped = extractor.take(EVENT._replace(time=now))
    assert feature(ramped, "faster than ever") > 0.5
    assert feature(ramped, "busier than ever") > 0.4
    tomorrow = burst(extractor, now + 86_400.0)
    assert feature(tomorrow, "faster than ever") < 0.2
    assert feature(tomorrow, "busier than ever") < 0.2
    assert feature(burst(FeatureExtractor(64), 0.0), "faster than ever") > 0.5


def test_one_client_that_keeps_failing_is_no_trouble_of_the_route_and_many_are() -> None:
    def trouble(clients: int) -> float:
        extractor = FeatureExtractor(256)
        for step in range(2_000):
            extractor.take(EVENT._replace(time=float(step), client=1_000 + step % 50))
        events = [EVENT._replace(time=2_000.0 + step, client=1 + step % clients, status=401) for step in range(60)]
        return [feature(extractor.take(event), "errors on the route") for event in events][-1]

    assert trouble(1) < 0.2
    assert trouble(30) > 0.6
