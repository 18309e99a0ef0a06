"""Encrypted sums: CKKS and BFV (TenSEAL), where the server adds residues and parses nothing.

docs/encrypted-sums.md has the formats to the byte and the bounds of the error. Nothing here is imported by `crypto`
itself, and neither numpy nor TenSEAL is imported before it is needed.
"""

from crypto.homomorphic.accumulator import Accumulator
from crypto.homomorphic.analyst_key import AnalystKey
from crypto.homomorphic.contributor import Encryptor
from crypto.homomorphic.facts import ContextFacts
from crypto.homomorphic.inspection import inspect_context
from crypto.homomorphic.parameters import HOMOMORPHIC_PARAMETERS, HomomorphicParameters, Scheme
from crypto.homomorphic.residues import check_residues
from crypto.homomorphic.scores import LinearModel
from crypto.homomorphic.statistics import HOMOMORPHIC_STATISTICS, HomomorphicTerms

__all__ = [
    "HOMOMORPHIC_PARAMETERS",
    "HOMOMORPHIC_STATISTICS",
    "Accumulator",
    "AnalystKey",
    "ContextFacts",
    "Encryptor",
    "HomomorphicParameters",
    "HomomorphicTerms",
    "LinearModel",
    "Scheme",
    "check_residues",
    "inspect_context",
]
