"""Whether a second run says the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.comparison import compare
from experiments.digits import figure
from experiments.repetition import Repeated, not_repeated, repeats
from experiments.result import Result


@dataclass(frozen=True, slots=True)
class RepeatedRow:
    """One headline ratio in both runs."""

    experiment: str
    name: str
    first: str
    second: str
    inside: bool
    apart: bool  # the two intervals have nothing in common


@dataclass(frozen=True, slots=True)
class Repetition:
    """The second run beside the first."""

    second: Result
    summary: str
    rows: Sequence[RepeatedRow]  # those outside come first
    differences: Sequence[str]


def repetition(first: Result, second: Result) -> Repetition:
    """Hold the headline ratios of a second run against the first one's 95 % intervals."""
    found = repeats(first, second)
    inside = sum(one.inside for one in found)
    if not found:
        summary = "The two runs have no headline ratio in common."
    elif inside == len(found):
        summary = f"All {inside} headline ratios of the second run lie inside the first run's 95 % intervals."
    else:
        summary = (
            f"{inside} of {len(found)} headline ratios of the second run lie inside the first run's 95 % interval; "
            f"{len(found) - inside} do not, and come first below."
        )
    if found and (missing := not_repeated(first, second)):
        summary += f" The second run lacks {', '.join(missing)}."
    rows = sorted((_row(one) for one in found), key=lambda row: (row.inside, not row.apart))
    return Repetition(second, summary, rows, compare(first, second).differences)


def _row(one: Repeated) -> RepeatedRow:
    return RepeatedRow(one.experiment, one.name, figure(one.first, ""), figure(one.second, ""), one.inside, one.apart)
