"""Keys of the clients, by the fastest signer there is: making requests must not take longer than measuring them."""

from functools import cache
from typing import Final

from crypto import CryptoError, PrivateKey, PublicKey, SignatureAlgorithm
from experiments.errors import Unavailable
from experiments.schemes.product_signatures import OqsSignature, is_on_oqs

#: Clients that open sessions in turn: each has few at a time, as real ones do.
_CLIENTS: Final = 32


class NativeKey:
    """A signing key in liboqs, which makes ML-DSA signatures about ten times as fast as OpenSSL; not one of a seed.

    Raises Unavailable.
    """

    def __init__(self, algorithm: SignatureAlgorithm) -> None:
        scheme = OqsSignature(algorithm)
        public_key, secret = scheme.generate()
        self.public_key = PublicKey.from_raw(algorithm, public_key)
        self.algorithm, self.keyid = self.public_key.algorithm, self.public_key.keyid
        self._sign = scheme.signer(secret)

    def sign(self, message: bytes) -> bytes:
        """Sign a message with the empty context."""
        return self._sign(message)


Key = PrivateKey | NativeKey


def fast_key(algorithm: SignatureAlgorithm) -> Key:
    """Make a key."""
    if is_on_oqs(algorithm):
        try:
            return NativeKey(algorithm)
        except Unavailable:
            pass  # OpenSSL signs, slowly
    return PrivateKey.generate(algorithm)


@cache
def client_key(algorithm: str) -> Key:
    """Give this process's client key of an algorithm."""
    return fast_key(SignatureAlgorithm(algorithm))


@cache
def handshake_keys() -> tuple[Key, ...]:
    """Give the keys of the clients of this process that open sessions in turn, by ML-DSA-65."""
    return tuple(fast_key(SignatureAlgorithm.ML_DSA_65) for _ in range(_CLIENTS))


@cache
def admin_key() -> PrivateKey:
    """Give the key of the first admin of every home of this process, who also opens the sessions that are measured."""
    return PrivateKey.generate(SignatureAlgorithm.ML_DSA_65)


@cache
def server_key() -> PrivateKey:
    """Give the key of every server that this process starts."""
    return PrivateKey.generate(SignatureAlgorithm.ML_DSA_65)


def enrolled_keys() -> list[PublicKey]:
    """Give the public keys of all clients but the admin."""
    keys: list[Key] = [*(client_key(algorithm.value) for algorithm in SignatureAlgorithm), *handshake_keys()]
    return [key.public_key for key in keys]


def require_provider(provider: str) -> None:
    """Look for the library that is to verify. Raises Unavailable."""
    if provider == "oqs":
        try:
            OqsSignature(SignatureAlgorithm.ML_DSA_65)
        except CryptoError as error:
            raise Unavailable(str(error)) from error
