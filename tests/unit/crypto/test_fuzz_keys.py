"""Keys that no example thought of: JWKs and key files raise our errors alone, random signatures are refused."""

from __future__ import annotations

from base64 import b64decode, encodebytes

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from crypto import ALGORITHMS, CryptoError, InvalidSignature, PrivateKey, PublicKey
from tests.unit.crypto.mutation import mutated
from tests.unit.crypto.signed_message import ED25519, ML_DSA

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.sampled_from([ED25519.public_key.jwk(), ML_DSA.public_key.jwk(), {}]),
    st.dictionaries(
        st.sampled_from(["kty", "crv", "alg", "x", "pub", "priv", "d", "use", "key_ops", "kid"]) | st.text(max_size=5),
        json_values | st.sampled_from(["AKP", "OKP", "Ed25519", "EdDSA", "ML-DSA-44", "sig", ["verify"]]),
        max_size=4,
    ),
)
def test_jwks_raise_nothing_but_our_errors(valid: dict[str, object], changes: dict[str, object]) -> None:
    members = {**valid, **changes}
    try:
        key = PublicKey.from_jwk(members)
    except CryptoError:
        event("refused")
        return
    event("read")
    assert key.jwk().items() <= {"alg": members.get("alg"), **members}.items()
    assert len(key.raw) == ALGORITHMS[key.algorithm].public_key_bytes


PEMS = [key.pem(None) for key in (ED25519, ML_DSA)] + [key.public_key.pem() for key in (ED25519, ML_DSA)]
ENCRYPTED = ED25519.pem(b"passphrase")


@st.composite
def hostile_pems(draw: st.DrawFn) -> bytes:
    """A key file whose text, or whose DER inside, is mutated."""
    pem = draw(st.sampled_from([*PEMS, ENCRYPTED]))
    if draw(st.booleans()):
        return draw(mutated(pem))
    first, *lines, last = pem.splitlines()
    der = draw(mutated(b64decode(b"".join(lines))) | st.binary(max_size=80))
    return b"\n".join([first, encodebytes(der).strip(), last])


@given(hostile_pems() | st.binary(max_size=200), st.sampled_from([None, b"passphrase", b"other", b""]))
def test_key_files_raise_nothing_but_our_errors(pem: bytes, passphrase: bytes | None) -> None:
    for read in (PublicKey.from_pem, lambda pem: PrivateKey.from_pem(pem, passphrase)):
        try:
            key = read(pem)
        except CryptoError as error:
            event(f"refused: {type(error).__name__}")
        else:
            event("read")
            assert key.keyid in repr(key)


@given(st.sampled_from([ED25519, ML_DSA]), st.data(), st.binary(max_size=40))
def test_random_signatures_are_refused(key: PrivateKey, data: st.DataObject, message: bytes) -> None:
    length = ALGORITHMS[key.algorithm].signature_bytes
    signature = data.draw(st.binary(max_size=100) | st.binary(min_size=length, max_size=length))
    with pytest.raises(InvalidSignature):
        key.public_key.verify(signature, message)
