"""Differential privacy of sums that nobody adds up alone: every contributor adds a part of the noise.

docs/privacy.md has the mechanism with its formulas, what it promises and to whom. opendp is asked for when noise is
drawn or (epsilon, delta) is converted.
"""

from crypto.privacy.accounting import epsilon_of, rho_of
from crypto.privacy.noise import TAIL, Sampler, discrete_gaussian
from crypto.privacy.terms import PrivacyTerms, fitting_levels

__all__ = [
    "TAIL",
    "PrivacyTerms",
    "Sampler",
    "discrete_gaussian",
    "epsilon_of",
    "fitting_levels",
    "rho_of",
]
