"""The content type of a sealed body, which has one spelling, and the names and statements of sealing keys."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import (
    MEDIA_TYPE,
    CryptoError,
    PrivateKey,
    SealedType,
    SealingAlgorithm,
    SealingError,
    SealingPrivateKey,
    SignatureAlgorithm,
    UnsealingError,
    is_sealed,
    sealing_key_statement,
    sealing_kid,
)

GOOD = 'application/vnd.secure-api.sealed;alg=aes-256-gcm;kid=session_-1;type="application/json"'
PARSED = SealedType(SealingAlgorithm.AES_256_GCM, "session_-1", "application/json")


def test_parsing_and_writing_are_inverse() -> None:
    assert SealedType.parse(GOOD) == PARSED
    assert PARSED.text == GOOD
    assert SealedType.parse(GOOD.replace("aes-256-gcm", "hpke-x-wing")).algorithm is SealingAlgorithm.HPKE_X_WING
    assert MEDIA_TYPE == "application/vnd.secure-api.sealed"


MALFORMED = {
    "empty": "",
    "bare": "application/vnd.secure-api.sealed",
    "no algorithm": GOOD.replace("alg=aes-256-gcm;", ""),
    "no kid": GOOD.replace("kid=session_-1;", ""),
    "no type": GOOD.partition(";type")[0],
    "empty algorithm": GOOD.replace("aes-256-gcm", ""),
    "empty kid": GOOD.replace("session_-1", ""),
    "empty type": GOOD.replace("application/json", ""),
    "other algorithm": GOOD.replace("aes-256-gcm", "aes-128-gcm"),
    "upper-case algorithm": GOOD.replace("aes-256-gcm", "AES-256-GCM"),
    "long algorithm": GOOD.replace("aes-256-gcm", "a" * 33),
    "upper-case media type": GOOD.replace("application/vnd", "Application/vnd"),
    "other media type": GOOD.replace("sealed;", "sealed2;"),
    "upper-case parameter": GOOD.replace("kid=", "KID="),
    "other order": 'application/vnd.secure-api.sealed;kid=session_-1;alg=aes-256-gcm;type="application/json"',
    "parameter twice": GOOD.replace(";kid", ";alg=aes-256-gcm;kid"),
    "unknown parameter": GOOD + ";x=1",
    "quoted kid": GOOD.replace("session_-1", '"session_-1"'),
    "long kid": GOOD.replace("session_-1", "k" * 44),
    "padded kid": GOOD.replace("session_-1", "c2Vzc2lvbg=="),
    "kid of base64": GOOD.replace("session_-1", "a+b/c"),
    "unquoted type": GOOD.replace('"', ""),
    "long type": GOOD.replace("application/json", "a" * 256),
    "quote in type": GOOD.replace("application/json", 'a"b'),
    "escaped quote in type": GOOD.replace("application/json", 'a\\"b'),
    "backslash in type": GOOD.replace("application/json", "a\\b"),
    "line break in type": GOOD.replace("application/json", "a\nb"),
    "tab in type": GOOD.replace("application/json", "a\tb"),
    "beyond ASCII in type": GOOD.replace("application/json", "ä"),
    "beyond ASCII in kid": GOOD.replace("session", "ſession"),
    "white space before": " " + GOOD,
    "white space behind": GOOD + " ",
    "white space between": GOOD.replace(";", "; "),
    "white space about =": GOOD.replace("kid=", "kid = "),
    "a semicolon behind": GOOD + ";",
    "a line break behind": GOOD + "\n",
    "a line break before": "\n" + GOOD,
    "two of them": f"{GOOD}, {GOOD}",
    "NUL": GOOD + "\0",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
def test_there_is_no_second_spelling(text: str) -> None:
    with pytest.raises(UnsealingError):
        SealedType.parse(text)


@given(st.text(max_size=80) | st.text(max_size=10).map(lambda text: GOOD[:40] + text + GOOD[40:]))
def test_what_parses_is_written_the_same(text: str) -> None:
    try:
        parsed = SealedType.parse(text)
    except CryptoError as error:
        assert type(error) is UnsealingError  # noqa: PT017 - not every text is refused
    else:
        assert parsed.text == text


@given(st.sampled_from(SealingAlgorithm), st.text(max_size=60), st.text(max_size=300))
def test_what_is_written_parses_to_the_same(algorithm: SealingAlgorithm, kid: str, content_type: str) -> None:
    sealed_type = SealedType(algorithm, kid, content_type)
    try:
        text = sealed_type.text
    except CryptoError as error:
        assert type(error) is SealingError  # noqa: PT017 - not every text is refused
    else:
        assert SealedType.parse(text) == sealed_type


UNSPEAKABLE = ["", "a" * 256, 'text/plain; charset="utf-8"', "a\\b", "a\nb", "a\r\nx: y", "a\tb", "ä", "\0", "\x7f"]


@pytest.mark.parametrize("content_type", UNSPEAKABLE)
def test_a_type_that_it_cannot_say_is_refused(content_type: str) -> None:
    with pytest.raises(SealingError, match="cannot be sealed"):
        SealedType(SealingAlgorithm.HPKE_X_WING, "reply", content_type).text  # noqa: B018


@pytest.mark.parametrize("kid", ["", "k" * 44, "a;b", "a b", 'a"', "a=", "a\n", "ä"])
def test_a_kid_that_it_cannot_say_is_refused(kid: str) -> None:
    with pytest.raises(SealingError):
        SealedType(SealingAlgorithm.HPKE_X_WING, kid, "a/b").text  # noqa: B018


@pytest.mark.parametrize("content_type", ["a", "a" * 255, "text/plain; charset=utf-8", " ", "a;b,c=d/e[]{}~!#$%&'()*+"])
def test_types_that_it_can_say(content_type: str) -> None:
    text = SealedType(SealingAlgorithm.HPKE_X_WING, "k" * 43, content_type).text
    assert SealedType.parse(text).content_type == content_type


@pytest.mark.parametrize(
    "text", [GOOD, MEDIA_TYPE, MEDIA_TYPE.upper(), f" {MEDIA_TYPE} ;x", MEDIA_TYPE + ";", GOOD + "\n"]
)
def test_it_is_recognized_however_it_is_spelled(text: str) -> None:
    """So that another spelling is refused as a sealed body, and never read as a body of some other type."""
    assert is_sealed(text)


@pytest.mark.parametrize(
    "text", ["", "application/json", MEDIA_TYPE + "2", "x" + MEDIA_TYPE, f"text/plain;x={MEDIA_TYPE}"]
)
def test_other_types_are_not_sealed(text: str) -> None:
    assert not is_sealed(text)


def test_the_statement_about_a_sealing_key() -> None:
    public_key = SealingPrivateKey(bytes(range(32))).public_key
    kid = base64.urlsafe_b64encode(hashlib.sha256(public_key).digest()).decode().rstrip("=")
    assert sealing_kid(public_key) == kid
    assert len(kid) == 43
    statement = sealing_key_statement(public_key, created=1, retires=20, expires=300)
    assert statement == f"secure-api sealing key v1\nhpke-x-wing\n{kid}\n1\n20\n300".encode()
    others = [
        sealing_key_statement(public_key[:-1] + bytes([public_key[-1] ^ 1]), created=1, retires=20, expires=300),
        sealing_key_statement(public_key, created=12, retires=0, expires=300),
        sealing_key_statement(public_key, created=1, retires=203, expires=0),
        sealing_key_statement(public_key, created=1, retires=20, expires=301),
    ]
    assert len({statement, *others}) == 5


def test_no_statement_is_a_signature_base() -> None:
    """One key signs both: the lines of a base (RFC 9421 §2.5) begin with a quotation mark, this does not."""
    public_key = SealingPrivateKey(bytes(32)).public_key
    statement = sealing_key_statement(public_key, created=1, retires=2, expires=3)
    assert not statement.startswith(b'"')
    server = PrivateKey.from_seed(SignatureAlgorithm.ML_DSA_65, bytes(32))
    server.public_key.verify(server.sign(statement), statement)
