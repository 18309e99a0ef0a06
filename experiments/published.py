"""Ours beside what others have published: scaled by clock, with reasons, and whether the order is the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Final

from experiments.result import ArmResult, ExperimentResult, PublishedFigure
from experiments.statistics import quantities

#: Ours and theirs are called different beyond this factor, after scaling by clock.
MOST_APART: Final = 2.0
UNKNOWN: Final = "no reason is known"
UNSCALED: Final = "not comparable: the clock of our machine is not known"


@dataclass(frozen=True, slots=True)
class Beside:
    """One published figure and ours for the same thing, both in the published unit.

    `factor` is ours over theirs, ours scaled to their clock; None where it cannot be scaled, and `ours` is then as it
    was measured, in microseconds. Times whose clock was not published are set beside ours as they are. `agrees` is
    whether the factor lies within 2 (sizes: whether every window's equals theirs); `reason` says why it does not.
    """

    arm: str
    quantity: str
    unit: str
    theirs: float
    ours: float
    factor: float | None
    agrees: bool
    reason: str
    source: str
    machine: str


@dataclass(frozen=True, slots=True)
class Order:
    """Whether the arms that one source has figures for stand in the same order with us."""

    source: str
    quantity: str
    operation: str
    theirs: tuple[str, ...]  # arms, the cheapest first
    swapped: tuple[tuple[str, str], ...]  # pairs that stand the other way round with us

    @property
    def agrees(self) -> bool:
        """Whether no pair is swapped."""
        return not self.swapped


def beside(experiment: ExperimentResult, hertz: float | None) -> list[Beside]:
    """Set every published figure beside ours; `hertz` is our nominal clock. What was not measured is left out."""
    arms = {arm.name: arm for arm in experiment.arms if arm.samples}
    return [
        _beside(figure, values, hertz)
        for figure in experiment.published
        if figure.arm in arms and (values := _values(arms[figure.arm], figure.quantity))
    ]


def orders(experiment: ExperimentResult) -> list[Order]:
    """Compare the order of arms, source by source, among figures of one quantity, unit and operation."""
    arms = {arm.name: arm for arm in experiment.arms if arm.samples}
    groups: dict[tuple[str, str, str, str], list[tuple[str, float, float]]] = {}
    for figure in experiment.published:
        arm = arms.get(figure.arm)
        if arm is None or not (values := _values(arm, figure.quantity)):
            continue
        operation = str(arm.factors.get("operation", ""))
        key = (figure.source, figure.machine, f"{figure.quantity} {figure.unit}", operation)
        groups.setdefault(key, []).append((figure.arm, figure.figure, median(values)))
    return [
        Order(source, quantity.split()[0], operation, _names(found), _swapped(found))
        for (source, _, quantity, operation), found in groups.items()
        if len(found) > 1
    ]


def _beside(figure: PublishedFigure, values: Sequence[float], hertz: float | None) -> Beside:
    ours: float = median(values)
    scale: float | None = 1.0
    if figure.unit == "cycles":
        scale = None if hertz is None else hertz / 1e6
    elif figure.unit == "us" and figure.hertz is not None:
        scale = None if hertz is None else hertz / figure.hertz
    factor = None if scale is None or not figure.figure else ours * scale / figure.figure
    if figure.unit == "bytes":
        agrees = all(value == figure.figure for value in values)
    else:
        agrees = factor is not None and 1 / MOST_APART <= factor <= MOST_APART
    unknown = UNSCALED if scale is None else figure.reason or UNKNOWN
    return Beside(
        arm=figure.arm,
        quantity=figure.quantity,
        unit=figure.unit,
        theirs=figure.figure,
        ours=ours if scale is None else ours * scale,
        factor=factor,
        agrees=agrees,
        reason="" if agrees else unknown,
        source=figure.source,
        machine=figure.machine,
    )


def _values(arm: ArmResult, quantity: str) -> list[float]:
    return [known[quantity] for sample in arm.samples if quantity in (known := quantities(sample))]


def _names(found: Sequence[tuple[str, float, float]]) -> tuple[str, ...]:
    return tuple(name for name, _, _ in sorted(found, key=lambda one: one[1]))


def _swapped(found: Sequence[tuple[str, float, float]]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (one[0], other[0]) for one, other in combinations(found, 2) if (one[1] - other[1]) * (one[2] - other[2]) < 0
    )
