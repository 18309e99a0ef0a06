from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest

from crypto import DigestError, UnsupportedAlgorithm, VerificationError, content_digest, verify_content_digest

# RFC 9530 appendix B: the body of the examples, and its digests.
BODY = b'{"hello": "world"}\n'
SHA_256 = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
SHA_512 = "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:"
EMPTY = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"


def _refused(field: str | bytes, body: bytes = BODY) -> str:
    with pytest.raises(DigestError) as caught:
        verify_content_digest(field.encode("latin-1") if isinstance(field, str) else field, body)
    assert "\n" not in str(caught.value)
    return caught.value.reason


@pytest.mark.parametrize(("algorithm", "field"), [("sha-256", SHA_256), ("sha-512", SHA_512)])
def test_the_examples_of_rfc_9530(algorithm: str, field: str) -> None:
    assert content_digest(BODY, algorithm) == field
    verify_content_digest(field.encode(), BODY)


def test_sha_256_is_what_one_gets() -> None:
    assert content_digest(BODY) == SHA_256
    assert content_digest(b"") == EMPTY


@pytest.mark.parametrize("algorithm", ["sha-1", "md5", "SHA-256", "sha256", "crc32c", ""])
def test_no_other_digest_is_made(algorithm: str) -> None:
    with pytest.raises(UnsupportedAlgorithm, match="one of sha-256, sha-512"):
        content_digest(BODY, algorithm)


@pytest.mark.parametrize(
    "field",
    [
        f"{SHA_256}, {SHA_512}",
        f"{SHA_512},{SHA_256}",
        f"{SHA_256} \t,\t {SHA_512}",
        f"md5=:AAAA:, {SHA_256}",
        f"{SHA_256}, unixsum=::, sha=:AAAA:",
        f"*=:AAAA:, {SHA_512}",
    ],
)
def test_every_known_digest_that_matches_is_believed(field: str) -> None:
    verify_content_digest(field.encode(), BODY)


@pytest.mark.parametrize("body", [b"", BODY[:-1], BODY + b"\n", BODY.swapcase(), b'{"hello":"world"}\n'])
def test_another_body_is_noticed(body: bytes) -> None:
    assert _refused(SHA_256, body) == "digest-mismatch"
    assert _refused(SHA_512, body) == "digest-mismatch"


@pytest.mark.parametrize("order", [1, -1])
def test_one_digest_that_matches_excuses_no_other(order: int) -> None:
    wrong = content_digest(b"another body", "sha-512")
    assert _refused(", ".join([SHA_256, wrong][::order])) == "digest-mismatch"


@pytest.mark.parametrize("name", ["sha-256", "sha-512"])
@pytest.mark.parametrize("length", [0, 1, 16, 20, 31, 33, 63, 65])
def test_a_digest_of_another_length_is_another_digest(name: str, length: int) -> None:
    digest = hashlib.new(name.replace("-", ""), BODY).digest()
    value = b64encode((digest + bytes(64))[:length]).decode()
    assert _refused(f"{name}=:{value}:") == "digest-mismatch"


@pytest.mark.parametrize("field", ["md5=:AAAA:", "sha=:AAAA:, crc32c=:AAAA:", "sha-384=:AAAA:", "sha-25=:AAAA:"])
def test_unknown_digests_alone_say_nothing(field: str) -> None:
    assert _refused(field) == "digest-missing"


@pytest.mark.parametrize(
    "field",
    [
        "",
        " ",
        f" {SHA_256}",
        f"{SHA_256} ",
        f"{SHA_256},",
        f",{SHA_256}",
        f"{SHA_256};a",
        f"{SHA_256} {SHA_512}",
        SHA_256.upper(),
        SHA_256.replace("sha-256=", "sha-256"),
        SHA_256.replace(":", ""),
        SHA_256.replace(":", '"'),
        SHA_256[:-1],
        SHA_256.replace("Dg=:", "Dh=:"),  # the same bytes, other unused bits
        SHA_256.replace("=:R", "=: R"),
        SHA_256.replace("Dg=:", "Dg:"),
        SHA_256.replace("/", "_"),
        "sha-256=?1",
        "sha-256",
        "sha-256=1",
        "sha-256=(:AAAA:)",
        f"{SHA_256}, md5=1",
        f"{SHA_256}, é=:AAAA:",
        f"{SHA_256}\r\nx: y",
        f"{SHA_256}\0",
    ],
)
def test_a_malformed_field_is_refused(field: str) -> None:
    assert _refused(field) == "malformed-field"


def test_a_digest_given_twice_is_refused() -> None:
    assert _refused(f"{SHA_256}, {SHA_256}") == "duplicate-label"
    assert _refused(f"md5=:AAAA:, {SHA_256}, md5=:AAAA:") == "duplicate-label"


def test_a_field_is_of_limited_size() -> None:
    members = ", ".join(f"m{number}=:AAAA:" for number in range(15))
    verify_content_digest(f"{members}, {SHA_256}".encode(), BODY)
    assert _refused(f"{members}, m15=:AAAA:, {SHA_256}") == "too-many-labels"
    assert _refused(f"a=:{'AAAA' * 4096}:, {SHA_256}") == "field-too-large"


def test_errors_are_verification_errors_that_name_the_field() -> None:
    with pytest.raises(VerificationError, match="content-digest"):
        verify_content_digest(b"?", BODY)
