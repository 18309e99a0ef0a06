"""The report of a run: one page of HTML that needs nothing beside it."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from experiments.errors import ExperimentError, Unavailable
from experiments.result import Result

__all__ = ["require_report", "write_report"]

#: What pages are made with: libraries of the extra `experiments` that measuring does not need.
LIBRARIES: Final = ("jinja2", "markupsafe", "matplotlib")


def require_report() -> None:
    """Look whether a page could be written, without importing what that needs. Raises Unavailable."""
    for name in LIBRARIES:
        if find_spec(name) is None:
            raise Unavailable(f"a report needs {name}, which is not installed; --no-report measures without it")


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
