"""Which algorithms must stand under a request."""

from enum import StrEnum


class SignaturePolicy(StrEnum):
    """The server's demand on the set of signatures of one request."""

    ANY = "any"  # any enrolled key, as its own key set demands
    POST_QUANTUM = "post-quantum"  # at least one ML-DSA signature
    HYBRID = "hybrid"  # an ML-DSA and an Ed25519 signature
