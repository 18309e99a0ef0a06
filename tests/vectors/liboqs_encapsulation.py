"""Encapsulation with given randomness, which only liboqs offers, and only its C interface."""

from __future__ import annotations

from ctypes import c_char_p, c_int, c_void_p, cast, create_string_buffer

import pytest

from crypto import KEM_ALGORITHMS, Encapsulation, KemAlgorithm
from crypto.providers import oqs_library

NEEDS_OQS = (
    pytest.mark.oqs,
    pytest.mark.skipif(oqs_library.find_library() is None, reason="the native liboqs is not on this machine"),
)


def encapsulate_with(randomness: bytes, algorithm: KemAlgorithm, public_key: bytes) -> Encapsulation:
    """ML-KEM.Encaps_internal of FIPS 203 §6.2."""
    info, oqs = KEM_ALGORITHMS[algorithm], oqs_library.load()
    assert (len(randomness), len(public_key)) == (32, info.public_key_bytes)
    function = oqs.native()["OQS_KEM_encaps_derand"]
    function.argtypes, function.restype = (c_void_p, *[c_char_p] * 4), c_int
    ciphertext, secret = create_string_buffer(info.ciphertext_bytes), create_string_buffer(info.shared_secret_bytes)
    with oqs.KeyEncapsulation(algorithm.upper()) as mechanism:
        assert function(cast(mechanism._kem, c_void_p), ciphertext, secret, public_key, randomness) == 0
    return Encapsulation(ciphertext.raw, secret.raw)
