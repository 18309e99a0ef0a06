"""Plots of rows: a dot, its 95 % interval, and the figure beside it."""

from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.report.axis import scale
from experiments.report.legend import legend, legend_height
from experiments.report.numbers import amount, factor
from experiments.report.selection import Panel, Point
from experiments.report.theme import GRID, INK, POINTS, ROW, SMALL, WIDTH, series, text_width
from experiments.result import PlotSpec

RIGHT: Final = 56.0  # for the figures
FOOT: Final = 22.0  # for the axis
#: A label wider than this share of the plot stands above its dots, not beside them.
BESIDE: Final = 0.42


@dataclass(frozen=True, slots=True)
class Row:
    """A label and the dots that belong to it."""

    label: str
    points: tuple[Point, ...]


def draw_dots(panel: Panel, spec: PlotSpec) -> Figure:
    """Draw one panel."""
    rows = _rows(panel, spec)
    widest = max(text_width(row.label) for row in rows)
    above = widest > BESIDE * WIDTH
    left = 12.0 if above else widest + 12
    slots = [len(row.points) + (1 if above else 0) + 0.25 for row in rows]
    top = legend_height(panel.shown, WIDTH)
    height = top + sum(slots) * ROW + FOOT
    figure = Figure(figsize=(WIDTH / POINTS, height / POINTS))
    box = left / WIDTH, FOOT / height, (WIDTH - left - RIGHT) / WIDTH, sum(slots) * ROW / height
    axes = figure.add_axes(box)
    axes.set_ylim(sum(slots), 0)
    axes.set_yticks([])
    scale([point.figure for point in panel.points], axes, "x", spec.unit, WIDTH - left - RIGHT, log=spec.log)
    legend(figure, panel, height)
    place = 0.0
    for row, slot in zip(rows, slots, strict=True):
        _draw_row(figure, axes, panel, row, place, above, spec, left)
        place += slot
    return figure


def _draw_row(
    figure: Figure, axes: Axes, panel: Panel, row: Row, place: float, above: bool, spec: PlotSpec, left: float
) -> None:
    across = axes.get_yaxis_transform()
    width = WIDTH - left - RIGHT
    if above:
        axes.text((2 - left) / width, place + 0.55, row.label, transform=across, va="center", color=INK)
        place += 1
    else:
        middle = place + 0.125 + len(row.points) / 2
        axes.text(-8 / width, middle, row.label, transform=across, ha="right", va="center", color=INK)
    for number, point in enumerate(row.points):
        y, color = place + number + 0.625, series(panel.number(point))
        figure_ = point.figure
        axes.plot([0, 1], [y, y], transform=across, color=GRID, linewidth=0.6, zorder=0)
        axes.plot([figure_.low, figure_.high], [y, y], color=color, linewidth=2.4, solid_capstyle="round", alpha=0.55)
        axes.plot([figure_.value], [y], "o", color=color, markersize=5.5, markeredgewidth=0)
        text = amount(figure_.value, spec.unit)
        axes.text(1 + 6 / width, y, text, transform=across, va="center", fontsize=SMALL, color=INK)


def _rows(panel: Panel, spec: PlotSpec) -> list[Row]:
    """Group the points by `x`; numbers in their order, names by their best figure, the best first."""
    grouped: dict[str | int, list[Point]] = {}
    for point in panel.points:
        if not any(_same(point, other) for other in grouped.setdefault(point.x, [])):
            grouped[point.x].append(point)
    rows = [(x, tuple(sorted(points, key=panel.number))) for x, points in grouped.items()]
    if all(isinstance(x, int) for x, _ in rows):
        rows.sort(key=lambda row: row[0])
    else:
        best = max if spec.quantity == "rate" else min
        rows.sort(key=lambda row: best(point.figure.value for point in row[1]), reverse=best is max)
    return [Row(factor(spec.x or "", x), points) for x, points in rows]


def _same(one: Point, other: Point) -> bool:
    """Tell whether two arms, of two libraries say, would be one and the same dot."""
    return one.series == other.series and one.figure == other.figure
