"""Every key encapsulation mechanism that is measured."""

from functools import partial
from typing import Final

from crypto import KEM_ALGORITHMS, KemInfo
from crypto.research import research_kems
from experiments.schemes.kem_libraries import X25519, ResearchKem, openssl_kem, oqs_kem
from experiments.schemes.kem_scheme import KemScheme

#: Those that stand for the rest.
QUICK: Final = frozenset({"ml-kem-768", "x-wing", "x25519"})


def kem_schemes(*, wide: bool) -> list[KemScheme]:
    """Return the mechanisms, those of the product first; all of them if `wide`, else those that stand for the rest."""
    schemes = [
        *(scheme for info in KEM_ALGORITHMS.values() for scheme in _of_product(info)),
        KemScheme("x25519", "openssl", 32, 32, 32, X25519),
        *(
            KemScheme(
                info.name,
                "oqs",
                info.public_key_bytes,
                info.ciphertext_bytes,
                info.shared_secret_bytes,
                partial(ResearchKem, info.name),
            )
            for info in research_kems().values()
        ),
    ]
    return [scheme for scheme in schemes if wide or scheme.algorithm in QUICK]


def _of_product(info: KemInfo) -> list[KemScheme]:
    sizes = info.public_key_bytes, info.ciphertext_bytes, info.shared_secret_bytes
    openssl, oqs = partial(openssl_kem, info.algorithm), partial(oqs_kem, info.algorithm)
    return [
        KemScheme(info.algorithm.value, "openssl", *sizes, openssl, peers=(oqs,)),
        KemScheme(info.algorithm.value, "oqs", *sizes, oqs, peers=(openssl,)),
    ]
