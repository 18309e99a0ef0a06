"""From (epsilon, delta) to zero-concentrated differential privacy (zCDP) and back, by opendp's conversion.

rho-zCDP adds up exactly when mechanisms are composed (Bun and Steinke 2016, Lemma 1.7), so a budget is kept in rho and
told in epsilon.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Final

from crypto.errors import PrivacyError
from crypto.libraries import library

WHAT: Final = "studies with differential privacy"
MAX_RHO: Final = 1e6
_STEPS: Final = 60


def epsilon_of(rho: float, delta: float) -> float:
    """Return the epsilon that rho-zCDP gives at a delta (Canonne, Kamath and Steinke 2020, Proposition 7).

    Raises PrivacyError: rho or delta make no sense. Raises LibraryMissing.
    """
    if not (math.isfinite(rho) and 0 <= rho <= MAX_RHO and 0 < delta < 1):
        raise PrivacyError(f"rho lies between 0 and {MAX_RHO:g}, delta between 0 and 1")
    if rho == 0:
        return 0.0
    # A Gaussian of scale 1 is (d^2 / 2)-zCDP at distance d: that is how opendp is told a rho.
    epsilon: float = _conversion().map(math.sqrt(2 * rho)).epsilon(delta)
    return epsilon


def rho_of(epsilon: float, delta: float) -> float:
    """Return the largest rho, to one part in a million, of which rho-zCDP gives (epsilon, delta).

    Raises PrivacyError: they make no sense. Raises LibraryMissing.
    """
    if not (math.isfinite(epsilon) and epsilon > 0 and 0 < delta < 1):
        raise PrivacyError("epsilon is a number above 0, delta lies between 0 and 1")
    low, high = 0.0, min(epsilon, MAX_RHO)  # epsilon(rho) is above rho for every delta below 1/2 that is in use
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if epsilon_of(middle, delta) <= epsilon:
            low = middle
        else:
            high = middle
        if high - low <= 1e-6 * low:
            break
    if low == 0:
        raise PrivacyError(f"epsilon {epsilon:g} is too small")
    return low


@cache
def _conversion() -> Any:
    dp = library(WHAT, "opendp.prelude")
    dp.enable_features("contrib")
    space = dp.atom_domain(T="f64", nan=False), dp.absolute_distance(T="f64")
    return dp.c.make_zCDP_to_approxDP(dp.m.make_gaussian(*space, scale=1.0))
