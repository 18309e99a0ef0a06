"""What one library signs with a context (FIPS 204 §5.2), the other accepts, with that context and no other."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import mldsa

from crypto.providers import oqs_library

pytestmark = [
    pytest.mark.oqs,
    pytest.mark.skipif(oqs_library.find_library() is None, reason="the native liboqs is not on this machine"),
]

CONTEXTS = [b"", b"\0", b"abc", b"x" * 254, b"x" * 255]
ALGORITHMS: dict[str, tuple[Any, Any]] = {
    "ML-DSA-44": (mldsa.MLDSA44PrivateKey, mldsa.MLDSA44PublicKey),
    "ML-DSA-65": (mldsa.MLDSA65PrivateKey, mldsa.MLDSA65PublicKey),
    "ML-DSA-87": (mldsa.MLDSA87PrivateKey, mldsa.MLDSA87PublicKey),
}
MESSAGE = b"signed here, verified there"


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: f"{len(context)} bytes")
@pytest.mark.parametrize("name", ALGORITHMS)
def test_openssl_signs_and_liboqs_verifies(name: str, context: bytes) -> None:
    oqs = oqs_library.load()
    key = ALGORITHMS[name][0].generate()
    public_key = key.public_key().public_bytes_raw()
    signature = key.sign(MESSAGE, context or None)
    with oqs.Signature(name) as verifier:
        for other in CONTEXTS:
            believed = verifier.verify_with_ctx_str(MESSAGE, signature, other, public_key)
            assert believed is (other == context)
        assert verifier.verify(MESSAGE, signature, public_key) is (context == b"")


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: f"{len(context)} bytes")
@pytest.mark.parametrize("name", ALGORITHMS)
def test_liboqs_signs_and_openssl_verifies(name: str, context: bytes) -> None:
    oqs = oqs_library.load()
    with oqs.Signature(name) as signer:
        public_key = ALGORITHMS[name][1].from_public_bytes(signer.generate_keypair())
        signature = signer.sign_with_ctx_str(MESSAGE, context) if context else signer.sign(MESSAGE)
    for other in CONTEXTS:
        if other == context:
            public_key.verify(signature, MESSAGE, other or None)
        else:
            with pytest.raises(InvalidSignature):
                public_key.verify(signature, MESSAGE, other or None)
