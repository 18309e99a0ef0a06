"""A key encapsulation mechanism as one library has it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from crypto import Encapsulation
from experiments.errors import Unavailable

Encapsulate = Callable[[], Encapsulation]
Decapsulate = Callable[[bytes], bytes]


class KemLibrary(Protocol):
    """One mechanism of one library, ready to use. A secret key has whatever form that library decapsulates with."""

    def generate(self) -> tuple[bytes, Any]:
        """Return a fresh key pair: the public key's bytes, and the secret key."""

    def encapsulator(self, public_key: bytes) -> Encapsulate:
        """Return what encapsulates to a public key; the key is parsed and checked here, not there."""

    def decapsulator(self, secret: Any) -> Decapsulate:
        """Return what decapsulates; the secret key is expanded here, not there."""


@dataclass(frozen=True, slots=True)
class KemScheme:
    """A mechanism and the library that carries it; sizes in bytes, as the mechanism's standard has them.

    `load` raises Unavailable. `peers` load the same mechanism from other libraries, whose secret keys have the same
    form, to check this one by.
    """

    algorithm: str
    provider: str
    public_key_bytes: int
    ciphertext_bytes: int
    shared_secret_bytes: int
    load: Callable[[], KemLibrary]
    peers: tuple[Callable[[], KemLibrary], ...] = ()

    def libraries(self) -> list[KemLibrary]:
        """Return this library and the peers that are here. Raises Unavailable when this one is not."""
        found = [self.load()]
        for load in self.peers:
            try:
                found.append(load())
            except Unavailable:
                continue
        return found
