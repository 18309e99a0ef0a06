"""Log lines become events; what is no log line becomes a problem, never a crash."""

from __future__ import annotations

import json
import random

import pytest

from anomaly.access_log import MAX_LINE, network_of, parse, route_of
from anomaly.event import NOBODY, ApiEvent, Proof, Pseudonyms

PSEUDONYMS = Pseudonyms(bytes(32))
COMMON = '192.0.2.7 - alice [10/Oct/2025:13:55:36 +0000] "GET /v1/studies/42?x=1 HTTP/1.1" 200 2326'
COMBINED = COMMON + ' "https://example.org/" "curl/8.5 \\"x\\""'
JSON = {
    "time": "2025-10-10T13:55:36Z", "client": "alice", "remote_addr": "2001:db8:1:2::3", "method": "POST",
    "path": "/v1/orders", "status": 201, "bytes": 17, "request_bytes": 400, "latency": 0.012, "user_agent": "x",
    "organization": "north",
}  # fmt: skip


def one(line: str) -> ApiEvent:
    (parsed,) = parse([line], PSEUDONYMS)
    assert parsed.problem is None
    assert parsed.event is not None
    return parsed.event


def test_a_common_line_is_read() -> None:
    event = one(COMMON)
    assert (event.time, event.route, event.status, event.response_bytes) == (
        1760104536.0,
        "GET /v1/studies/{}",
        200,
        2326,
    )
    assert event.client == PSEUDONYMS.of(b"client", b"alice", event.time)
    assert event.network == one(COMMON.replace("192.0.2.7", "192.0.2.200")).network
    assert event.object != NOBODY
    assert event.proof is Proof.VALID
    assert event.agent == NOBODY


def test_a_combined_line_has_an_agent_and_a_dash_is_nobody() -> None:
    assert one(COMBINED).agent != NOBODY
    event = one(COMBINED.replace("alice", "-").replace("2326", "-"))
    assert (event.client, event.proof, event.response_bytes) == (NOBODY, Proof.ABSENT, 0)


def test_a_json_line_is_read_and_its_route_is_believed() -> None:
    event = one(json.dumps(JSON))
    assert (event.time, event.route, event.status) == (1760104536.0, "POST /v1/orders", 201)
    assert (event.request_bytes, event.response_bytes, event.latency) == (400, 17, 0.012)
    assert event.organization != NOBODY
    assert event.object == NOBODY
    assert one(json.dumps({**JSON, "route": "/v1/o/{id}", "time": 5})).route == "POST /v1/o/{id}"
    assert one(json.dumps({**JSON, "time": "2025-10-10T13:55:36"})).time == event.time


def test_no_identifier_is_in_the_event_in_clear() -> None:
    text = repr(one(COMBINED)) + repr(one(json.dumps(JSON)))
    assert not any(word in text for word in ("alice", "192.0", "2001:", "curl", "42", "north"))


@pytest.mark.parametrize(
    ("target", "route"),
    [
        ("/", "GET /"),
        ("/v1/studies", "GET /v1/studies"),
        ("/v1/studies/018f3a6e-7b1c-7def-8000-0123456789ab/result", "GET /v1/studies/{}/result"),
        ("/v1/x/deadbeef", "GET /v1/x/{}"),
        ("/v1/datasets/ward12/records", "GET /v1/datasets/{}/records"),
        ("/a" * 50, "GET /" + "/".join("a" * 8)),
    ],
)
def test_identifiers_in_paths_become_templates(target: str, route: str) -> None:
    assert route_of("GET", target)[0] == route


def test_networks_are_a_24_a_48_or_a_name() -> None:
    assert network_of("192.0.2.7") == "192.0.2"
    assert network_of("2001:db8:1:2::3") == network_of("2001:db8:1:ffff::9") != network_of("2001:db8:2::1")
    assert network_of("proxy.example") == "proxy.example"


@pytest.mark.parametrize(
    "line",
    [
        "no log line",
        COMMON.replace("10/Oct", "99/Oct"),
        "x" * (MAX_LINE + 1),
        "{" * 5_000,
        '{"a": 1',
        "{}",
        json.dumps({**JSON, "status": 99}),
        json.dumps({**JSON, "status": "200"}),
        json.dumps({**JSON, "time": "yesterday"}),
        json.dumps({**JSON, "time": True}),
        json.dumps({**JSON, "time": -5}),
        json.dumps({**JSON, "path": 5}),
        json.dumps({**JSON, "latency": float("nan")}),
        json.dumps({**JSON, "bytes": -1}),
    ],
)
def test_what_is_no_log_line_is_a_problem_with_its_number(line: str) -> None:
    good, bad = parse([COMMON, "", line], PSEUDONYMS)
    assert good.event is not None
    assert bad.event is None
    assert bad.number == 3
    assert bad.problem


def test_noise_never_crashes_the_parser() -> None:
    rng = random.Random(1)
    lines = []
    for source in (COMBINED, json.dumps(JSON)) * 400:
        letters = list(source)
        for _ in range(rng.randint(1, 6)):
            letters[rng.randrange(len(letters))] = chr(
                rng.choice((0, 34, 47, 92, 123, 255, 0xD800, rng.randrange(32, 127)))
            )
        lines.append("".join(letters))
    for parsed in parse(lines, PSEUDONYMS):
        assert (parsed.event is None) != (parsed.problem is None)
