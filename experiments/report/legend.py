"""The names of the series, in their colors, above a plot."""

from collections.abc import Sequence
from typing import Final

from matplotlib.figure import Figure

from experiments.report.selection import Panel
from experiments.report.theme import INK, POINTS, ROW, TEXT, series, text_width

GAP: Final = 8.0
SWATCH: Final = 11.0


def legend_height(names: Sequence[str], width: float) -> float:
    """Return how much room the legend takes, in points; none for a single series or without."""
    return 0.0 if len(names) < 2 else (_places(names, width)[-1][1] + 1) * ROW + 4


def legend(figure: Figure, panel: Panel, height: float) -> None:
    """Write the legend along the top edge of a figure that is so many points high."""
    names = panel.shown
    if len(names) < 2:
        return
    width = figure.get_figwidth() * POINTS
    for name, (x, line) in zip(names, _places(names, width), strict=True):
        y = 1 - (line + 0.5) * ROW / height
        color = series(panel.series.index(name))
        figure.text((x + 2) / width, y, "●", color=color, va="center", fontsize=TEXT)
        figure.text((x + SWATCH) / width, y, name, color=INK, va="center", fontsize=TEXT)


def _places(names: Sequence[str], width: float) -> list[tuple[float, int]]:
    """Lay names out from left to right and from line to line: where each begins, and on which line."""
    x, line, places = 0.0, 0, []
    for name in names:
        needed = SWATCH + text_width(name)
        if x > 0 and x + needed > width:
            x, line = 0.0, line + 1
        places.append((x, line))
        x += needed + GAP
    return places
