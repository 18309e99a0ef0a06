"""`secure-api study run`: all parties of a multi-party study on this machine, without a server, to try a study out."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from secure_api.cli.argument import finite, named_number
from secure_api.cli.console import put, put_json, say, stderr
from secure_api.cli.contribution_file import read_rows, read_values
from secure_api.cli.options import Json

EXAMPLES: Final = """\
secure-api study run north.csv south.csv west.csv --statistic mean --low 0 --high 90 --local-parties 3
secure-api study run *.ndjson --column days --statistic quantile -a q=0.5 --low 0 --high 90 --local-parties 5 --json"""
NAME: Final = "local"


def run(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="A contribution each: CSV, .ndjson or .npy.", dir_okay=False)
    ],
    statistic: Annotated[str, typer.Option("--statistic", metavar="NAME", help="sum, mean, variance, max, ...")],
    low: Annotated[float, typer.Option("--low", callback=finite, help="The least that a value may be.")],
    high: Annotated[float, typer.Option("--high", callback=finite, help="The most that a value may be.")],
    local_parties: Annotated[
        int, typer.Option("--local-parties", min=3, max=5, help="Compute parties: 3 or 5 processes on this machine.")
    ] = 3,
    column: Annotated[
        str | None, typer.Option("--column", metavar="NAME", help="Column of a CSV, or member of JSON objects.")
    ] = None,
    argument: Annotated[
        list[str] | None, typer.Option("--argument", "-a", metavar="NAME=NUMBER", help="Argument of the statistic.")
    ] = None,
    fraction_bits: Annotated[
        int, typer.Option("--fraction-bits", min=0, max=32, help="Binary places that values are rounded to.")
    ] = 16,
    deadline: Annotated[
        float, typer.Option("--total-deadline", metavar="SECONDS", min=1, help="After which the parties give up.")
    ] = 3600.0,
    json: Json = False,
) -> None:
    """Compute a multi-party study over files, with every party a process here: what it gives, and what it costs.

    The shares, the sealing, the TLS between the parties and the programs are those of a real study. Nothing is hidden
    from whoever runs all parties, and no server is asked.
    """
    from rich.status import Status

    from crypto.mpc import Deadlines, MpcTerms, run_local
    from secure_api.client.studies import LINEAR_REGRESSION

    if statistic == LINEAR_REGRESSION:
        contributions = [read_rows(path, column, None) for path in files]
        dimension = contributions[0].shape[1]
    else:
        first = read_values(files[0], column, None)
        contributions = [first, *(read_values(path, column, first.size) for path in files[1:])]
        dimension = first.size
    terms = MpcTerms(
        NAME,
        statistic,
        dimension,
        low,
        high,
        parties=local_parties,
        contributors=len(files),
        fraction_bits=fraction_bits,
        arguments=dict(named_number(text) for text in argument or []),
    )
    if stderr.is_terminal:
        with Status(f"{local_parties} parties compute", console=stderr):
            result = run_local(terms, contributions, Deadlines(total=deadline))
    else:
        result = run_local(terms, contributions, Deadlines(total=deadline))
    values: list[Any] = result.values.tolist()
    told = {
        "statistic": statistic,
        "values": values,
        "contributors": result.contributors,
        "parties": local_parties,
        "seconds": result.seconds,
        "bytes_sent": result.bytes_sent,
        "transcript": result.transcript.hex(),
    }
    if json:
        put_json(told)
        return
    for value in values:
        put(repr(value))
    say(
        f"of {result.contributors} contributions, by {local_parties} parties in {result.seconds:.2f} s; "
        f"party 0 sent {result.bytes_sent:,} bytes"
    )
