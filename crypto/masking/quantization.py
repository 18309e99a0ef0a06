"""Numbers as levels: whole multiples of a step, clipped to a bound, as uint32 whose sums can be told exactly.

A level is the number divided by the step, rounded to the nearest integer (ties to the even one, IEEE 754), and stands
in two's complement. There is nothing random in it, so a contribution that is repeated is the same. The sum of n
contributions is exact in levels as long as n times the largest level stays below 2^31, which is checked before anybody
contributes; against the sum of the clipped numbers it is wrong by at most `error_bound(n)`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from crypto.errors import MaskingError, MaskingTermsError, QuantizationError
from crypto.masking.arrays import WORD, require_numpy

if TYPE_CHECKING:
    from numpy import float64, int64, uint32
    from numpy.typing import ArrayLike, NDArray

MAX_SUM: Final = 2**31 - 1  # what two's complement of 32 bits can tell from a negative sum

_WHOLE: Final = 1e-9  # how far, relatively, bound / step may be from an integer: decimal fractions are not exact


@dataclass(frozen=True, slots=True)
class Quantization:
    """Numbers from `-bound` to `bound` = `levels` * `step`, in steps. Raises MaskingTermsError."""

    step: float
    levels: int

    def __post_init__(self) -> None:
        """Refuse steps and bounds that are no numbers, and levels that no sum has room for."""
        if not (math.isfinite(self.step) and self.step > 0):
            raise MaskingTermsError(f"the step is a number above zero, not {self.step}")
        if not 1 <= self.levels <= MAX_SUM:
            raise MaskingTermsError(f"a bound is 1 to {MAX_SUM} steps, not {self.levels}")
        if not math.isfinite(self.bound):
            raise MaskingTermsError(f"{self.levels} steps of {self.step} are too large for a number")

    @classmethod
    def bounded(cls, bound: float, step: float) -> Quantization:
        """Return the quantization of a bound that is a whole number of steps. Raises MaskingTermsError."""
        if not (math.isfinite(step) and step > 0 and math.isfinite(bound / step)):
            raise MaskingTermsError(f"bound and step are numbers, and the step is above zero: not {bound} and {step}")
        levels = round(bound / step)
        if abs(bound / step - levels) > _WHOLE * abs(levels):
            raise MaskingTermsError(f"the bound must be a whole number of steps, and {bound} / {step} is not")
        return cls(step, levels)

    @property
    def bound(self) -> float:
        """The largest number that is not clipped."""
        return self.levels * self.step

    def check_contributors(self, contributors: int) -> None:
        """Refuse so many contributors that their sum could overflow. Raises MaskingTermsError."""
        if contributors * self.levels > MAX_SUM:
            raise MaskingTermsError(
                f"{contributors} contributors of {self.levels} steps each could sum up to more than {MAX_SUM}: "
                f"take a step above {contributors * self.bound / MAX_SUM:.3g}, or a smaller bound"
            )

    def error_bound(self, contributors: int) -> float:
        """Return how far a decoded sum can be from that of the clipped numbers: half a step for each, and rounding."""
        return contributors * self.step * (0.5 + 2**-21)

    def encode(self, values: ArrayLike, dimension: int) -> NDArray[uint32]:
        """Return the levels of `dimension` numbers. Raises QuantizationError (another shape, NaN or infinite)."""
        require_numpy()
        import numpy

        try:
            numbers = numpy.asarray(values, dtype=numpy.float64)
        except (TypeError, ValueError, OverflowError):
            raise QuantizationError("these are not numbers") from None
        if numbers.shape != (dimension,):
            raise QuantizationError(f"a contribution is one row of {dimension} numbers, not {numbers.shape}")
        if not numpy.isfinite(numbers).all():
            raise QuantizationError("a number is infinite or not a number")
        steps = numpy.clip(numbers, -self.bound, self.bound)  # first, for large numbers over small steps overflow
        steps /= self.step
        numpy.rint(steps, out=steps)
        return steps.astype(numpy.int32).astype(WORD, copy=False).view(WORD)

    def levels_of(self, total: NDArray[uint32], contributors: int) -> NDArray[int64]:
        """Return the exact sum, in levels, of so many contributions.

        Raises MaskingError when no such sum can be as large: then a mask is left in it.
        """
        require_numpy()
        import numpy

        found = total.view("<i4").astype(numpy.int64)
        if found.size and max(int(found.max()), -int(found.min())) > contributors * self.levels:
            raise MaskingError(f"not a sum of {contributors} contributions: masks are left that did not cancel")
        return found

    def numbers_of(self, levels: NDArray[int64]) -> NDArray[float64]:
        """Return levels as numbers."""
        require_numpy()
        import numpy

        return levels * numpy.float64(self.step)
