"""Keys of the clients, by the fastest signer there is: making requests must not take longer than measuring them."""

from functools import cache
from typing import Any

from crypto import CryptoError, PrivateKey, PublicKey, SignatureAlgorithm
from crypto.providers import oqs_library
from experiments.errors import Unavailable


class NativeSigner:
    """A signing key in liboqs, which makes ML-DSA signatures about ten times as fast as OpenSSL; not one of a seed."""

    def __init__(self, algorithm: SignatureAlgorithm) -> None:
        self._native: Any = oqs_library.load().Signature(algorithm.value.upper())
        self.public_key = PublicKey.from_raw(algorithm, self._native.generate_keypair())
        self.algorithm, self.keyid = self.public_key.algorithm, self.public_key.keyid

    def sign(self, message: bytes) -> bytes:
        """Sign a message with the empty context."""
        signature: bytes = self._native.sign(message)
        return signature


Key = PrivateKey | NativeSigner


@cache
def client_key(algorithm: str) -> Key:
    """Give this process's client key of an algorithm. Raises Unavailable."""
    wanted = SignatureAlgorithm(algorithm)
    try:
        if algorithm.startswith("ml-dsa") and oqs_library.find_library() is not None:
            return NativeSigner(wanted)
        return PrivateKey.generate(wanted)
    except CryptoError as error:
        raise Unavailable(str(error)) from error
