"""A run: measures experiments one after the other, and writes the result once every one of them is sound."""

import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from experiments.core_watch import MOST_LOAD, load_average
from experiments.cores import Cores, choose_cores
from experiments.environment import collect
from experiments.errors import DefinitionError, ExperimentError
from experiments.experiment import Experiment
from experiments.journal import Journal
from experiments.journal_entry import Finished, Head
from experiments.observer import Observer
from experiments.precision import findings_of, with_samples
from experiments.result import Environment, ExperimentResult, PlotSpec, PublishedFigure, Result
from experiments.rounds import Course, Ending
from experiments.scale import Scale
from experiments.sources import digest
from experiments.statistics import answer
from experiments.storage import save
from secure_api import __version__

#: What workers print; removed with the journal.
LOG = "workers.log"


def run(
    experiments: Sequence[tuple[str, Experiment]],
    scale: Scale,
    seed: int,
    folder: Path,
    resume: bool,
    observer: Observer,
    *,
    time_limit: float | None = None,
    command: str = "",
) -> Result:
    """Measure the experiments, each with the source that workers import it from; write `result.json` in the folder.

    An interrupted run leaves a journal in the folder, from which `resume` goes on. `time_limit` (seconds) is shared out
    among the experiments by their budgets. Raises ExperimentError; then no result is written.
    """
    cores = choose_cores()
    head = Head(
        scale=scale.name,
        seed=seed,
        experiments=[(source, experiment.name) for source, experiment in experiments],
        sources=digest(Path(source) for source, _ in experiments if source.endswith(".py")),
        started=datetime.now(UTC),
        command=command,
        environment=collect(cores.pinned),
    )
    if resume:
        journal, head = Journal.resume(folder, head)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        journal = Journal.begin(folder, head)
    warnings = _quiet_enough(observer)
    with journal, tempfile.TemporaryDirectory(prefix="experiments-", ignore_cleanup_errors=True) as scratch:
        try:
            results = _measure(experiments, scale, seed, cores, folder, Path(scratch), journal, observer, time_limit)
        except ExperimentError as error:
            nothing_sound = not journal.finished and not journal.begun
            if nothing_sound or isinstance(error, DefinitionError):  # to mend a suite makes it another run
                _abandon(journal, folder)
            raise
        result = Result(
            product=__version__,
            scale=scale.name,
            seed=seed,
            command=head.command,
            started=head.started,
            finished=datetime.now(UTC),
            environment=_with_loads(head.environment, results),
            experiments=results,
            warnings=warnings,
        )
        save(result, folder)
        journal.remove()
        (folder / LOG).unlink(missing_ok=True)
    return result


def _measure(
    experiments: Sequence[tuple[str, Experiment]],
    scale: Scale,
    seed: int,
    cores: Cores,
    folder: Path,
    scratch: Path,
    journal: Journal,
    observer: Observer,
    time_limit: float | None,
) -> list[ExperimentResult]:
    began = time.monotonic()
    results: list[ExperimentResult] = []
    for number, (source, experiment) in enumerate(experiments):
        budget = experiment.seconds[scale.name]
        later = sum(other.seconds[scale.name] for _, other in experiments[number + 1 :])
        if time_limit is not None:
            share = max(0.0, time_limit - (time.monotonic() - began)) / (budget + later)
            budget, later = min(budget, budget * share), min(later, later * share)
        observer.begins(experiment.name, number + 1, len(experiments), budget + later)
        if (result := journal.finished.get(experiment.name)) is None:
            own = scratch / str(number)
            own.mkdir(parents=True)
            course = Course(source, experiment, scale, seed, budget, cores, folder / LOG, own, journal, observer, later)
            ending = course.measure()
            result = _evaluated(course, ending)
            journal.add(Finished(result=result))
        observer.ends(result)
        results.append(result)
    return results


def _evaluated(course: Course, ending: Ending) -> ExperimentResult:
    experiment, name = course.experiment, course.experiment.name
    begun, rounds = course.journal.begun[name], course.journal.rounds[name]
    arms = with_samples(begun, rounds)
    findings = findings_of(experiment, arms, course.seed)
    return ExperimentResult(
        name=name,
        title=experiment.title,
        question=experiment.question,
        topic=experiment.topic,
        unit=experiment.unit,
        held_fixed=list(experiment.held_fixed),
        checked=experiment.checked,
        baseline=experiment.baseline,
        answer=answer(experiment, findings),
        started=begun.started,
        finished=datetime.now(UTC),
        rounds=len(rounds),
        ended_because=ending,
        arms=arms,
        findings=findings,
        published=[PublishedFigure.model_validate(asdict(figure)) for figure in experiment.published],
        plots=[
            PlotSpec.model_validate(asdict(plot) | {"where": {key: list(some) for key, some in plot.where.items()}})
            for plot in experiment.plots
        ],
        warnings=course.warnings,
    )


def _abandon(journal: Journal, folder: Path) -> None:
    """Leave nothing behind that looks as if one could go on with it; what arms printed stays."""
    journal.remove()
    if (log := folder / LOG).is_file() and not log.stat().st_size:
        log.unlink()
    with suppress(OSError):  # it holds something
        folder.rmdir()


def _quiet_enough(observer: Observer) -> list[str]:
    load = load_average()
    if load <= MOST_LOAD:
        return []
    text = f"the load average was {load:.2f} before the run: something else is running on this machine"
    observer.warn(text)
    return [text]


def _with_loads(environment: Environment, results: Sequence[ExperimentResult]) -> Environment:
    loads = [sample.load for result in results for arm in result.arms for sample in arm.samples]
    return environment.model_copy(update={"load_during": [median(loads), max(loads)] if loads else []})
