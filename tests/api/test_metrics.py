"""/metrics: how many requests, by which route, and why requests were not believed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from crypto import PrivateKey, SignatureAlgorithm
from secure_api.settings import Settings
from tests.api.asgi import drive, http_scope
from tests.api.running import started
from tests.consortium import Consortium, Peer

pytestmark = pytest.mark.anyio

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
async def running(embedded: Settings) -> AsyncIterator[Consortium]:
    async with started(embedded) as consortium:
        yield consortium


async def scrape(consortium: Consortium) -> Samples:
    """Read /metrics as Prometheus does."""
    response = await consortium.http.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def requests(samples: Samples) -> dict[tuple[str, str, str], float]:
    """Requests by (method, handler, status)."""
    counted = {}
    for (name, labels), value in samples.items():
        if name == "http_requests_total":
            by = dict(labels)
            counted[by["method"], by["handler"], by["status"]] = value
    return counted


def failures(samples: Samples) -> dict[str, float]:
    """Failed authentications by reason."""
    name = "secure_api_authentication_failures_total"
    return {dict(labels)["reason"]: value for (sample, labels), value in samples.items() if sample == name}


async def test_requests_count_by_the_route_and_not_by_the_path(running: Consortium) -> None:
    admin = running.admin
    for name in ("a", "b", "c"):
        await admin.ok("POST", "/v1/datasets", {"name": name})
        await admin.ok("GET", f"/v1/datasets/{name}/records")
    await admin.request("GET", "/v1/datasets/none/records")
    await running.http.get("/v1/datasets/a/records")
    for path in ("/v1/nothing", "/nothing/at/all", "/a" * 500):
        await admin.request("GET", path)
    assert requests(await scrape(running)) == {
        ("POST", "/v1/datasets", "201"): 3,
        ("GET", "/v1/datasets/{name}/records", "200"): 3,
        ("GET", "/v1/datasets/{name}/records", "404"): 1,
        ("GET", "/v1/datasets/{name}/records", "401"): 1,
        ("GET", "none", "404"): 3,
    }


async def test_probes_do_not_count(running: Consortium) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        await running.http.get(path)
    assert requests(await scrape(running)) == {}


async def test_a_stranger_makes_no_labels(running: Consortium) -> None:
    """Neither by methods that he invents nor by paths: each label would stay for good."""
    for number in range(50):
        answer = await drive(running.app, http_scope(f"BREW{number}", f"/pot/{number}", [(b"host", b"testserver")]))
        assert answer.status == 401
    assert requests(await scrape(running)) == {("other", "none", "401"): 50}


async def test_refusals_before_the_signature_count_too(running: Consortium) -> None:
    await drive(running.app, http_scope("POST", "/v1/datasets", [(b"content-length", b"999999999")]))
    await drive(running.app, http_scope("POST", "/v1/datasets", [(b"x", b"x" * 40_000)]))
    assert requests(await scrape(running)) == {
        ("POST", "/v1/datasets", "413"): 1,
        ("POST", "/v1/datasets", "431"): 1,
    }


async def test_latencies_are_measured_by_route(running: Consortium) -> None:
    await running.admin.ok("GET", "/v1/clients/me")
    samples = await scrape(running)
    by = (("handler", "/v1/clients/me"), ("method", "GET"))
    assert samples["http_request_duration_seconds_count", by] == 1
    assert 0 < samples["http_request_duration_seconds_sum", by] < 60


async def test_failed_authentications_count_by_reason(running: Consortium) -> None:
    admin = running.admin
    message = admin.sign("GET", "/v1/clients/me")
    expired = admin.sign("GET", "/v1/clients/me", now=admin.clock().replace(year=2020))
    stranger = Peer(running.http, [PrivateKey.generate(SignatureAlgorithm.ED25519)], running.clock)
    assert (await admin.send(message)).status_code == 200
    for refused in (
        message,
        message,
        expired,
        message.with_header("signature", None).with_header("signature-input", None),
        message.with_header("signature-input", "nonsense"),
        message.edited("signature-input", ' "content-digest"', ""),
        admin.sign("GET", "/v1/clients/me").with_header("content-type", "text/plain"),
        stranger.sign("GET", "/v1/clients/me"),
    ):
        assert (await admin.send(refused)).status_code == 401
    assert failures(await scrape(running)) == {
        "replayed-or-revoked": 2,
        "expired": 1,
        "missing-signature": 1,
        "malformed-field": 1,
        "coverage": 1,
        "invalid-signature": 1,
        "unknown-key": 1,
    }


async def test_a_reason_found_in_a_route_counts_too(running: Consortium) -> None:
    stranger = Peer(running.http, [PrivateKey.generate(SignatureAlgorithm.ED25519)], running.clock)
    body = {"token": "sat_unknown", "keys": [stranger.keys[0].public_key.jwk()]}
    assert (await stranger.request("POST", "/v1/clients", body)).status_code == 401
    both = [*stranger.keys, *running.admin.keys]
    assert (await stranger.request("POST", "/v1/clients", body, keys=both)).status_code == 401
    assert (await stranger.request("POST", "/v1/clients/me/keys", body)).status_code == 401
    assert failures(await scrape(running)) == {
        "enrollment-token": 1,
        "enrollment-signed-by-a-client": 1,
        "not-enrolled": 1,
    }


async def test_each_application_counts_for_itself(running: Consortium, embedded: Settings) -> None:
    await running.admin.ok("GET", "/v1/clients/me")
    async with started(embedded) as other:
        assert requests(await scrape(other)) == {}
    assert sum(requests(await scrape(running)).values()) == 1


async def test_our_own_measures_are_described(running: Consortium) -> None:
    text = (await running.http.get("/metrics")).text
    for name in (
        "secure_api_authentication_failures_total",
        "secure_api_nonces_swept_total",
        "secure_api_ledger_heads_signed_total",
        "secure_api_behavior_events_total",
        "secure_api_behavior_dropped_total",
        "secure_api_behavior_alerts_total",
        "secure_api_behavior_failures_total",
        "http_requests_total",
        "http_request_duration_seconds",
    ):
        assert re.search(rf"^# HELP {name} \w+", text, re.MULTILINE), name
