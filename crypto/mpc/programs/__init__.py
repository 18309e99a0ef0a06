"""The programs that compute parties know, by the name of their statistic."""

from typing import Final

from crypto.errors import MpcTermsError
from crypto.mpc.programs.comparisons import ComparisonCount, Maximum, Quantile
from crypto.mpc.programs.linear import Histogram, Mean, Sum, Variance, WeightedMean
from crypto.mpc.programs.program import Program
from crypto.mpc.programs.regression import LinearRegression

PROGRAMS: Final[dict[str, Program]] = {
    program.name: program
    for program in (
        Sum(),
        Mean(),
        Variance(),
        Histogram(),
        ComparisonCount(),
        Maximum(),
        Quantile(),
        WeightedMean(),
        LinearRegression(),
    )
}


def program_of(statistic: str) -> Program:
    """Return the program of a statistic. Raises MpcTermsError: there is none."""
    program = PROGRAMS.get(statistic)
    if program is None:
        raise MpcTermsError(f"compute parties know no {statistic!r:.40}: {', '.join(PROGRAMS)}")
    return program


__all__ = ["PROGRAMS", "Program", "program_of"]
