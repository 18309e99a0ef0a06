"""`secure-api experiments`: list, run, report, compare and figures."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from experiments.errors import DefinitionError, ExperimentError, Unavailable
from experiments.scale import FULL, QUICK
from secure_api.cli.command import Command
from secure_api.cli.console import put, put_json, put_table, say
from secure_api.cli.duration import parse_duration
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.options import Json

if TYPE_CHECKING:
    from experiments.plan import Plan

Open = Annotated[bool, typer.Option("--open", help="Open the report in a browser, if there is one.")]
Result = Annotated[
    Path | None,
    typer.Argument(metavar="RESULT", help="result.json or its folder; the newest in ./experiment-results."),
]
INSTALL: Final = 'pip install "secure-api[experiments]"'

app = typer.Typer(name="experiments", help="Measure what each protection costs on this machine.", no_args_is_help=True)


@contextmanager
def told() -> Iterator[None]:
    """Turn what goes wrong in an experiment, or a library that is not installed, into one line for a person."""
    try:
        yield
    except DefinitionError as error:
        raise CliError(str(error), ExitCode.USAGE) from error
    except ExperimentError as error:
        raise CliError(str(error), hint=INSTALL if isinstance(error, Unavailable) else None) from error
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("experiments", "secure_api", "crypto"):
            raise  # a defect
        raise CliError(f"this needs {error.name}, which is not installed", hint=INSTALL) from error


@app.command(
    "list",
    cls=Command,
    epilog="secure-api experiments list\nsecure-api experiments list --json | jq -r '.[].question'",
)
def list_experiments(json: Json = False) -> None:
    """List the experiments: what each asks, and how long it takes."""
    from experiments.progress import duration
    from experiments.registry import experiments

    with told():
        found = list(experiments().values())
        arms = [{scale.name: len(one.arms_at(scale)) for scale in (QUICK, FULL)} for one in found]
    if json:
        put_json(
            [
                {
                    "name": one.name,
                    "topic": one.topic,
                    "title": one.title,
                    "question": one.question,
                    "arms": number,
                    "seconds": dict(one.seconds),
                }
                for one, number in zip(found, arms, strict=True)
            ]
        )
        return
    put_table(
        ["name", "topic", "arms", "quick", "full", "question"],
        [
            [
                one.name,
                str(one.topic),
                f"{number['quick']}/{number['full']}",
                *(duration(one.seconds[scale.name]) for scale in (QUICK, FULL)),
                one.question,
            ]
            for one, number in zip(found, arms, strict=True)
        ],
    )


@app.command(
    cls=Command,
    epilog="secure-api experiments run --quick\n"
    "secure-api experiments run primitives session --full --output ./measured\n"
    "secure-api experiments run --from my_experiment.py\n"
    "secure-api experiments run --resume ./measured   # goes on where Ctrl-C stopped it",
)
def run(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Experiments; all of them unless given.")
    ] = None,
    full: Annotated[
        bool | None,
        typer.Option("--full/--quick", help="Figures to quote, or a look that everything works (the default)."),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", min=0, help="Of orders and data; 1.")] = None,
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

    if output is not None and resume is not None:
        raise CliError("--output does not go with --resume", ExitCode.USAGE, "a resumed run stays in its folder")
    limit = None if time_limit is None else parse_duration(time_limit)
    scale = None if full is None else FULL if full else QUICK
    with told():
        if resume is not None:
            plan = resumed_plan(names or (), files or (), scale, seed, resume)
        else:
            plan = new_plan(names or (), files or (), scale, seed, output)
        try:
            with interruptible():
                _measure(plan, limit)
        except KeyboardInterrupt:
            if interrupted(plan.folder):
                say(f"interrupted; to go on: secure-api experiments run --resume {shlex.quote(str(plan.folder))}")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        if not no_report:
            say(f"report: {_report(plan.folder, plan.folder, None, show)}")
    put(str(plan.folder))


@app.command(
    cls=Command,
    epilog="secure-api experiments report ./measured --open\n"
    "secure-api experiments report ./first --beside ./second --output both.html",
)
def report(
    result: Result = None,
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
        put(str(_report(folder, output or (folder if folder.is_dir() else folder.parent), beside, show)))


@app.command(
    cls=Command,
    epilog="secure-api experiments compare ./before ./after\n"
    "secure-api experiments compare docs/results/2026-11-23-0123abc ./mine | grep changed",
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


@app.command(
    cls=Command,
    epilog="secure-api experiments figures   # in the checkout; make docs-figures does it\n"
    "secure-api experiments figures ./measured\n"
    "secure-api experiments figures --check",
)
def figures(
    result: Annotated[
        Path | None, typer.Argument(metavar="RESULT", help="The newest in docs/results unless given.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; fail when a figure is not the result's.")
    ] = False,
) -> None:
    """Write the figures of a result into README.md and docs/ of this folder; print what changed."""
    with told():
        from experiments.markdown import check_figures, documents, newest_result, write_figures
        from experiments.storage import load

        source = result or newest_result(Path())
        if source is None:
            raise CliError("there is no result in docs/results", hint="this is for a checkout of secure-api")
        if check:
            check_figures(load(source), documents(Path()))
        else:
            for document in write_figures(load(source), documents(Path())):
                put(str(document))


def _measure(plan: "Plan", limit: int | None) -> None:
    from experiments.progress import watching
    from experiments.runner import run as measure

    command = shlex.join(["secure-api", *sys.argv[1:]])
    with watching() as observer:
        measure(
            plan.experiments,
            plan.scale,
            plan.seed,
            plan.folder,
            plan.resume,
            observer,
            time_limit=limit,
            command=command,
        )


def _report(source: Path, target: Path, beside: Path | None, show: bool) -> Path:
    """Write a page into a file or a folder, and show it; returns its path."""
    from experiments.browser import show as show_page
    from experiments.report import write_report
    from experiments.storage import load

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
