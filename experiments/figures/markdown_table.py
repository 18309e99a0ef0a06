"""Tables in Markdown, and the figures in their cells."""

from collections.abc import Iterable, Sequence

from experiments.digits import digits, figure
from experiments.errors import ExperimentError
from experiments.report.intervals import Intervals
from experiments.report.numbers import factor
from experiments.result import ArmResult, ExperimentResult, Result
from experiments.statistics import Interval

Rows = Iterable[Sequence[str]]


def table(heads: Sequence[str], rows: Rows, rest: str = "--:") -> str:
    """Write a Markdown table; the first column is text, the others are figures unless `rest` is `---`."""
    lines = ["| " + " | ".join(heads) + " |", "|---" + f"|{rest}" * (len(heads) - 1) + "|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def pivot(arms: Sequence[ArmResult], known: Intervals, names: Sequence[str], column: str, corner: str) -> str:
    """Make a table of CPU times: a row for the values of some factors, a column for each value of another one."""
    columns = list(dict.fromkeys(arm.factors[column] for arm in arms))
    if all(isinstance(value, int) for value in columns):
        columns.sort()
    rows: dict[str, dict[str | int, str]] = {}
    for arm in arms:
        label = ", ".join(str(arm.factors[name]) for name in names)
        rows.setdefault(label, {})[arm.factors[column]] = value(known.median(arm.name, "cpu"))
    heads = (corner, *(factor(column, value) for value in columns))
    return table(heads, [(label, *(cells.get(value, "") for value in columns)) for label, cells in rows.items()])


def measured(result: Result, name: str) -> tuple[ExperimentResult, Intervals]:
    """Find an experiment of a result, with the figures of its arms. Raises ExperimentError."""
    for one in result.experiments:
        if one.name == name:
            return one, Intervals(one.arms, result.seed)
    raise ExperimentError(f"the result has no experiment {name}")


def there(experiment: ExperimentResult) -> list[ArmResult]:
    """List the arms that were measured."""
    return [arm for arm in experiment.arms if arm.samples]


def value(found: float | None) -> str:
    """Write a figure alone. Empty when it was not measured."""
    return "" if found is None else digits(found)


def told(found: Interval | None) -> str:
    """Write a figure and its interval. Empty when it was not measured."""
    return "" if found is None else figure(found, "")


def in_bytes(found: float | None) -> str:
    """Write a number of bytes. Empty when it was not measured."""
    return "" if found is None else f"{found:,.0f}"
