"""A contribution: for each compute party a box that only this party opens, sealed by HPKE with X-Wing.

A contribution is the contributor's keyid (1 byte of length, then ASCII), and the boxes in the order of the parties. A
box holds one share vector, and is bound to terms, contributor and party.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from crypto.errors import MpcFormatError, MpcInputError, UnsealingError
from crypto.kem import KEM_ALGORITHMS, KemAlgorithm
from crypto.mpc.sharing import share
from crypto.mpc.terms import LABEL, MpcTerms
from crypto.mpc.vectors import unpack
from crypto.privacy.noise import Sampler, discrete_gaussian
from crypto.sealing import TAG_BYTES, SealingPrivateKey, SealingPublicKey

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crypto.mpc.vectors import Vector

OVERHEAD: Final = KEM_ALGORITHMS[KemAlgorithm.X_WING].ciphertext_bytes + TAG_BYTES
_KEYID: Final = re.compile(r"[!-~]{1,128}")


def box_bytes(terms: MpcTerms) -> int:
    """Return how many bytes one box has: 1,136 and the elements."""
    return OVERHEAD + terms.length * terms.field.width


@dataclass(frozen=True, slots=True)
class SharedContribution:
    """What a contributor posts: its keyid, and one box a party."""

    contributor: str
    boxes: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """Return keyid and boxes as they are posted."""
        keyid = self.contributor.encode("ascii")
        return bytes([len(keyid)]) + keyid + b"".join(self.boxes)

    @classmethod
    def from_bytes(cls, content: bytes, terms: MpcTerms) -> SharedContribution:
        """Cut what was posted into its boxes; none is opened. Raises MpcFormatError: its length, or its keyid."""
        start = 1 + (content[0] if content else 0)
        size = box_bytes(terms)
        if len(content) != start + terms.parties * size:
            raise MpcFormatError(f"a contribution has {terms.parties} boxes of {size} bytes after its keyid")
        try:
            contributor = content[1:start].decode("ascii")
        except UnicodeDecodeError:
            raise MpcFormatError("a keyid is ASCII") from None
        _check_keyid(contributor)
        return cls(contributor, tuple(content[at : at + size] for at in range(start, len(content), size)))


def seal_contribution(
    terms: MpcTerms,
    values: NDArray[Any],
    contributor: str,
    parties: Sequence[SealingPublicKey],
    randomness: Callable[[int], bytes],
    sampler: Sampler = discrete_gaussian,
) -> bytes:
    """Return a contribution: values encoded, shared, and sealed to the parties' keys, in the order of the study.

    In a study with privacy, noise of `sampler` is added to what is encoded.

    `contributor` is the keyid that signs the request. Raises MpcInputError, MpcFormatError (the keyid), KeyFormatError.
    """
    _check_keyid(contributor)
    if len(parties) != terms.parties:
        raise MpcInputError(f"{terms.parties} parties compute, and there are keys of {len(parties)}")
    encoded = terms.program.encode(terms, values)
    if terms.variance:
        encoded = encoded + sampler(len(encoded), terms.variance)
    shares = share(encoded, terms.field, terms.parties, terms.threshold, randomness)
    boxes = (
        key.seal(data, box_context(terms, contributor, index))
        for index, (key, data) in enumerate(zip(parties, shares, strict=True))
    )
    return SharedContribution(contributor, tuple(boxes)).to_bytes()


def open_box(terms: MpcTerms, box: bytes, contributor: str, party: int, key: SealingPrivateKey) -> Vector:
    """Return the share vector in a party's box. Raises MpcFormatError: it is not for this party, or no such vector."""
    try:
        data = key.open(box, box_context(terms, contributor, party))
    except UnsealingError as error:
        raise MpcFormatError(f"the box of {contributor:.64} does not open: {error}") from None
    return unpack(terms.field, data, terms.length)


def box_context(terms: MpcTerms, contributor: str, party: int) -> bytes:
    """Return what a box is bound to: the terms' digest, the party's index (1 byte) and the contributor's keyid."""
    return LABEL + b"box\n" + terms.digest + bytes([party]) + contributor.encode("ascii")


def box_digest(box: bytes) -> bytes:
    """Return what stands for a box in a transcript: its SHA-256."""
    return hashlib.sha256(box).digest()


def _check_keyid(contributor: str) -> None:
    if _KEYID.fullmatch(contributor) is None:
        raise MpcFormatError("a keyid has 1 to 128 printable characters")
