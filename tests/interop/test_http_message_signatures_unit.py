"""PyPI `http-message-signatures`, an implementation by others: what it signs we believe, what we sign it verifies."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    InvalidSignature,
    MappingKeyResolver,
)
from http_message_signatures.algorithms import ED25519

import crypto
from crypto import (
    COMPONENTS,
    TAG,
    PrivateKey,
    Profile,
    Request,
    SignatureAlgorithm,
    VerificationError,
    open_request,
    sign_request,
    signature_base,
    verify_request,
)


class MlDsa44(HTTPSignatureAlgorithm):
    """ML-DSA as a custom algorithm of the library: C2SP httpsig-pq, on `cryptography` alone."""

    algorithm_id = "ml-dsa-44"

    def __init__(self, public_key: bytes | None = None, private_key: bytes | None = None) -> None:
        self.public_key: Any = load_pem_public_key(public_key) if public_key else None
        self.private_key: Any = load_pem_private_key(private_key, None) if private_key else None

    def sign(self, message: bytes) -> bytes:
        signature: bytes = self.private_key.sign(message)
        return signature

    def verify(self, signature: bytes, message: bytes) -> None:
        self.public_key.verify(signature, message)


class MlDsa65(MlDsa44):
    """ML-DSA-65."""

    algorithm_id = "ml-dsa-65"


class MlDsa87(MlDsa44):
    """ML-DSA-87."""

    algorithm_id = "ml-dsa-87"


THEIRS: dict[SignatureAlgorithm, type[HTTPSignatureAlgorithm]] = {
    SignatureAlgorithm.ML_DSA_44: MlDsa44,
    SignatureAlgorithm.ML_DSA_65: MlDsa65,
    SignatureAlgorithm.ML_DSA_87: MlDsa87,
    SignatureAlgorithm.ED25519: ED25519,
}


@dataclass
class Message:
    """A request as the library wants it."""

    method: str
    url: str
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json", "Accept": "*/*"})

    def request(self) -> Request:
        """The same request as ours."""
        scheme, _, rest = self.url.partition("://")
        authority, slash, target = rest.partition("/")
        path, _, query = f"{slash}{target}".partition("?")
        headers = tuple((name.lower().encode(), value.encode()) for name, value in self.headers.items())
        return Request(self.method, authority, path, query, headers, scheme)


MESSAGES = {
    "plain": Message("POST", "https://api.example.com/v1/datasets/weather/records", b'{"temperature": 21.5}'),
    "query": Message("GET", "https://api.example.com/v1/ledger?after=1&limit=10", b""),
    "empty query": Message("GET", "https://api.example.com/v1/ledger?", b""),
    "escapes": Message("PUT", "https://api.example.com/a%20b/%C3%A9/%2F?q=%26%3D&r=+~*", b"\x00\xff" * 4096),
    "no path": Message("DELETE", "https://api.example.com", b""),
    "port": Message("POST", "http://127.0.0.1:8000/v1/clients", b"[]"),
    "own port": Message("POST", "https://API.Example.COM:443/v1/clients", b"[]"),
    "ipv6": Message("POST", "http://[2001:DB8::1]:80/v1/clients", b"[]"),
}
each_algorithm = pytest.mark.parametrize("algorithm", SignatureAlgorithm)
each_message = pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES.keys())


def resolver(*keys: PrivateKey) -> MappingKeyResolver:
    """The keys as PEM, as the library reads them."""
    public: dict[str, Any] = {key.keyid: key.public_key.pem() for key in keys}
    private: dict[str, Any] = {key.keyid: key.pem(None) for key in keys}
    return MappingKeyResolver(public_keys=public, private_keys=private)


def sign_by_library(message: Message, key: PrivateKey, now: int, **changes: Any) -> Message:
    """The message with the fields that the library adds for our profile."""
    signed = replace(message, headers=dict(message.headers))
    arguments: dict[str, Any] = {
        "key_id": key.keyid,
        "created": datetime.fromtimestamp(now, UTC),
        "expires": datetime.fromtimestamp(now + 60, UTC),
        "nonce": 'a nonce; of the "library"',
        "tag": TAG,
        "covered_component_ids": COMPONENTS,
        "body": message.body,
    }
    HTTPMessageSigner(signature_algorithm=THEIRS[key.algorithm], key_resolver=resolver(key)).sign(
        signed, **{**arguments, **changes}
    )
    return signed


def sign_by_us(message: Message, *keys: PrivateKey, now: int) -> Message:
    """The message with the fields that `sign_request` adds."""
    nonces = [f"nonce-{number:04d}" for number in range(len(keys))]
    fields = sign_request(message.request(), message.body, keys, created=now, nonces=nonces)
    return replace(message, headers={**message.headers, **dict(fields)})


@each_algorithm
@each_message
def test_what_the_library_signs_we_believe(message: Message, algorithm: SignatureAlgorithm) -> None:
    key, now = PrivateKey.generate(algorithm), int(time.time())
    signed = open_request(sign_by_library(message, key, now).request(), Profile(), now)
    verify_request(signed, message.body, {key.keyid: key.public_key})
    (label,) = signed.labels
    assert (label.keyid, label.algorithm, label.created, label.expires) == (key.keyid, algorithm, now, now + 60)
    assert label.nonce == 'a nonce; of the "library"'


@each_algorithm
@each_message
def test_what_we_sign_the_library_verifies(message: Message, algorithm: SignatureAlgorithm) -> None:
    key, now = PrivateKey.generate(algorithm), int(time.time())
    signed = sign_by_us(message, key, now=now)
    verifier = HTTPMessageVerifier(signature_algorithm=THEIRS[algorithm], key_resolver=resolver(key))
    (result,) = verifier.verify(signed, expect_tag=TAG, require_components=COMPONENTS, body=message.body)
    assert result.body == message.body
    assert result.nonce == "nonce-0000"
    assert result.parameters["expires"] == now + 60


@each_message
def test_the_bases_are_the_same_octets(message: Message) -> None:
    key, now = PrivateKey.generate(SignatureAlgorithm.ED25519), int(time.time())
    signed = sign_by_us(message, key, now=now)
    opened = open_request(signed.request(), Profile(), now)
    prepared = HTTPMessageSigner(signature_algorithm=ED25519).prepare(
        signed,
        key_id=key.keyid,
        created=datetime.fromtimestamp(now, UTC),
        expires=datetime.fromtimestamp(now + 60, UTC),
        nonce="nonce-0000",
        tag=TAG,
        covered_component_ids=COMPONENTS,
        use_existing_digest=True,
        body=message.body,
    )
    lines = signature_base(opened.request, opened.labels[0].input).split(b"\n")
    assert prepared.signature_base.split(b"\n")[:-1] == lines[:-1]
    # The order of parameters is the signer's choice.
    assert sorted(prepared.signature_params.split(";")) == sorted(opened.labels[0].input.text.split(";"))


def test_each_label_of_a_hybrid_request_is_verified() -> None:
    keys = [PrivateKey.generate(SignatureAlgorithm.ML_DSA_65), PrivateKey.generate(SignatureAlgorithm.ED25519)]
    signed = sign_by_us(MESSAGES["query"], *keys, now=int(time.time()))
    for label, key in zip(("sig1", "sig2"), keys, strict=True):
        verifier = HTTPMessageVerifier(signature_algorithm=THEIRS[key.algorithm], key_resolver=resolver(*keys))
        (result,) = verifier.verify(signed, expect_tag=TAG, expect_label=label, body=b"")
        assert (result.label, result.parameters["keyid"]) == (label, key.keyid)


def test_a_signature_that_the_library_adds_with_another_tag_is_a_strangers() -> None:
    ours, proxy, now = (
        PrivateKey.generate(SignatureAlgorithm.ML_DSA_65),
        PrivateKey.generate(SignatureAlgorithm.ED25519),
        int(time.time()),
    )
    message = MESSAGES["query"]
    both = sign_by_library(
        sign_by_us(message, ours, now=now),
        proxy,
        now,
        tag="a-proxy",
        label="proxy",
        covered_component_ids=("@authority", '"@query-param";name="limit"', '"signature";key="sig1"'),
        append_if_signature_exists=True,
        use_existing_digest=True,
    )
    signed = open_request(both.request(), Profile(), now)
    verify_request(signed, message.body, {ours.keyid: ours.public_key})
    assert [label.keyid for label in signed.labels] == [ours.keyid]


@each_algorithm
def test_neither_believes_a_changed_request(algorithm: SignatureAlgorithm) -> None:
    key, now, message = PrivateKey.generate(algorithm), int(time.time()), MESSAGES["plain"]
    verifier = HTTPMessageVerifier(signature_algorithm=THEIRS[algorithm], key_resolver=resolver(key))
    for signed in (sign_by_us(message, key, now=now), sign_by_library(message, key, now)):
        for changed in (
            replace(signed, method="PUT"),
            replace(signed, url=signed.url.replace("weather", "whether")),
            replace(signed, url=signed.url + "?dry=1"),
            replace(signed, url=signed.url.replace("api.", "")),
            replace(signed, headers={**signed.headers, "Content-Type": "text/plain"}),
            replace(signed, body=signed.body + b" "),
        ):
            with pytest.raises(InvalidSignature):
                verifier.verify(changed, expect_tag=TAG, body=changed.body)
            with pytest.raises(VerificationError):
                believe(changed, key, now)


def believe(message: Message, key: PrivateKey, now: int) -> None:
    """Open and verify, as the server does."""
    verify_request(open_request(message.request(), Profile(), now), message.body, {key.keyid: key.public_key})


def test_a_signature_of_the_library_that_lacks_something_is_refused() -> None:
    key, now, message = PrivateKey.generate(SignatureAlgorithm.ED25519), int(time.time()), MESSAGES["plain"]
    believe(sign_by_library(message, key, now), key, now)
    lacking: list[tuple[dict[str, Any], str]] = [
        ({"include_alg": False}, "parameter-missing"),
        ({"expires": None}, "parameter-missing"),
        ({"nonce": None}, "parameter-missing"),
        ({"tag": None}, "missing-signature"),
        ({"covered_component_ids": COMPONENTS[1:]}, "coverage"),
        ({"covered_component_ids": (*COMPONENTS, "accept")}, "coverage"),
    ]
    for changes, reason in lacking:
        with pytest.raises(VerificationError) as refused:
            believe(sign_by_library(message, key, now, **changes), key, now)
        assert refused.value.reason == reason


def test_every_algorithm_is_covered() -> None:
    assert set(THEIRS) == set(crypto.ALGORITHMS)
