"""Which arms a plot shows, and where in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from experiments.report.intervals import Intervals
from experiments.report.numbers import named
from experiments.result import ArmResult, PlotSpec
from experiments.statistics import Interval


@dataclass(frozen=True, slots=True)
class Point:
    """One arm in a plot."""

    arm: str
    x: str | int  # the arm's value of the plot's `x`; its name where the plot has none
    series: str | None  # the arm's value of the plot's `color`, as text
    figure: Interval


@dataclass(frozen=True, slots=True)
class Panel:
    """The arms that share a pair of axes."""

    title: str | None
    points: tuple[Point, ...]
    series: tuple[str, ...]  # of the whole plot, so that a color means the same in each panel

    def number(self, point: Point) -> int:
        """Return the number of a point's series, 0 when the plot has none."""
        return 0 if point.series is None else self.series.index(point.series)

    @property
    def shown(self) -> tuple[str, ...]:
        """The series that this panel has points of."""
        return tuple(name for name in self.series if any(point.series == name for point in self.points))


def panels(spec: PlotSpec, arms: Iterable[ArmResult], intervals: Intervals) -> list[Panel]:
    """Choose the arms of a plot that have its factors and its quantity, panel by panel, in the arms' order."""
    chosen: dict[str | None, list[Point]] = {}
    series: list[str] = []
    for arm in arms:
        figure = intervals.of(arm.name, spec.quantity) if _matches(arm.factors, spec) else None
        if figure is None or (spec.log and figure.low <= 0):
            continue
        color = None if spec.color is None else named(spec.color, arm.factors[spec.color])
        if color is not None and color not in series:
            series.append(color)
        title = None if spec.panel is None else named(spec.panel, arm.factors[spec.panel])
        x = arm.name if spec.x is None else arm.factors[spec.x]
        chosen.setdefault(title, []).append(Point(arm.name, x, color, figure))
    return [Panel(title, tuple(points), tuple(series)) for title, points in chosen.items()]


def _matches(factors: Mapping[str, str | int], spec: PlotSpec) -> bool:
    needed = {name for name in (spec.x, spec.color, spec.panel) if name is not None}
    return needed <= factors.keys() and all(factors.get(name) in values for name, values in spec.where.items())
