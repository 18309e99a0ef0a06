"""Linear scores of columns that lie with different organizations, against numpy on all columns together."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto import CapacityExceeded, CiphertextRefused
from crypto.homomorphic import HOMOMORPHIC_PARAMETERS, Accumulator, AnalystKey, Encryptor, LinearModel

LOW, HIGH = -2.0, 9.0
MODEL = {"weights": {"north": [0.5, -1.25], "south": [2.0], "west": [0.1, 0.1, 0.7]}, "intercept": -3.5}


@pytest.mark.parametrize("name", ["ckks-8192", "bfv-8192"])
def test_the_scores_are_those_of_the_model_on_all_columns_together(name: str, tmp_path: Path) -> None:
    parameters = HOMOMORPHIC_PARAMETERS[name]
    key = AnalystKey.create(parameters)
    key.save(tmp_path / "key", None)
    encryptor = Encryptor(key.public_context, key.fingerprint)
    model = LinearModel.parse(MODEL, LOW, HIGH)
    terms = model.terms(parameters, 50)
    random = np.random.default_rng(11)
    columns = {name: random.uniform(LOW, HIGH, (50, len(row))) for name, row in model.weights.items()}
    total = Accumulator(encryptor.facts, terms.count)
    for organization, rows in columns.items():
        total.add(encryptor.encrypt(terms, model.part(organization, rows)))
    done = AnalystKey.decrypt_with(tmp_path / "key", None, terms, encryptor.facts, total.to_bytes(), 3)
    scores, bound = model.scores(done.values, done.bound)
    exact = [
        Fraction(model.intercept)
        + sum(
            Fraction(weight) * Fraction(float(value))
            for organization, row in model.weights.items()
            for weight, value in zip(row, columns[organization][sample], strict=True)
        )
        for sample in range(50)
    ]
    worst = max(abs(Fraction(float(score)) - wanted) for score, wanted in zip(scores, exact, strict=True))
    assert float(worst) <= bound
    assert bound < (1e-6 if name == "bfv-8192" else 1e-1)


def test_one_column_may_be_a_row_of_numbers() -> None:
    model = LinearModel.parse(MODEL, LOW, HIGH)
    assert model.part("south", [LOW, HIGH]).tolist() == [-1.0, 1.0]
    assert abs(model.part("north", [[LOW, LOW]])[0]) < 1


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (None, "a model has weights"),
        ({"weights": MODEL["weights"], "bias": 1}, "a model has weights"),
        ({"weights": [1, 2, 3]}, "lists of 1 to"),
        ({"weights": {"a": [], "b": [1], "c": [1]}}, "lists of 1 to"),
        ({"weights": {"a": [True], "b": [1], "c": [1]}}, "lists of 1 to"),
        ({"weights": {"a": [1e999], "b": [1], "c": [1]}}, "lists of 1 to"),
        ({"weights": MODEL["weights"], "intercept": "1"}, "intercept is a number"),
        ({"weights": {"a": [1], "b": [1]}}, "3 organizations at least"),
        ({"weights": {"a": [1], "b": [0], "c": [0]}}, "would not hide it"),
        ({"weights": {"a": [101], "b": [1], "c": [1]}}, "would not hide it"),
    ],
)
def test_a_model_that_makes_no_sense_or_hides_nobody_is_refused(model: Any, why: str) -> None:
    with pytest.raises(CiphertextRefused, match=why):
        LinearModel.parse(model, LOW, HIGH)


def test_scores_beyond_floating_point_are_refused() -> None:
    with pytest.raises(CapacityExceeded, match="too large"):
        LinearModel.parse({"weights": {name: [1e308] for name in "abc"}}, -1e10, 1e10)


def test_columns_that_are_not_the_models_are_refused() -> None:
    model = LinearModel.parse(MODEL, LOW, HIGH)
    with pytest.raises(CiphertextRefused, match="no weights of east"):
        model.part("east", [1.0])
    for rows in ([1.0], [[1.0], [2.0]], [[[1.0, 2.0]]]):
        with pytest.raises(CiphertextRefused, match="weighs 2 columns of north"):
            model.part("north", rows)
    for value in (HIGH + 1e-9, LOW - 1, float("nan"), float("inf")):
        with pytest.raises(CapacityExceeded, match="lies between -2 and 9"):
            model.part("south", [value])
