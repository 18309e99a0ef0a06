"""What an evaluation measured: of simulated suites or of labelled files, as tables beside the goals and as JSON."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from math import inf, isnan
from typing import TYPE_CHECKING, Any, Final

from secure_api.cli.console import put, put_table, say, stderr, warn
from secure_api.cli.errors import CliError

if TYPE_CHECKING:
    from collections.abc import Callable

    from secure_api.cli.line_file import LineFile

MAX_EVENTS: Final = 2_000_000
STANDARD: Final = "standard"


def measure_suites(
    suites: Sequence[str], seeds: Sequence[int], *, clients: int, peers: bool, jobs: int
) -> dict[str, Any]:
    """Run ours, and the peers if wanted, over suites and seeds."""
    from anomaly.campaign import Task, run
    from anomaly.detectors.peers import PEERS
    from anomaly.evaluate import FOREST, OURS

    names = [OURS, *PEERS, FOREST] if peers else [OURS]
    tasks = [Task(suite, seed, name, clients) for suite in suites for name in names for seed in seeds]
    with counting(len(tasks)) as done:
        outcomes = run(tasks, jobs, lambda outcome: done(f"{outcome.suite}, seed {outcome.seed}: {outcome.detector}"))
    return {
        "seeds": list(seeds),
        "clients": clients,
        "streams": [
            _stream(suite, name, [o.quality for o in outcomes if (o.suite, o.detector) == (suite, name)])
            for suite in suites
            for name in names
        ],
    }


def measure_files(files: Sequence[str], *, peers: bool, label: str | None) -> dict[str, Any]:
    """Run ours, and the peers if wanted, over labelled files: traffic or vectors, as their first lines say.

    Raises:
        CliError: a file cannot be read, or has nothing labelled.
    """
    from secure_api.cli.line_file import open_lines

    streams = []
    for file in files:
        with open_lines(file) as source:
            lines = source.lines()
            head = list(islice((line for line in lines if line.strip()), 1))
            if not head:
                raise CliError(f"{source.name}: there is nothing in it")
            rest = chain(head, lines)
            measure = _measure_traffic if head[0].lstrip().startswith("{") else _measure_vectors
            found = measure(source, rest, peers, label)
        streams += [_stream(source.name, name, [quality]) for name, quality in found.items()]
    return {"streams": streams}


def put_qualities(found: dict[str, Any]) -> None:
    """Print a table for each stream of ours, and for each stream with peers one of all detectors."""
    from anomaly.evaluate import OURS
    from anomaly.goals import MEASURES

    names = list(dict.fromkeys(stream["stream"] for stream in found["streams"]))
    for name in names:
        streams = [stream for stream in found["streams"] if stream["stream"] == name]
        ours = next(stream["measures"] for stream in streams if stream["detector"] == OURS)
        if len(names) > 1:
            put(name)
        rows = []
        for measure in MEASURES:
            if (cell := ours.get(measure.name)) is not None:
                goal = f"{measure.goal:g}" if measure.goal is not None else ""
                met = measure.met(cell["mean"])
                verdict = "" if met is None else ("met" if met else "missed")
                rows.append([measure.title.strip(), goal, _cell(cell, measure.digits), verdict])
        rows += [[kind, "", _cell(cell, 3), ""] for kind, cell in ours.items() if kind.startswith("AUC of ")]
        put_table(["measure", "goal", "measured", ""], rows)
        if len(streams) > 1:
            put_table(
                ["detector", *(measure.name for measure in MEASURES)],
                [
                    [stream["detector"], *(_cell(stream["measures"].get(m.name), m.digits) for m in MEASURES)]
                    for stream in streams
                ],
            )


def _cell(cell: dict[str, float] | None, digits: int) -> str:
    if cell is None:
        return ""
    return f"{cell['mean']:.{digits}f}" + (f" ± {cell['half']:.{digits}f}" if cell["half"] else "")


def _stream(name: str, detector: str, qualities: Sequence[dict[str, Any]]) -> dict[str, Any]:
    from anomaly.goals import summary

    return {
        "stream": name,
        "detector": detector,
        "measures": {title: {"mean": mean, "half": half} for title, (mean, half) in summary(qualities).items()},
        "qualities": [_finite(quality) for quality in qualities],
    }


def _finite(value: Any) -> Any:
    """Give a value that JSON can write: what is no number is null."""
    if isinstance(value, dict):
        return {name: _finite(member) for name, member in value.items()}
    return None if isinstance(value, float) and isnan(value) else value


def _measure_traffic(
    source: "LineFile", lines: Iterator[str], peers: bool, label: str | None
) -> dict[str, dict[str, Any]]:
    from dataclasses import asdict

    from anomaly.detectors.peers import PEERS
    from anomaly.evaluate import FOREST, OURS, evaluate, evaluate_peers
    from anomaly.event import Pseudonyms
    from anomaly.labelled_log import read
    from secure_api.cli.left_out import tell_problems

    rows, problems, bad = [], [], 0
    for line in read(lines, Pseudonyms(bytes(32), inf)):
        if line.row is not None:
            rows.append(line.row)
        else:
            bad += 1
            problems.append((line.number, line.problem or ""))
            del problems[100:]
        if len(rows) > MAX_EVENTS:
            raise CliError(f"{source.name}: there are more than {MAX_EVENTS:,} requests")
    tell_problems(source.name, bad, problems)
    attacks = sum(bool(row.attack) for row in rows)
    if not rows:
        raise CliError(f"{source.name}: no line is a labelled request", hint="see docs/behavior.md for the format")
    say(f"{source.name}: {len(rows):,} requests, {attacks:,} of them attacks, {_incidents(rows):,} incidents")
    names = [*PEERS, FOREST] if peers else []
    with counting(1 + len(names)) as done:
        found = {OURS: evaluate(rows)}
        done(OURS)
        for name in names:
            found |= evaluate_peers(rows, (name,))
            done(name)
    return {name: asdict(quality) | {"worst": quality.worst} for name, quality in found.items()}


def _incidents(rows: Sequence[Any]) -> int:
    return len({row.incident for row in rows if row.incident})


def _measure_vectors(
    source: "LineFile", lines: Iterator[str], peers: bool, label: str | None
) -> dict[str, dict[str, Any]]:
    from dataclasses import asdict

    from anomaly.detectors.peers import PEERS
    from anomaly.errors import EventError
    from anomaly.evaluate import OURS
    from anomaly.labelled_table import read_table
    from anomaly.vector_evaluation import evaluate_vectors
    from secure_api.cli.left_out import tell_problems

    try:
        table = read_table(lines, label, most=MAX_EVENTS)
    except EventError as error:
        raise CliError(f"{source.name}: {error}", hint="see docs/behavior.md for the formats") from error
    tell_problems(source.name, table.bad, table.skipped)
    odd = sum(map(bool, table.kinds))
    say(f"{source.name}: {len(table.rows):,} vectors, {odd:,} of them anomalies by column {table.label!r}")
    if odd in (0, len(table.rows)):
        warn(f"{source.name}: all rows are {'anomalies' if odd else 'benign'}: little can be measured")
    names = [OURS, *PEERS] if peers else [OURS]
    found = {}
    with counting(len(names)) as done:
        for name in names:
            quality = evaluate_vectors(table, name)
            found[name] = asdict(quality) | {"worst": quality.worst}
            done(name)
    return found


@contextmanager
def counting(total: int) -> "Iterator[Callable[[str], None]]":
    """Show a bar on a terminal, a line for each task elsewhere; gives what to tell that a task ended."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    if not stderr.is_terminal:
        count = 0

        def tell(name: str) -> None:
            nonlocal count
            count += 1
            say(f"[{count}/{total}] {name}")

        yield tell
        return
    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=stderr, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda name: bar.update(task, advance=1, description=name)
