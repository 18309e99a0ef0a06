"""Two results side by side: what changed, and whether the intervals separate."""

from dataclasses import dataclass
from typing import Literal

from experiments.result import ArmResult, ExperimentResult, FindingResult, Result
from experiments.statistics import Interval, figure, interval

Verdict = Literal["changed", "no change shown"]


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure in both results. `ratio` is second over first; None where the first is zero."""

    experiment: str
    name: str
    kind: Literal["headline", "arm"]
    unit: str
    first: Interval
    second: Interval
    ratio: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two results say of the same things, and what tells the runs apart."""

    differences: tuple[str, ...]  # of machine, libraries, sources and scale, a line each
    figures: tuple[Compared, ...]
    only_first: tuple[str, ...]  # "experiment: arm"
    only_second: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """Whether a headline ratio of a second run lies inside the first one's 95 % interval."""

    experiment: str
    name: str
    sentence: str
    first: Interval
    second: Interval
    inside: bool


def compare(first: Result, second: Result) -> Comparison:
    """Set every headline and every arm's CPU time of two results side by side."""
    before, after = _by_name(first), _by_name(second)
    figures: list[Compared] = []
    for name in before.keys() & after.keys():
        figures += _headlines(before[name], after[name])
        figures += _arms(before[name], after[name])
    order = {one.name: number for number, one in enumerate(first.experiments)}
    figures.sort(key=lambda one: (order[one.experiment], one.kind != "headline"))
    names, others = _arm_names(first), _arm_names(second)
    return Comparison(
        differences=tuple(_differences(first, second)),
        figures=tuple(figures),
        only_first=tuple(name for name in names if name not in others),
        only_second=tuple(name for name in others if name not in names),
    )


def repeats(first: Result, second: Result) -> list[Repeated]:
    """Hold the headline ratios of a second run against the intervals of the first."""
    after = _by_name(second)
    found = []
    for experiment in first.experiments:
        again = {one.name: one for one in after[experiment.name].findings} if experiment.name in after else {}
        for one in experiment.findings:
            if one.headline and one.kind == "ratio" and (other := again.get(one.name)) is not None:
                inside = one.low <= other.value <= one.high
                found.append(Repeated(experiment.name, one.name, one.sentence, _of(one), _of(other), inside))
    return found


def compare_text(first: Result, second: Result) -> list[str]:
    """Write a comparison as lines of tab-separated columns, what differs between the runs before them."""
    found = compare(first, second)
    lines = [f"differs: {line}" for line in found.differences]
    lines.append("experiment\tfigure\tfirst\tsecond\tsecond : first\tverdict")
    lines += [
        f"{one.experiment}\t{one.name}\t{figure(one.first, one.unit)}\t{figure(one.second, one.unit)}\t"
        f"{'' if one.ratio is None else f'{one.ratio:.3f}'}\t{one.verdict}"
        for one in found.figures
    ]
    lines += [f"only in the first: {name}" for name in found.only_first]
    lines += [f"only in the second: {name}" for name in found.only_second]
    return lines


def _headlines(first: ExperimentResult, second: ExperimentResult) -> list[Compared]:
    again = {one.name: one for one in second.findings}
    return [
        _compared(first.name, one.name, "headline", one.unit, _of(one), _of(again[one.name]))
        for one in first.findings
        if one.headline and one.name in again and again[one.name].unit == one.unit
    ]


def _arms(first: ExperimentResult, second: ExperimentResult) -> list[Compared]:
    again = {arm.name: arm for arm in second.arms if arm.samples}
    return [
        _compared(first.name, arm.name, "arm", "us", _cpu(arm), _cpu(again[arm.name]))
        for arm in first.arms
        if arm.samples and arm.name in again
    ]


def _compared(
    experiment: str, name: str, kind: Literal["headline", "arm"], unit: str, first: Interval, second: Interval
) -> Compared:
    apart = first.high < second.low or second.high < first.low
    ratio = second.value / first.value if first.value else None
    return Compared(experiment, name, kind, unit, first, second, ratio, "changed" if apart else "no change shown")


def _differences(first: Result, second: Result) -> list[str]:
    one, two = first.environment, second.environment
    pairs: list[tuple[str, object, object]] = [
        ("scale", first.scale, second.scale),
        ("processor", one.cpu, two.cpu),
        ("cores", one.cores, two.cores),
        ("system", one.system, two.system),
        ("python", one.python, two.python),
        ("revision", _revision(first), _revision(second)),
    ]
    for versions, others in ((one.libraries, two.libraries), (one.native, two.native)):
        pairs += [
            (name, versions.get(name, "absent"), others.get(name, "absent")) for name in sorted({*versions, *others})
        ]
    return [f"{name}: {before} -> {after}" for name, before, after in pairs if before != after]


def _revision(result: Result) -> str:
    environment = result.environment
    return f"{(environment.revision or 'unknown')[:10]}{' with changes' if environment.dirty else ''}"


def _arm_names(result: Result) -> list[str]:
    return [f"{one.name}: {arm.name}" for one in result.experiments for arm in one.arms if arm.samples]


def _by_name(result: Result) -> dict[str, ExperimentResult]:
    return {experiment.name: experiment for experiment in result.experiments}


def _of(finding: FindingResult) -> Interval:
    return Interval(finding.value, finding.low, finding.high)


def _cpu(arm: ArmResult) -> Interval:
    return interval([sample.cpu for sample in arm.samples])
