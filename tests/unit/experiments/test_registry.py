"""Experiments are found by name and by file, and what is none is told of in a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments import QUICK, DefinitionError
from experiments.registry import ORDER, experiment_of, experiments
from tests.unit.experiments.experiment_file import experiment_file


def test_every_suite_is_found_in_the_order_of_a_report() -> None:
    found = experiments()
    assert [name for name in found if name in ORDER] == [name for name in ORDER if name in found]
    assert all(experiment.name == name for name, experiment in found.items())


@pytest.mark.parametrize("name", ORDER)
def test_an_experiment_is_found_by_its_name(name: str) -> None:
    experiment = experiment_of(name)
    assert experiment.name == name
    assert experiment.arms_at(QUICK)


def test_an_experiment_is_found_by_its_file(tmp_path: Path) -> None:
    assert experiment_of(str(experiment_file(tmp_path))).name == "digest"


def test_an_unknown_name_is_told_with_those_that_are_known() -> None:
    with pytest.raises(DefinitionError, match="there is no experiment 'nothing'; there are: primitives, "):
        experiment_of("nothing")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
        ("import no_such_library", "cannot be imported: ModuleNotFoundError: No module named 'no_such_library'"),
        ("import sys\nsys.exit(0)", "cannot be imported: SystemExit: 0"),
        ("EXPERIMENT = 1", "names no EXPERIMENT"),
        ("from experiments import *\nraise DefinitionError('it is not so')", "^it is not so$"),
    ],
)
def test_a_file_that_is_no_experiment_is_told_of(tmp_path: Path, code: str, said: str) -> None:
    file = tmp_path / "odd.py"
    file.write_text(code)
    with pytest.raises(DefinitionError, match=said):
        experiment_of(str(file))
