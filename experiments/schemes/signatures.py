"""Every signature scheme that is measured."""

from functools import partial
from typing import Final

from crypto import ALGORITHMS, AlgorithmInfo
from crypto.research import research_signatures
from experiments.schemes.classical_signatures import EcdsaP256, RsaPss
from experiments.schemes.product_signatures import OpenSSLSignature, OqsSignature, is_on_oqs
from experiments.schemes.research_signatures import ResearchSignature
from experiments.schemes.signature_scheme import SignatureScheme

#: Those that stand for the rest.
QUICK: Final = frozenset({"ml-dsa-65", "ed25519", "ecdsa-p256", "rsa-2048-pss"})


def signature_schemes(*, wide: bool) -> list[SignatureScheme]:
    """Return the schemes, those of the product first; all of them if `wide`, else those that stand for the rest."""
    schemes = [
        *(scheme for info in ALGORITHMS.values() for scheme in _of_product(info)),
        # The longest DER form of two integers below 2^256; the key is an uncompressed point.
        SignatureScheme("ecdsa-p256", "openssl", 65, 72, EcdsaP256, variable_length=True),
        SignatureScheme("rsa-2048-pss", "openssl", 270, 256, partial(RsaPss, 2048), steady_keygen=False),
        SignatureScheme("rsa-3072-pss", "openssl", 398, 384, partial(RsaPss, 3072), steady_keygen=False),
        *(
            SignatureScheme(
                info.name,
                "oqs",
                info.public_key_bytes,
                info.signature_bytes,
                partial(ResearchSignature, info.name),
                variable_length=info.variable_length,
            )
            for info in research_signatures().values()
        ),
    ]
    return [scheme for scheme in schemes if wide or scheme.algorithm in QUICK]


def _of_product(info: AlgorithmInfo) -> list[SignatureScheme]:
    sizes = info.public_key_bytes, info.signature_bytes
    openssl, oqs = partial(OpenSSLSignature, info.algorithm), partial(OqsSignature, info.algorithm)
    name = info.algorithm.value
    if not is_on_oqs(info.algorithm):
        return [SignatureScheme(name, "openssl", *sizes, openssl)]
    return [
        SignatureScheme(name, "openssl", *sizes, openssl, peers=(oqs,)),
        SignatureScheme(name, "oqs", *sizes, oqs, peers=(openssl,)),
    ]
