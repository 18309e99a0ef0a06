"""The signature algorithms of the product, by both of its libraries."""

from functools import cache

from crypto import ALGORITHMS, ProviderUnavailable, SignatureAlgorithm
from crypto.providers import OpenSSLProvider
from crypto.providers.openssl import derive_public_key
from crypto.providers.oqs import OqsProvider
from crypto.providers.oqs_native_signature import NativeSignature
from experiments.errors import Unavailable
from experiments.schemes.signature_scheme import Sign, Verify


class OpenSSLSignature:
    """An algorithm by the product's OpenSSL provider; the secret key is the seed. Raises Unavailable."""

    def __init__(self, algorithm: SignatureAlgorithm) -> None:
        self._provider = OpenSSLProvider()
        self._algorithm = algorithm
        if algorithm not in self._provider.algorithms:
            raise Unavailable(f"this build of cryptography has no {algorithm}")

    def generate(self) -> tuple[bytes, bytes]:
        """Return the public key, and the seed that it is expanded from."""
        seed = self._provider.generate_seed(self._algorithm)
        return derive_public_key(self._algorithm, seed), seed

    def signer(self, secret: bytes) -> Sign:
        """Return the signer of a seed."""
        return self._provider.signer(self._algorithm, secret).sign

    def verifier(self, public_key: bytes) -> Verify:
        """Return the verifier of a public key."""
        return self._provider.verifier(self._algorithm, public_key).verify


class OqsSignature:
    """ML-DSA by liboqs: verification by the product's provider. Raises Unavailable.

    The product signs from seeds, which liboqs cannot do: there OpenSSL signs. Here liboqs signs with an expanded key of
    its own making.
    """

    def __init__(self, algorithm: SignatureAlgorithm) -> None:
        self._algorithm = algorithm
        self._provider = _oqs_provider()
        try:
            self._native = NativeSignature(ALGORITHMS[algorithm].jose)
        except ProviderUnavailable as error:
            raise Unavailable(str(error)) from error

    def generate(self) -> tuple[bytes, bytes]:
        """Return the public key and the expanded secret key."""
        return self._native.generate()

    def signer(self, secret: bytes) -> Sign:
        """Return the signer of an expanded secret key."""
        native = self._native
        return lambda message: native.sign(secret, message)

    def verifier(self, public_key: bytes) -> Verify:
        """Return the verifier of a public key."""
        return self._provider.verifier(self._algorithm, public_key).verify


@cache
def _oqs_provider() -> OqsProvider:
    # One for the process: verifiers point into it.
    try:
        return OqsProvider()
    except ProviderUnavailable as error:
        raise Unavailable(str(error)) from error


def is_on_oqs(algorithm: SignatureAlgorithm) -> bool:
    """Tell whether the product knows an algorithm from liboqs, where that is installed: all but Ed25519."""
    return algorithm is not SignatureAlgorithm.ED25519
