"""`secure-api experiments run`."""

import re
import shlex
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from experiments.commands.options import Open
from experiments.commands.report import write
from experiments.commands.told import told
from experiments.scale import FULL, QUICK
from secure_api.cli.console import put, say
from secure_api.cli.duration import parse_duration
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from experiments.plan import Plan

ABSOLUTE: Final = re.compile(r"^(--[a-z-]+=|-o)?/(?:.*/)?(?=[^/])")
PATHS: Final = ("--from", "--output", "-o", "--resume")
EXAMPLES: Final = (
    "secure-api experiments run --quick\n"
    "secure-api experiments run primitives session --full --output ./measured\n"
    "secure-api experiments run --from my_experiment.py\n"
    "secure-api experiments run --resume ./measured   # goes on where Ctrl-C stopped it"
)


def run(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Experiments; all of them unless given.")
    ] = None,
    full: Annotated[
        bool | None,
        typer.Option("--full/--quick", help="Figures to quote, or a look that everything works (the default)."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", min=0, max=2**53 - 1, help="Of orders and data; 1.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="A new one in ./experiment-results unless given."),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="FOLDER", help="Go on with the interrupted run in this folder.")
    ] = None,
    files: Annotated[
        list[Path] | None, typer.Option("--from", metavar="FILE.py", help="An experiment of your own; repeatable.")
    ] = None,
    time_limit: Annotated[
        str | None, typer.Option("--time-limit", metavar="TIME", help="For all together: 90s, 30m; less is measured.")
    ] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write the result only, without report.html.")] = False,
    show: Open = False,
) -> None:
    """Measure; writes result.json and report.html, and prints the folder they are in.

    Every arm is checked before and after: when one does not do what it is timed for, nothing is reported.
    """
    from experiments.interruption import interruptible
    from experiments.journal import interrupted
    from experiments.plan import new_plan, resumed_plan
    from experiments.report import require_report

    if output is not None and resume is not None:
        raise CliError("--output does not go with --resume", ExitCode.USAGE, "a resumed run stays in its folder")
    limit = None if time_limit is None else parse_duration(time_limit)
    scale = None if full is None else FULL if full else QUICK
    with told():
        if resume is not None:
            plan = resumed_plan(names or (), files or (), scale, seed, resume)
        else:
            plan = new_plan(names or (), files or (), scale, seed, output)
        if not no_report:
            require_report()
        try:
            with interruptible():
                _measure(plan, limit)
        except KeyboardInterrupt:
            if interrupted(plan.folder):
                say(f"interrupted; to go on: secure-api experiments run --resume {shlex.quote(str(plan.folder))}")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        if not no_report:
            say(f"report: {write(plan.folder, plan.folder, None, show)}")
    put(str(plan.folder))


def _measure(plan: "Plan", limit: int | None) -> None:
    from experiments.progress import watching
    from experiments.runner import run as measure

    with watching() as observer:
        measure(
            plan.experiments,
            plan.scale,
            plan.seed,
            plan.folder,
            plan.resume,
            observer,
            time_limit=limit,
            command=_command(sys.argv[1:]),
        )


def _command(words: Sequence[str]) -> str:
    """Write the command line for a result that others read: of a path, its last part alone."""
    told = []
    for before, word in pairwise(["", *words]):
        option, given, path = word.partition("=")
        if before in PATHS:
            told.append(Path(word).name or word)
        elif given and option in PATHS:
            told.append(f"{option}={Path(path).name or path}")
        else:
            told.append(ABSOLUTE.sub(r"\1", word))
    return shlex.join(["secure-api", *told])
