"""Medians over rounds, and how sure they are: percentile bootstrap over rounds (Efron 1979), by scipy."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from experiments.digits import figure
from experiments.errors import DefinitionError, ExperimentError
from experiments.experiment import REFERENCE, Experiment, Finding, NotMeasured, Round
from experiments.result import ArmResult, FindingResult, Sample

RESAMPLES: Final = 2_000
CONFIDENCE: Final = 0.95
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Interval:
    """A median over rounds, and its bootstrap 95 % interval."""

    value: float
    low: float
    high: float


def interval(values: Sequence[float], seed: int = 0) -> Interval:
    """Give the median of one value a round and its 95 % interval; of a single value, the value alone.

    Of independent lognormal values the interval holds the true median in 87 % of all cases at 7 rounds, 92 % at 15,
    94 % at 30 and 95 % at 60 (4,000 simulations each): at few rounds it is somewhat too narrow.

    Raises ExperimentError when there is none, or scipy is not installed.
    """
    try:
        import numpy
        from scipy.stats import bootstrap
    except ModuleNotFoundError as error:
        raise ExperimentError("statistics need the extra secure-api[experiments]") from error
    if not values:
        raise ExperimentError("there is nothing to take a median of")
    data = numpy.asarray(values, dtype=float)
    value = float(numpy.median(data))
    if len(values) == 1 or bool((data == data[0]).all()):
        return Interval(value, value, value)
    found = bootstrap(
        (data,),
        numpy.median,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        vectorized=True,
        rng=numpy.random.default_rng(seed),
    ).confidence_interval
    return Interval(value, float(found.low), float(found.high))


def rounds(arms: Sequence[ArmResult], quantity: str) -> list[Round]:
    """Give every round that an arm was measured in, for formulas; an arm that was not measured in it is NotMeasured."""
    numbers: dict[int, dict[str, Mapping[str, float]]] = {}
    for arm in arms:
        for sample in arm.samples:
            numbers.setdefault(sample.round, {})[arm.name] = quantities(sample)
    return [Round(numbers[number], quantity) for number in sorted(numbers)]


def quantities(sample: Sample) -> dict[str, float]:
    """Give everything that was measured in a window, by name."""
    return {**sample.extra, "cpu": sample.cpu, "wall": sample.wall}


def evaluate(finding: Finding, arms: Sequence[ArmResult], seed: int = 0) -> FindingResult | None:
    """Compute a finding round by round; None when its arms were not measured.

    Raises DefinitionError when its formula divides by zero in some round, gives no finite number, needs a quantity that
    an arm of the round does not have, or raises anything else.
    """
    values = []
    for one in rounds(arms, finding.quantity):
        try:
            value = float(finding.formula(one))
        except NotMeasured:
            continue
        except DefinitionError as error:
            raise DefinitionError(f"finding {finding.name}: {error}") from error
        except ZeroDivisionError as error:
            raise DefinitionError(f"finding {finding.name} divides by zero") from error
        except Exception as error:  # whatever the author of a suite got wrong
            raise DefinitionError(f"finding {finding.name}: {type(error).__name__}: {error}") from error
        if not math.isfinite(value):
            raise DefinitionError(f"finding {finding.name} gives {value}, which is no figure")
        values.append(value)
    if not values:
        return None
    found = interval(values, seed)
    shown = finding.kind != "ratio" or not found.low <= 1 <= found.high
    sentence = finding.says if shown else finding.otherwise
    return FindingResult(
        name=finding.name,
        sentence=sentence.replace("{value}", figure(found, finding.unit)),
        kind=finding.kind,
        unit=finding.unit,
        quantity=finding.quantity,
        headline=finding.headline,
        value=found.value,
        low=found.low,
        high=found.high,
        shown=shown,
    )


def answer(experiment: Experiment, findings: Sequence[FindingResult]) -> str:
    """Write an experiment's answer; a sentence that needs a figure that was not measured is left out."""
    known = {finding.name: finding for finding in findings}
    kept = [
        REFERENCE.sub(lambda found: _told(known[found[1]]), sentence)
        for sentence in _SENTENCE.split(experiment.answer.strip())
        if all(name in known for name in REFERENCE.findall(sentence))
    ]
    return " ".join(kept) or "Not answered here: the arms that it needs were not measured."


def _told(finding: FindingResult) -> str:
    text = figure(finding, finding.unit)
    return text if finding.shown else f"no difference shown ({text})"
