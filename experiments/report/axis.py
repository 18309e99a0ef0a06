"""The axis of the measured quantity: where it begins and ends, and a few round numbers on it."""

import math
from collections.abc import Sequence
from typing import Final, Literal

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from experiments.report.numbers import tick
from experiments.report.theme import SMALL, text_width
from experiments.statistics import Interval

#: Steps within a power of ten, for wide ranges and for narrow ones.
_STEPS: Final = ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8))
FEWEST: Final = 3  # numbers on a logarithmic axis, if the range has them
MOST: Final = 6
GAP: Final = 8.0  # points between two of them


def scale(
    figures: Sequence[Interval], axes: Axes, which: Literal["x", "y"], unit: str, room: float, *, log: bool
) -> None:
    """Fit an axis, so many points long, to the figures. A linear one begins at zero, for lengths to be comparable."""
    low, high = min(one.low for one in figures), max(one.high for one in figures)
    axis = axes.xaxis if which == "x" else axes.yaxis
    limits = axes.set_xlim if which == "x" else axes.set_ylim
    axes.grid(axis=which)
    axes.set_axisbelow(True)
    axes.tick_params(axis=which, pad=2)
    if log:
        low, high = low / 1.25, high * 1.25
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
        numbers = round_numbers(low, high)
        needed = sum(text_width(tick(number, unit), SMALL) + GAP for number in numbers) if which == "x" else 0.0
        axis.set_major_locator(FixedLocator(numbers[:: max(1, math.ceil(needed / room))]))
        axis.set_minor_locator(NullLocator())
        axis.set_minor_formatter(NullFormatter())
        limits(low, high)
    else:
        axis.set_major_locator(MaxNLocator(4))
        limits(min(0.0, 1.06 * low), 1.06 * high if high > 0 else 1.0)
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value, unit)))


def round_numbers(low: float, high: float) -> list[float]:
    """Choose a few round numbers between two positive ones, for a logarithmic axis."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    found: list[float] = []
    for steps in _STEPS:
        found = [
            step * 10.0**power
            for power in range(first, last + 1)
            for step in steps
            if low <= step * 10.0**power <= high
        ]
        if len(found) >= FEWEST:
            break
    return found[:: math.ceil(len(found) / MOST)] if found else []
