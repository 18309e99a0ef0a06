"""What a study's parameters say of its masked sum: who is on the roster, how many may drop out, how fine levels are.

Server and clients read the same parameters, so that both have the same terms; keyids are thumbprints (RFC 7638), so
that a roster of keyids pins the keys themselves.
"""

from __future__ import annotations

import hashlib
import math
import re
import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from crypto.errors import MaskingTermsError, PrivacyError
from crypto.keys import PublicKey
from crypto.masking.quantization import MAX_SUM, Quantization
from crypto.masking.roster import MaskingRoster
from crypto.masking.terms import MAX_CONTRIBUTORS, MaskingTerms, least_masking_threshold
from crypto.privacy.noise import Sampler, discrete_gaussian
from crypto.privacy.terms import PrivacyTerms, fitting_levels

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import ArrayLike, NDArray

STAGE_SECONDS: Final = 600
MAX_STAGE_SECONDS: Final = 7 * 86_400
_MEMBERS: Final = frozenset({"roster", "threshold", "colluding", "stage_seconds"})
_KEYID: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class MaskedStudy:
    """A masked sum of values in [low, high] among the holders of `roster` (keyids; the first has index 1).

    Values are counted from the middle of the bounds, in steps as fine as the number of contributors allows; with
    `variance` (of its discrete Gaussian, in steps) every contributor adds noise, and steps leave room for it.
    """

    terms: MaskingTerms
    roster: tuple[str, ...]
    low: float
    high: float
    stage_seconds: int
    variance: int = 0

    @classmethod
    def parse(
        cls,
        study: str,
        dimension: int,
        low: float,
        high: float,
        minimum: int,
        parameters: Mapping[str, object],
        privacy: PrivacyTerms | None = None,
    ) -> MaskedStudy:
        """Read the parameters of a study whose sum needs `minimum` contributors. Raises MaskingTermsError."""
        if unknown := sorted(set(parameters) - _MEMBERS):
            raise MaskingTermsError(f"a masked study has no parameter {unknown[0]!r:.40}")
        roster = parameters.get("roster")
        if not isinstance(roster, list | tuple) or not 2 <= len(roster) <= MAX_CONTRIBUTORS:
            raise MaskingTermsError(f"parameters.roster lists the keyids of 2 to {MAX_CONTRIBUTORS} contributors")
        if not all(isinstance(keyid, str) and _KEYID.fullmatch(keyid) for keyid in roster):
            raise MaskingTermsError("parameters.roster lists keyids: thumbprints of 43 characters")
        if len(set(roster)) < len(roster):
            raise MaskingTermsError("one key is on the roster twice")
        if not (math.isfinite(low) and math.isfinite(high) and low < high and math.isfinite(high - low)):
            raise MaskingTermsError("the bounds are two finite numbers, the lower one first")
        count = len(roster)
        if not math.isfinite(8 * count * max(abs(low), abs(high))):
            raise MaskingTermsError("with such bounds the sum could be too large for a number")
        if minimum > count:
            raise MaskingTermsError(f"{minimum} contributors are needed, and the roster has {count}")
        colluding = _whole(parameters, "colluding", max(0, math.ceil(count / 3) - 1))
        least = max(least_masking_threshold(count, colluding), minimum)
        threshold = _whole(parameters, "threshold", least)
        if threshold < minimum:
            raise MaskingTermsError(f"a threshold of {threshold} would release a sum of fewer than {minimum}")
        most, half, variance = MAX_SUM // count, (high - low) / 2, 0
        if half / most < sys.float_info.min:  # below, a step is wrong by much, and its multiples miss the bounds
            raise MaskingTermsError("the bounds are too close to each other")
        levels = most
        if privacy is not None:
            try:
                levels, variance = fitting_levels(
                    most, privacy, lambda steps: privacy.squared_distance(dimension, steps, half)
                )
            except PrivacyError as error:
                raise MaskingTermsError(str(error)) from error
        quantization = Quantization(half / levels, most)
        terms = MaskingTerms(study, 0, dimension, count, threshold, colluding, quantization)
        seconds = _whole(parameters, "stage_seconds", STAGE_SECONDS)
        if not 1 <= seconds <= MAX_STAGE_SECONDS:
            raise MaskingTermsError(f"stage_seconds: 1 to {MAX_STAGE_SECONDS}, not {seconds}")
        return cls(terms, tuple(roster), low, high, seconds, variance)

    @property
    def digest(self) -> bytes:
        """SHA-256 of everything here that a contributor relies on: terms, bounds and roster."""
        bounds = struct.pack(">dd", self.low, self.high)
        return hashlib.sha256(self.terms.digest + bounds + "\n".join(self.roster).encode()).digest()

    @property
    def middle(self) -> float:
        """What values are counted from."""
        return self.low + (self.high - self.low) / 2

    def index_of(self, keyid: str) -> int | None:
        """Tell which contributor a key is; None when it is not on the roster."""
        return self.roster.index(keyid) + 1 if keyid in self.roster else None

    def roster_of(self, keys: Sequence[PublicKey]) -> MaskingRoster:
        """Give the roster, of its public keys in order. Raises MaskingTermsError: one is not the key of its keyid."""
        if tuple(key.keyid for key in keys) != self.roster:
            raise MaskingTermsError("the keys are not those of the study's roster")
        return MaskingRoster(self.terms, dict(enumerate(keys, 1)))

    def encode(self, values: ArrayLike, sampler: Sampler = discrete_gaussian) -> NDArray[float64]:
        """Give what is contributed of values; with noise, another vector each time.

        Raises MaskingTermsError: a value outside the bounds, or no number.
        """
        import numpy

        given = numpy.asarray(values, dtype=numpy.float64)
        if not ((given >= self.low) & (given <= self.high)).all():
            raise MaskingTermsError(f"every value lies between {self.low:g} and {self.high:g}")
        if not self.variance:
            return given - self.middle
        # On the grid before the noise is: that is what its privacy is computed for.
        step = self.terms.quantization.step
        levels = numpy.rint((given - self.middle) / step) + sampler(given.size, self.variance)
        return numpy.asarray(levels * step, dtype=numpy.float64)

    def noise(self, contributors: int, statistic: str) -> float:
        """Give the standard deviation of the noise of each released number."""
        step = self.terms.quantization.step
        return step * math.sqrt(self.variance * contributors) / (contributors if statistic == "mean" else 1)

    def decode(self, total: NDArray[float64], contributors: int, statistic: str) -> tuple[NDArray[float64], float]:
        """Give the statistic of a sum of contributions, and the bound of its absolute error."""
        bound = self.terms.quantization.error_bound(contributors)
        # Besides, values lost up to half a unit in their last place when the middle was taken from them, and the result
        # does when it is put back: much, where bounds are close to each other and far from zero.
        largest = max(abs(self.low), abs(self.high))
        bound += 4.0 * contributors * math.ulp(largest)
        if statistic == "mean":
            return total / contributors + self.middle, bound / contributors
        return total + contributors * self.middle, bound + 4.0 * math.ulp(contributors * largest)


def _whole(parameters: Mapping[str, object], name: str, default: int) -> int:
    value = parameters.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise MaskingTermsError(f"parameters.{name} is a whole number")
    return value
