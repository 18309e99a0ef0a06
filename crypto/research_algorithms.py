"""The table of algorithms for experiments. None of them is for the server.

liboqs 0.16 knows 265 names. These are the ones that people compare, with their sizes, so that they can be listed where
liboqs is not.

What is said of standards is of November 2026: ISO/IEC 18033-2 took FrodoKEM and Classic McEliece in its Amendment 2 of
June 2026, while liboqs 0.16 has the code that came before it; FIPS 206 (FN-DSA) and FIPS 207 (HQC) are not out; MAYO is
in the third round of NIST's additional signatures, and liboqs has that of the second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from crypto.status import Status


@dataclass(frozen=True, slots=True)
class ResearchKemInfo:
    """Facts about one mechanism; sizes in bytes, `security_level` the NIST category that its authors claim.

    Where `ind_cca` is false a key is for one encapsulation: whoever can send many ciphertexts to it may learn it.
    """

    name: str
    native_name: str
    public_key_bytes: int
    secret_key_bytes: int
    ciphertext_bytes: int
    shared_secret_bytes: int
    security_level: int
    standard: str
    status: Status
    ind_cca: bool = True


@dataclass(frozen=True, slots=True)
class ResearchSignatureInfo:
    """Facts about one algorithm; sizes in bytes, `security_level` the NIST category that its authors claim.

    `signature_bytes` is the largest length; a signature can be shorter where `variable_length` is true.
    """

    name: str
    native_name: str
    public_key_bytes: int
    secret_key_bytes: int
    signature_bytes: int
    security_level: int
    standard: str
    status: Status
    variable_length: bool = False


_Standing = tuple[str, Status]
_FIPS_203: Final = ("FIPS 203", Status.FINAL)
_FIPS_205: Final = ("FIPS 205", Status.FINAL)
_HQC: Final = ("HQC of 2025-08, FIPS 207 to come", Status.SELECTED)
_FRODO: Final = ("ISO/IEC 18033-2 Amd 2, proposal of 2023", Status.DRAFT)
_MCELIECE: Final = ("ISO/IEC 18033-2 Amd 2, code of 2022", Status.DRAFT)
_BIKE: Final = ("NIST round 4", Status.NOT_SELECTED)
_FALCON: Final = ("Falcon of 2021-11, FIPS 206 to come", Status.SELECTED)
_MAYO: Final = ("NIST additional signatures, round 2", Status.CANDIDATE)


def _kem(
    native_name: str,
    sizes: tuple[int, int, int, int],
    level: int,
    standing: _Standing,
    *,
    ind_cca: bool = True,
) -> ResearchKemInfo:
    """`sizes` are those of public key, secret key, ciphertext and shared secret."""
    return ResearchKemInfo(native_name.lower(), native_name, *sizes, level, *standing, ind_cca)


def _signature(
    name: str,
    native_name: str,
    sizes: tuple[int, int, int],
    level: int,
    standing: _Standing,
    *,
    variable_length: bool = False,
) -> ResearchSignatureInfo:
    """`sizes` are those of public key, secret key and signature."""
    return ResearchSignatureInfo(name, native_name, *sizes, level, *standing, variable_length)


KEMS: Final[Mapping[str, ResearchKemInfo]] = MappingProxyType(
    {
        info.name: info
        for info in (
            _kem("ML-KEM-512", (800, 1632, 768, 32), 1, _FIPS_203),
            _kem("HQC-1", (2241, 2321, 4433, 32), 1, _HQC),
            _kem("HQC-3", (4514, 4602, 8978, 32), 3, _HQC),
            _kem("HQC-5", (7237, 7333, 14421, 32), 5, _HQC),
            _kem("FrodoKEM-640-AES", (9616, 19888, 9752, 16), 1, _FRODO),
            _kem("FrodoKEM-640-SHAKE", (9616, 19888, 9752, 16), 1, _FRODO),
            _kem("FrodoKEM-976-AES", (15632, 31296, 15792, 24), 3, _FRODO),
            _kem("FrodoKEM-976-SHAKE", (15632, 31296, 15792, 24), 3, _FRODO),
            _kem("FrodoKEM-1344-AES", (21520, 43088, 21696, 32), 5, _FRODO),
            _kem("FrodoKEM-1344-SHAKE", (21520, 43088, 21696, 32), 5, _FRODO),
            _kem("BIKE-L1", (1541, 5223, 1573, 32), 1, _BIKE, ind_cca=False),
            _kem("BIKE-L3", (3083, 10105, 3115, 32), 3, _BIKE, ind_cca=False),
            _kem("BIKE-L5", (5122, 16494, 5154, 32), 5, _BIKE, ind_cca=False),
            _kem("Classic-McEliece-348864f", (261120, 6492, 96, 32), 1, _MCELIECE),
            _kem("Classic-McEliece-460896f", (524160, 13608, 156, 32), 3, _MCELIECE),
            _kem("Classic-McEliece-6688128f", (1044992, 13932, 208, 32), 5, _MCELIECE),
            _kem("Classic-McEliece-6960119f", (1047319, 13948, 194, 32), 5, _MCELIECE),
            _kem("Classic-McEliece-8192128f", (1357824, 14120, 208, 32), 5, _MCELIECE),
        )
    }
)

SIGNATURES: Final[Mapping[str, ResearchSignatureInfo]] = MappingProxyType(
    {
        info.name: info
        for info in (
            _signature("slh-dsa-sha2-128s", "SLH_DSA_PURE_SHA2_128S", (32, 64, 7856), 1, _FIPS_205),
            _signature("slh-dsa-sha2-128f", "SLH_DSA_PURE_SHA2_128F", (32, 64, 17088), 1, _FIPS_205),
            _signature("slh-dsa-sha2-192f", "SLH_DSA_PURE_SHA2_192F", (48, 96, 35664), 3, _FIPS_205),
            _signature("slh-dsa-sha2-256f", "SLH_DSA_PURE_SHA2_256F", (64, 128, 49856), 5, _FIPS_205),
            _signature("slh-dsa-shake-128f", "SLH_DSA_PURE_SHAKE_128F", (32, 64, 17088), 1, _FIPS_205),
            _signature("falcon-512", "Falcon-512", (897, 1281, 752), 1, _FALCON, variable_length=True),
            _signature("falcon-1024", "Falcon-1024", (1793, 2305, 1462), 5, _FALCON, variable_length=True),
            _signature("falcon-padded-512", "Falcon-padded-512", (897, 1281, 666), 1, _FALCON),
            _signature("falcon-padded-1024", "Falcon-padded-1024", (1793, 2305, 1280), 5, _FALCON),
            _signature("mayo-1", "MAYO-1", (1420, 24, 454), 1, _MAYO),
            _signature("mayo-2", "MAYO-2", (4912, 24, 186), 1, _MAYO),
            _signature("mayo-3", "MAYO-3", (2986, 32, 681), 3, _MAYO),
            _signature("mayo-5", "MAYO-5", (5554, 40, 964), 5, _MAYO),
        )
    }
)
