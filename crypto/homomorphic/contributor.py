"""The contributor's side: values in, a contribution out."""

from __future__ import annotations

import hashlib
from typing import Any

from crypto.errors import ContextRefused
from crypto.homomorphic.contexts import encrypt_vector, facts_of, read_context
from crypto.homomorphic.frames import split_vector
from crypto.homomorphic.statistics import HomomorphicTerms


class Encryptor:
    """Encrypts contributions for the analyst of a public context.

    `fingerprint` (SHA-256 of the context, hexadecimal) is the study's: another context is refused. The context comes
    from the analyst through the server; who trusts neither asks the analyst for the fingerprint.

    Raises ContextRefused, LibraryMissing.
    """

    def __init__(self, context: bytes, fingerprint: str) -> None:
        if hashlib.sha256(context).hexdigest() != fingerprint:
            raise ContextRefused("the context is not the one that the study names")
        self._context: Any = read_context(context)
        self.facts = facts_of(self._context, fingerprint)

    def encrypt(self, terms: HomomorphicTerms, values: Any) -> bytes:
        """Return the contribution. Raises CapacityExceeded, CiphertextRefused, ContextRefused."""
        if terms.parameters != self.facts.parameters:
            raise ContextRefused("the study has other parameters than its context")
        parameters = terms.parameters
        return b"".join(
            split_vector(parameters, encrypt_vector(self._context, parameters, slots))[1]
            for slots in terms.encode(values)
        )
