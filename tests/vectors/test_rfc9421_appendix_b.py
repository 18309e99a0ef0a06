"""RFC 9421 Appendix B: signature bases byte for byte, and the verdicts that the RFC gives.

Left out are B.2.4, which is a response, and the verdict of B.2.2, which covers a query parameter by itself.
"""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidSignature as NativeInvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from crypto import (
    InvalidSignature,
    KeyFormatError,
    PrivateKey,
    ProfileError,
    PublicKey,
    Request,
    SignatureAlgorithm,
    parse_signature,
    parse_signature_input,
    signature_base,
    verify_content_digest,
)
from tests.vectors import rfc9421_figures as figures

Verify = Callable[[bytes, bytes], None]


def read_message(figure: str) -> tuple[Request, bytes]:
    """The request and the body that a figure prints."""
    head, _, body = figure.partition("\n\n")
    start, *lines = head.split("\n")
    method, target, _ = start.split(" ")
    path, _, query = target.partition("?")
    fields = [line.split(":", 1) for line in lines]
    headers = tuple((name.lower().encode(), value.encode()) for name, value in fields)
    host = next(value for name, value in headers if name == b"host").strip().decode()
    return Request(method, host, path, query, headers), body.encode()


def with_fields(request: Request, figure: str) -> Request:
    """The request with the fields of another figure added."""
    lines = [line.split(":", 1) for line in figure.split("\n")]
    return replace(request, headers=(*request.headers, *((n.lower().encode(), v.encode()) for n, v in lines)))


def verify_ed25519(signature: bytes, message: bytes) -> None:
    PublicKey.from_pem(figures.ED25519_PUBLIC_KEY.encode()).verify(signature, message)


def verify_hmac(signature: bytes, message: bytes) -> None:
    code = HMAC(b64decode(figures.SHARED_SECRET, validate=True), SHA256())
    code.update(message)
    code.verify(signature)


def verify_ecdsa(signature: bytes, message: bytes) -> None:
    key = load_pem_public_key(figures.ECC_P256_PUBLIC_KEY.encode())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    numbers = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    key.verify(encode_dss_signature(*numbers), message, ec.ECDSA(SHA256()))


def verify_rsa_pss(signature: bytes, message: bytes) -> None:
    key = load_pem_public_key(figures.RSA_PSS_PUBLIC_KEY.encode())
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(signature, message, padding.PSS(padding.MGF1(SHA512()), 64), SHA512())


TEST_REQUEST, TEST_BODY = read_message(figures.TEST_REQUEST)
CASES = {
    "B.2.1": (with_fields(TEST_REQUEST, figures.B21_FIELDS), figures.B21_BASE, verify_rsa_pss),
    "B.2.3": (with_fields(TEST_REQUEST, figures.B23_FIELDS), figures.B23_BASE, verify_rsa_pss),
    "B.2.5": (with_fields(TEST_REQUEST, figures.B25_FIELDS), figures.B25_BASE, verify_hmac),
    "B.2.6": (with_fields(TEST_REQUEST, figures.B26_FIELDS), figures.B26_BASE, verify_ed25519),
    "B.3": (read_message(figures.B3_REQUEST)[0], figures.B3_BASE, verify_ecdsa),
    "B.4": (read_message(figures.B4_REQUEST)[0], figures.B4_BASE, verify_ed25519),
}
each_case = pytest.mark.parametrize(("request_", "base", "verify"), CASES.values(), ids=CASES.keys())


def rebuilt(request: Request) -> tuple[bytes, bytes]:
    """The signature of a request's only label, and the base built from the request."""
    inputs = parse_signature_input(request.field(b"signature-input") or b"")
    signatures = parse_signature(request.field(b"signature") or b"")
    assert inputs.keys() == signatures.keys()
    ((label, entry),) = inputs.items()
    return signatures[label], signature_base(request, entry)


@each_case
def test_the_base_is_the_rfcs_byte_for_byte(request_: Request, base: str, verify: Verify) -> None:
    assert rebuilt(request_)[1] == base.encode("ascii")


@each_case
def test_the_signature_is_valid_over_our_base(request_: Request, base: str, verify: Verify) -> None:
    verify(*rebuilt(request_))


def refuse(verify: Verify, signature: bytes, message: bytes) -> None:
    with pytest.raises((InvalidSignature, NativeInvalidSignature)):
        verify(signature, message)


@each_case
def test_the_signature_is_of_no_other_base(request_: Request, base: str, verify: Verify) -> None:
    signature, ours = rebuilt(request_)
    assert b"created=1618884473" in ours
    refuse(verify, signature, ours.replace(b"created=1618884473", b"created=1618884474"))
    lines = ours.split(b"\n")
    for place, line in enumerate(lines):
        before, after = lines[:place], lines[place + 1 :]
        refuse(verify, signature, b"\n".join([*before, *after]))
        refuse(verify, signature, b"\n".join([*before, line + b" ", *after]))
        refuse(verify, signature, b"\n".join([*before, line[:-1] + bytes([line[-1] ^ 1]), *after]))
    refuse(verify, signature, ours + b"\n")


@each_case
def test_no_other_signature_is_of_the_base(request_: Request, base: str, verify: Verify) -> None:
    signature, ours = rebuilt(request_)
    for place in range(len(signature)):
        flipped = bytearray(signature)
        flipped[place] ^= 1 << place % 8
        refuse(verify, bytes(flipped), ours)
    for wrong in (b"", signature[:-1], signature[1:], signature + b"\0"):
        refuse(verify, wrong, ours)


def test_signing_the_ed25519_case_again_gives_the_same_octets() -> None:
    seed = urlsafe_b64decode(json.loads(figures.ED25519_JWK)["d"] + "=")
    signature, base = rebuilt(CASES["B.2.6"][0])
    assert PrivateKey.from_seed(SignatureAlgorithm.ED25519, seed).sign(base) == signature
    assert PrivateKey.from_pem(figures.ED25519_PRIVATE_KEY.encode(), None).sign(base) == signature


def test_the_ed25519_key_is_one_in_each_of_its_forms() -> None:
    members = json.loads(figures.ED25519_JWK)
    with pytest.raises(KeyFormatError, match="private key material in 'd'"):
        PublicKey.from_jwk(members)
    del members["d"]
    key = PublicKey.from_pem(figures.ED25519_PUBLIC_KEY.encode())
    assert PublicKey.from_jwk(members) == key
    assert PrivateKey.from_pem(figures.ED25519_PRIVATE_KEY.encode(), None).public_key == key
    assert key.pem().decode().strip() == figures.ED25519_PUBLIC_KEY


def test_the_digest_of_the_test_request_is_that_of_its_body() -> None:
    verify_content_digest(TEST_REQUEST.field(b"content-digest") or b"", TEST_BODY)


def test_a_query_parameter_component_is_read_but_never_derived() -> None:
    request = with_fields(TEST_REQUEST, figures.B22_FIELDS)
    entry = parse_signature_input(request.field(b"signature-input") or b"")["sig-b22"]
    assert entry.components == ("@authority", "content-digest", '@query-param;name="Pet"')
    assert entry.tag == "header-example"
    assert figures.B22_BASE.endswith(f'\n"@signature-params": {entry.text}')
    with pytest.raises(ProfileError, match="@query-param"):
        signature_base(request, entry)


# B.4: what may change on the way, and what may not.


@pytest.mark.parametrize(
    "figure",
    [figures.B4_QUERY_AND_FIELD_ADDED, figures.B4_FIELDS_CHANGED_AND_JOINED, figures.B4_FIELDS_REORDERED],
)
def test_a_signature_outlives_changes_that_it_does_not_cover(figure: str) -> None:
    request = with_signature_of_b4(figure)
    assert request != CASES["B.4"][0]
    signature, base = rebuilt(request)
    assert base == figures.B4_BASE.encode()
    verify_ed25519(signature, base)


@pytest.mark.parametrize("figure", [figures.B4_METHOD_AND_AUTHORITY_CHANGED, figures.B4_ACCEPT_REORDERED])
def test_a_signature_does_not_outlive_changes_that_it_covers(figure: str) -> None:
    signature, base = rebuilt(with_signature_of_b4(figure))
    assert base != figures.B4_BASE.encode()
    with pytest.raises(InvalidSignature):
        verify_ed25519(signature, base)


def with_signature_of_b4(figure: str) -> Request:
    """The changed message, of which the RFC says that it still carries the signature of the first one."""
    request, _ = read_message(figure)
    first = CASES["B.4"][0]
    for name in (b"signature-input", b"signature"):
        assert request.field(name) == first.field(name)
    return request
