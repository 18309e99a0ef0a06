"""What others have published, beside ours: a table for each source, and a line for all sizes together."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from experiments.digits import digits
from experiments.published import Beside, Order, beside, orders
from experiments.report.numbers import quantity
from experiments.result import ExperimentResult


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One figure; `factor` is ours over theirs, scaled by clock, empty when that is not known."""

    arm: str
    ours: str
    theirs: str
    factor: str
    agrees: bool


@dataclass(frozen=True, slots=True)
class PublishedGroup:
    """The figures of one source and one machine."""

    source: str
    machine: str
    unit: str
    rows: Sequence[PublishedRow]
    notes: Sequence[str]  # the order, and why figures are apart


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """All of it."""

    groups: Sequence[PublishedGroup]
    sizes: str  # a sentence; empty when no sizes were published


def published_table(experiment: ExperimentResult, hertz: float | None) -> PublishedTable:
    """Set ours beside what others have published; `hertz` is the nominal clock of our machine."""
    found = beside(experiment, hertz)
    timed = sorted((one for one in found if one.unit != "bytes"), key=lambda one: (one.source, one.machine, one.unit))
    order = orders(experiment)
    groups = [
        _group(source, machine, unit, list(rows), [one for one in order if one.source == source])
        for (source, machine, unit), rows in groupby(timed, key=lambda one: (one.source, one.machine, one.unit))
    ]
    return PublishedTable(groups, _sizes([one for one in found if one.unit == "bytes"]))


def _group(source: str, machine: str, unit: str, rows: Sequence[Beside], order: Sequence[Order]) -> PublishedGroup:
    arms = {row.arm for row in rows}
    notes = _orders([one for one in order if set(one.theirs) <= arms])
    notes.append(f"{sum(row.agrees for row in rows)} of {len(rows)} figures within a factor of 2.")
    apart: dict[str, list[str]] = {}
    for row in rows:
        if not row.agrees and row.factor is not None:
            apart.setdefault(row.reason, []).append(row.arm)
    notes += [
        f"More than a factor of 2 apart: {', '.join(names)}. Reason: {reason}." for reason, names in apart.items()
    ]
    if unscaled := [row.arm for row in rows if row.factor is None]:
        notes.append(f"Not scaled, for want of a clock: {', '.join(unscaled)}.")
    return PublishedGroup(source, machine, "µs" if unit == "us" else unit, [_row(row) for row in rows], notes)


def _row(row: Beside) -> PublishedRow:
    factor = "" if row.factor is None else digits(row.factor)
    return PublishedRow(row.arm, digits(row.ours), digits(row.theirs), factor, row.agrees)


def _orders(found: Sequence[Order]) -> list[str]:
    """Say in which operations the order of the arms is theirs, and which arms stand the other way round."""
    same = ", ".join(one.operation for one in found if one.agrees and one.operation)
    notes = [f"The order is the same{f': {same}' if same else ''}."] if any(one.agrees for one in found) else []
    for one in found:
        if not one.agrees:
            what = f" ({one.operation})" if one.operation else ""
            swapped = "; ".join(f"{first} and {second}" for first, second in one.swapped)
            notes.append(f"The order is another{what}: {swapped} stand the other way round with us.")
    return notes


def _sizes(found: Sequence[Beside]) -> str:
    if not found:
        return ""
    sources = dict.fromkeys(one.source for one in found)
    told = f"{sum(one.agrees for one in found)} of {len(found)} are as published ({'; '.join(sources)})."
    others = [
        f"{one.arm}: {quantity(one.quantity)[0]} {one.ours:,.6g} B, published {one.theirs:,.6g} B ({one.reason})"
        for one in found
        if not one.agrees
    ]
    return " ".join([told, *(f"{other}." for other in others)])
