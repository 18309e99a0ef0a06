"""`secure-api experiments figures`."""

from pathlib import Path
from typing import Annotated, Final

import typer

from experiments.commands.told import told
from secure_api.cli.console import put
from secure_api.cli.errors import CliError

EXAMPLES: Final = (
    "secure-api experiments figures   # in the checkout; make docs-figures does it\n"
    "secure-api experiments figures ./measured\n"
    "secure-api experiments figures --check"
)


def figures(
    result: Annotated[
        Path | None, typer.Argument(metavar="RESULT", help="The committed ones in docs/results unless given.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; fail when a figure is not the result's.")
    ] = False,
) -> None:
    """Write the figures of a result into README.md and docs/ of this folder; print what changed."""
    with told():
        from experiments.markdown import check_figures, committed_result, documents, write_figures
        from experiments.storage import load

        found = committed_result(Path()) if result is None else load(result)
        if found is None:
            raise CliError("there is no result in docs/results", hint="this is for a checkout of secure-api")
        if found.scale != "full":
            raise CliError(f"{result or 'docs/results'} is a {found.scale} run: documents quote full ones")
        if check:
            check_figures(found, documents(Path()))
        else:
            for document in write_figures(found, documents(Path())):
                put(str(document))
