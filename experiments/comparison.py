"""Two results side by side: what changed, and whether the intervals separate."""

from dataclasses import dataclass
from typing import Literal

from experiments.digits import figure
from experiments.repetition import Repeated, apart, interval_of, not_repeated, repeats
from experiments.result import ArmResult, ExperimentResult, Result
from experiments.statistics import Interval, interval

__all__ = ["Compared", "Comparison", "Repeated", "compare", "compare_text", "not_repeated", "repeats"]

Verdict = Literal["changed", "no change shown"]


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure in both results. `ratio` is second over first; None where that says nothing: an interval reaches zero.

    The ratio's interval is the widest that the two intervals allow, so it leaves out 1 exactly when they separate. It
    is not another 95 % interval: it holds the true ratio whenever both of them hold their values.
    """

    experiment: str
    name: str
    kind: Literal["headline", "arm"]
    unit: str
    first: Interval
    second: Interval
    ratio: Interval | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two results say of the same things, and what tells the runs apart."""

    differences: tuple[str, ...]  # of machine, libraries, sources and scale, a line each
    figures: tuple[Compared, ...]
    only_first: tuple[str, ...]  # "experiment: arm" and "experiment: headline name (unit)"
    only_second: tuple[str, ...]


def compare(first: Result, second: Result) -> Comparison:
    """Set every headline and every arm's CPU time of two results side by side."""
    before, after = _by_name(first), _by_name(second)
    figures: list[Compared] = []
    for name in before.keys() & after.keys():
        figures += _headlines(before[name], after[name])
        figures += _arms(before[name], after[name], first.seed, second.seed)
    order = {one.name: number for number, one in enumerate(first.experiments)}
    figures.sort(key=lambda one: (order[one.experiment], one.kind != "headline"))
    names, others = _names(first), _names(second)
    return Comparison(
        differences=tuple(_differences(first, second)),
        figures=tuple(figures),
        only_first=tuple(name for name in names if name not in others),
        only_second=tuple(name for name in others if name not in names),
    )


def compare_text(first: Result, second: Result) -> list[str]:
    """Write a comparison as lines of tab-separated columns, what differs between the runs before them."""
    found = compare(first, second)
    lines = [f"differs: {line}" for line in found.differences]
    lines.append("experiment\tfigure\tfirst\tsecond\tsecond : first\tverdict")
    lines += [
        f"{one.experiment}\t{one.name}\t{figure(one.first, one.unit)}\t{figure(one.second, one.unit)}\t"
        f"{'' if one.ratio is None else figure(one.ratio, '')}\t{one.verdict}"
        for one in found.figures
    ]
    lines += [f"only in the first: {name}" for name in found.only_first]
    lines += [f"only in the second: {name}" for name in found.only_second]
    return lines


def _headlines(first: ExperimentResult, second: ExperimentResult) -> list[Compared]:
    again = {one.name: one for one in second.findings if one.headline}
    return [
        _compared(first.name, one.name, "headline", one.unit, interval_of(one), interval_of(again[one.name]))
        for one in first.findings
        if one.headline and one.name in again and again[one.name].unit == one.unit
    ]


def _arms(first: ExperimentResult, second: ExperimentResult, *seeds: int) -> list[Compared]:
    again = {arm.name: arm for arm in second.arms if arm.samples}
    return [
        _compared(first.name, arm.name, "arm", "us", _cpu(arm, seeds[0]), _cpu(again[arm.name], seeds[1]))
        for arm in first.arms
        if arm.samples and arm.name in again
    ]


def _compared(
    experiment: str, name: str, kind: Literal["headline", "arm"], unit: str, first: Interval, second: Interval
) -> Compared:
    verdict: Verdict = "changed" if apart(first, second) else "no change shown"
    return Compared(experiment, name, kind, unit, first, second, _ratio(first, second), verdict)


def _ratio(first: Interval, second: Interval) -> Interval | None:
    if min(first.low, second.low) <= 0:
        return None
    return Interval(second.value / first.value, second.low / first.high, second.high / first.low)


def _differences(first: Result, second: Result) -> list[str]:
    one, two = first.environment, second.environment
    pairs: list[tuple[str, object, object]] = [
        ("scale", first.scale, second.scale),
        ("processor", one.cpu, two.cpu),
        ("cores", one.cores, two.cores),
        ("clock", _gigahertz(one.hertz), _gigahertz(two.hertz)),
        ("governor", one.governor or "unknown", two.governor or "unknown"),
        ("system", one.system, two.system),
        ("python", one.python, two.python),
        ("revision", _revision(first), _revision(second)),
    ]
    for versions, others in ((one.libraries, two.libraries), (one.native, two.native)):
        pairs += [
            (name, versions.get(name, "absent"), others.get(name, "absent")) for name in sorted({*versions, *others})
        ]
    return [f"{name}: {before} -> {after}" for name, before, after in pairs if before != after]


def _gigahertz(hertz: float | None) -> str:
    return "unknown" if hertz is None else f"{hertz / 1e9:.2f} GHz"


def _revision(result: Result) -> str:
    environment = result.environment
    return f"{(environment.revision or 'unknown')[:10]}{' with changes' if environment.dirty else ''}"


def _names(result: Result) -> list[str]:
    """Name what can be compared: arms that were measured, and headlines with their units."""
    found: list[str] = []
    for one in result.experiments:
        found += [f"{one.name}: {arm.name}" for arm in one.arms if arm.samples]
        heads = [finding for finding in one.findings if finding.headline]
        found += [f"{one.name}: headline {head.name}{head.unit and f' ({head.unit})'}" for head in heads]
    return found


def _by_name(result: Result) -> dict[str, ExperimentResult]:
    return {experiment.name: experiment for experiment in result.experiments}


def _cpu(arm: ArmResult, seed: int) -> Interval:
    return interval([sample.cpu for sample in arm.samples], seed)
