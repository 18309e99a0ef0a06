from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode

import pytest

from crypto import KeyFormatError, PrivateKey, PublicKey, SignatureAlgorithm
from crypto.base64url import decode_base64url, encode_base64url

EVERY_ALGORITHM = pytest.mark.parametrize("algorithm", SignatureAlgorithm, ids=str)
# RFC 8037 appendix A: the key pair of RFC 8032 §7.1 test 1, and its thumbprint.
RFC_8037 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
RFC_8037_SEED = decode_base64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
RFC_8037_THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
AKP = PrivateKey.from_seed(SignatureAlgorithm.ML_DSA_65, bytes(32)).public_key.jwk()


def test_the_thumbprint_of_rfc_8037_is_the_keyid() -> None:
    key = PublicKey.from_jwk(RFC_8037)
    assert key.keyid == RFC_8037_THUMBPRINT
    assert PrivateKey.from_seed(SignatureAlgorithm.ED25519, RFC_8037_SEED).public_key == key


@EVERY_ALGORITHM
def test_the_thumbprint_is_the_hash_of_the_required_members(algorithm: SignatureAlgorithm) -> None:
    key = PrivateKey.generate(algorithm).public_key
    encoded = urlsafe_b64encode(key.raw).decode().rstrip("=")
    if algorithm is SignatureAlgorithm.ED25519:
        members = {"kty": "OKP", "crv": "Ed25519", "x": encoded}
    else:
        members = {"kty": "AKP", "alg": algorithm.value.upper(), "pub": encoded}
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    assert key.jwk() == members
    assert key.keyid == urlsafe_b64encode(hashlib.sha256(canonical).digest()).decode().rstrip("=")


@EVERY_ALGORITHM
def test_a_jwk_round_trips_through_json(algorithm: SignatureAlgorithm) -> None:
    key = PrivateKey.generate(algorithm).public_key
    assert PublicKey.from_jwk(json.loads(json.dumps(key.jwk()))) == key


@pytest.mark.parametrize(
    "extra",
    [
        {"kid": "another name"},
        {"use": "sig"},
        {"key_ops": ["verify"]},
        {"key_ops": ["sign", "verify"]},
        {"ext": True, "x5t": 7, "anything": {"d": "nested members are nobody's"}},
        {"alg": "EdDSA"},
        {"alg": "Ed25519"},
    ],
    ids=str,
)
def test_members_without_meaning_here_do_not_change_the_key(extra: dict[str, object]) -> None:
    assert PublicKey.from_jwk({**RFC_8037, **extra}).keyid == RFC_8037_THUMBPRINT


@pytest.mark.parametrize("member", ["priv", "d", "k", "p", "q", "dp", "dq", "qi", "oth"])
@pytest.mark.parametrize("jwk", [RFC_8037, AKP], ids=["OKP", "AKP"])
@pytest.mark.parametrize("value", ["AAAA", "", None], ids=repr)
def test_private_members_are_refused(jwk: dict[str, str], member: str, value: object) -> None:
    with pytest.raises(KeyFormatError, match=f"private key material in '{member}'"):
        PublicKey.from_jwk({**jwk, member: value})


@pytest.mark.parametrize("jwk", [RFC_8037, AKP], ids=["OKP", "AKP"])
@pytest.mark.parametrize("value", [None, 7, True, ["AKP"], {}, b"AKP"], ids=repr)
def test_required_members_are_text(jwk: dict[str, str], value: object) -> None:
    for member in jwk:
        with pytest.raises(KeyFormatError, match=f"needs the text member '{member}'"):
            PublicKey.from_jwk({**jwk, member: value})
        with pytest.raises(KeyFormatError, match=f"needs the text member '{member}'"):
            PublicKey.from_jwk({name: text for name, text in jwk.items() if name != member})


@pytest.mark.parametrize(
    ("jwk", "message"),
    [
        ({}, "'kty'"),
        ({**RFC_8037, "kty": "EC"}, "must be AKP"),
        ({**RFC_8037, "kty": "okp"}, "must be AKP"),
        ({**RFC_8037, "kty": "oct"}, "must be AKP"),
        ({**RFC_8037, "kty": "AKP"}, "'alg'"),
        ({**RFC_8037, "crv": "X25519"}, "must be Ed25519"),
        ({**RFC_8037, "crv": "Ed448"}, "must be Ed25519"),
        ({**RFC_8037, "alg": "ML-DSA-65"}, "must be EdDSA or Ed25519"),
        ({**RFC_8037, "alg": None}, "must be EdDSA or Ed25519"),
        ({**RFC_8037, "alg": ["EdDSA"]}, "must be EdDSA or Ed25519"),
        ({**RFC_8037, "use": "enc"}, "use of a JWK must be sig"),
        ({**RFC_8037, "key_ops": ["sign"]}, "must hold verify"),
        ({**RFC_8037, "key_ops": []}, "must hold verify"),
        ({**RFC_8037, "key_ops": "verify"}, "must hold verify"),
        ({**RFC_8037, "key_ops": None}, "must hold verify"),
        ({**AKP, "kty": "OKP"}, "'crv'"),
        ({**AKP, "alg": "ML-DSA-44"}, "has 1312 bytes"),
        ({**AKP, "alg": "ML-DSA-87"}, "has 2592 bytes"),
        ({**AKP, "alg": "ml-dsa-65"}, "must be one of ML-DSA-44, ML-DSA-65, ML-DSA-87"),
        ({**AKP, "alg": "EdDSA"}, "must be one of"),
        ({**AKP, "alg": "SLH-DSA-SHA2-128s"}, "must be one of"),
    ],
)
def test_other_keys_are_refused(jwk: dict[str, object], message: str) -> None:
    with pytest.raises(KeyFormatError, match=message):
        PublicKey.from_jwk(jwk)


@pytest.mark.parametrize(
    "text",
    [
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=",  # padded
        "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo",  # the other alphabet
        "11qYAYKxCrfVS+7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp",  # unused bits set
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUR",  # cut
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUR\n",
        "11qYAYKxCrfVS_7T yWQHOg7hcvPapiMlrwIaaPcHURo",
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\n",
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUR\u00e9",
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUR\u0660",  # a digit, but not an ASCII one
        "\ud80011qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUR",
        "",
        "A" * 100_000,
    ],
)
def test_a_key_in_other_base64_is_refused(text: str) -> None:
    with pytest.raises(KeyFormatError, match="base64url without padding"):
        PublicKey.from_jwk({**RFC_8037, "x": text})


@pytest.mark.parametrize("length", [*range(12), 1312, 1952, 2592])
def test_base64url_round_trips(length: int) -> None:
    data = bytes(index * 7 % 256 for index in range(length))
    encoded = encode_base64url(data)
    assert encoded == urlsafe_b64encode(data).decode().rstrip("=")
    assert decode_base64url(encoded) == data


@pytest.mark.parametrize(("text", "data"), [("", b""), ("_-8", b"\xff\xef"), ("AA", b"\0"), ("AAAA", bytes(3))])
def test_canonical_base64url_is_read(text: str, data: bytes) -> None:
    assert decode_base64url(text) == data


@pytest.mark.parametrize("text", ["A", "AB", "AAB", "AAAAA", "AA==", "A===", "=", "A A", "AA\n", "+A", "/w", "ÄA"])
def test_other_base64url_is_refused(text: str) -> None:
    with pytest.raises(KeyFormatError, match="not canonical base64url"):
        decode_base64url(text)


def test_exactly_one_text_stands_for_one_byte() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    readable: dict[bytes, list[str]] = {}
    for text in (first + second for first in alphabet for second in alphabet):
        try:
            readable.setdefault(decode_base64url(text), []).append(text)
        except KeyFormatError:
            continue
    assert len(readable) == 256
    assert {len(texts) for texts in readable.values()} == {1}
