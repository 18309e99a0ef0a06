"""The pictures of an experiment, drawn."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup
from matplotlib.figure import Figure

from experiments.report.dots import draw_dots
from experiments.report.intervals import Intervals
from experiments.report.lines import draw_lines
from experiments.report.numbers import amount
from experiments.report.selection import Panel, panels
from experiments.report.stack import draw_stack
from experiments.report.svg import picture
from experiments.result import ExperimentResult, PlotSpec

_DRAW: Final[Mapping[str, Callable[[Panel, PlotSpec], Figure]]] = {
    "dots": draw_dots,
    "lines": draw_lines,
    "stack": draw_stack,
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """One panel: its title, None when it is the only one, and its `<svg>`."""

    title: str | None
    svg: Markup


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot, and how to read it."""

    title: str
    note: str
    panels: Sequence[Drawn]


def pictures(experiment: ExperimentResult, intervals: Intervals, name: str) -> list[Picture]:
    """Draw every plot of an experiment that has something to show; `name` keeps them apart from other experiments'."""
    found = []
    for number, spec in enumerate(experiment.plots, 1):
        drawn = [
            Drawn(panel.title, _draw(panel, spec, f"{name}-{number}-{place}"))
            for place, panel in enumerate(panels(spec, experiment.arms, intervals), 1)
        ]
        if drawn:
            found.append(Picture(spec.title, _note(spec), drawn))
    return found


def _draw(panel: Panel, spec: PlotSpec, name: str) -> Markup:
    title = spec.title if panel.title is None else f"{spec.title}: {panel.title}"
    figures = (
        f"{point.arm} {amount(point.figure.value, spec.unit)} "
        f"[{amount(point.figure.low, spec.unit)}, {amount(point.figure.high, spec.unit)}]"
        for point in panel.points
    )
    return picture(lambda: _DRAW[spec.kind](panel, spec), name, title, "; ".join(figures))


def _note(spec: PlotSpec) -> str:
    if spec.kind == "stack":
        return "Medians, one part after the other"
    parts = [] if spec.unit == "B" else ["median and 95 % interval"]
    parts += ["logarithmic scale"] if spec.log else []
    return ", ".join(parts).capitalize()
