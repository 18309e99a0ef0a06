"""`secure-api behavior`: score access logs offline, make labelled traffic, and measure the analysis on it."""

import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TextIO

import typer

from secure_api.cli.argument import finite
from secure_api.cli.command import Command
from secure_api.cli.console import put_json, say, stderr, warn
from secure_api.cli.errors import CliError
from secure_api.cli.exit_codes import ExitCode
from secure_api.cli.left_out import tell_problems
from secure_api.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Callable

    from secure_api.cli.line_file import LineFile

MAX_CLIENTS: Final = 1_000_000

app = typer.Typer(help="Score access logs, and measure how well behavior analysis does.", no_args_is_help=True)


@app.command(
    cls=Command,
    epilog="secure-api behavior replay access.log\n"
    "secure-api behavior replay access.log.2.gz --json | jq '.episodes[].text'\n"
    "journalctl -u secure-api -o cat | secure-api behavior replay -",
)
def replay(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Access log, plain or gzip; - reads stdin.")],
    clients: Annotated[
        int, typer.Option("--clients", metavar="N", min=16, max=MAX_CLIENTS, help="Clients remembered at most.")
    ] = 10_000,
    warm_up: Annotated[
        int, typer.Option("--warm-up", metavar="N", min=0, help="Requests that the model learns from before it speaks.")
    ] = 1_000,
    json: Json = False,
) -> None:
    """Score an access log offline and show what stands out, and why.

    Reads common and combined log format and JSON lines, also mixed. Nothing leaves this machine.
    """
    from anomaly.libraries import require

    require("numpy")
    from anomaly.replay import Replay
    from anomaly.watch import Watch
    from secure_api.cli.episode_table import episode_document, put_episodes
    from secure_api.cli.line_file import open_lines

    found = Replay(Watch(clients, warm_up=warm_up))
    with open_lines(file) as source, reading(source, "scoring") as progress:
        for _ in found.run(source.lines(progress)):
            pass
        name = source.name
    if not found.events:
        number, problem = found.problems[0] if found.problems else (1, "there is none")
        raise CliError(
            f"{name}: no line is of an access log; line {number}: {problem}", hint="docs/behavior.md tells the formats"
        )
    tell_problems(name, found.bad, found.problems)
    if found.back:
        warn(f"{name}: {found.back:,} requests are more than a minute older than one before: sort it by time")
    if found.events <= warm_up:
        warn(f"{name}: {found.events:,} requests are within the warm-up of {warm_up:,}: only the rules could speak")
    if json:
        put_json(episode_document(found))
        return
    put_episodes(found)


@app.command(
    cls=Command,
    epilog="secure-api behavior simulate --seed 7 -o day.jsonl.gz\n"
    "secure-api behavior simulate --suite poison --seed 3 --days 0.5 | secure-api behavior replay -",
)
def simulate(
    suite: Annotated[
        str,
        typer.Option(
            "--suite", metavar="NAME", help="standard, drift, poison, cold start, sybil churn, rare or benign."
        ),
    ] = "standard",
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="The same seed gives the same traffic.")] = 1,
    clients: Annotated[int, typer.Option("--clients", metavar="N", min=40, max=20_000, help="Clients.")] = 380,
    days: Annotated[
        float, typer.Option("--days", callback=finite, metavar="N", min=0.05, max=30, help="Days of traffic.")
    ] = 1.0,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE|-", help="File to write; .gz is compressed.")
    ] = "-",
) -> None:
    """Write seeded, labelled traffic as JSON lines, which `replay` and `evaluate` read.

    Nine kinds of attack among people, pollers, batch jobs and expired keys; slow ramps, drift, poisoning, sybil churn
    and rare attacks (0.5 %) as suites.
    """
    from anomaly.labelled_log import write
    from anomaly.simulate import simulate as rows

    counts = [0, 0]
    made = rows(suite_of(suite), seed, clients=clients, days=days)
    first = list(islice(made, 1))  # before anything is written
    with writing(output) as stream:
        for row in first:
            stream.write(write(row) + "\n")
        for row in made:
            stream.write(write(row) + "\n")
            counts[bool(row.attack)] += 1
    counts[0] += len(first)
    if output != "-":
        say(f"{sum(counts):,} requests written to {output}, {counts[1]:,} of them attacks")


@app.command(
    cls=Command,
    epilog="secure-api behavior evaluate --seeds 21-40 --jobs 2\n"
    "secure-api behavior evaluate --suite all --seeds 21-25 --peers --json > quality.json\n"
    "secure-api behavior evaluate labelled.jsonl.gz\n"
    "secure-api behavior evaluate kdd99_http.csv --label service",
)
def evaluate(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE]...", help="Labelled traffic (JSON lines) or vectors (CSV), plain or gzip."),
    ] = None,
    suite: Annotated[str, typer.Option("--suite", metavar="NAMES", help="Simulated suites, or all.")] = "standard",
    seeds: Annotated[str, typer.Option("--seeds", metavar="N-M", help="Seeds, as 21-40 or 1,2,5.")] = "21-23",
    clients: Annotated[int, typer.Option("--clients", metavar="N", min=40, max=20_000, help="Clients.")] = 380,
    peers: Annotated[bool, typer.Option("--peers", help="Measure other detectors beside ours; takes long.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", metavar="N", min=1, max=256, help="Processes.")] = 1,
    label: Annotated[
        str | None, typer.Option("--label", metavar="COLUMN", help="Column of a CSV file with the labels.")
    ] = None,
    json: Json = False,
) -> None:
    """Measure the analysis: score, then learn, in the order of arrival; thresholds are set online.

    Without files on simulated traffic. Means and 95 % intervals over seeds, or over files, beside the goals.
    """
    from anomaly.libraries import require
    from secure_api.cli.quality_table import measure_files, measure_suites, put_qualities

    require("numpy", *(("river", "sklearn") if peers else ()))
    if files:
        found = measure_files(files, peers=peers, label=label)
    else:
        names = suites_of(suite)
        found = measure_suites(names, seeds_of(seeds), clients=clients, peers=peers, jobs=jobs)
    if json:
        put_json(found)
    else:
        put_qualities(found)


def suites_of(text: str) -> list[str]:
    """Read names of suites, separated by commas.

    Raises:
        CliError: there is no such suite.
    """
    from anomaly.simulate import SUITES

    return list(SUITES) if text == "all" else [suite_of(name.strip()) for name in text.split(",")]


def suite_of(name: str) -> str:
    """Return the name of a suite; a hyphen is as good as a space.

    Raises:
        CliError: there is no such suite.
    """
    from anomaly.simulate import SUITES

    if (found := name.replace("-", " ")) not in SUITES:
        raise CliError(f"there is no suite {name!r}; there are {', '.join(SUITES)}", ExitCode.USAGE)
    return found


def seeds_of(text: str) -> list[int]:
    """Read seeds: numbers and ranges, separated by commas.

    Raises:
        CliError: they are none, or more than a thousand.
    """
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or len(first) + len(last) > 18:
            raise CliError(f"{text!r} are no seeds; write 21-40 or 1,2,5", ExitCode.USAGE)
        span = range(int(first), int(last or first) + 1)
        if not span or len(span) + len(seeds) > 1_000:
            raise CliError(f"{text!r} are no seeds: between one and a thousand", ExitCode.USAGE)
        seeds += span
    return list(dict.fromkeys(seeds))


@contextmanager
def reading(source: "LineFile", what: str) -> "Iterator[Callable[[int], None] | None]":
    """Show a bar on a terminal while a file is read; gives what to tell the bytes read so far, or None."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    if not stderr.is_terminal:
        yield None
        return
    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr, transient=True) as bar:
        task = bar.add_task("", total=source.size)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def writing(file: str) -> Iterator[TextIO]:
    """Open a text file for writing, compressed when it is named .gz; "-" is stdout."""
    if file == "-":
        yield sys.stdout
        return
    path = Path(file)
    with gzip.open(path, "wt", encoding="utf-8") if path.suffix == ".gz" else path.open("w", encoding="utf-8") as out:
        yield out
