"""The table of an experiment's arms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from experiments.digits import digits
from experiments.report.intervals import Intervals
from experiments.report.numbers import cell, named, quantity
from experiments.result import ArmResult, ExperimentResult
from experiments.statistics import Interval

#: Arms that a reader still takes in at one look; more are folded away and grouped.
MANY: Final = 24
#: Quantities that have a column of their own, or none.
_OWN: Final = frozenset({"cpu", "wall", "rate"})


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column."""

    text: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that belong together: an arm's name and its cells."""

    title: str | None
    rows: Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class ArmTable:
    """A table; the first column holds names."""

    heads: Sequence[Head]
    groups: Sequence[Group]
    count: int
    folded: bool


def arm_table(experiment: ExperimentResult, intervals: Intervals) -> ArmTable:
    """Make the table of the arms that were measured."""
    arms = [arm for arm in experiment.arms if arm.samples]
    extras = extras_of(arms)
    heads = [Head("CPU", "µs"), Head("95 % interval", "µs")]
    if experiment.baseline is not None:
        heads += [Head(f"CPU : {experiment.baseline}"), Head("95 % interval")]
    heads += [Head("wall", "µs"), Head("per second")]
    heads += [Head(*quantity(name)) for name in extras]
    grouped: dict[str | None, list[tuple[str, Sequence[str]]]] = {}
    many = len(arms) > MANY
    factors = _grouping(experiment) if many else ()
    for arm in arms:
        title = ", ".join(named(name, arm.factors[name]) for name in factors if name in arm.factors)
        grouped.setdefault(title or None, []).append((arm.name, _cells(arm, experiment, intervals, extras)))
    groups = [Group(title, rows) for title, rows in grouped.items()]
    return ArmTable(heads, groups, len(arms), many)


def extras_of(arms: Sequence[ArmResult]) -> list[str]:
    """Name the quantities of these arms that have no column of their own."""
    names = dict.fromkeys(name for arm in arms for sample in arm.samples for name in sample.extra)
    return [name for name in names if name not in _OWN]


def bounds(figure: Interval | None) -> str:
    """Write an interval, empty when there is none."""
    return "" if figure is None or figure.low == figure.high else f"{digits(figure.low)} – {digits(figure.high)}"


def _cells(arm: ArmResult, experiment: ExperimentResult, intervals: Intervals, extras: Sequence[str]) -> Sequence[str]:
    cpu, wall = intervals.of(arm.name, "cpu"), intervals.median(arm.name, "wall")
    cells = [_value(cpu), bounds(cpu)]
    if experiment.baseline is not None:
        ratio = intervals.ratio(arm.name, experiment.baseline, "cpu")
        own = arm.name == experiment.baseline
        cells += ["1", ""] if own else [_value(ratio), bounds(ratio)]
    rate = intervals.median(arm.name, "rate")
    if rate is None and wall:
        rate = 1e6 / wall
    cells += ["" if number is None else digits(number) for number in (wall, rate)]
    for name in extras:
        number = intervals.median(arm.name, name)
        cells.append("" if number is None else cell(name, number))
    return cells


def _value(figure: Interval | None) -> str:
    return "" if figure is None else digits(figure.value)


def _grouping(experiment: ExperimentResult) -> tuple[str, ...]:
    """Choose the factors that the pictures part the arms by."""
    names = [name for plot in experiment.plots for name in (*plot.where, plot.panel) if name is not None]
    return tuple(dict.fromkeys(names))
