"""How much noise each contributor adds, so that what `honest` of them add together gives what a study declares.

The sum of n discrete Gaussians of parameter sigma^2 over vectors whose L2 distance is at most D gives e^2/2-zCDP with
e = sqrt(D^2 / (n sigma^2) + tau d / 2), tau = 10 * sum over k < n of exp(-2 pi^2 sigma^2 k / (k + 1)) (Kairouz, Liu and
Steinke 2021, Theorem 1). With sigma^2 of 16 at least, as here, tau is below 10 n exp(-157): less than what rounding
sigma^2 up by one gives. So sigma^2 = D^2 / (2 rho n), rounded up, and one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from crypto.errors import PrivacyError
from crypto.privacy.accounting import epsilon_of
from crypto.privacy.noise import tail_of

LEAST_VARIANCE: Final = 16
#: Steps that a value's bound must still be, for a result to mean anything.
LEAST_LEVELS: Final = 8
_SLACK: Final = 1e-5  # of epsilon, between the server's version of the conversion and the contributor's
_MEMBERS: Final = frozenset({"epsilon", "delta", "rho", "sensitivity"})


@dataclass(frozen=True, slots=True)
class PrivacyTerms:
    """What a study declares: (epsilon, delta) as rho-zCDP, and how many contributors' noise has to be enough.

    `sensitivity` is how far (L2, in the units of the values; of counts in a histogram) what is to be hidden can move
    one contribution: one person's data, say. None: the whole contribution is to be hidden, whatever its values.
    """

    epsilon: float
    delta: float
    rho: float
    honest: int
    sensitivity: float | None = None

    @classmethod
    def parse(cls, privacy: object, honest: int) -> PrivacyTerms | None:
        """Read the member `privacy` of a study that a server describes, and verify that its rho gives (epsilon, delta).

        None without one. Raises PrivacyError: it makes no sense, or rho is larger than declared. Raises LibraryMissing.
        """
        if privacy is None:
            return None
        if not isinstance(privacy, Mapping) or not {"epsilon", "delta", "rho"} <= set(privacy) <= _MEMBERS:
            raise PrivacyError("privacy has epsilon, delta, rho, and perhaps sensitivity")
        sensitivity = privacy.get("sensitivity")
        numbers = [
            privacy["epsilon"],
            privacy["delta"],
            privacy["rho"],
            *([] if sensitivity is None else [sensitivity]),
        ]
        if not all(_is_above_zero(number) for number in numbers):
            raise PrivacyError("the members of privacy are numbers above zero")
        epsilon, delta, rho = map(float, numbers[:3])
        if epsilon_of(rho, delta) > epsilon * (1 + _SLACK):
            raise PrivacyError("the server's rho gives less privacy than the epsilon and delta that it declares")
        return cls(epsilon, delta, rho, honest, None if sensitivity is None else float(sensitivity))

    def variance(self, squared_distance: Fraction) -> int:
        """Return sigma^2 of one contributor's noise, of integer vectors that are so far apart (squared L2)."""
        needed = squared_distance / (2 * Fraction(self.rho) * self.honest)
        return max(LEAST_VARIANCE, math.ceil(needed) + 1)

    def squared_distance(self, dimension: int, span: int, half: float) -> Fraction:
        """Return the largest squared L2 distance of two vectors of `dimension` integers from -span to span.

        `half` is the value that `span` stands for; a declared sensitivity counts rounding, too.
        """
        whole = Fraction(dimension * (2 * span) ** 2)
        if self.sensitivity is None:
            return whole
        moved = Fraction(self.sensitivity) * span / Fraction(half)
        return min(whole, (moved + math.isqrt(dimension) + 1) ** 2)

    def squared_count_distance(self, values: int) -> Fraction:
        """Return the largest squared L2 distance of two histograms of so many values."""
        whole = Fraction(2 * values**2)
        return whole if self.sensitivity is None else min(whole, Fraction(self.sensitivity) ** 2)


def fitting_levels(most: int, terms: PrivacyTerms, squared_distance: Callable[[int], Fraction]) -> tuple[int, int]:
    """Return how many steps a value's bound may be, so that it and the noise are `most` at most, and the variance.

    `squared_distance` tells the L2 distance for so many steps. Raises PrivacyError: there is no room for the noise.
    """

    def fits(levels: int) -> bool:
        return levels + tail_of(terms.variance(squared_distance(levels))) <= most

    low, high = 0, max(0, most)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    if low < LEAST_LEVELS:
        raise PrivacyError("there is no room for so much noise: take a larger epsilon, fewer values or contributors")
    return low, terms.variance(squared_distance(low))


def _is_above_zero(number: object) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number) and number > 0
