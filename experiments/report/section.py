"""What the page says of one experiment."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from experiments.report.arm_table import ArmTable, arm_table
from experiments.report.emphasis import emphasized
from experiments.report.intervals import Intervals
from experiments.report.numbers import words
from experiments.report.pictures import Picture, pictures
from experiments.report.published_table import PublishedTable, published_table
from experiments.result import ArmResult, ExperimentResult, FindingResult

_ENDED: Final = {
    "intervals are narrow enough": "the intervals of its headlines were narrow enough",
    "time budget": "its time budget was used up",
    "most rounds": "it had the most rounds that a run makes",
}


@dataclass(frozen=True, slots=True)
class Section:
    """One experiment, ready for the template."""

    id: str
    experiment: ExperimentResult
    answer: Markup
    findings: Sequence[tuple[bool, Markup]]  # whether it is a headline, and its sentence
    measured: str
    pictures: Sequence[Picture]
    published: PublishedTable
    arms: ArmTable
    unavailable: Sequence[ArmResult]


def section(experiment: ExperimentResult, seed: int, hertz: float | None, number: int) -> Section:
    """Work out the section of the experiment that is the `number`th of the page; `hertz` is the machine's clock."""
    intervals = Intervals(experiment.arms, seed)
    findings = sorted(experiment.findings, key=lambda finding: not finding.headline)
    return Section(
        id=f"e{number}",
        experiment=experiment,
        answer=emphasized(experiment.answer, experiment.findings),
        findings=[(finding.headline, emphasized(_told(finding), [finding])) for finding in findings],
        measured=_measured(experiment),
        pictures=pictures(experiment, intervals, f"e{number}"),
        published=published_table(experiment, hertz),
        arms=arm_table(experiment, intervals),
        unavailable=[arm for arm in experiment.arms if arm.unavailable is not None],
    )


def _measured(experiment: ExperimentResult) -> str:
    unit = re.sub(r"\bus\b", "µs", experiment.unit)
    took = (experiment.finished - experiment.started).total_seconds()
    return (
        f"{unit}; {experiment.rounds} rounds in {took:,.0f} s, each with every arm once, in an order of its own. "
        f"It ended when {_ENDED[experiment.ended_because]}."
    )


def _told(finding: FindingResult) -> str:
    """Give a finding's sentence; one that says of nothing that it differs is told what it speaks of."""
    none = "No difference shown"
    if finding.shown or not finding.sentence.startswith(none):
        return finding.sentence
    return f"{words(finding.name).capitalize()}: {none.lower()}{finding.sentence.removeprefix(none)}"
