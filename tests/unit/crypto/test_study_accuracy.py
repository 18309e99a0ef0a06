"""Sums and means by each method against numpy, over a grid of contributors and values.

`STUDY_ACCURACY=full pytest tests/unit/crypto/test_study_accuracy.py -s --timeout 0` goes from 1 to 1,000 contributors
and from 1 to 16,384 values, and prints the worst error of each point beside its bound.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto import Quantization
from crypto.homomorphic import HOMOMORPHIC_PARAMETERS, Accumulator, AnalystKey, Encryptor, HomomorphicTerms
from crypto.mpc import MpcTerms, run_local
from tests.unit.crypto.masking.consortium import Consortium, terms

FULL = os.environ.get("STUDY_ACCURACY") == "full"
LOW, HIGH = -7.5, 200.0
GRID = [(contributors, values) for contributors in (1, 3, 30, 1_000) for values in (1, 100, 4_096, 16_384)]
SMALL = [(1, 1), (2, 5_000), (7, 3)]
#: Of each with each, keys are agreed on: a thousand contributors take a million of them.
MASKED = [(contributors, values) for contributors in (3, 30, 100) for values in (1, 100, 4_096, 16_384)]


def data(contributors: int, values: int) -> Any:
    return np.random.default_rng([contributors, values]).uniform(LOW, HIGH, (contributors, values))


def hold(method: str, given: Any, found: Any, wanted: Any, bound: float) -> None:
    worst = float(np.abs(np.asarray(found) - wanted).max())
    if FULL:
        sys.stdout.write(f"{method}: {given.shape[0]} x {given.shape[1]}: {worst:.3g} of {bound:.3g}\n")
    assert worst <= bound


@pytest.mark.parametrize(("contributors", "values"), GRID if FULL else SMALL)
@pytest.mark.parametrize("name", ["bfv-8192", "ckks-8192"])
def test_encrypted_means(name: str, contributors: int, values: int, tmp_path: Path) -> None:
    parameters = HOMOMORPHIC_PARAMETERS[name]
    key = AnalystKey.create(parameters)
    encryptor = Encryptor(key.public_context, key.fingerprint)
    study = HomomorphicTerms(parameters, "mean", values, LOW, HIGH)
    given, total = data(contributors, values), Accumulator(encryptor.facts, study.count)
    for row in given:
        total.add(encryptor.encrypt(study, row))
    key.save(tmp_path / "key", None)
    found = AnalystKey.decrypt_with(tmp_path / "key", None, study, encryptor.facts, total.to_bytes(), contributors)
    hold(name, given, found.values, given.mean(axis=0), found.bound)


@pytest.mark.parametrize(("contributors", "values"), GRID if FULL else [(2, 300)])
def test_sums_of_compute_parties_are_those_of_the_rounded_values(contributors: int, values: int) -> None:
    study = MpcTerms("accuracy", "sum", values, LOW, HIGH, contributors=max(3, contributors))
    given = data(contributors, values)
    found = run_local(study, list(given))
    rounded = np.rint(given * study.scale) / study.scale
    assert (found.values == rounded.sum(axis=0)).all()  # sums of multiples of 2^-16: numpy's are exact, too
    hold("mpc", given, found.values, given.sum(axis=0), contributors * 0.5001 / study.scale)


@pytest.mark.parametrize(("contributors", "values"), MASKED if FULL else [(4, 300)])
def test_masked_sums(contributors: int, values: int) -> None:
    of = terms(contributors, values, quantization=Quantization.bounded(8.0, 2.0**-20))
    bound = of.quantization.bound
    given = np.random.default_rng([contributors, values]).uniform(-bound, bound, (contributors, values))
    found = Consortium(of).run(dict(enumerate(given, 1)))
    hold("masked", given, found.values, given.sum(axis=0), of.quantization.error_bound(contributors) + 1e-9)
