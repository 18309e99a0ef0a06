"""Linear scores of rows whose columns lie with different organizations: each encrypts its part of the score.

A model is public to everybody who takes part, on purpose: else its owner could ask for the weights (1, 0, 0), and
read one organization's column. So each organization weighs its own columns before it encrypts, which costs no
multiplication of ciphertexts and no precision, and refuses a model in which the others could not hide it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from crypto.errors import CapacityExceeded, CiphertextRefused
from crypto.homomorphic.parameters import WHAT, HomomorphicParameters
from crypto.homomorphic.statistics import HomomorphicTerms
from crypto.libraries import library
from crypto.privacy.terms import PrivacyTerms

MAX_COLUMNS: Final = 1_024
#: How many times as much one organization's part may range as another's: the others' parts are what hides it.
MAX_RATIO: Final = 100.0
LEAST_ORGANIZATIONS: Final = 3
_MEMBERS: Final = frozenset({"weights", "intercept"})


@dataclass(frozen=True, slots=True)
class LinearModel:
    """score = intercept + the sum of weight times value, over all organizations' columns.

    `weights` are each organization's, in the order of its columns. All values lie in [low, high].
    """

    weights: Mapping[str, tuple[float, ...]]
    intercept: float
    low: float
    high: float

    @classmethod
    def parse(cls, model: object, low: float, high: float) -> LinearModel:
        """Read a model from the parameters of a study. Raises CiphertextRefused: it makes no sense, or hides nobody."""
        if not isinstance(model, Mapping) or not {"weights"} <= set(model) <= _MEMBERS:
            raise CiphertextRefused("a model has weights (numbers by organization), and perhaps an intercept")
        weights, intercept = model["weights"], model.get("intercept", 0.0)
        if not isinstance(weights, Mapping) or not all(
            isinstance(row, list | tuple) and 1 <= len(row) <= MAX_COLUMNS and all(map(_is_number, row))
            for row in weights.values()
        ):
            raise CiphertextRefused(f"a model's weights are lists of 1 to {MAX_COLUMNS} numbers by organization")
        if not _is_number(intercept):
            raise CiphertextRefused("a model's intercept is a number")
        rows = {str(name): tuple(map(float, row)) for name, row in weights.items()}
        made = cls(rows, float(intercept), low, high)
        made._check()
        return made

    def _check(self) -> None:
        if len(self.weights) < LEAST_ORGANIZATIONS:
            raise CiphertextRefused(f"a model has weights of {LEAST_ORGANIZATIONS} organizations at least")
        spans = [math.fsum(map(abs, row)) for row in self.weights.values()]
        if not 0 < min(spans) <= max(spans) <= MAX_RATIO * min(spans):
            raise CiphertextRefused(
                f"one organization's weights add up to more than {MAX_RATIO:g} times another's: they would not hide it"
            )
        if not math.isfinite((abs(self.low) + abs(self.high)) * max(spans) * len(spans) + abs(self.intercept)):
            raise CapacityExceeded("the scores are too large")

    @property
    def span(self) -> float:
        """The largest sum of one organization's absolute weights."""
        return max(math.fsum(map(abs, row)) for row in self.weights.values())

    def terms(
        self, parameters: HomomorphicParameters, dimension: int, privacy: PrivacyTerms | None = None
    ) -> HomomorphicTerms:
        """Return the terms by which the parts of `dimension` scores are encrypted.

        Raises CapacityExceeded. Raises CiphertextRefused: a sensitivity, which is of values and not of parts of scores.
        """
        if privacy is not None and privacy.sensitivity is not None:
            raise CiphertextRefused("noise on scores hides a whole column: they take no sensitivity")
        return HomomorphicTerms(parameters, "sum", dimension, -1.0, 1.0, len(self.weights), privacy=privacy)

    def part(self, organization: str, rows: Any) -> Any:
        """Return an organization's part of the scores, in [-1, 1], from its columns (samples x columns, floats).

        Raises:
            CiphertextRefused: the model has no such organization, or other columns of it.
            CapacityExceeded: a value outside the bounds, or not a number.
        """
        numpy = library(WHAT, "numpy")
        row = self.weights.get(organization)
        if row is None:
            raise CiphertextRefused(f"the model has no weights of {organization:.80}")
        given = numpy.asarray(rows, dtype=numpy.float64)
        given = given.reshape(-1, 1) if given.ndim == 1 else given
        if given.ndim != 2 or given.shape[1] != len(row):
            raise CiphertextRefused(f"the model weighs {len(row)} columns of {organization:.80}")
        if not ((given >= self.low) & (given <= self.high)).all():
            raise CapacityExceeded(f"every value lies between {self.low:g} and {self.high:g}")
        unit = (given - self._middle) / self._half
        return numpy.clip(unit @ numpy.array(row) / self.span, -1.0, 1.0)

    def noise(self, noise: float) -> float:
        """Return the standard deviation of the noise of a score, from that of a sum of parts."""
        return self._half * self.span * noise

    def scores(self, sums: Any, bound: float) -> tuple[Any, float]:
        """Return the scores and the bound of their absolute error, from the sums of the parts and theirs."""
        numpy = library(WHAT, "numpy")
        weights = [weight for row in self.weights.values() for weight in row]
        offset = self.intercept + self._middle * math.fsum(weights)
        # What floating point loses in the parts: a few units in the last place for each column.
        largest = max(abs(self.low), abs(self.high)) * math.fsum(map(abs, weights)) + abs(self.intercept)
        lost = 4.0 * len(weights) * float(numpy.spacing(largest))
        return offset + self._half * self.span * sums, self._half * self.span * bound + lost

    @property
    def _middle(self) -> float:
        return self.low + (self.high - self.low) / 2

    @property
    def _half(self) -> float:
        return (self.high - self.low) / 2


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
