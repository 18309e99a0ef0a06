"""`secure-api study run`: every party on this machine, no server."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from secure_api.cli.exit_codes import ExitCode
from tests.cli.program import Program

VALUES = np.random.default_rng(7).uniform(0, 90, (4, 5)).round(3)
WORDS = ("--low", "0", "--high", "90")


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    paths = [tmp_path / f"clinic-{number}.csv" for number in range(len(VALUES))]
    for path, values in zip(paths, VALUES, strict=True):
        path.write_text("days\n" + "\n".join(map(str, values)))
    return [str(path) for path in paths]


@pytest.mark.parametrize(
    ("parties", "statistic", "more", "plain"),
    [
        ("3", "mean", [], VALUES.mean(axis=0)),
        ("5", "variance", [], VALUES.var(axis=0)),
        ("3", "quantile", ["-a", "q=0.5"], np.sort(VALUES, axis=0)[1]),
    ],
)
def test_what_parties_on_one_machine_compute_is_what_numpy_computes(
    program: Program, files: list[str], parties: str, statistic: str, more: list[str], plain: np.ndarray
) -> None:
    words = ["study", "run", *files, "--statistic", statistic, *WORDS, "--local-parties", parties, *more, "--json"]
    told = program(*words).ok().json()
    assert told["values"] == pytest.approx(plain.tolist(), abs=1e-2)
    assert (told["contributors"], told["parties"], told["statistic"]) == (4, int(parties), statistic)
    assert told["bytes_sent"] > 0


def test_without_json_the_values_stand_alone_on_standard_output(program: Program, files: list[str]) -> None:
    done = program("study", "run", *files, "--statistic", "max", *WORDS).ok()
    assert [float(line) for line in done.out.split()] == pytest.approx(VALUES.max(axis=0).tolist(), abs=1e-4)
    assert "of 4 contributions, by 3 parties" in done.said


def test_what_goes_wrong_is_one_line(program: Program, files: list[str], tmp_path: Path) -> None:
    run = ("study", "run", *files)
    program(*run, "--statistic", "mode", *WORDS).failed(ExitCode.FAILURE, "compute parties know no 'mode'")
    program(*run, "--statistic", "mean", *WORDS, "--local-parties", "4").failed(
        ExitCode.FAILURE, "three or five parties"
    )
    program(*run, "--statistic", "mean", "--low", "0", "--high", "1").failed(ExitCode.FAILURE, "not within [0.0, 1.0]")
    program(*run, "--statistic", "mean", *WORDS, "-a", "q").failed(ExitCode.USAGE, "is not NAME=NUMBER")
    short, empty = tmp_path / "short.csv", tmp_path / "empty.npy"
    short.write_text("1\n")
    np.save(empty, np.array([]))
    program(*run, str(short), "--statistic", "mean", *WORDS).failed(ExitCode.USAGE, "holds 1 values")
    program("study", "run", str(empty), "--statistic", "mean", *WORDS).failed(ExitCode.USAGE, "one at least")


def test_a_regression_takes_the_rows_of_several_columns(program: Program, tmp_path: Path) -> None:
    """The last column is three times the first one, and two more; each clinic has another number of rows."""
    files = [tmp_path / f"{rows}.csv" for rows in (2, 3, 4)]
    for rows, path in enumerate(files, 2):
        path.write_text("age,ward,stay\n" + "".join(f"{rows * row},a,{3 * rows * row + 2}\n" for row in range(rows)))
    words = ["study", "run", *map(str, files), "--statistic", "linear-regression", *WORDS, "--json"]
    told = program(*words, "--column", "age,stay").ok().json()
    assert told["values"] == pytest.approx([2, 3], abs=1e-6)
    assert "several columns" in program(*words).failed(ExitCode.USAGE).error
