"""Algorithms for experiments, through liboqs: an allow-list of its own, and none of it for the server.

What is here is checked against the table before it runs: a liboqs with another version of an algorithm is refused
instead of measured.
"""

from __future__ import annotations

from collections.abc import Mapping

from crypto.errors import ProviderUnavailable, UnsupportedAlgorithm
from crypto.providers.oqs_native_kem import NativeKem
from crypto.providers.oqs_native_signature import NativeSignature
from crypto.research_algorithms import KEMS, SIGNATURES, ResearchKemInfo, ResearchSignatureInfo


def research_kems() -> Mapping[str, ResearchKemInfo]:
    """Return the facts of every mechanism for experiments, by our name for it. Needs no liboqs."""
    return KEMS


def research_signatures() -> Mapping[str, ResearchSignatureInfo]:
    """Return the facts of every signature algorithm for experiments, by our name for it. Needs no liboqs."""
    return SIGNATURES


def research_kem(name: str) -> NativeKem:
    """Return the mechanism, ready to generate, encapsulate and decapsulate.

    Raises UnsupportedAlgorithm (not on this list), ProviderUnavailable (no liboqs, or another version of it).
    """
    info = KEMS.get(name)
    if info is None:
        raise UnsupportedAlgorithm(f"no such key encapsulation for research: {name!r}")
    kem = NativeKem(info.native_name)
    found = kem.public_key_bytes, kem.secret_key_bytes, kem.ciphertext_bytes, kem.shared_secret_bytes
    if found != (info.public_key_bytes, info.secret_key_bytes, info.ciphertext_bytes, info.shared_secret_bytes):
        raise ProviderUnavailable(f"liboqs has another {name}: its sizes are {found}")
    return kem


def research_signature(name: str) -> NativeSignature:
    """Return the algorithm, ready to generate, sign and verify.

    Raises UnsupportedAlgorithm (not on this list), ProviderUnavailable (no liboqs, or another version of it).
    """
    info = SIGNATURES.get(name)
    if info is None:
        raise UnsupportedAlgorithm(f"no such signature algorithm for research: {name!r}")
    signature = NativeSignature(info.native_name, variable_length=info.variable_length)
    found = signature.public_key_bytes, signature.secret_key_bytes, signature.signature_bytes
    if found != (info.public_key_bytes, info.secret_key_bytes, info.signature_bytes):
        raise ProviderUnavailable(f"liboqs has another {name}: its sizes are {found}")
    return signature
