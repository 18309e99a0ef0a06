"""`secure-api experiments`: list, run, report, compare and figures."""

import typer

from experiments.commands import compare, figures, list_experiments, report, run
from secure_api.cli.command import Command

app = typer.Typer(name="experiments", help="Measure what each protection costs on this machine.", no_args_is_help=True)

app.command("list", cls=Command, epilog=list_experiments.EXAMPLES)(list_experiments.list_experiments)
app.command("run", cls=Command, epilog=run.EXAMPLES)(run.run)
app.command("report", cls=Command, epilog=report.EXAMPLES)(report.report)
app.command("compare", cls=Command, epilog=compare.EXAMPLES)(compare.compare)
app.command("figures", cls=Command, epilog=figures.EXAMPLES)(figures.figures)
