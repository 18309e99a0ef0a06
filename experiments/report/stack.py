"""Plots of bars made of parts: what one request costs, part by part."""

from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.digits import digits
from experiments.report.axis import scale
from experiments.report.legend import legend, legend_height
from experiments.report.numbers import amount, factor
from experiments.report.selection import Panel, Point
from experiments.report.theme import INK, PAPER, POINTS, ROW, SMALL, WIDTH, on_series, series, text_width
from experiments.result import PlotSpec
from experiments.statistics import Interval

BAR: Final = 24.0  # points
RIGHT: Final = 50.0
FOOT: Final = 22.0
BESIDE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar and its parts, from left to right."""

    label: str
    parts: tuple[Point, ...]

    @property
    def length(self) -> float:
        """The sum of the parts' medians."""
        return sum(part.figure.value for part in self.parts)


def draw_stack(panel: Panel, spec: PlotSpec) -> Figure:
    """Draw one panel."""
    bars = _bars(panel, spec)
    widest = max(text_width(bar.label) for bar in bars)
    above = widest > BESIDE * WIDTH
    left, slot = (4.0, BAR + ROW + 4) if above else (widest + 12, BAR + 8)
    top = legend_height(panel.shown, WIDTH)
    height, inner = top + len(bars) * slot + FOOT, WIDTH - left - RIGHT
    figure = Figure(figsize=(WIDTH / POINTS, height / POINTS))
    axes = figure.add_axes((left / WIDTH, FOOT / height, inner / WIDTH, len(bars) * slot / height))
    axes.set_ylim(len(bars) * slot, 0)
    axes.set_yticks([])
    longest = max(bar.length for bar in bars)
    scale([Interval(longest, 0.0, longest)], axes, "x", spec.unit, inner, log=False)
    axes.set_xlim(0, longest)
    legend(figure, panel, height)
    for number, bar in enumerate(bars):
        y = number * slot + (ROW if above else 4)
        _draw_bar(axes, panel, bar, y, inner / longest, spec)
        across = axes.get_yaxis_transform()
        if above:
            axes.text(0, y - ROW / 2, bar.label, transform=across, va="center", color=INK)
        else:
            axes.text(-8 / inner, y + BAR / 2, bar.label, transform=across, ha="right", va="center", color=INK)
    return figure


def _draw_bar(axes: Axes, panel: Panel, bar: Bar, y: float, scale: float, spec: PlotSpec) -> None:
    begin = 0.0
    for part in bar.parts:
        number, length = panel.number(part), part.figure.value
        axes.barh(y, length, BAR, begin, align="edge", color=series(number), edgecolor=PAPER, linewidth=1)
        text = digits(length)
        if text_width(text, SMALL) + 4 < length * scale:
            middle = begin + length / 2
            axes.text(middle, y + BAR / 2, text, ha="center", va="center", color=on_series(number), fontsize=SMALL)
        begin += length
    axes.text(begin + 5 / scale, y + BAR / 2, amount(begin, spec.unit), va="center", color=INK, weight="bold")


def _bars(panel: Panel, spec: PlotSpec) -> list[Bar]:
    grouped: dict[str | int, list[Point]] = {}
    for point in panel.points:
        grouped.setdefault(point.x, []).append(point)
    return [Bar(factor(spec.x or "", x), tuple(sorted(points, key=panel.number))) for x, points in grouped.items()]
