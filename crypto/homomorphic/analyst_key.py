"""The analyst's key: a secret context on disk, what it may still decrypt, and decrypting.

CKKS is not IND-CPA-D: who sees exact decryptions may learn the key (Li and Micciancio, EUROCRYPT 2021). So a result of
CKKS gets Gaussian noise before anybody sees it, and a key decrypts a declared number of results. The noise has the size
that Li, Micciancio, Schultz and Sorrell (CRYPTO 2022) ask for with 30 bits of statistical security; but theirs is
discrete and on the ring, ours is on the slots of the result, so their proof is not ours.
"""

from __future__ import annotations

import fcntl
import hashlib
import math
import os
import secrets
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from crypto.errors import DecryptionsExhausted, ForeignCiphertext, KeyFileError, PassphraseError
from crypto.homomorphic.contexts import facts_of, make_context, read_context
from crypto.homomorphic.facts import ContextFacts
from crypto.homomorphic.frames import join_vector
from crypto.homomorphic.parameters import CANARY, WHAT, HomomorphicParameters, Scheme
from crypto.homomorphic.residues import check_residues
from crypto.homomorphic.statistics import HomomorphicTerms
from crypto.libraries import library
from crypto.secret_files import read_secret_file, write_secret_file

MAX_KEY_BYTES: Final = 8 << 20
DECRYPTIONS: Final = 16  # results that a key decrypts, unless it was made for more
MAX_DECRYPTIONS: Final = 1_024
#: Standard deviation of the error of a fresh CKKS ciphertext's slots at scale 2^48, an upper bound of what is measured.
FRESH_ERROR: Final = 8e-12
_STATISTICAL_BITS: Final = 30
_TAIL: Final = 7.0  # standard deviations that no slot of a result is off by: 2.6e-12 each
_TOLERANCE: Final = 1e-3
_MAGIC: Final = b"secure-api analyst key 1\n"
_HEAD: Final = struct.Struct(">HHI")  # decryptions made, decryptions allowed, length of the public context
_SALT, _NONCE = 16, 12


@dataclass(frozen=True, slots=True)
class HomomorphicResult:
    """A decrypted statistic: `values`, each wrong by `bound` at most; how often the key may still be used.

    Noise for differential privacy comes on top: `noise` is its standard deviation, 0.0 in studies without.
    """

    values: Any
    bound: float
    contributors: int
    decryptions_left: int
    noise: float = 0.0


class AnalystKey:
    """A secret key for encrypted sums, in a file; `public_context` is what the analyst uploads."""

    def __init__(self, secret: bytes, public_context: bytes, made: int, allowed: int) -> None:
        self._secret = secret
        self.public_context = public_context
        self._made, self._allowed = made, allowed

    @classmethod
    def create(cls, parameters: HomomorphicParameters, *, decryptions: int = DECRYPTIONS) -> AnalystKey:
        """Make a key that may decrypt so many results. Raises DecryptionsExhausted, LibraryMissing."""
        if not 1 <= decryptions <= MAX_DECRYPTIONS:
            raise DecryptionsExhausted(f"a key decrypts 1 to {MAX_DECRYPTIONS} results")
        context = make_context(parameters)
        nothing = {"save_galois_keys": False, "save_relin_keys": False}
        secret: bytes = context.serialize(save_public_key=True, save_secret_key=True, **nothing)
        public: bytes = context.serialize(save_public_key=True, save_secret_key=False, **nothing)
        return cls(secret, public, 0, decryptions)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public context, hexadecimal: contributors compare it with the study's."""
        return hashlib.sha256(self.public_context).hexdigest()

    @property
    def decryptions_left(self) -> int:
        """How many results the key may still decrypt."""
        return self._allowed - self._made

    def facts(self) -> ContextFacts:
        """Tell what the key's own context is. Raises ContextRefused, LibraryMissing."""
        return facts_of(read_context(self.public_context), self.fingerprint)

    def save(self, path: Path, passphrase: bytes | None, *, force: bool = False) -> None:
        """Write the key, encrypted under the passphrase if there is one. Raises KeyFileError."""
        content = _HEAD.pack(self._made, self._allowed, len(self.public_context)) + self.public_context + self._secret
        if passphrase is None:
            sealed = b"0" + content
        else:
            salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
            sealed = b"1" + salt + nonce + AESGCM(_derive(passphrase, salt)).encrypt(nonce, content, _MAGIC)
        write_secret_file(path, _MAGIC + sealed, force=force)

    @classmethod
    def load(cls, path: Path, passphrase: bytes | None) -> AnalystKey:
        """Read a key. Raises KeyFileError, PassphraseError."""
        stored = read_secret_file(path, MAX_KEY_BYTES)
        if not stored.startswith(_MAGIC):
            raise KeyFileError(f"{path} is no analyst's key")
        mode, content = stored[len(_MAGIC) : len(_MAGIC) + 1], stored[len(_MAGIC) + 1 :]
        if mode == b"1":
            if passphrase is None:
                raise PassphraseError(f"{path} needs a passphrase")
            key = _derive(passphrase, content[:_SALT])
            try:
                content = AESGCM(key).decrypt(content[_SALT : _SALT + _NONCE], content[_SALT + _NONCE :], _MAGIC)
            except (InvalidTag, ValueError):
                raise PassphraseError(f"the passphrase does not open {path}, or it is damaged") from None
        if mode not in (b"0", b"1") or len(content) < _HEAD.size:
            raise KeyFileError(f"{path} is no analyst's key")
        made, allowed, length = _HEAD.unpack_from(content)
        public = content[_HEAD.size : _HEAD.size + length]
        return cls(content[_HEAD.size + length :], public, made, allowed)

    @classmethod
    def decrypt_with(
        cls,
        path: Path,
        passphrase: bytes | None,
        terms: HomomorphicTerms,
        facts: ContextFacts,
        content: bytes,
        contributors: int,
    ) -> HomomorphicResult:
        """Decrypt a study's sum with the key in a file, which counts it first.

        Raises:
            DecryptionsExhausted: the key has decrypted as many as it may.
            ForeignCiphertext: another key's ciphertext is in the sum, or it is damaged, or of other contributors.
            CiphertextRefused: the bytes are none of this context. CapacityExceeded: weights add up to nothing.
            KeyFileError, PassphraseError, LibraryMissing.
        """
        with _locked(path):
            key = cls.load(path, passphrase)
            if key.fingerprint != facts.fingerprint:
                raise ForeignCiphertext("the study was encrypted for another key than this one")
            check_residues(facts, content, terms.count)
            if key.decryptions_left <= 0:
                raise DecryptionsExhausted(f"{path} has decrypted {key._allowed} results, as many as it may")
            key._made += 1
            key.save(path, passphrase, force=True)
        return key._decrypt(terms, facts, content, contributors)

    def _decrypt(
        self, terms: HomomorphicTerms, facts: ContextFacts, content: bytes, contributors: int
    ) -> HomomorphicResult:
        slots = self._slots(terms.parameters, facts, content)
        if not (abs(slots[:, 0] - CANARY * contributors) < _TOLERANCE).all():
            raise ForeignCiphertext(
                f"the sum is not that of {contributors} contributions to this key: another key's is in it, or damage"
            )
        moments = terms.moments(slots)
        if terms.parameters.scheme is Scheme.BFV:
            error = 0.5 * terms.step * contributors
        else:
            own = FRESH_ERROR * math.sqrt(contributors)
            flood = own * math.sqrt(12 * self._allowed) * 2.0 ** (_STATISTICAL_BITS / 2)
            gauss = secrets.SystemRandom().gauss
            moments = moments + library(WHAT, "numpy").array([gauss(0.0, flood) for _ in range(moments.size)])
            error = _TAIL * math.hypot(own, flood)
        values, bound = terms.result(moments, contributors, error)
        return HomomorphicResult(values, bound, contributors, self.decryptions_left, terms.noise(contributors))

    def _slots(self, parameters: HomomorphicParameters, facts: ContextFacts, content: bytes) -> Any:
        """Decrypt every slot: `count` rows of signed numbers."""
        numpy, tenseal = library(WHAT, "numpy"), library(WHAT, "tenseal")
        context = read_context(self._secret)
        load = tenseal.ckks_vector_from if parameters.scheme is Scheme.CKKS else tenseal.bfv_vector_from
        size = 8 * parameters.residues
        rows = []
        for at in range(0, len(content), size):
            try:
                vector = load(context, join_vector(parameters, facts.prefix, content[at : at + size]))
                rows.append(vector.decrypt())
            except (ValueError, RuntimeError) as error:
                raise ForeignCiphertext("the sum cannot be decrypted with this key") from error
        slots = numpy.array(rows)
        if parameters.scheme is Scheme.BFV:
            slots = (slots + parameters.plain_modulus // 2) % parameters.plain_modulus - parameters.plain_modulus // 2
        return slots


def is_encrypted(path: Path) -> bool:
    """Tell whether a passphrase is needed to read a key. Raises KeyFileError."""
    stored = read_secret_file(path, MAX_KEY_BYTES)
    if not stored.startswith(_MAGIC):
        raise KeyFileError(f"{path} is no analyst's key")
    return stored[len(_MAGIC) : len(_MAGIC) + 1] == b"1"


def _derive(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep two programs from decrypting with one file at a time: neither would count the other."""
    try:
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise KeyFileError(f"cannot open {path.parent}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
