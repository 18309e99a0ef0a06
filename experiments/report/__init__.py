"""The report of a run: one page of HTML that needs nothing beside it."""

from pathlib import Path

from experiments.errors import ExperimentError
from experiments.result import Result

__all__ = ["write_report"]


def write_report(result: Result, path: Path, beside: Result | None = None) -> Path:
    """Write the page of a result; `path` is a file, or a folder for `report.html`. Returns the file's path.

    With a second run `beside` it the page says which headline ratios of the second lie within the first one's 95 %
    intervals. The same results give the same bytes. Raises ExperimentError: the file cannot be written, or a library of
    the extra `experiments` is not installed.
    """
    try:
        from experiments.report.page import write_page
    except ModuleNotFoundError as error:
        raise ExperimentError(f"a report needs {error.name}: install secure-api[experiments]") from error
    return write_page(result, path, beside)
