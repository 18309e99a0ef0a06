"""`secure-api experiments`: list, run, report and compare."""

import typer

app = typer.Typer(
    name="experiments", help="Measure what each protection costs on this machine.", no_args_is_help=True
)
