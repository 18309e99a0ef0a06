"""Labelled vectors in CSV: public sets of numbers, in the order of arrival."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan, log
from typing import Final

from anomaly.errors import EventError

_LABELS: Final = ("label", "attack", "anomaly", "is_anomaly", "outlier", "class", "target", "y")
_BENIGN: Final = frozenset(("", "0", "0.0", "-", "none", "benign", "normal", "normal.", "false", "n", "b", "no"))
_MAX_COLUMNS: Final = 512
_MAX_CELL: Final = 256
_MAX_WORDS: Final = 4_096
_MAX_KINDS: Final = 200
_LARGEST: Final = 1e100


@dataclass(slots=True)
class LabelledTable:
    """Rows of numbers and the kind of anomaly of each ("" for none).

    Attributes:
        columns: the names of the columns that the vectors are made of.
        label: the name of the column of labels.
        rows: the vectors.
        kinds: as long as `rows`.
        skipped: line numbers of rows that were left out, and why; the first hundred.
        bad: how many rows were left out.
    """

    columns: list[str]
    label: str
    rows: list[list[float]]
    kinds: list[str]
    skipped: list[tuple[int, str]]
    bad: int = 0


def read_table(lines: Iterable[str], label: str | None = None, *, most: int = 2_000_000) -> LabelledTable:
    """Read a table whose first line names the columns.

    A cell that is no number counts as a word, and becomes -log of the share that it had of the words before it in its
    column. Whether a column is of words is decided by its first cell. What is beyond 1e100 counts as that, and a row in
    which a number is missing (empty, NaN) is left out.

    Args:
        lines: the lines of the file, bounded in length.
        label: the column of labels. Unless given, the first of label, attack, anomaly, is_anomaly, outlier, class,
            target and y that there is, or else the last. A row is benign when it says nothing, 0, none, normal, benign
            or false; anything else is its kind of anomaly.
        most: rows read at most.

    Raises:
        EventError: there is no heading, no such column, or no row; there are too many columns or rows, or so many
            different labels that they are none.
    """
    reader = csv.reader(lines)
    try:
        heading = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise EventError(f"no CSV: {error}") from error
    if not 2 <= len(heading) <= _MAX_COLUMNS:
        raise EventError(f"the heading must name 2 to {_MAX_COLUMNS} columns, separated by commas")
    if all(_number(name) is not None for name in heading):
        raise EventError("the first line must name the columns")
    place = _label_place(heading, label)
    words: list[dict[str, int] | None] | None = None
    table = LabelledTable([name for at, name in enumerate(heading) if at != place], heading[place], [], [], [])
    kinds: set[str] = set()
    while True:
        try:
            cells = next(reader, None)
            if cells is None:
                break
            if not cells:
                continue
            if len(cells) != len(heading):
                raise EventError(f"{len(cells)} cells instead of {len(heading)}")
            kind = cells.pop(place).strip()
            if words is None:
                words = [None if _is_number(cell) else {} for cell in cells]
            row = [_value(cell, seen) for cell, seen in zip(cells, words, strict=True)]
        except (EventError, csv.Error) as error:
            table.bad += 1
            if len(table.skipped) < 100:
                table.skipped.append((reader.line_num, str(error)))
            continue
        if len(table.rows) >= most:
            raise EventError(f"there are more than {most:,} rows")
        table.rows.append(row)
        table.kinds.append("" if kind.lower() in _BENIGN else "anomaly" if kind in ("1", "1.0") else kind[:80])
        kinds.add(table.kinds[-1])
        if len(kinds) > _MAX_KINDS:
            raise EventError(f"column {table.label!r} has more than {_MAX_KINDS} different labels: name the right one")
    if not table.rows:
        why = f": line {table.skipped[0][0]}: {table.skipped[0][1]}" if table.skipped else ""
        raise EventError("there is no row of numbers" + why)
    return table


def _label_place(heading: list[str], label: str | None) -> int:
    if label is not None:
        if label not in heading:
            raise EventError(f"there is no column {label!r}; there are {', '.join(heading[:20])}")
        if heading.count(label) > 1:
            raise EventError(f"the heading has {label!r} twice")  # the other one would give the truth away
        return heading.index(label)
    lower = [name.lower() for name in heading]
    found = next((name for name in _LABELS if name in lower), lower[-1])
    if lower.count(found) > 1:
        raise EventError(f"the heading has {found!r} twice")
    return lower.index(found)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _number(cell: str) -> float | None:
    if not _is_number(cell):
        return None
    value = float(cell)
    return None if isnan(value) else max(-_LARGEST, min(_LARGEST, value))


def _value(cell: str, seen: dict[str, int] | None) -> float:
    if seen is None:
        value = _number(cell)
        if value is None:
            raise EventError(f"{cell[:40]!r} is no number")
        return value
    word = cell[:_MAX_CELL]
    total, before = seen.get("", 0), seen.get("=" + word, 0)
    surprise = log((total + len(seen) + 1.0) / (before + 1.0))
    if before or len(seen) <= _MAX_WORDS:
        seen["=" + word] = before + 1
    seen[""] = total + 1
    return surprise
