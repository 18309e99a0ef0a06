"""`secure-api experiments compare`."""

from pathlib import Path
from typing import Annotated, Final

import typer

from experiments.commands.told import told
from secure_api.cli.console import put, put_table, say

EXAMPLES: Final = (
    "secure-api experiments compare ./before ./after\n"
    "secure-api experiments compare docs/results/2026-11-23-0123abc ./mine | grep changed"
)


def compare(
    first: Annotated[Path, typer.Argument(metavar="FIRST", help="A result, or the folder of one.")],
    second: Annotated[Path, typer.Argument(metavar="SECOND", help="Another one.")],
) -> None:
    """Tell what differs between two results: machine, libraries, and figures whose intervals lie apart."""
    with told():
        from experiments.comparison import compare_text, repeats
        from experiments.storage import load

        one, two = load(first), load(second)
        lines = compare_text(one, two)
        repeated = repeats(one, two)
    table = [line.split("\t") for line in lines if "\t" in line]
    for line in lines:
        if "\t" not in line:
            put(line)
    put_table(table[0], table[1:])
    outside = [f"{again.experiment}/{again.name}" for again in repeated if not again.inside]
    inside = (
        f"{len(repeated) - len(outside)} of {len(repeated)} headline ratios of the second lie in the first's intervals"
    )
    say(f"{inside}{'; outside: ' if outside else ''}{', '.join(outside)}")
