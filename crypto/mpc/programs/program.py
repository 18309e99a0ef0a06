"""What a program is: how values become a vector of integers, what parties compute of it, and what the result says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Protocol

from crypto.errors import MpcInputError, MpcTermsError
from crypto.libraries import require

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crypto.mpc.vectors import Vector
    from crypto.privacy.terms import PrivacyTerms

MAX_BINS: Final = 4_096


class ProgramTerms(Protocol):
    """What programs look at of a computation's terms: `crypto.mpc.terms.MpcTerms`."""

    @property
    def statistic(self) -> str:
        """The program's name."""

    @property
    def dimension(self) -> int:
        """Values of one contribution."""

    @property
    def low(self) -> float:
        """The least value."""

    @property
    def high(self) -> float:
        """The largest value."""

    @property
    def contributors(self) -> int:
        """How many may take part."""

    @property
    def arguments(self) -> Mapping[str, float]:
        """The program's own arguments."""

    @property
    def scale(self) -> float:
        """By what a value is multiplied before it is rounded."""

    @property
    def lowest(self) -> int:
        """The smallest number that a value becomes."""

    @property
    def highest(self) -> int:
        """The largest number that a value becomes."""

    @property
    def magnitude(self) -> int:
        """The largest absolute number that a value becomes."""

    @property
    def privacy(self) -> PrivacyTerms | None:
        """What noise is calibrated by, if any is added."""

    @property
    def variance(self) -> int:
        """Sigma^2 of the noise of each integer; or 0."""


class Ring(Protocol):
    """What a program asks of the runtime, with signed integers that are shared among the parties."""

    def array(self, shares: Vector) -> Any:
        """Return a shared array of this party's shares."""

    async def open(self, array: Any) -> Vector:
        """Tell all parties what a shared array holds, as elements of the field."""


class Program(Protocol):
    """One statistic. `adds` tells that parties only add up what was contributed and open the sum."""

    name: str
    adds: bool

    def arguments(self, terms: ProgramTerms) -> dict[str, float]:
        """Return the arguments with their defaults. Raises MpcTermsError."""

    def length(self, terms: ProgramTerms) -> int:
        """How many integers a contribution becomes."""

    def bound(self, terms: ProgramTerms) -> int:
        """The largest absolute integer among them."""

    def compared_bits(self, terms: ProgramTerms) -> int:
        """Bits of the signed differences that are compared; zero when nothing is."""

    def squared_distance(self, terms: ProgramTerms) -> Fraction | None:
        """The largest squared L2 distance of two contributions, which noise is to hide; None: none is added."""

    def encode(self, terms: ProgramTerms, values: NDArray[Any]) -> Vector:
        """Return one contribution as integers. Raises MpcInputError."""

    async def compute(self, terms: ProgramTerms, ring: Ring, shares: Vector) -> Vector:
        """Return the opened elements, from this party's shares: one row a contributor, or their sum if `adds`."""

    def decode(self, terms: ProgramTerms, opened: Sequence[int], contributors: int) -> NDArray[Any]:
        """Return the statistic of the opened numbers. Raises MpcInputError: they make none."""


def take_arguments(terms: ProgramTerms, defaults: dict[str, float | None]) -> dict[str, float]:
    """Return the arguments by name; None has no default. Raises MpcTermsError: one is unknown or missing."""
    if unknown := set(terms.arguments) - set(defaults):
        raise MpcTermsError(f"{terms.statistic} knows no argument {sorted(unknown)[0]!r}")
    taken = {}
    for name, default in defaults.items():
        value = terms.arguments.get(name, default)
        if value is None:
            raise MpcTermsError(f"{terms.statistic} needs the argument {name!r}")
        taken[name] = float(value)
    return taken


def whole(terms: ProgramTerms, name: str, value: float, least: int, most: int) -> float:
    """Return a number that must be a whole one within limits. Raises MpcTermsError."""
    if not (value == value // 1 and least <= value <= most):
        raise MpcTermsError(f"{terms.statistic} needs a whole {name} from {least} to {most}, not {value}")
    return value


def checked(terms: ProgramTerms, values: NDArray[Any], dimension: int | None = None) -> NDArray[Any]:
    """Return values as binary64, `dimension` of them and all within the bounds. Raises MpcInputError."""
    require("multi-party studies", "numpy")
    import numpy

    try:
        numbers = numpy.asarray(values, dtype=numpy.float64)
    except (TypeError, ValueError):
        raise MpcInputError("these values are not numbers") from None
    if numbers.shape != (expected := (terms.dimension if dimension is None else dimension,)):
        raise MpcInputError(f"a contribution to this study has the shape {expected}, not {numbers.shape}")
    within(numbers, terms.low, terms.high)
    return numbers


def within(numbers: NDArray[Any], low: float, high: float) -> None:
    """Refuse numbers beyond the bounds, and what is no number. Raises MpcInputError."""
    inside = (numbers >= low) & (numbers <= high)
    if not inside.all():
        first = int((~inside).reshape(-1).argmax())
        raise MpcInputError(
            f"value {first + 1} is {float(numbers.reshape(-1)[first])!r:.40}, not within [{low}, {high}]"
        )


def scaled(terms: ProgramTerms, numbers: NDArray[Any]) -> NDArray[Any]:
    """Return fixed-point numbers as int64: multiplied by 2^fraction_bits, rounded to nearest, ties to even."""
    import numpy

    return numpy.rint(numbers * terms.scale).astype(numpy.int64)


def exact(values: NDArray[Any], bound: int) -> NDArray[Any]:
    """Return integers in a type in which products up to `bound` are exact: int64, or Python's own."""
    return values if bound < 2**62 else values.astype(object)
