"""Signature keys: public keys that are cached and compared by value, private keys that hide their seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

from crypto import jwk, pem
from crypto.providers import default_provider
from crypto.providers.openssl import derive_public_key
from crypto.secret_files import read_secret_file, write_secret_file
from crypto.signatures import SignatureAlgorithm, Signer, Verifier
from crypto.weak_keys import refuse_weak_key


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key by value: algorithm, raw bytes, and the keyid that follows from both.

    `keyid` is the base64url RFC 7638 thumbprint (43 characters), so a keyid binds one algorithm. The key
    keeps its parsed form: parsing costs several microseconds, looking a `PublicKey` up costs none. Raises
    KeyFormatError.
    """

    algorithm: SignatureAlgorithm
    raw: bytes = field(repr=False)
    keyid: str = field(init=False, compare=False)
    _verifier: Verifier = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Parse the key, refuse a weak one, compute the keyid."""
        object.__setattr__(self, "_verifier", default_provider().verifier(self.algorithm, self.raw))
        refuse_weak_key(self.algorithm, self.raw)
        object.__setattr__(self, "keyid", jwk.thumbprint(self.algorithm, self.raw))

    @classmethod
    def from_raw(cls, algorithm: SignatureAlgorithm, raw: bytes) -> PublicKey:
        """Return the key with these bytes, parsed once while it is in use. Raises KeyFormatError."""
        return _public_key(algorithm, bytes(raw))

    @classmethod
    def from_jwk(cls, members: Mapping[str, object]) -> PublicKey:
        """Return the key of a JWK (RFC 9964 AKP, RFC 8037 OKP); private members are refused.

        Raises KeyFormatError.
        """
        return cls.from_raw(*jwk.from_jwk(members))

    @classmethod
    def from_pem(cls, data: bytes) -> PublicKey:
        """Return the key of a SubjectPublicKeyInfo PEM. Raises KeyFormatError, UnsupportedAlgorithm."""
        return cls.from_raw(*pem.decode_public(data))

    def jwk(self) -> dict[str, str]:
        """Return the JWK with the members that the thumbprint covers."""
        return jwk.to_jwk(self.algorithm, self.raw)

    def pem(self) -> bytes:
        """Return the SubjectPublicKeyInfo PEM."""
        return pem.encode_public(self.algorithm, self.raw)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return if the signature is valid for the message. Raises InvalidSignature."""
        self._verifier.verify(signature, message)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle and copy by value; the parsed form is made anew."""
        return _public_key, (self.algorithm, self.raw)


@lru_cache(maxsize=1024)
def _public_key(algorithm: SignatureAlgorithm, raw: bytes) -> PublicKey:
    return PublicKey(algorithm, raw)


class PrivateKey:
    """A private key as its seed. It signs; it is never pickled or copied, and its repr shows the keyid only."""

    __slots__ = ("_public_key", "_seed", "_signer")

    def __init__(self, algorithm: SignatureAlgorithm, seed: bytes) -> None:
        self._seed = bytes(seed)
        self._public_key = PublicKey.from_raw(algorithm, derive_public_key(algorithm, self._seed))
        self._signer: Signer = default_provider().signer(algorithm, self._seed)

    @classmethod
    def generate(cls, algorithm: SignatureAlgorithm) -> PrivateKey:
        """Return a fresh key. Raises UnsupportedAlgorithm."""
        return cls(algorithm, default_provider().generate_seed(algorithm))

    @classmethod
    def from_seed(cls, algorithm: SignatureAlgorithm, seed: bytes) -> PrivateKey:
        """Return the key of a 32-byte seed. Raises KeyFormatError."""
        return cls(algorithm, seed)

    @classmethod
    def from_pem(cls, data: bytes, passphrase: bytes | None) -> PrivateKey:
        """Return the key of a PKCS#8 PEM in seed form.

        Raises KeyFormatError, PassphraseError, UnsupportedAlgorithm.
        """
        return cls(*pem.decode_private(data, passphrase))

    @property
    def algorithm(self) -> SignatureAlgorithm:
        """The algorithm it signs with."""
        return self._public_key.algorithm

    @property
    def public_key(self) -> PublicKey:
        """The public key that belongs to the seed."""
        return self._public_key

    @property
    def keyid(self) -> str:
        """The keyid of the public key."""
        return self._public_key.keyid

    @property
    def seed(self) -> bytes:
        """The secret itself, for providers and key files."""
        return self._seed

    def pem(self, passphrase: bytes | None) -> bytes:
        """Return the PKCS#8 PEM in seed form, encrypted unless the passphrase is None.

        Raises PassphraseError.
        """
        return pem.encode_private(self.algorithm, self.seed, passphrase)

    def sign(self, message: bytes) -> bytes:
        """Return a signature over the message: hedged ML-DSA with empty context, or Ed25519."""
        return self._signer.sign(message)

    def __repr__(self) -> str:
        """Name algorithm and keyid, never the seed."""
        return f"PrivateKey({self.algorithm}, keyid={self.keyid})"

    def __reduce__(self) -> NoReturn:
        """Refuse: a pickle would hold the seed in clear."""
        raise TypeError("a PrivateKey is not pickled or copied; write it with write_private_key")


def read_private_key(path: Path, passphrase: bytes | None) -> PrivateKey:
    """Return the key in a PEM file that only its owner can touch.

    Raises KeyFileError (absent, or open to group or others), PassphraseError, KeyFormatError,
    UnsupportedAlgorithm.
    """
    return PrivateKey.from_pem(read_secret_file(path), passphrase)


def write_private_key(path: Path, key: PrivateKey, passphrase: bytes | None, *, force: bool = False) -> None:
    """Write the key as PEM with mode 0600, whole or not at all.

    Raises KeyFileError if the file is there (see `force`).
    """
    write_secret_file(path, key.pem(passphrase), force=force)
