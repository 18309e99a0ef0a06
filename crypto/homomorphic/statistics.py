"""Statistics over encrypted sums: which numbers a contributor encrypts, and what their sums mean.

Values in [low, high] become numbers in [-1, 1] about the middle, so that neither the bounds' size nor their place costs
precision. BFV takes them as integers on a grid as fine as the number of contributors allows: their sum is exact.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from crypto.errors import CapacityExceeded, CiphertextRefused, PrivacyError
from crypto.homomorphic.parameters import CANARY, MAX_CONTRIBUTORS, WHAT, HomomorphicParameters, Scheme
from crypto.libraries import library
from crypto.privacy.noise import Sampler, discrete_gaussian, tail_of
from crypto.privacy.terms import PrivacyTerms, fitting_levels

HOMOMORPHIC_STATISTICS: Final = frozenset({"sum", "mean", "variance", "weighted-mean", "histogram"})
MAX_BINS: Final = 4_096
#: Statistics that may carry noise for differential privacy: what is released is one sum of bounded vectors.
PRIVATE_STATISTICS: Final = frozenset({"sum", "mean", "histogram"})
#: Slots that a contribution may fill: 64 ciphertexts of BFV are 8 MiB.
MAX_SLOTS: Final = 1 << 19
_ARGUMENTS: Final[Mapping[str, str]] = {"histogram": "bins", "weighted-mean": "maximum_weight"}


@dataclass(frozen=True)
class HomomorphicTerms:
    """A statistic over contributions of `dimension` values in [low, high], of `contributors` at most.

    `weighted-mean` counts a contribution's last value as its weight, from 0 to `arguments["maximum_weight"]`;
    `histogram` counts all values of all contributions in `arguments["bins"]` equal bins, and needs BFV. With `privacy`
    every contribution brings its part of the noise, which needs BFV, too.

    Raises:
        CapacityExceeded: sums of so many contributions could wrap around.
        CiphertextRefused: the statistic or its arguments make no sense.
    """

    parameters: HomomorphicParameters
    statistic: str
    dimension: int
    low: float
    high: float
    contributors: int = MAX_CONTRIBUTORS
    arguments: Mapping[str, float] = field(default_factory=dict)
    privacy: PrivacyTerms | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.statistic not in HOMOMORPHIC_STATISTICS:
            raise CiphertextRefused(f"encrypted sums give {', '.join(sorted(HOMOMORPHIC_STATISTICS))}")
        wanted = {_ARGUMENTS[self.statistic]} if self.statistic in _ARGUMENTS else set()
        if set(self.arguments) != wanted:
            raise CiphertextRefused(f"{self.statistic} takes {', '.join(wanted) or 'no'} arguments")
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise CiphertextRefused("the bounds are two finite numbers, the lower one first")
        if not math.isfinite(self.high - self.low):
            raise CapacityExceeded("the bounds are too far apart")
        if self._half < sys.float_info.min:  # below, a half of the range is wrong by much, or nothing
            raise CiphertextRefused("the bounds are too close to each other")
        if not 1 <= self.contributors <= MAX_CONTRIBUTORS:
            raise CapacityExceeded(f"1 to {MAX_CONTRIBUTORS} contributors, not {self.contributors}")
        largest = max(abs(self.low), abs(self.high))
        if not math.isfinite(8 * self.contributors * largest) or (
            self.statistic == "variance" and not math.isfinite(8 * self._half * self._half)
        ):
            raise CapacityExceeded("with such bounds the result could be too large for a number")
        if self.dimension < 1 or self._moments > MAX_SLOTS:
            raise CapacityExceeded(f"a contribution fills {MAX_SLOTS} slots at most")
        if self.statistic == "weighted-mean" and (
            self.dimension < 2 or not 0 < self.arguments["maximum_weight"] < math.inf
        ):
            raise CiphertextRefused("a weighted mean needs a value, a weight, and a maximum_weight above 0")
        if self.privacy is not None:
            self._check_privacy()
        if self.statistic == "histogram":
            self._check_histogram()

    def _check_privacy(self) -> None:
        if self.statistic not in PRIVATE_STATISTICS:
            raise CiphertextRefused(f"noise is added to {', '.join(sorted(PRIVATE_STATISTICS))} only")
        if self.parameters.scheme is not Scheme.BFV:
            raise CiphertextRefused("noise is drawn on a grid: differential privacy needs a context of BFV")
        try:
            _ = self.variance
        except PrivacyError as error:
            raise CapacityExceeded(str(error)) from error

    def _check_histogram(self) -> None:
        if self.parameters.scheme is not Scheme.BFV:
            raise CiphertextRefused("a histogram is exact: it needs a context of BFV")
        bins = self.arguments["bins"]
        if bins != int(bins) or not 1 <= bins <= MAX_BINS:
            raise CiphertextRefused(f"a histogram has 1 to {MAX_BINS} bins")
        if (self.high - self.low) / bins < 4 * math.ulp(max(abs(self.low), abs(self.high))):
            raise CiphertextRefused(f"the bounds are too close to each other for {bins:g} bins")
        try:
            noise = tail_of(self.variance) if self.variance else 0
        except PrivacyError as error:
            raise CapacityExceeded(str(error)) from error
        if 2 * self.contributors * (self.dimension + noise) >= self.parameters.plain_modulus:
            raise CapacityExceeded("so many values could wrap a bin's count around")

    @property
    def count(self) -> int:
        """How many ciphertexts a contribution has; the first slot of each is the canary's."""
        return -(-self._moments // (self.parameters.slots - 1))

    @property
    def step(self) -> float:
        """Of what every number that BFV adds is a multiple; 0 in CKKS."""
        if self.parameters.scheme is Scheme.CKKS:
            return 0.0
        return 1.0 if self.statistic == "histogram" else 1.0 / self._scale

    @property
    def _scale(self) -> int:
        """The integer that 1 becomes in BFV: so many of it, of either sign and with their noise, do not wrap."""
        return self._levels_and_variance[0]

    @property
    def variance(self) -> int:
        """The parameter sigma^2 of the discrete Gaussian that each contributor adds to each of its integers; or 0."""
        return self._levels_and_variance[1]

    @cached_property
    def _levels_and_variance(self) -> tuple[int, int]:
        most, privacy = (self.parameters.plain_modulus // 2 - 1) // self.contributors, self.privacy
        if privacy is None:
            return most, 0
        if self.statistic == "histogram":
            return most, privacy.variance(privacy.squared_count_distance(self.dimension))
        return fitting_levels(
            most, privacy, lambda levels: privacy.squared_distance(self.dimension, levels, self._half)
        )

    def noise(self, present: int) -> float:
        """Return the standard deviation of the noise of each released number, of so many contributions."""
        step = 1.0 if self.statistic == "histogram" else self._half * self.step
        return step * math.sqrt(self.variance * present) / (present if self.statistic == "mean" else 1)

    @property
    def _middle(self) -> float:
        return self.low + (self.high - self.low) / 2

    @property
    def _half(self) -> float:
        return (self.high - self.low) / 2

    @property
    def _moments(self) -> int:
        if self.statistic == "histogram":
            return int(self.arguments["bins"])
        return 2 * self.dimension if self.statistic == "variance" else self.dimension

    def encode(self, values: Any, sampler: Sampler = discrete_gaussian) -> list[list[float] | list[int]]:
        """Return what is encrypted of `values` (`dimension` floats): the slots of each ciphertext.

        With `privacy` it is another encoding each time: `sampler` draws the noise.

        Raises:
            CapacityExceeded: a value outside the bounds, or not a number.
            CiphertextRefused: another number of values.
        """
        numpy = library(WHAT, "numpy")
        given = numpy.asarray(values, dtype=numpy.float64)
        if given.shape != (self.dimension,):
            raise CiphertextRefused(f"a contribution has {self.dimension} values, not {given.size}")
        moments = self._moments_of(given)
        if self.parameters.scheme is Scheme.BFV:
            moments = numpy.rint(moments / self.step).astype(numpy.int64)
            if self.variance:
                moments = moments + sampler(moments.size, self.variance)
        room = self.parameters.slots - 1
        padded = numpy.zeros(self.count * room, dtype=moments.dtype)
        padded[: moments.size] = moments
        slots = numpy.empty((self.count, room + 1), dtype=moments.dtype)
        slots[:, 0] = CANARY
        slots[:, 1:] = padded.reshape(self.count, room)
        encoded: list[list[float] | list[int]] = slots.tolist()
        return encoded

    def _moments_of(self, given: Any) -> Any:
        numpy = library(WHAT, "numpy")
        values, weight = given, None
        if self.statistic == "weighted-mean":
            values, weight = given[:-1], given[-1] / self.arguments["maximum_weight"]
            if not 0 <= weight <= 1:
                raise CapacityExceeded(f"a weight lies between 0 and {self.arguments['maximum_weight']:g}")
        if not ((values >= self.low) & (values <= self.high)).all():
            raise CapacityExceeded(f"every value lies between {self.low:g} and {self.high:g}")
        if self.statistic == "histogram":
            bins = int(self.arguments["bins"])
            return numpy.histogram(values, bins=bins, range=(self.low, self.high))[0].astype(numpy.float64)
        unit = numpy.clip((values - self._middle) / self._half, -1.0, 1.0)
        if self.statistic == "variance":
            return numpy.concatenate([unit, unit * unit])
        return unit if weight is None else numpy.append(unit * weight, weight)

    def moments(self, slots: Any) -> Any:
        """Return the sums of what contributors encoded, from the decrypted slots (`count` rows)."""
        return slots[:, 1:].reshape(-1)[: self._moments] * (self.step or 1.0)

    def result(self, moments: Any, present: int, error: float) -> tuple[Any, float]:
        """Return the statistic and the bound of its absolute error, from sums that are each wrong by `error` at most.

        Raises CapacityExceeded: the weights of a weighted mean add up to nothing.
        """
        numpy = library(WHAT, "numpy")
        half, middle = self._half, self._middle
        # Besides, values lost up to half a unit in their last place when the middle was taken from them, and the result
        # does when it is put back: much, where bounds are close to each other and far from zero.
        rounding = 4.0 * float(numpy.spacing(max(abs(self.low), abs(self.high))))
        if self.statistic == "histogram":
            return moments.astype(numpy.int64), 0.0
        if self.statistic == "sum":
            last = float(numpy.spacing(present * max(abs(self.low), abs(self.high))))
            return half * moments + present * middle, half * error + present * rounding + 4.0 * last
        if self.statistic == "mean":
            return half * (moments / present) + middle, half * error / present + rounding
        if self.statistic == "variance":
            first, second = moments[: self.dimension] / present, moments[self.dimension :] / present
            bound = 3.0 * half**2 * error / present + 4.0 * half * rounding + 8.0 * float(numpy.spacing(half**2))
            return half**2 * numpy.maximum(second - first**2, 0.0), bound
        total = float(moments[-1])
        if total <= 2 * error:
            raise CapacityExceeded("the weights add up to nothing")
        bound = 2.0 * half * error / (total - error) + 2.0 * rounding
        return half * (moments[:-1] / total) + middle, bound
