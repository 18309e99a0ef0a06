"""Finished requests become events without anything in clear."""

from __future__ import annotations

import pytest

from anomaly.event import NOBODY, Proof, Pseudonyms, check
from secure_api.services.behavior.facts import UNKNOWN_NETWORK, Claim, Facts, Refused, event_of, network_of

NAMES = Pseudonyms(bytes(32))
FACTS = Facts(
    1e9, "192.0.2.7", "client-1", "organization-1", "GET", "/v1/studies/{id}", 200, "study-1", b"agent", 3, 500, 0.01
)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", bytes([192, 0, 2])),
        ("192.0.2.255", bytes([192, 0, 2])),
        ("::ffff:192.0.2.7", bytes([192, 0, 2])),
        ("2001:db8:1:2::3", bytes.fromhex("20010db80001")),
        ("fe80::1%eth0", bytes.fromhex("fe8000000000")),
        ("", UNKNOWN_NETWORK),
        ("localhost", UNKNOWN_NETWORK),
        ("192.0.2.7.9", UNKNOWN_NETWORK),
    ],
)
def test_networks(address: str, network: bytes) -> None:
    assert network_of(address) == network


def test_an_event_holds_pseudonyms_alone() -> None:
    event = event_of(FACTS, NAMES)
    check(event)
    assert event.route == "GET /v1/studies/{id}"
    assert (event.status, event.request_bytes, event.response_bytes, event.proof) == (200, 3, 500, Proof.VALID)
    text = repr(event)
    for clear in ("192.0.2", "client-1", "organization-1", "study-1", "agent-"):
        assert clear not in text


def test_the_same_name_in_another_organization_is_another_object() -> None:
    other = FACTS._replace(organization_id="organization-2")
    assert event_of(FACTS, NAMES).object != event_of(other, NAMES).object
    assert event_of(FACTS._replace(route="/v1/studies/{id}/result"), NAMES).object == event_of(FACTS, NAMES).object


@pytest.mark.parametrize(
    ("reason", "replayed", "proof"),
    [
        ("invalid-signature", False, Proof.BAD),
        ("digest-mismatch", False, Proof.BAD),
        ("expired", False, Proof.ABSENT),
        ("unknown-key", False, Proof.ABSENT),
        ("replayed-or-revoked", True, Proof.REPLAYED),
        ("replayed-or-revoked", False, Proof.ABSENT),
    ],
)
def test_refusals(reason: str, replayed: bool, proof: Proof) -> None:
    refused = FACTS._replace(client_id="", organization_id="", route="", object="", status=401)
    event = event_of(refused._replace(refused=Refused(reason, (Claim("key", False),))), NAMES, replayed=replayed)
    assert (event.proof, event.client, event.object) == (proof, NOBODY, NOBODY)
    assert event.route == "GET refused"


def test_somebody_who_enrolls_has_no_proof_yet() -> None:
    assert event_of(FACTS._replace(client_id="", organization_id=""), NAMES).proof is Proof.ABSENT
