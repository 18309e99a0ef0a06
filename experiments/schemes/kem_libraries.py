"""Key encapsulation by the product's providers, by liboqs for experiments, and X25519 in the form of one."""

import secrets
from functools import cache, partial

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from crypto import KEM_ALGORITHMS, CiphertextError, Encapsulation, KemAlgorithm, KemProvider, ProviderUnavailable
from crypto.providers.openssl_kem import OpenSSLKemProvider
from crypto.providers.oqs_kem import OqsKemProvider
from crypto.research import research_kem
from experiments.errors import Unavailable
from experiments.schemes.kem_scheme import Decapsulate, Encapsulate


class ProductKem:
    """A mechanism by one of the product's providers; the secret key is the seed. Raises Unavailable."""

    def __init__(self, algorithm: KemAlgorithm, provider: KemProvider) -> None:
        self._algorithm = algorithm
        self._provider = provider
        self._seed_bytes = KEM_ALGORITHMS[algorithm].seed_bytes
        if algorithm not in provider.algorithms:
            raise Unavailable(f"{provider.name} has no {algorithm} here")

    def generate(self) -> tuple[bytes, bytes]:
        """Return the public key, and the seed that both halves are expanded from."""
        seed = secrets.token_bytes(self._seed_bytes)
        return self._provider.decapsulator(self._algorithm, seed).public_key, seed

    def encapsulator(self, public_key: bytes) -> Encapsulate:
        """Return what encapsulates to a public key."""
        return self._provider.encapsulator(self._algorithm, public_key).encapsulate

    def decapsulator(self, secret: bytes) -> Decapsulate:
        """Return what decapsulates by a seed."""
        return self._provider.decapsulator(self._algorithm, secret).decapsulate


class ResearchKem:
    """A mechanism of `crypto.research` by liboqs, by its name there. Raises Unavailable."""

    def __init__(self, name: str) -> None:
        try:
            self._native = research_kem(name)
        except ProviderUnavailable as error:
            raise Unavailable(str(error)) from error

    def generate(self) -> tuple[bytes, bytes]:
        """Return a fresh key pair."""
        return self._native.generate()

    def encapsulator(self, public_key: bytes) -> Encapsulate:
        """Return what encapsulates to a public key."""
        return partial(self._native.encapsulate, public_key)

    def decapsulator(self, secret: bytes) -> Decapsulate:
        """Return what decapsulates by a secret key."""
        return partial(self._native.decapsulate, secret)


class X25519:
    """Diffie-Hellman in the form of a KEM: the ciphertext is an ephemeral public key. DHKEM would hash behind it."""

    def generate(self) -> tuple[bytes, X25519PrivateKey]:
        """Return a fresh key pair."""
        secret = X25519PrivateKey.generate()
        return secret.public_key().public_bytes_raw(), secret

    def encapsulator(self, public_key: bytes) -> Encapsulate:
        """Return what encapsulates to a public key."""
        key = X25519PublicKey.from_public_bytes(public_key)

        def encapsulate() -> Encapsulation:
            ephemeral = X25519PrivateKey.generate()
            return Encapsulation(ephemeral.public_key().public_bytes_raw(), ephemeral.exchange(key))

        return encapsulate

    def decapsulator(self, secret: X25519PrivateKey) -> Decapsulate:
        """Return what decapsulates by a private key."""

        def decapsulate(ciphertext: bytes) -> bytes:
            try:
                return secret.exchange(X25519PublicKey.from_public_bytes(ciphertext))
            except ValueError as error:
                raise CiphertextError(str(error)) from None

        return decapsulate


def openssl_kem(algorithm: KemAlgorithm) -> ProductKem:
    """Return a mechanism by OpenSSL. Raises Unavailable."""
    return ProductKem(algorithm, OpenSSLKemProvider())


def oqs_kem(algorithm: KemAlgorithm) -> ProductKem:
    """Return a mechanism by liboqs; the X25519 in X-Wing is OpenSSL's. Raises Unavailable."""
    return ProductKem(algorithm, _oqs_provider())


@cache
def _oqs_provider() -> OqsKemProvider:
    try:
        return OqsKemProvider()
    except ProviderUnavailable as error:
        raise Unavailable(str(error)) from error
