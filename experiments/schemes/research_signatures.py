"""The signature algorithms that are for experiments only, by liboqs."""

from crypto import ProviderUnavailable
from crypto.research import research_signature
from experiments.errors import Unavailable
from experiments.schemes.signature_scheme import Sign, Verify


class ResearchSignature:
    """An algorithm of `crypto.research`, by its name there. Raises Unavailable."""

    def __init__(self, name: str) -> None:
        try:
            self._native = research_signature(name)
        except ProviderUnavailable as error:
            raise Unavailable(str(error)) from error

    def generate(self) -> tuple[bytes, bytes]:
        """Return a fresh key pair."""
        return self._native.generate()

    def signer(self, secret: bytes) -> Sign:
        """Return the signer of a secret key."""
        native = self._native
        return lambda message: native.sign(secret, message)

    def verifier(self, public_key: bytes) -> Verify:
        """Return the verifier of a public key."""
        native = self._native
        return lambda signature, message: native.verify(public_key, signature, message)
