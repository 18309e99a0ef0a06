"""Plots of lines over a number: a point with its 95 % interval for each arm, the line's name at its end."""

from itertools import groupby
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from experiments.report.axis import scale
from experiments.report.numbers import factor, words
from experiments.report.selection import Panel, Point
from experiments.report.theme import POINTS, SMALL, WIDTH, series, text_width
from experiments.result import PlotSpec

HEIGHT: Final = 230.0  # points
LEFT: Final = 42.0
FOOT: Final = 34.0
TOP: Final = 8.0
#: Points between the names of two lines, at least.
APART: Final = 10.5


def draw_lines(panel: Panel, spec: PlotSpec) -> Figure:
    """Draw one panel."""
    right = 12 + max((text_width(name, SMALL) for name in panel.shown), default=0.0)
    width, height = WIDTH - LEFT - right, HEIGHT - FOOT - TOP
    figure = Figure(figsize=(WIDTH / POINTS, HEIGHT / POINTS))
    axes = figure.add_axes((LEFT / WIDTH, FOOT / HEIGHT, width / WIDTH, height / HEIGHT))
    scale([point.figure for point in panel.points], axes, "y", spec.unit, height, log=spec.log)
    _numbers(axes, sorted({point.x for point in panel.points if isinstance(point.x, int)}), spec, width)
    ends: list[tuple[str, float, str]] = []
    for number, points in groupby(sorted(panel.points, key=panel.number), panel.number):
        ends.append(_draw_line(axes, list(points), series(number)))
    _name_lines(axes, ends, width, height)
    return figure


def _draw_line(axes: Axes, points: list[Point], color: str) -> tuple[str, float, str]:
    """Draw a line; gives its name, where it ends, and its color."""
    points = sorted(points, key=lambda point: point.x)
    x = [float(point.x) for point in points]
    y = [point.figure.value for point in points]
    axes.plot(x, y, "-", color=color, linewidth=1.4)
    axes.plot(x, y, "o", color=color, markersize=4.5, markeredgewidth=0)
    for place, point in zip(x, points, strict=True):
        axes.plot(
            [place, place], [point.figure.low, point.figure.high], color=color, linewidth=3, alpha=0.4, zorder=1.5
        )
    return points[-1].series or "", y[-1], color


def _numbers(axes: Axes, values: list[int], spec: PlotSpec, width: float) -> None:
    """Write the values of the factor below the axis: those that there are, as far as they have room."""
    name = spec.x or ""
    if spec.log_x:
        axes.set_xscale("log")
    axes.margins(x=0.04)
    labels = [factor(name, value) for value in values]
    room = width / max(1, len(values))
    every = max(1, -(-int(max(map(text_width, labels)) + 6) // max(1, int(room)))) if spec.log_x else 1
    axes.xaxis.set_major_locator(FixedLocator(values[::every]))
    axes.xaxis.set_major_formatter(FixedFormatter(labels[::every]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(words(name))


def _name_lines(axes: Axes, ends: list[tuple[str, float, str]], width: float, height: float) -> None:
    """Write the names beside the ends of the lines, moved apart where they would lie upon each other."""
    low = axes.transLimits.transform(axes.transScale.transform([(1, end) for _, end, _ in ends]))[:, 1]
    order = sorted(range(len(ends)), key=lambda number: low[number])
    places: dict[int, float] = {}
    floor = -1.0
    for number in order:
        floor = places[number] = max(float(low[number]), floor + APART / height)
    over = max(0.0, floor - 1.0)
    for number, (name, _, color) in enumerate(ends):
        axes.text(
            1 + 5 / width,
            places[number] - over,
            name,
            transform=axes.transAxes,
            va="center",
            color=color,
            fontsize=SMALL,
        )
