"""Programs in which parties add up shares and open the sum: sum, mean, variance, weighted-mean, histogram.

What is opened is the sum of the contributions as encoded, exact in fixed-point numbers. Squares and products are made
by the contributor, before sharing: they are then free for the parties, and exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from crypto.errors import MpcInputError, MpcTermsError
from crypto.mpc.programs.program import (
    MAX_BINS,
    ProgramTerms,
    Ring,
    checked,
    exact,
    scaled,
    take_arguments,
    whole,
    within,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crypto.mpc.vectors import Vector


class Sum:
    """The sum of each value over the contributors."""

    name = "sum"
    adds = True

    def arguments(self, terms: ProgramTerms) -> dict[str, float]:
        """Return none. Raises MpcTermsError when there are some."""
        return take_arguments(terms, {})

    def length(self, terms: ProgramTerms) -> int:
        """One number a value."""
        return terms.dimension

    def bound(self, terms: ProgramTerms) -> int:
        """The largest value."""
        return terms.magnitude

    def compared_bits(self, terms: ProgramTerms) -> int:
        """Nothing is compared."""
        return 0

    def squared_distance(self, terms: ProgramTerms) -> Fraction | None:
        """That of vectors within the bounds, or as the study declares."""
        span = terms.highest - terms.lowest
        whole = Fraction(terms.dimension * span**2)
        if terms.privacy is None or terms.privacy.sensitivity is None:
            return whole
        moved = Fraction(terms.privacy.sensitivity) * Fraction(terms.scale)
        return min(whole, (moved + math.isqrt(terms.dimension) + 1) ** 2)

    def encode(self, terms: ProgramTerms, values: NDArray[Any]) -> Vector:
        """Return the values as fixed-point numbers. Raises MpcInputError."""
        return scaled(terms, checked(terms, values))

    async def compute(self, terms: ProgramTerms, ring: Ring, shares: Vector) -> Vector:
        """Open the sum."""
        return await ring.open(ring.array(shares))

    def decode(self, terms: ProgramTerms, opened: Sequence[int], contributors: int) -> NDArray[Any]:
        """Return the sums, each rounded once to binary64."""
        import numpy

        return numpy.array([number / int(terms.scale) for number in opened], dtype=numpy.float64)


class Mean(Sum):
    """The mean of each value over the contributors."""

    name = "mean"

    def decode(self, terms: ProgramTerms, opened: Sequence[int], contributors: int) -> NDArray[Any]:
        """Return the means, each rounded once to binary64."""
        import numpy

        divisor = contributors * int(terms.scale)
        return numpy.array([number / divisor for number in opened], dtype=numpy.float64)


class Variance(Sum):
    """The variance of each value over the contributors: the mean square less the square of the mean, exactly."""

    name = "variance"

    def length(self, terms: ProgramTerms) -> int:
        """Values, and their squares."""
        return 2 * terms.dimension

    def squared_distance(self, terms: ProgramTerms) -> Fraction | None:
        """No noise is added."""
        return None

    def bound(self, terms: ProgramTerms) -> int:
        """The largest square."""
        return terms.magnitude**2

    def encode(self, terms: ProgramTerms, values: NDArray[Any]) -> Vector:
        """Return the values as fixed-point numbers, and then the squares of these. Raises MpcInputError."""
        import numpy

        numbers = exact(scaled(terms, checked(terms, values)), self.bound(terms))
        return numpy.concatenate((numbers, numbers * numbers))

    def decode(self, terms: ProgramTerms, opened: Sequence[int], contributors: int) -> NDArray[Any]:
        """Return the variances (divided by the number of contributors), each rounded once to binary64."""
        import numpy

        sums, squares = opened[: terms.dimension], opened[terms.dimension :]
        divisor = (contributors * int(terms.scale)) ** 2
        return numpy.array(
            [(contributors * square - total**2) / divisor for total, square in zip(sums, squares, strict=True)],
            dtype=numpy.float64,
        )


class WeightedMean(Sum):
    """The weighted mean of all values but the last one of a contribution, which is its weight."""

    name = "weighted-mean"

    def arguments(self, terms: ProgramTerms) -> dict[str, float]:
        """Return `maximum_weight` (weights are fixed-point numbers from 0 to it). Raises MpcTermsError."""
        taken = take_arguments(terms, {"maximum_weight": 1.0})
        if not 1 <= taken["maximum_weight"] * terms.scale < 2.0**52:
            raise MpcTermsError("maximum_weight has to be above zero by a binary place, and to fit in 52 bits")
        if terms.dimension < 2:
            raise MpcTermsError("a contribution to a weighted mean has a value and, as the last one, a weight")
        return taken

    def squared_distance(self, terms: ProgramTerms) -> Fraction | None:
        """No noise is added."""
        return None

    def bound(self, terms: ProgramTerms) -> int:
        """The largest product of value and weight, or the largest weight."""
        return max(terms.magnitude, 1) * round(terms.arguments["maximum_weight"] * terms.scale)

    def encode(self, terms: ProgramTerms, values: NDArray[Any]) -> Vector:
        """Return the products of values and weight, and then the weight. Raises MpcInputError."""
        import numpy

        numbers = numpy.asarray(values, dtype=numpy.float64)
        if numbers.shape != (terms.dimension,):
            raise MpcInputError(f"a contribution to this study has {terms.dimension} values, not {numbers.shape}")
        within(numbers[-1:], 0.0, terms.arguments["maximum_weight"])
        weighted = exact(scaled(terms, checked(terms, numbers[:-1], terms.dimension - 1)), self.bound(terms))
        weight = exact(scaled(terms, numbers[-1:]), self.bound(terms))
        return numpy.concatenate((weighted * weight, weight))

    def decode(self, terms: ProgramTerms, opened: Sequence[int], contributors: int) -> NDArray[Any]:
        """Return the weighted means, one less than the dimension. Raises MpcInputError: all weights are zero."""
        import numpy

        *products, weights = opened
        if weights <= 0:
            raise MpcInputError("the weights add up to nothing")
        divisor = weights * int(terms.scale)
        return numpy.array([product / divisor for product in products], dtype=numpy.float64)


class Histogram(Sum):
    """How many of all values fall into each of `bins` equal parts of the bounds, as numpy.histogram counts."""

    name = "histogram"

    def arguments(self, terms: ProgramTerms) -> dict[str, float]:
        """Return `bins`. Raises MpcTermsError."""
        taken = take_arguments(terms, {"bins": None})
        whole(terms, "bins", taken["bins"], 1, MAX_BINS)
        if (terms.high - terms.low) / taken["bins"] < 4 * math.ulp(max(abs(terms.low), abs(terms.high))):
            raise MpcTermsError(f"the bounds are too close to each other for {taken['bins']:g} bins")
        return taken

    def length(self, terms: ProgramTerms) -> int:
        """One count a bin."""
        return int(terms.arguments["bins"])

    def bound(self, terms: ProgramTerms) -> int:
        """All values in one bin."""
        return terms.dimension

    def squared_distance(self, terms: ProgramTerms) -> Fraction | None:
        """All values moved from one bin to another, or as the study declares (in counts)."""
        privacy = terms.privacy
        return Fraction(2 * terms.dimension**2) if privacy is None else privacy.squared_count_distance(terms.dimension)

    def encode(self, terms: ProgramTerms, values: NDArray[Any]) -> Vector:
        """Return the contributor's own counts. Raises MpcInputError."""
        import numpy

        numbers = checked(terms, values)
        counts, _ = numpy.histogram(numbers, bins=self.length(terms), range=(terms.low, terms.high))
        return counts.astype(numpy.int64)

    def decode(self, terms: ProgramTerms, opened: Sequence[int], contributors: int) -> NDArray[Any]:
        """Return the counts. Raises MpcInputError: they are none, so somebody did not contribute counts."""
        import numpy

        if not terms.variance and (sum(opened) != contributors * terms.dimension or min(opened) < 0):
            raise MpcInputError("these counts are not those of as many values as were contributed")
        return numpy.array(opened, dtype=numpy.float64)
