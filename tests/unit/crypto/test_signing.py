from __future__ import annotations

from base64 import b64decode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from crypto import (
    COMPONENTS,
    TAG,
    PrivateKey,
    Request,
    SignatureAlgorithm,
    SigningError,
    UnsupportedAlgorithm,
    content_digest,
    sign_request,
)
from tests.unit.crypto.signed_message import BODY, ED25519, ML_DSA, NOW, UNSIGNED, signed, text, verdict, with_field


def _sign(
    request: Request = UNSIGNED,
    *,
    keys: tuple[PrivateKey, ...] = (ED25519,),
    created: int = NOW,
    lifetime: int = 60,
    nonces: tuple[str, ...] = ("nonce-0000",),
    digest: str = "sha-256",
) -> dict[str, str]:
    return dict(sign_request(request, BODY, keys, created=created, lifetime=lifetime, nonces=nonces, digest=digest))


def test_the_fields_are_exactly_these() -> None:
    fields = _sign()
    assert list(fields) == ["content-digest", "signature-input", "signature"]
    assert fields["content-digest"] == content_digest(BODY)
    assert fields["signature-input"] == (
        'sig1=("@method" "@authority" "@path" "@query" "content-type" "content-digest")'
        f';created={NOW};expires={NOW + 60};nonce="nonce-0000";keyid="{ED25519.keyid}";alg="ed25519";tag="secure-api"'
    )
    assert fields["signature"].startswith("sig1=:")


def test_the_signature_is_over_the_base_that_is_written_here() -> None:
    """Nothing of ours verifies: the base is spelled out, and Ed25519 is the library's."""
    fields = _sign()
    base = (
        '"@method": POST\n'
        '"@authority": api.example.com\n'
        '"@path": /v1/datasets/weather/records\n'
        '"@query": ?dry=1\n'
        '"content-type": application/json\n'
        f'"content-digest": {fields["content-digest"]}\n'
        f'"@signature-params": {fields["signature-input"].removeprefix("sig1=")}'
    )
    signature = b64decode(fields["signature"].removeprefix("sig1=:").removesuffix(":"), validate=True)
    Ed25519PublicKey.from_public_bytes(ED25519.public_key.raw).verify(signature, base.encode())


def test_every_key_signs_under_its_own_label_and_nonce() -> None:
    fields = _sign(keys=(ML_DSA, ED25519), nonces=("nonce-000a", "nonce-000b"))
    first, second = fields["signature-input"].split(", ")
    assert first.startswith("sig1=(")
    assert f'nonce="nonce-000a";keyid="{ML_DSA.keyid}";alg="ml-dsa-44"' in first
    assert second.startswith("sig2=(")
    assert f'nonce="nonce-000b";keyid="{ED25519.keyid}";alg="ed25519"' in second
    assert [member[:6] for member in fields["signature"].split(", ")] == ["sig1=:", "sig2=:"]


def test_fields_that_are_there_already_are_replaced() -> None:
    request = with_field(UNSIGNED, "content-digest", "sha-256=:AAAA:")
    request = replace(request, headers=(*request.headers, (b"Content-Digest", b"md5=:AAAA:"), (b"signature", b"x=::")))
    assert _sign(request) == _sign()
    assert verdict(signed(request=replace(request, headers=request.headers[:-2]))) == "believed"


def test_the_digest_may_be_sha_512() -> None:
    assert _sign(digest="sha-512")["content-digest"] == content_digest(BODY, "sha-512")
    with pytest.raises(UnsupportedAlgorithm):
        _sign(digest="md5")


@pytest.mark.parametrize(
    ("keys", "nonces"),
    [((), ()), ((), ("n",)), ((ED25519,), ()), ((ED25519,), ("a", "b")), ((ED25519, ML_DSA), ("a",))],
)
def test_keys_and_nonces_come_in_pairs(keys: tuple[PrivateKey, ...], nonces: tuple[str, ...]) -> None:
    with pytest.raises(SigningError, match=f"{len(keys)} keys, {len(nonces)} nonces"):
        _sign(keys=keys, nonces=nonces)


def test_one_key_does_not_sign_twice() -> None:
    again = PrivateKey.from_seed(SignatureAlgorithm.ED25519, ED25519.seed)
    with pytest.raises(SigningError, match="cannot sign twice"):
        _sign(keys=(ED25519, again), nonces=("a", "b"))


@pytest.mark.parametrize("lifetime", [0, -1])
def test_a_signature_lives(lifetime: int) -> None:
    with pytest.raises(SigningError, match=f"at least a second, not {lifetime}"):
        _sign(lifetime=lifetime)


@pytest.mark.parametrize("name", ["content-type", "host"])
def test_a_field_that_must_be_alone_is_not_signed_twice(name: str) -> None:
    with pytest.raises(SigningError, match=f"several {name} fields"):
        _sign(with_field(UNSIGNED, name, "a", "a"))


def test_a_content_type_is_needed() -> None:
    with pytest.raises(SigningError, match="needs a content-type"):
        _sign(with_field(UNSIGNED, "content-type"))


@pytest.mark.parametrize(
    "request_",
    [
        replace(UNSIGNED, method="GET\n"),
        replace(UNSIGNED, authority="bücher.example"),
        replace(UNSIGNED, path="/\r\n"),
        replace(UNSIGNED, query="a=ü"),
        replace(UNSIGNED, query="a=\ud800"),
        with_field(UNSIGNED, "content-type", "text/é"),
    ],
)
def test_what_cannot_be_a_component_is_not_signed(request_: Request) -> None:
    with pytest.raises(SigningError, match="ASCII"):
        _sign(request_)


@pytest.mark.parametrize("nonce", ["a\nb", "é", "\ud800", "n" * 16_384])
def test_a_nonce_is_printable_and_short(nonce: str) -> None:
    with pytest.raises(SigningError):
        _sign(nonces=(nonce,))


@pytest.mark.parametrize(("created", "lifetime"), [(10**15, 60), (-(10**15), 60), (NOW, 10**15)])
def test_times_fit_into_a_structured_integer(created: int, lifetime: int) -> None:
    with pytest.raises(SigningError, match="no comma"):
        _sign(created=created, lifetime=lifetime)


def test_a_nonce_is_quoted() -> None:
    request = signed(nonces=['a"b\\c"d;'])
    assert r'nonce="a\"b\\c\"d;"' in text(request, "signature-input")
    assert verdict(request) == "believed"


def test_the_profile_is_what_is_signed() -> None:
    value = text(signed(), "signature-input")
    assert value.startswith(f"sig1=({' '.join(repr(name) for name in COMPONENTS)})".replace("'", '"'))
    assert value.endswith(f';tag="{TAG}"')
