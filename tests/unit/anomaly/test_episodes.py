"""Episodes gather requests, keep to a budget, and stay bounded."""

from __future__ import annotations

import pytest

from anomaly.clients import ClientState
from anomaly.episodes import Episodes
from anomaly.errors import StateCorrupt
from anomaly.event import ApiEvent, Proof
from anomaly.rules import FOREIGN, FORGED, Rule, check
from anomaly.scorer import Key
from anomaly.state import Value

CLIENT = ((Key.CLIENT, 1), (Key.NETWORK, 2), (Key.ROUTE, 3))


def test_usual_requests_open_nothing_and_unusual_ones_add_up_to_one_episode() -> None:
    episodes = Episodes()
    assert all(episodes.observe(float(t), 1.0, CLIENT, None) == (None, False) for t in range(1_000))
    opened = [episodes.observe(1_000.0 + t, 3.0, CLIENT, None) for t in range(20)]
    assert [new for _, new in opened].count(True) == 1
    episode = opened[-1][0]
    assert episode is not None
    assert (episode.key, episode.who) == (Key.CLIENT, 1)
    assert episode.requests == 20 - [new for _, new in opened].index(True)
    assert episodes.of(Key.CLIENT, 1, 1_020.0) is episode
    assert episodes.of(Key.CLIENT, 1, 9_000.0) is None
    assert len(episodes) == 1


def test_after_ten_quiet_minutes_it_is_another_episode() -> None:
    episodes = Episodes()
    first = [episodes.observe(float(t), 4.0, CLIENT, None) for t in range(5)][-1][0]
    second = [episodes.observe(5_000.0 + t, 4.0, CLIENT, None) for t in range(5)][-1][0]
    assert first is not None
    assert second is not None
    assert second.number == first.number + 1


def test_many_clients_on_one_route_heat_the_route() -> None:
    episodes = Episodes()
    found = [episodes.observe(float(t), 2.6, ((Key.NETWORK, 100 + t), (Key.ROUTE, 3)), None)[0] for t in range(40)]
    assert found[-1] is not None
    assert found[-1].key is Key.ROUTE


def test_a_rule_opens_its_own_episode_at_once() -> None:
    episodes = Episodes()
    for t in range(20):
        episodes.observe(float(t), 3.5, CLIENT, None)
    episode, opened = episodes.observe(21.0, 0.0, CLIENT, Rule.REPLAYED_NONCE)
    assert opened
    assert episode is not None
    assert episode.rule is Rule.REPLAYED_NONCE
    assert episodes.observe(22.0, 0.0, CLIENT, Rule.REPLAYED_NONCE) == (episode, False)


def test_a_flood_of_alerts_is_bounded_and_raises_the_bar() -> None:
    episodes = Episodes()
    for number in range(20_000):
        episodes.observe(1.0, 9.0, ((Key.CLIENT, number),), None)
        episodes.observe(1.0, 2.0, ((Key.NETWORK, number),), None)
    assert episodes.opened < 200  # the bar is out of reach by then
    assert episodes.bar > 7.0
    for number in range(3_000):
        episodes.observe(2.0, 0.0, ((Key.CLIENT, number),), Rule.REPLAYED_NONCE)
    assert len(episodes) == 1_024
    assert episodes.dropped > 1_000
    for _ in range(400_000):
        episodes.observe(3.0, 0.0, (), None)
    assert episodes.bar < 3.0


def test_state_comes_back_exactly_and_damage_is_refused() -> None:
    episodes, other = Episodes(), Episodes()
    for t in range(30):
        episodes.observe(float(t), 3.5, ((Key.CLIENT, t % 3), (Key.NETWORK, 2)), None)
    episodes.observe(31.0, 0.0, CLIENT, Rule.BAD_SIGNATURES)
    other.restore(episodes.state())
    assert other.state() == episodes.state()
    damages: list[Value] = [["nobody", 1, 1.0, 1.0], ["client", "x", 1.0, 1.0], None, []]
    for damage in damages:
        with pytest.raises(StateCorrupt):
            Episodes().restore({**episodes.state(), "heat": [damage]})
    with pytest.raises(StateCorrupt):
        Episodes().restore({**episodes.state(), "episodes": [[1, "client", 1, 0.0, 0.0, 1, 1.0, "no rule"]]})


def test_rules_fire_on_facts_alone() -> None:
    event = ApiEvent(time=1.0, client=1, network=2, route="GET /", status=404, object=5)
    who = ClientState(0.0, 3)
    assert check(event, who) is None
    assert check(event._replace(proof=Proof.REPLAYED), who) is Rule.REPLAYED_NONCE
    who.streak = FOREIGN
    assert check(event, who) is Rule.FOREIGN_OBJECTS
    assert check(event._replace(object=0), who) is None
    who.forged = FORGED
    assert check(event, who) is Rule.BAD_SIGNATURES
