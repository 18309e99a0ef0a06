"""Encrypted sums against numpy: exact where they are exact, within the bound that is told where they are not."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from crypto import CapacityExceeded, CiphertextRefused, ContextRefused, DecryptionsExhausted, ForeignCiphertext
from crypto.homomorphic import (
    HOMOMORPHIC_PARAMETERS,
    Accumulator,
    AnalystKey,
    ContextFacts,
    Encryptor,
    HomomorphicTerms,
    check_residues,
)

LOW, HIGH = -3.0, 250.0
SCHEMES = ["ckks-8192", "bfv-8192"]


@cache
def key(name: str) -> tuple[AnalystKey, Encryptor]:
    made = AnalystKey.create(HOMOMORPHIC_PARAMETERS[name], decryptions=1_000)
    return made, Encryptor(made.public_context, made.fingerprint)


def terms(
    name: str,
    statistic: str,
    dimension: int,
    arguments: Mapping[str, float] = MappingProxyType({}),
    contributors: int = 1_024,
) -> HomomorphicTerms:
    parameters = HOMOMORPHIC_PARAMETERS[name]
    return HomomorphicTerms(parameters, statistic, dimension, LOW, HIGH, contributors, arguments)


def added(facts: ContextFacts, study: HomomorphicTerms, contributions: list[bytes]) -> bytes:
    total = Accumulator(facts, study.count)
    for number, contribution in enumerate(contributions):
        total.add(contribution)
        if number % 5 == 3:
            total = Accumulator(facts, study.count, total.to_bytes())  # as after a checkpoint
    return total.to_bytes()


def expected(statistic: str, data: Any, arguments: Mapping[str, float]) -> Any:
    match statistic:
        case "sum":
            return data.sum(0)
        case "mean":
            return data.mean(0)
        case "variance":
            return data.var(0)
        case "weighted-mean":
            return (data[:, :-1] * data[:, -1:]).sum(0) / data[:, -1].sum()
        case _:
            return np.histogram(data, bins=int(arguments["bins"]), range=(LOW, HIGH))[0]


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize(
    ("statistic", "contributors", "dimension", "arguments"),
    [
        ("sum", 1, 1, {}),
        ("sum", 40, 4_095, {}),
        ("mean", 3, 10, {}),
        ("mean", 7, 16_384, {}),
        ("variance", 20, 3_000, {}),
        ("weighted-mean", 9, 100, {"maximum_weight": 40.0}),
        ("histogram", 12, 500, {"bins": 30}),
    ],
)
def test_a_statistic_is_that_of_numpy(
    name: str, statistic: str, contributors: int, dimension: int, arguments: dict[str, float], tmp_path: Path
) -> None:
    if statistic == "histogram" and name == "ckks-8192":
        with pytest.raises(CiphertextRefused, match="BFV"):
            terms(name, statistic, dimension, arguments)
        return
    random = np.random.default_rng([contributors, dimension])
    data = random.uniform(LOW, HIGH, (contributors, dimension))
    if statistic == "weighted-mean":
        data[:, -1] = random.uniform(0, 40, contributors)
    made, encryptor = key(name)
    study = terms(name, statistic, dimension, arguments)
    total = added(encryptor.facts, study, [encryptor.encrypt(study, row) for row in data])
    made.save(tmp_path / "key", None)
    result = AnalystKey.decrypt_with(tmp_path / "key", None, study, encryptor.facts, total, contributors)
    wanted = expected(statistic, data, arguments)
    assert result.values.shape == wanted.shape
    worst = float(np.abs(result.values - wanted).max())
    assert worst <= result.bound
    assert result.bound < 1e-3 * (HIGH - LOW) * (contributors if statistic == "sum" else 80)
    if statistic == "histogram":
        assert (result.values == wanted).all()
        assert result.bound == 0


@pytest.mark.parametrize("name", SCHEMES)
def test_another_keys_ciphertext_is_caught(name: str, tmp_path: Path) -> None:
    made, encryptor = key(name)
    study = terms(name, "mean", 5)
    other = AnalystKey.create(HOMOMORPHIC_PARAMETERS[name])
    foreign = Encryptor(other.public_context, other.fingerprint)
    row = np.ones(5)
    total = added(encryptor.facts, study, [encryptor.encrypt(study, row), foreign.encrypt(study, row)])
    made.save(tmp_path / "key", None)
    with pytest.raises(ForeignCiphertext, match="another key's"):
        AnalystKey.decrypt_with(tmp_path / "key", None, study, encryptor.facts, total, 2)
    one = encryptor.encrypt(study, row)
    with pytest.raises(ForeignCiphertext):
        AnalystKey.decrypt_with(tmp_path / "key", None, study, encryptor.facts, one, 2)
    other.save(tmp_path / "other", None)
    with pytest.raises(ForeignCiphertext, match="another key than this"):
        AnalystKey.decrypt_with(tmp_path / "other", None, study, encryptor.facts, one, 1)


@pytest.mark.parametrize("name", SCHEMES)
def test_a_mutated_contribution_is_refused_or_caught(name: str, tmp_path: Path) -> None:
    made, encryptor = key(name)
    study = terms(name, "sum", 20)
    genuine = encryptor.encrypt(study, np.ones(20))
    made.save(tmp_path / "key", None)
    random = np.random.default_rng(7)
    caught = refused = same = 0
    for _ in range(60):
        mutated = bytearray(genuine)
        mutated[int(random.integers(len(mutated)))] ^= 1 << int(random.integers(8))
        try:
            check_residues(encryptor.facts, bytes(mutated), study.count)
        except CiphertextRefused:
            refused += 1
            continue
        try:
            result = AnalystKey.decrypt_with(tmp_path / "key", None, study, encryptor.facts, bytes(mutated), 1)
        except ForeignCiphertext:
            caught += 1
        else:
            # The residues of BFV are coefficients: a small change is a little more of the noise that it rounds away.
            assert name == "bfv-8192"
            assert result.values == pytest.approx(np.ones(20), abs=result.bound)
            same += 1
    assert caught + refused + same == 60
    assert caught > 10
    for content in (genuine[:-1], genuine + b"\0", b"", genuine * 2):
        with pytest.raises(CiphertextRefused, match="bytes, not"):
            check_residues(encryptor.facts, content, study.count)


@pytest.mark.parametrize("name", SCHEMES)
def test_what_could_wrap_is_refused(name: str) -> None:
    _, encryptor = key(name)
    study = terms(name, "sum", 3)
    for values in ([LOW - 1e-9, 0, 0], [0, HIGH + 1e-9, 0], [0, 0, np.nan], [np.inf, 0, 0], [-np.inf, 0, 0]):
        with pytest.raises(CapacityExceeded, match="every value"):
            encryptor.encrypt(study, values)
    with pytest.raises(CapacityExceeded, match="contributors"):
        terms(name, "sum", 3, contributors=1_025)
    with pytest.raises(CapacityExceeded, match="slots"):
        terms(name, "sum", 1 << 20)
    with pytest.raises(CiphertextRefused, match="3 values"):
        encryptor.encrypt(study, [1.0])
    weighted = terms(name, "weighted-mean", 2, {"maximum_weight": 2.0})
    with pytest.raises(CapacityExceeded, match="a weight"):
        encryptor.encrypt(weighted, [1.0, 2.1])


@pytest.mark.parametrize(
    ("statistic", "low", "high", "arguments", "why"),
    [
        ("mean", 0.0, 5e-324, {}, "too close"),  # half of this range is nothing
        ("variance", -1e-310, 1e-310, {}, "too close"),
        ("variance", -1e300, 1e300, {}, "too large"),
        ("sum", -8e307, 8e307, {}, "too large"),
        ("histogram", 1.0, 1.0000000000000002, {"bins": 4}, "too close"),
    ],
)
def test_bounds_that_numbers_have_no_room_for_are_refused(
    statistic: str, low: float, high: float, arguments: Mapping[str, float], why: str
) -> None:
    with pytest.raises((CapacityExceeded, CiphertextRefused), match=why):
        HomomorphicTerms(HOMOMORPHIC_PARAMETERS["bfv-8192"], statistic, 2, low, high, 1_024, arguments)


def test_the_most_contributors_at_the_bounds_do_not_wrap(tmp_path: Path) -> None:
    for name in SCHEMES:
        made, encryptor = key(name)
        study = terms(name, "sum", 2)
        one = encryptor.encrypt(study, [LOW, HIGH])
        total = added(encryptor.facts, study, [one] * 1_024)
        made.save(tmp_path / name, None)
        result = AnalystKey.decrypt_with(tmp_path / name, None, study, encryptor.facts, total, 1_024)
        # The same ciphertext again and again: its errors add up straight, not as those of others do.
        assert result.values == pytest.approx([LOW * 1_024, HIGH * 1_024], abs=32 * result.bound)


def test_a_key_decrypts_no_more_than_it_may(tmp_path: Path) -> None:
    made = AnalystKey.create(HOMOMORPHIC_PARAMETERS["bfv-8192"], decryptions=2)
    encryptor = Encryptor(made.public_context, made.fingerprint)
    study = terms("bfv-8192", "sum", 1)
    total = encryptor.encrypt(study, [1.0])
    made.save(tmp_path / "key", b"a passphrase")
    for left in (1, 0):
        result = AnalystKey.decrypt_with(tmp_path / "key", b"a passphrase", study, encryptor.facts, total, 1)
        assert result.decryptions_left == left
    with pytest.raises(DecryptionsExhausted, match="2 results"):
        AnalystKey.decrypt_with(tmp_path / "key", b"a passphrase", study, encryptor.facts, total, 1)


def test_a_context_is_the_one_that_the_study_names() -> None:
    made, _ = key("ckks-8192")
    other, _ = key("bfv-8192")
    with pytest.raises(ContextRefused, match="not the one"):
        Encryptor(made.public_context, other.fingerprint)


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("statistic", ["sum", "mean", "variance"])
@pytest.mark.parametrize(("low", "width"), [(1e12, 1.0), (-1e6, 1e-3), (0.0, 1e-9), (-1.0, 1e15)])
def test_the_bound_counts_what_floating_point_loses(
    name: str, statistic: str, low: float, width: float, tmp_path: Path
) -> None:
    made, encryptor = key(name)
    study = HomomorphicTerms(HOMOMORPHIC_PARAMETERS[name], statistic, 50, low, low + width)
    data = np.random.default_rng(5).uniform(low, low + width, (20, 50))
    total = added(encryptor.facts, study, [encryptor.encrypt(study, row) for row in data])
    made.save(tmp_path / "key", None)
    result = AnalystKey.decrypt_with(tmp_path / "key", None, study, encryptor.facts, total, 20)
    exact = [[Fraction(value) for value in row] for row in data.T]
    wanted: list[Any] = [sum(column) / (1 if statistic == "sum" else 20) for column in exact]
    if statistic == "variance":
        wanted = [sum((value - mean) ** 2 for value in column) / 20 for column, mean in zip(exact, wanted, strict=True)]
    worst = max(abs(Fraction(float(found)) - value) for found, value in zip(result.values, wanted, strict=True))
    assert float(worst) <= result.bound
