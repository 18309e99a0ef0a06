"""Which key is sealed to, and what opens the answer."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

import pytest

from crypto import (
    PrivateKey,
    SealedType,
    SealingAlgorithm,
    SealingPrivateKey,
    SessionKeys,
    SignatureAlgorithm,
    UnsealingError,
    open_under,
    seal_under,
    sealing_key_statement,
    sealing_kid,
)
from secure_api.client import SealingKeyRefused, ServerUnusable
from secure_api.client.sealer import MAX_KEYS, HpkeSealer, SealingTarget, SessionSealer

NOW = 1_800_000_000
SERVER = PrivateKey.from_seed(SignatureAlgorithm.ED25519, bytes(range(32)))
OTHER = PrivateKey.from_seed(SignatureAlgorithm.ED25519, bytes(range(1, 33)))
KEYS = SessionKeys.derive("s" * 32, bytes(range(32)))
CONTEXT = b"to whom\nand what for"


def opener(number: int) -> SealingPrivateKey:
    """A server's sealing key."""
    return SealingPrivateKey(bytes([number]) * 32)


def entry(number: int, *, retires: int = NOW + 60, signer: PrivateKey = SERVER, **changes: Any) -> dict[str, Any]:
    """A published sealing key, vouched for by `signer`."""
    raw = opener(number).public_key
    times = {"created": NOW - 60, "retires": retires, "expires": retires + 60}
    value = signer.sign(sealing_key_statement(raw, **times))
    named = {"alg": "hpke-x-wing", "kid": sealing_kid(raw), "public_key": base64url(raw)}
    return {**named, **times, "signature": {"keyid": signer.keyid, "value": base64url(value)}, **changes}


def base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def choose(*entries: Any) -> SealingTarget:
    """Choose among published keys."""
    return SealingTarget.choose({"sealing": {"keys": list(entries)}}, SERVER.public_key, NOW)


def test_the_first_key_that_is_vouched_for_is_taken() -> None:
    assert choose(entry(1), entry(2)).kid == sealing_kid(opener(1).public_key)
    assert choose(entry(1, signer=OTHER), entry(2)).kid == sealing_kid(opener(2).public_key)
    assert choose(entry(1, retires=NOW - 1), entry(2)).kid == sealing_kid(opener(2).public_key)
    assert choose(entry(1, retires=NOW)).retires == NOW


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "hpke-ml-kem-1024"},
        {"public_key": "AAAA"},
        {"public_key": "\u00e4"},
        {"public_key": 7},
        {"created": "soon"},
        {"created": NOW},
        {"expires": float("inf")},
        {"expires": NOW + 121},
        {"signature": None},
        {"signature": {"keyid": SERVER.keyid}},
        {"signature": {"keyid": SERVER.keyid, "value": base64url(bytes(64))}},
    ],
)
def test_a_key_that_is_not_vouched_for_is_passed_over(changes: dict[str, Any]) -> None:
    with pytest.raises(ServerUnusable, match="vouches"):
        choose(entry(1, **changes))
    assert choose(entry(1, **changes), entry(2)).kid == sealing_kid(opener(2).public_key)


def test_another_signing_key_is_told_from_no_sealing_key() -> None:
    with pytest.raises(SealingKeyRefused, match="vouches"):
        choose(entry(1, signer=OTHER), {"alg": "hpke-x-wing"})
    for entries in ((), (entry(1, retires=NOW - 1),), (entry(1, signature=None),)):
        with pytest.raises(ServerUnusable, match="vouches") as raised:
            choose(*entries)
        assert type(raised.value) is ServerUnusable


def test_the_name_of_a_key_is_computed_and_not_believed() -> None:
    assert choose(entry(1, kid="another")).kid == sealing_kid(opener(1).public_key)


def test_only_so_many_keys_are_looked_at() -> None:
    with pytest.raises(ServerUnusable):
        choose(*[7] * MAX_KEYS, entry(1))


def test_hpke_there_and_back() -> None:
    sealer = HpkeSealer(choose(entry(1)))
    assert sealer.sealed_type("text/plain") == SealedType(
        SealingAlgorithm.HPKE_X_WING, sealing_kid(opener(1).public_key), "text/plain"
    )
    opened = opener(1).open(sealer.seal(b"hello", CONTEXT), CONTEXT)
    reply, body = opened[:1216], opened[1216:]
    assert body == b"hello"
    other = HpkeSealer(choose(entry(1)))
    assert opener(1).open(other.seal(b"", CONTEXT), CONTEXT) != reply, "a reply key is for one request"


@pytest.mark.parametrize(
    ("algorithm", "kid"),
    [(SealingAlgorithm.AES_256_GCM, "reply"), (SealingAlgorithm.HPKE_X_WING, KEYS.session)],
)
def test_answers_of_another_kind_are_refused(algorithm: SealingAlgorithm, kid: str) -> None:
    named = SealedType(algorithm, kid, "text/plain")
    with pytest.raises(UnsealingError, match="another key"):
        HpkeSealer(choose(entry(1))).open(named, b"x" * 2_000, CONTEXT)
    with pytest.raises(UnsealingError, match="another key"):
        SessionSealer(KEYS).open(named, b"x" * 2_000, CONTEXT)


def test_a_session_has_a_key_a_direction_and_a_nonce_a_body() -> None:
    sealer = SessionSealer(KEYS)
    named = sealer.sealed_type("text/plain")
    assert (named.algorithm, named.kid) == (SealingAlgorithm.AES_256_GCM, KEYS.session)
    sealed = sealer.seal(b"hello", CONTEXT)
    assert open_under(KEYS.client_aead, sealed, CONTEXT) == b"hello"
    assert sealer.seal(b"hello", CONTEXT)[:12] != sealed[:12]
    with pytest.raises(UnsealingError):  # what the client sealed is no answer
        sealer.open(named, sealed, CONTEXT)
    assert sealer.open(named, seal_under(KEYS.server_aead, b"ok", CONTEXT, bytes(12)), CONTEXT) == b"ok"
    with pytest.raises(UnsealingError):
        sealer.open(named, seal_under(KEYS.server_aead, b"ok", CONTEXT, bytes(12)), CONTEXT + b"\n")
