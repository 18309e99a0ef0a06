"""Linear regression from shared moments: contributors share sums of products, parties add them up and open the sum."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from crypto.errors import MpcInputError, MpcTermsError
from crypto.libraries import require
from crypto.mpc.programs.linear import Sum
from crypto.mpc.programs.program import ProgramTerms, exact, scaled, take_arguments, whole, within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crypto.mpc.vectors import Vector

MAX_COLUMNS: Final = 33
MAX_ROWS: Final = 2**30


class LinearRegression(Sum):
    """Least squares of the last column on the others and a constant, over the rows of all contributors.

    A contribution has any number of rows up to `maximum_rows`, of `dimension` columns each. Opened are all moments of
    the rows, of which the coefficients follow: number of rows, sums, and sums of products.
    """

    name = "linear-regression"

    def squared_distance(self, terms: ProgramTerms) -> Fraction | None:
        """No noise is added."""
        return None

    def arguments(self, terms: ProgramTerms) -> dict[str, float]:
        """Return `maximum_rows` of one contribution. Raises MpcTermsError."""
        taken = take_arguments(terms, {"maximum_rows": 2.0**16})
        whole(terms, "maximum_rows", taken["maximum_rows"], 1, MAX_ROWS)
        if not 2 <= terms.dimension <= MAX_COLUMNS:
            raise MpcTermsError(f"a regression has 2 to {MAX_COLUMNS} columns, not {terms.dimension}")
        return taken

    def length(self, terms: ProgramTerms) -> int:
        """The upper triangle of the moments of a constant and the columns."""
        return (terms.dimension + 1) * (terms.dimension + 2) // 2

    def bound(self, terms: ProgramTerms) -> int:
        """As many rows of the largest square; a constant is the number 1, scaled as the others."""
        return int(terms.arguments["maximum_rows"]) * max(terms.magnitude, int(terms.scale)) ** 2

    def encode(self, terms: ProgramTerms, values: NDArray[Any]) -> Vector:
        """Return the moments of rows (shape rows x dimension) as integers. Raises MpcInputError."""
        require("multi-party studies", "numpy")
        import numpy

        rows = numpy.atleast_2d(numpy.asarray(values, dtype=numpy.float64))
        most = int(terms.arguments["maximum_rows"])
        if rows.ndim != 2 or rows.shape[1] != terms.dimension or not 1 <= len(rows) <= most:
            raise MpcInputError(f"1 to {most} rows of {terms.dimension} values are due, not {rows.shape}")
        within(rows, terms.low, terms.high)
        ones = numpy.full((len(rows), 1), int(terms.scale), dtype=numpy.int64)
        table = exact(numpy.hstack((ones, scaled(terms, rows))), self.bound(terms))
        moments = table.T @ table
        triangle: Vector = moments[numpy.triu_indices(terms.dimension + 1)]
        return triangle

    def decode(self, terms: ProgramTerms, opened: Sequence[int], contributors: int) -> NDArray[Any]:
        """Return intercept and slopes, solved exactly, each rounded once. Raises MpcInputError: they are not unique."""
        import numpy

        size = terms.dimension + 1
        moments = [[0] * size for _ in range(size)]
        for number, (row, column) in zip(opened, zip(*numpy.triu_indices(size), strict=True), strict=True):
            moments[row][column] = moments[column][row] = number
        # The last column stands on the right: it is what the others explain.
        solved = _solve([[Fraction(number) for number in row] for row in moments[:-1]])
        return numpy.array([float(number) for number in solved], dtype=numpy.float64)


def _solve(rows: list[list[Fraction]]) -> list[Fraction]:
    """Solve by Gauss-Jordan elimination, in fractions: the normal equations are ill-conditioned in floating point."""
    for column in range(len(rows)):
        pivot = next((index for index in range(column, len(rows)) if rows[index][column]), None)
        if pivot is None:
            raise MpcInputError(
                "the rows do not determine the coefficients: too few, or columns that follow from others"
            )
        rows[column], rows[pivot] = rows[pivot], rows[column]
        inverse = 1 / rows[column][column]
        rows[column] = [number * inverse for number in rows[column]]
        for index, row in enumerate(rows):
            if index != column and (factor := row[column]):
                rows[index] = [number - factor * other for number, other in zip(row, rows[column], strict=True)]
    return [row[-1] for row in rows]
