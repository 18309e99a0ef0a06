"""The roster: who is invited to a masked sum, under which enrolled key.

A server that may put keys of its own on a roster can be all of a client's partners, and learn what it contributes. So
a client makes its roster from keys that it knows, not from what the server says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from crypto.errors import InvalidSignature, MaskingRefused, MaskingTermsError
from crypto.masking.terms import MaskingTerms
from crypto.signatures import SignatureAlgorithm
from crypto.signing import SigningKey
from crypto.verification import VerificationKey


class EnrolledKey(VerificationKey, Protocol):
    """A key that a signature can be verified under, and its name: a `PublicKey`."""

    @property
    def keyid(self) -> str:
        """The key's name, which signatures and the list of participants bind."""


class MaskingRoster(Mapping[int, EnrolledKey]):
    """The invited clients' keys by index. Raises MaskingTermsError.

    Keys of MACs are refused: both ends can make those, and a server could speak for its clients.
    """

    __slots__ = ("_keys",)

    def __init__(self, terms: MaskingTerms, keys: Mapping[int, EnrolledKey]) -> None:
        if not terms.threshold <= len(keys) <= terms.contributors:
            limits = f"{terms.threshold} to {terms.contributors}"
            raise MaskingTermsError(f"{limits} clients can be invited, not {len(keys)}")
        for index, key in keys.items():
            if not 1 <= index <= terms.contributors:
                raise MaskingTermsError(f"a client's index is from 1 to {terms.contributors}, not {index}")
            _check_algorithm(key)
        if len({key.keyid for key in keys.values()}) != len(keys):
            raise MaskingTermsError("one key is invited twice")
        self._keys = dict(sorted(keys.items()))

    def __getitem__(self, index: int) -> EnrolledKey:
        """Return the key of a client. Raises KeyError."""
        return self._keys[index]

    def __iter__(self) -> Iterator[int]:
        """Go through the indices, ascending."""
        return iter(self._keys)

    def __len__(self) -> int:
        """Tell how many are invited."""
        return len(self._keys)

    def verify(self, index: int, signature: bytes, statement: bytes, what: str) -> None:
        """Return if the client signed the statement. Raises MaskingRefused."""
        key = self._keys.get(index)
        if key is None:
            raise MaskingRefused(f"client {index} is not invited")
        try:
            key.verify(signature, statement)
        except InvalidSignature:
            raise MaskingRefused(f"client {index} did not sign {what}") from None

    def check_signer(self, index: int, key: SigningKey) -> None:
        """Refuse a key that is not the client's. Raises MaskingTermsError."""
        _check_algorithm(key)
        if index not in self._keys or self._keys[index].keyid != key.keyid:
            raise MaskingTermsError(f"{key.keyid} is not the key under which client {index} is invited")


def _check_algorithm(key: VerificationKey | SigningKey) -> None:
    if not isinstance(key.algorithm, SignatureAlgorithm):
        raise MaskingTermsError(f"a client of a masked sum has a signature key, not one of {key.algorithm}")
