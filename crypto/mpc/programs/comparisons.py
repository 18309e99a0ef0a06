"""Programs that compare shared numbers: comparison-count, max, quantile. No party sees a number, or how two compare.

Comparisons are those of MPyC (`np_sgn`, after Toft): about a millisecond each among three parties.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from crypto.errors import MpcTermsError
from crypto.mpc.programs.linear import Sum
from crypto.mpc.programs.program import ProgramTerms, Ring, take_arguments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crypto.mpc.vectors import Vector


class Comparing(Sum):
    """What they have in common: parties keep the contributions apart, one row each."""

    adds = False

    def squared_distance(self, terms: ProgramTerms) -> Fraction | None:
        """No noise is added."""
        return None

    def compared_bits(self, terms: ProgramTerms) -> int:
        """Differences of two values, with a sign."""
        return max((terms.highest - terms.lowest).bit_length(), terms.contributors.bit_length()) + 1


class ComparisonCount(Comparing):
    """How many contributors' value is greater than `than`, for each value."""

    name = "comparison-count"

    def arguments(self, terms: ProgramTerms) -> dict[str, float]:
        """Return `than`. Raises MpcTermsError."""
        taken = take_arguments(terms, {"than": None})
        if not terms.low <= taken["than"] <= terms.high:
            raise MpcTermsError("what is compared with has to be within the bounds")
        return taken

    async def compute(self, terms: ProgramTerms, ring: Ring, shares: Vector) -> Vector:
        """Open how many are not at most `than`."""
        than = math.floor(terms.arguments["than"] * terms.scale)
        greater = ring.array(shares) > than
        return await ring.open(greater.sum(axis=0))

    def decode(self, terms: ProgramTerms, opened: Sequence[int], contributors: int) -> NDArray[Any]:
        """Return the counts."""
        import numpy

        return numpy.array(opened, dtype=numpy.float64)


class Maximum(Comparing):
    """The greatest contribution, for each value; nobody learns whose it is."""

    name = "max"

    async def compute(self, terms: ProgramTerms, ring: Ring, shares: Vector) -> Vector:
        """Open the winners of a knockout."""
        numbers = ring.array(shares)
        while (count := numbers.shape[0]) > 1:
            half = count // 2
            first, second = numbers[:half], numbers[half : 2 * half]
            winners = first + (first < second) * (second - first)
            numbers = _stacked(winners, numbers[2 * half :]) if count % 2 else winners
        return await ring.open(numbers[0])


class Quantile(Comparing):
    """The smallest number that at least a part `q` of the contributions do not exceed, for each value.

    (The inverted_cdf method of numpy.quantile.) By bisection: a step counts in secret who is at most in the middle, and
    opens only whether these are enough, which is a bit of the result and nothing else.
    """

    name = "quantile"

    def arguments(self, terms: ProgramTerms) -> dict[str, float]:
        """Return `q`, above 0 and at most 1: 0.5 is the median. Raises MpcTermsError."""
        taken = take_arguments(terms, {"q": 0.5})
        if not 0 < taken["q"] <= 1:
            raise MpcTermsError("a quantile is above 0 and at most 1")
        return taken

    async def compute(self, terms: ProgramTerms, ring: Ring, shares: Vector) -> Vector:
        """Open the bits of the quantiles, the highest first."""
        import numpy

        numbers = ring.array(shares)
        rank = math.ceil(terms.arguments["q"] * len(shares))
        low = numpy.full(terms.dimension, terms.lowest, dtype=object)
        high = numpy.full(terms.dimension, terms.highest, dtype=object)
        for _ in range((terms.highest - terms.lowest).bit_length()):
            middle = (low + high) // 2
            at_most = numbers < (middle + 1)
            enough = await ring.open(at_most.sum(axis=0) >= rank)
            chosen = enough.astype(bool)
            high, low = numpy.where(chosen, middle, high), numpy.where(chosen, low, numpy.minimum(middle + 1, high))
        return low


def _stacked(first: Any, second: Any) -> Any:
    import numpy

    return numpy.concatenate((first, second))
