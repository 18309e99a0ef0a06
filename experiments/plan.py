"""What a run is to do, from what a command line says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from experiments.errors import DefinitionError, NotTheSameRun
from experiments.experiment import Experiment
from experiments.journal import NAME as JOURNAL
from experiments.journal import head_of, interrupted
from experiments.registry import experiment_of, experiments, load_file
from experiments.scale import QUICK, SCALES, Scale
from experiments.validation import validate

RESULTS: Final = Path("experiment-results")
RESULT: Final = "result.json"
SEED: Final = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """The arguments of `experiments.runner.run`."""

    experiments: tuple[tuple[str, Experiment], ...]  # source and experiment
    scale: Scale
    seed: int
    folder: Path
    resume: bool


def new_plan(
    names: Sequence[str], files: Sequence[Path], scale: Scale | None, seed: int | None, output: Path | None
) -> Plan:
    """Plan a new run of these experiments and files; of every experiment when there are none.

    Raises DefinitionError, and NotTheSameRun when the folder holds a run already.
    """
    folder = RESULTS / _stamp() if output is None else output
    if interrupted(folder):
        raise NotTheSameRun(
            f"{folder} holds an interrupted run: resume it, remove its {JOURNAL}, or choose another folder"
        )
    if (folder / RESULT).exists():
        raise NotTheSameRun(f"{folder} holds a result: choose another folder")
    return Plan(_chosen(names, files), scale or QUICK, SEED if seed is None else seed, folder, resume=False)


def resumed_plan(
    names: Sequence[str], files: Sequence[Path], scale: Scale | None, seed: int | None, folder: Path
) -> Plan:
    """Plan to go on with an interrupted run; what is not given is as it was. Raises ExperimentError."""
    if (folder / RESULT).exists():
        raise NotTheSameRun(f"{folder} holds a finished run")
    head = head_of(folder)
    chosen = (
        _chosen(names, files) if names or files else tuple((one, experiment_of(one)) for one, _ in head.experiments)
    )
    return Plan(chosen, scale or SCALES[head.scale], head.seed if seed is None else seed, folder, resume=True)


def _chosen(names: Sequence[str], files: Sequence[Path]) -> tuple[tuple[str, Experiment], ...]:
    named = [(str(path.resolve()), load_file(path)) for path in files]
    if not files or names:
        known = experiments()
        if unknown := [name for name in names if name not in known]:
            raise DefinitionError(f"there is no experiment {unknown[0]!r}; there are: {', '.join(known)}")
        named = [(name, known[name]) for name in names or known] + named
    together = [experiment.name for _, experiment in named]
    if twice := [name for name in together if together.count(name) > 1]:
        raise DefinitionError(f"{twice[0]} is named twice")
    for _, experiment in named:
        validate(experiment)
    return tuple(named)


def _stamp() -> str:
    from experiments.environment import git_revision  # imports more than the other commands need

    revision = git_revision()
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}{'' if revision is None else '-' + revision[:7]}"
