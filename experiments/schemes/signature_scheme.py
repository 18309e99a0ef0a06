"""A signature scheme as one library has it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from experiments.errors import Unavailable

Sign = Callable[[bytes], bytes]
Verify = Callable[[bytes, bytes], None]


class SignatureLibrary(Protocol):
    """One algorithm of one library, ready to use. A secret key has whatever form that library signs with."""

    def generate(self) -> tuple[bytes, Any]:
        """Return a fresh key pair: the public key's bytes, and the secret key."""

    def signer(self, secret: Any) -> Sign:
        """Return what signs a message; the secret key is parsed and expanded here, not there."""

    def verifier(self, public_key: bytes) -> Verify:
        """Return what takes a signature and a message, and raises crypto.InvalidSignature; the key is parsed here."""


@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """An algorithm and the library that carries it; sizes in bytes, as the algorithm's standard has them.

    `signature_bytes` is the largest length; a signature can be shorter where `variable_length` is true. `load` raises
    Unavailable. `peers` load the same algorithm from other libraries, to check this one by. Where making a key is a
    search that ends by chance, `steady_keygen` is false, and a window of it would say nothing.
    """

    algorithm: str
    provider: str
    public_key_bytes: int
    signature_bytes: int
    load: Callable[[], SignatureLibrary]
    variable_length: bool = False
    steady_keygen: bool = True
    peers: tuple[Callable[[], SignatureLibrary], ...] = ()

    def verifiers(self, public_key: bytes) -> list[Verify]:
        """Return the verifiers of this library and of the peers that are here."""
        libraries = [self.load()]
        for load in self.peers:
            try:
                libraries.append(load())
            except Unavailable:
                continue
        return [library.verifier(public_key) for library in libraries]

    def has_size(self, signature: bytes) -> bool:
        """Tell whether a signature has the size of the standard."""
        if self.variable_length:
            return 0 < len(signature) <= self.signature_bytes
        return len(signature) == self.signature_bytes
