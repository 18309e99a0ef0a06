"""`secure-api experiments report`."""

from pathlib import Path
from typing import Annotated, Final

import typer

from experiments.commands.options import Open
from experiments.commands.told import told
from secure_api.cli.console import put, say
from secure_api.cli.errors import CliError

EXAMPLES: Final = (
    "secure-api experiments report ./measured --open\n"
    "secure-api experiments report ./first --beside ./second --output both.html"
)

PAGES: Final = (".html", ".htm")


def report(
    result: Annotated[
        Path | None,
        typer.Argument(metavar="RESULT", help="result.json or its folder; the newest in ./experiment-results."),
    ] = None,
    beside: Annotated[
        Path | None, typer.Option("--beside", metavar="RESULT", help="A second run: does it repeat the first?")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Beside the result unless given.")
    ] = None,
    show: Open = False,
) -> None:
    """Write the page of a result that was measured before, and print where it is."""
    with told():
        folder = _newest(result)
        put(str(write(folder, output or (folder if folder.is_dir() else folder.parent), beside, show)))


def write(source: Path, target: Path, beside: Path | None, show: bool) -> Path:
    """Write a page into a file or a folder, and show it; returns its path."""
    from experiments.browser import show as show_page
    from experiments.report import write_report
    from experiments.storage import load

    if not target.is_dir() and target.suffix.lower() not in PAGES:
        raise CliError(f"{target} is no name of a page", hint="it ends in .html, or is a folder")
    page = write_report(load(source), target, None if beside is None else load(beside))
    if show and not show_page(page):
        say("there is no graphical browser here to open the report in")
    return page


def _newest(result: Path | None) -> Path:
    """Give the result that is named, or the newest of those that a run put where it puts them by itself."""
    from experiments.plan import RESULTS

    if result is not None:
        return result
    found = sorted(RESULTS.glob("*/result.json"))
    if not found:
        raise CliError(f"there is no result in {RESULTS}", hint="secure-api experiments run --quick")
    return found[-1].parent
