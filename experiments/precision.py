"""Whether the figures of an experiment are sure enough to stop."""

from collections.abc import Sequence

from experiments.experiment import Experiment
from experiments.journal_entry import Begun, RoundDone
from experiments.result import ArmResult, FindingResult
from experiments.scale import Scale
from experiments.statistics import evaluate, interval


def load_statistics() -> None:
    """Import what intervals need, which takes seconds. Raises ExperimentError when it is not installed."""
    interval((1.0, 2.0))


def with_samples(begun: Begun, rounds: Sequence[RoundDone]) -> list[ArmResult]:
    """Put the samples of the rounds to the arms that were prepared."""
    return [
        arm.model_copy(update={"samples": [done.samples[arm.name] for done in rounds if arm.name in done.samples]})
        for arm in begun.arms
    ]


def findings_of(experiment: Experiment, arms: Sequence[ArmResult], seed: int) -> list[FindingResult]:
    """Evaluate the findings whose arms were measured."""
    found = [evaluate(finding, arms, seed) for finding in experiment.findings]
    return [result for result in found if result is not None]


def narrow(experiment: Experiment, arms: Sequence[ArmResult], scale: Scale, seed: int) -> bool:
    """Tell whether every headline's 95 % interval reaches at most `scale.width` of its value to each side."""
    headlines = [finding for finding in findings_of(experiment, arms, seed) if finding.headline]
    return all((one.high - one.low) / 2 <= scale.width * abs(one.value) for one in headlines)
