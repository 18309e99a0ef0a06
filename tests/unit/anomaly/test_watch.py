"""The whole: attacks become explained episodes, learning has limits, states come back bit for bit."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

import anomaly
from anomaly.drift import DriftMonitor
from anomaly.errors import StateCorrupt
from anomaly.event import ApiEvent, Proof
from anomaly.explain import Explanation
from anomaly.features import FEATURES
from anomaly.persistence import dump, load
from anomaly.rules import FOREIGN, FORGED, Rule
from anomaly.scorer import Key
from anomaly.simulate import simulate
from anomaly.state import State
from anomaly.watch import Observation, Watch

NOON = 1.75e9


def client(number: int, time: float, **fields: object) -> ApiEvent:
    values: dict[str, object] = {
        "client": number, "organization": number, "network": 1_000 + number, "route": "GET /v1/studies",
        "status": 200, "latency": 0.01, "response_bytes": 3_000, "agent": 4, **fields,
    }  # fmt: skip
    return ApiEvent(time=time, **values)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def taught() -> State:
    """The state of a watch that has seen a quiet half day of sixty clients."""
    watch = Watch(500)
    for row in simulate("benign", 7, clients=60, days=0.6):
        watch.observe(row.event)
    return watch.state()


def watch_from(state: State) -> Watch:
    watch = Watch(500)
    watch.restore(load(dump(state, "watch", lambda _: b"s"), "watch", lambda *_: None))
    return watch


def run(watch: Watch, events: list[ApiEvent]) -> list[Observation]:
    return [watch.observe(event) for event in events]


def opened(observations: list[Observation]) -> list[Explanation]:
    return [seen.explanation for seen in observations if seen.explanation is not None]


def later(watch: Watch, seconds: float = 60.0) -> float:
    return watch.scorer.features.now + seconds


def test_importing_the_package_loads_no_library_and_nothing_of_the_server() -> None:
    code = (
        "import sys, anomaly, anomaly.watch, anomaly.evaluate, anomaly.access_log, anomaly.vectors;"
        "bad = {'river', 'sklearn', 'pickle', 'secure_api', 'crypto', 'fastapi', 'sqlalchemy', 'pydantic', 'httpx'};"
        "print(sorted(bad & {name.split('.')[0] for name in sys.modules} - set(sys.argv[1:])))"
    )
    # numpy itself imports pickle: what counts is that our sources never do.
    root = Path(anomaly.__file__).parents[1]
    shown = subprocess.run([sys.executable, "-c", code, "pickle"], cwd=root, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
    assert not [path for path in Path(anomaly.__file__).parent.rglob("*.py") if "import pickle" in path.read_text()]


def test_an_enumeration_is_found_within_some_requests_and_explained(taught: State) -> None:
    watch = watch_from(taught)
    start = later(watch)
    events = [
        client(77, start + step, route="GET /v1/studies/{id}", object=9_000 + step * 7_919, status=404)
        for step in range(60)
    ]
    observations = run(watch, events)
    first = next(place for place, seen in enumerate(observations) if seen.episode is not None)
    assert first < 15
    text = opened(observations)[0].text
    assert "This client" in text or "belong to others" in text
    assert "GET /v1/studies/{id}" in text
    assert any(
        reason.feature in ("foreign objects", "new objects", "errors") for reason in opened(observations)[-1].reasons
    )
    assert watch.risk(77, 1_077, start + 61) > 0.0
    assert watch.risk(78, 1_078, start + 61) == 0.0


def test_stuffing_from_many_networks_is_found_by_its_route(taught: State) -> None:
    watch = watch_from(taught)
    start = later(watch)
    events = [
        ApiEvent(start + step, 0, 5_000 + step % 60, "POST /v1/sessions", 401, latency=0.01, proof=Proof.ABSENT)
        for step in range(300)
    ]
    episodes = [seen.episode for seen in run(watch, events) if seen.episode is not None]
    assert any(episode.key is Key.ROUTE for episode in episodes)


def test_replays_and_forgeries_count_against_the_network_not_the_client_they_name(taught: State) -> None:
    watch = watch_from(taught)
    start = later(watch)
    seen = watch.observe(client(77, start, proof=Proof.REPLAYED))
    assert seen.rule is Rule.REPLAYED_NONCE
    assert seen.episode is not None
    assert (seen.episode.key, seen.episode.who) == (Key.NETWORK, 1_077)
    assert seen.explanation is not None
    assert "second time" in seen.explanation.text
    forged = run(watch, [client(78, start + step, proof=Proof.BAD) for step in range(FORGED)])
    assert [seen.rule for seen in forged] == [None] * (FORGED - 1) + [Rule.BAD_SIGNATURES]


def test_an_alert_about_a_network_does_not_call_it_a_client(taught: State) -> None:
    watch = watch_from(taught)
    start = later(watch)
    for proof, sender, text in (
        (Proof.BAD, 0, "This network stands out"),
        (Proof.REPLAYED, 0, "second time, from this network."),
        (Proof.REPLAYED, 7, "second time, from this network."),
    ):
        start += 1_000.0
        events = [
            client(sender, start + second, network=77 + sender, proof=proof, status=401) for second in range(FORGED)
        ]
        said = opened(run(watch, events))[0].text
        assert text in said
        assert "this client" not in said
        whom = "the client heard last" if sender else "unidentified requests of this network"
        assert f"Last routes of {whom}: GET /v1/studies" in said
    forged = run(Watch(100), [client(0, NOON, network=3, proof=Proof.BAD, status=401)] * FORGED)
    assert opened(forged)[0].text.startswith("Several signatures in a row did not verify, from this network.")
    guesses = [
        client(0, start + 0.2 * place, network=50_000 + place, route="POST /v1/tokens", status=401)
        for place in range(400)
    ]
    routes = [found.text for found in opened(run(watch, guesses)) if found.text.startswith("The traffic on this route")]
    assert routes
    assert all("Last routes of unidentified requests of the network heard last: " in text for text in routes)


def test_rules_speak_before_the_model_may() -> None:
    watch = Watch(100)
    events = [client(1, NOON + step, object=50 + step, status=404) for step in range(FOREIGN)]
    observations = run(watch, events)
    assert observations[-1].rule is Rule.FOREIGN_OBJECTS
    assert observations[-1].episode is not None
    assert all(seen.episode is None for seen in observations[:-1])


def test_expected_automation_stays_silent_for_the_model_and_not_for_the_rules(taught: State) -> None:
    def burst(watch: Watch, start: float) -> list[ApiEvent]:
        return [client(77, start + 0.02 * step, route="GET /v1/new", status=429, agent=step) for step in range(150)]

    loud, quiet = watch_from(taught), watch_from(taught)
    for watch in (loud, quiet):
        run(watch, [client(77, later(watch))])
    assert quiet.expect(77, later(quiet))
    assert not quiet.expect(123_456, later(quiet))
    assert opened(run(loud, burst(loud, later(loud))))
    assert not opened(run(quiet, burst(quiet, later(quiet))))
    seen = run(quiet, [client(77, later(quiet, 1.0 + step), object=9 + step, status=403) for step in range(FOREIGN)])
    assert seen[-1].rule is Rule.FOREIGN_OBJECTS


def test_a_flood_does_not_become_usual_by_its_mass(taught: State) -> None:
    watch = watch_from(taught)
    start = later(watch)
    flood = [client(77, start + 0.03 * step, route="GET /v1/datasets", status=429) for step in range(3_000)]
    observations = run(watch, flood)
    late = [seen.score.value for seen in observations[-100:]]
    calm = watch_from(taught)
    fresh = [seen.score.value for seen in run(calm, flood[:300])][-100:]
    assert min(late) > 0.6 * max(fresh)


def test_a_habit_makes_the_same_traffic_less_unusual(taught: State) -> None:
    watch = watch_from(taught)
    job = [0.2 * step for step in range(60)]
    runs = []
    for _ in range(12):
        start = later(watch, 3_600.0)
        seen = run(watch, [client(77, start + at, route="PUT /v1/x", object=5) for at in job])
        runs.append(sum(observation.score.evidence for observation in seen))
    assert runs[-1] < 0.7 * runs[0]


def test_churned_identities_are_bounded_and_leave_the_victim_its_habit(taught: State) -> None:
    watch = watch_from(taught)
    start = later(watch)
    victims = dict(watch.scorer.features.clients.settled)
    for sybil in range(20_000):  # the table's own test has 100,000
        watch.observe(client(10**6 + sybil, start + 0.001 * sybil))
    assert len(watch.scorer.features.clients) <= 500
    assert all(watch.scorer.features.clients.peek(key) is victim for key, victim in victims.items())


def test_a_saved_watch_goes_on_bit_for_bit_the_same(taught: State) -> None:
    events = [row.event for row in simulate("standard", 11, clients=60, days=0.5)]
    first, half = Watch(500), len(events) // 2
    run(first, events[:half])
    second = watch_from(first.state())
    assert second.state() == first.state()
    for event in events[half:]:
        one, other = first.observe(event), second.observe(event)
        assert one.score == other.score
        assert one.explanation == other.explanation
    assert dump(first.state(), "watch", lambda _: b"") == dump(second.state(), "watch", lambda _: b"")


@pytest.mark.parametrize("part", ["clients", "routes", "route names", "rows", "tags"])
def test_a_state_whose_parts_do_not_fit_is_refused(taught: State, part: str) -> None:
    state = load(dump(taught, "watch", lambda _: b"s"), "watch", lambda *_: None)
    scorer = state["scorer"]
    assert isinstance(scorer, dict)
    features = scorer["features"]
    assert isinstance(features, dict)
    value = features[part]
    if isinstance(value, list):
        value[0] = [1]
        value.pop()
    elif isinstance(value, dict):
        value["rows"] = []
    else:
        features[part] = b"x"
    with pytest.raises(StateCorrupt):
        Watch(500).restore(state)


def test_a_state_of_a_larger_watch_does_not_fit_into_a_smaller(taught: State) -> None:
    with pytest.raises(StateCorrupt, match="larger"):
        Watch(16).restore(taught)


def test_drift_is_told_when_many_clients_change_and_not_when_one_does() -> None:
    def monitor(clients: int) -> DriftMonitor:
        watcher = DriftMonitor(short=200.0, long=2_000.0)
        rng = random.Random(3)
        usual = [[rng.uniform(0.1, 0.3) for _ in FEATURES] for _ in range(3_000)]
        for place, values in enumerate(usual):
            watcher.observe(place, values)
        for place in range(600):
            watcher.observe(place % clients, [0.9, *usual[place][1:]])
        return watcher

    assert monitor(1).drifts() == []
    changed = monitor(40)
    assert [drift.feature for drift in changed.drifts()] == [FEATURES[0]]
    other = DriftMonitor(short=200.0, long=2_000.0)
    assert other.drifts() == []
    other.restore(changed.state())
    assert other.drifts() == changed.drifts()
