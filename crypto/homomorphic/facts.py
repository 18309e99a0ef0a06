"""What must be known of a public context to add its ciphertexts: told once, by a process that parsed it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from crypto.errors import ContextRefused
from crypto.homomorphic.parameters import HOMOMORPHIC_PARAMETERS, HomomorphicParameters

_HEX: Final = re.compile(r"[0-9a-f]+")
_MAX_PREFIX: Final = 256  # bytes


@dataclass(frozen=True, slots=True)
class ContextFacts:
    """A public context: SHA-256 of its bytes (hexadecimal), its parameters, the modulus of its ciphertexts.

    `prefix` stands before the residues in SEAL's own form of every ciphertext of these parameters.
    """

    fingerprint: str
    parameters: HomomorphicParameters
    modulus: int
    prefix: bytes

    def to_json(self) -> str:
        """Write the facts as JSON."""
        return json.dumps(
            {
                "fingerprint": self.fingerprint,
                "parameters": self.parameters.name,
                "modulus": self.modulus,
                "prefix": self.prefix.hex(),
            }
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> ContextFacts:
        """Read what `to_json` wrote. Raises ContextRefused."""
        try:
            members = json.loads(text)
            fingerprint, modulus, prefix = members["fingerprint"], members["modulus"], members["prefix"]
            parameters = HOMOMORPHIC_PARAMETERS[members["parameters"]]
            if not (
                len(fingerprint) == 64
                and _HEX.fullmatch(fingerprint)
                and isinstance(modulus, int)
                and 2 <= modulus < 2**61
                and 0 < len(prefix) <= 2 * _MAX_PREFIX
            ):
                raise ContextRefused("the facts of a context make no sense")
            return cls(fingerprint, parameters, modulus, bytes.fromhex(prefix))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ContextRefused("the facts of a context make no sense") from error
