"""What others have published about the algorithms of `primitives`: sizes of the standards, cycles and times."""

from typing import Final

from experiments.experiment import Published

_ZOO: Final = "PQShield, Post-Quantum Signatures Zoo, as copied in KazKobara/plot_openssl_speed 1.0.1 (AIST, 2024)"
_AVX2: Final = "Intel Skylake, the authors' AVX2 code"
_JWT: Final = "jwt-pq for Ruby with liboqs 0.15, its documentation (2026)"
_OPENSSL: Final = "OpenSSL pull request 30654 (2026-03), openssl speed of the baseline, which has no vector code"
_C2SP: Final = "C2SP httpsig-pq v1.0.0 (2026-07), Signature Size Considerations"

_NEWER: Final = (
    "likely: liboqs 0.16 computes Keccak by AVX-512 where the CPU has it (arXiv:2306.01989 saved 37 to 47 % of the "
    "cycles of AVX2 by AVX-512 for all of ML-DSA), and the core is about ten years newer; our clock is nominal"
)
_PORTABLE: Final = (
    "likely: theirs is SPHINCS+ before FIPS 205 in portable code; the copy names neither variant, code nor machine"
)
_RUBY: Final = "likely: theirs is a whole JSON Web Token by way of Ruby, on AVX2; ours is the signature alone"

_CYCLES: Final = (
    ("ml-dsa-44", 333_013, 118_412, _AVX2, _NEWER),
    ("ml-dsa-65", 529_106, 179_424, _AVX2, _NEWER),
    ("ml-dsa-87", 642_192, 279_936, _AVX2, _NEWER),
    ("falcon-512", 1_009_764, 81_036, "", ""),
    ("falcon-1024", 2_053_080, 160_596, "", ""),
    ("slh-dsa-shake-128f", 239_793_806, 12_909_924, "", _PORTABLE),
)
_PER_SECOND: Final = (("ml-dsa-44", 8_026, 11_074), ("ml-dsa-65", 5_972, 9_339))
#: Microseconds to make a key, sign and verify.
_MICROSECONDS: Final = (
    ("ml-dsa-44", 104, 333, 85),
    ("ml-dsa-65", 207, 549, 140),
    ("ml-dsa-87", 279, 695, 240),
)
#: Public key and signature.
_SIGNATURE_BYTES: Final = (
    ("ml-dsa-44", "openssl", 1312, 2420, "FIPS 204, table 2"),
    ("ml-dsa-65", "openssl", 1952, 3309, "FIPS 204, table 2"),
    ("ml-dsa-87", "openssl", 2592, 4627, "FIPS 204, table 2"),
    ("ed25519", "openssl", 32, 64, "RFC 8032, section 5.1"),
    ("slh-dsa-sha2-128s", "oqs", 32, 7856, "FIPS 205, table 2"),
    ("slh-dsa-sha2-128f", "oqs", 32, 17088, "FIPS 205, table 2"),
    ("slh-dsa-sha2-192f", "oqs", 48, 35664, "FIPS 205, table 2"),
    ("slh-dsa-sha2-256f", "oqs", 64, 49856, "FIPS 205, table 2"),
    ("slh-dsa-shake-128f", "oqs", 32, 17088, "FIPS 205, table 2"),
)
#: Public key and ciphertext.
_KEM_BYTES: Final = (
    ("ml-kem-512", "oqs", 800, 768, "FIPS 203, table 3"),
    ("ml-kem-768", "openssl", 1184, 1088, "FIPS 203, table 3"),
    ("ml-kem-1024", "openssl", 1568, 1568, "FIPS 203, table 3"),
    ("x-wing", "openssl", 1216, 1120, "draft-connolly-cfrg-xwing-kem, section 5"),
)
_BASE64_BYTES: Final = (("ml-dsa-44", 3228), ("ml-dsa-65", 4412), ("ml-dsa-87", 6172))

#: Times are set beside our CPU time: these operations wait for nothing, and our machine may be shared.
PRIMITIVES: Final = (
    *(
        Published(f"{name} {operation} oqs", figure, "cycles", "cpu", _ZOO, machine, reason=reason)
        for name, signing, verifying, machine, reason in _CYCLES
        for operation, figure in (("sign", signing), ("verify", verifying))
    ),
    *(
        Published(f"{name} {operation} oqs", 1e6 / rate, "us", "cpu", _JWT, "Intel i9-9880H", 2.3e9, _RUBY)
        for name, signing, verifying in _PER_SECOND
        for operation, rate in (("sign", signing), ("verify", verifying))
    ),
    *(
        Published(f"{name} {operation} openssl", figure, "us", "cpu", _OPENSSL, "Intel Xeon Platinum 8455C", 2.0e9)
        for name, *figures in _MICROSECONDS
        for operation, figure in zip(("keygen", "sign", "verify"), figures, strict=True)
    ),
    *(
        Published(f"{name} sign {provider}", size, "bytes", quantity, source)
        for name, provider, *sizes, source in _SIGNATURE_BYTES
        for quantity, size in zip(("public_key_bytes", "signature_bytes"), sizes, strict=True)
    ),
    *(
        Published(f"{name} sign openssl", size, "bytes", "signature_base64_bytes", _C2SP)
        for name, size in _BASE64_BYTES
    ),
    *(
        Published(f"{name} encaps {provider}", size, "bytes", quantity, source)
        for name, provider, *sizes, source in _KEM_BYTES
        for quantity, size in zip(("public_key_bytes", "ciphertext_bytes"), sizes, strict=True)
    ),
)

_BONAWITZ: Final = "Bonawitz et al., CCS 2017, abstract: 1.73 times the communication of 16-bit values in the clear"

#: 2^10 users, 2^20 values of 16 bits: 1.73 times, which are 3.46 bytes a value.
MASKED: Final = (
    Published(
        "collect ours 1000000",
        1.73 * 2,
        "bytes",
        "value_bytes",
        _BONAWITZ,
        reason="theirs counts keys and shares of 1,024 users and packs 16-bit values; ours sends 32-bit words, and "
        "keys and shares are not in this figure",
    ),
)
