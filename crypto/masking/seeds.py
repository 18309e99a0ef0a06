"""What a client derives from its secrets: HKDF-SHA256 (RFC 5869) without salt, one label a purpose.

`root` (32 random bytes) is what the others can put together when the client drops out. It gives the X-Wing key that
pair seeds are sealed to, and every pair seed that the client chose; nothing else may follow from it. The key that the
others' shares are sealed to comes from a seed of its own, which is never shared: a server that could open them would
hold, for every client that dropped out, one more share of everybody's secrets.
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.masking.masks import SEED_BYTES
from crypto.masking.terms import LABEL, MaskingTerms
from crypto.sealing import SealingPrivateKey


def pair_key(terms: MaskingTerms, root: bytes) -> SealingPrivateKey:
    """Return the X-Wing key of a root, which opens the pair seeds that clients of lower index chose."""
    return SealingPrivateKey(_derive(root, b"pair key", terms))


def pair_root(terms: MaskingTerms, root: bytes) -> bytes:
    """Return the secret behind the pair seeds that the client itself chooses."""
    return _derive(root, b"pair root", terms)


def pair_seed(terms: MaskingTerms, root_of_lower: bytes, lower: int, higher: int) -> bytes:
    """Return the seed of a pair from the lower client's `pair_root`."""
    return _derive(root_of_lower, b"pair seed", terms, lower.to_bytes(2) + higher.to_bytes(2))


def commitment(terms: MaskingTerms, index: int, self_seed: bytes) -> bytes:
    """Return what a client publishes of the seed of its own mask, so that a false one is noticed."""
    return hashlib.sha256(LABEL + b"commitment\n" + terms.digest + index.to_bytes(2) + self_seed).digest()


def _derive(secret: bytes, purpose: bytes, terms: MaskingTerms, suffix: bytes = b"") -> bytes:
    return HKDF(SHA256(), SEED_BYTES, None, LABEL + purpose + b"\n" + terms.digest + suffix).derive(secret)
