"""Finds the experiments: every file of `experiments/suites/`, and files that a caller names."""

import sys
from importlib import import_module, util
from pathlib import Path
from pkgutil import iter_modules

from experiments import suites
from experiments.errors import DefinitionError
from experiments.experiment import Experiment

#: The order of a run and of its report; what is not named here comes after, by name.
ORDER = ("primitives", "signed-request", "session", "sealing", "replay-store", "peers", "scaling", "offloading")


def experiments() -> dict[str, Experiment]:
    """Import every suite of the product; returns them by name, in the order of a report. Raises DefinitionError."""
    names = sorted(found.name for found in iter_modules(suites.__path__))
    found = [_of_module(f"{suites.__name__}.{name}") for name in names]
    place = {name: number for number, name in enumerate(ORDER)}
    found.sort(key=lambda experiment: (place.get(experiment.name, len(place)), experiment.name))
    return {experiment.name: experiment for experiment in found}


def experiment_of(source: str) -> Experiment:
    """Import one experiment by its source: an experiment's name, or the path of a file (`*.py`).

    The suite of that name is imported alone when there is one. Raises DefinitionError.
    """
    if source.endswith(".py"):
        return load_file(Path(source))
    module = source.replace("-", "_")
    if any(found.name == module for found in iter_modules(suites.__path__)):
        experiment = _of_module(f"{suites.__name__}.{module}")
        if experiment.name == source:
            return experiment
    known = experiments()
    if source not in known:
        raise DefinitionError(f"there is no experiment {source!r}; there are: {', '.join(known)}")
    return known[source]


def load_file(path: Path) -> Experiment:
    """Import an experiment from a file outside the product. Raises DefinitionError."""
    name = f"experiments_file_{path.stem}"
    spec = util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise DefinitionError(f"{path}: no such Python file")
    module = util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except DefinitionError:
        raise
    except (Exception, SystemExit) as error:
        raise DefinitionError(f"{path}: cannot be imported: {type(error).__name__}: {error}") from error
    return _experiment(module, str(path))


def _of_module(name: str) -> Experiment:
    try:
        return _experiment(import_module(name), name)
    except ModuleNotFoundError as error:
        raise DefinitionError(f'{name} needs {error.name}: pip install "secure-api[experiments]"') from error


def _experiment(module: object, where: str) -> Experiment:
    found = getattr(module, "EXPERIMENT", None)
    if not isinstance(found, Experiment):
        raise DefinitionError(f"{where}: names no EXPERIMENT")
    return found
