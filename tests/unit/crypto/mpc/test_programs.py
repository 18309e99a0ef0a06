"""Programs against numpy, with the sum of encoded contributions in the place of the parties; comparisons have these."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
from numpy.typing import NDArray

from crypto.errors import MpcError, MpcInputError, MpcTermsError
from crypto.mpc import FIELDS, PROGRAMS, MpcTerms

RANDOM = numpy.random.default_rng(20261123)


def study(statistic: str, dimension: int, contributors: int = 1024, **arguments: float) -> MpcTerms:
    return MpcTerms("s", statistic, dimension, -100.0, 100.0, 3, contributors, 16, arguments)


def found(terms: MpcTerms, contributions: list[NDArray[Any]]) -> NDArray[Any]:
    total = numpy.sum([terms.program.encode(terms, values).astype(object) for values in contributions], axis=0)
    assert int(numpy.abs(total).max()) <= terms.field.prime // 2
    return terms.program.decode(terms, [int(number) for number in total], len(contributions))


@pytest.mark.parametrize(("contributors", "dimension"), [(1, 1), (2, 3), (30, 1000), (1000, 4), (3, 16_384)])
def test_linear_programs_are_exact_in_fixed_point_numbers(contributors: int, dimension: int) -> None:
    values = RANDOM.uniform(-100, 100, (contributors, dimension))
    rounded = numpy.rint(values * 65536) / 65536
    rows = list(values)
    total = found(study("sum", dimension), rows)
    assert (total == rounded.sum(axis=0)).all()  # binary64 holds these sums exactly
    assert abs(total - values.sum(axis=0)).max() <= contributors * 2.0**-17
    assert abs(found(study("mean", dimension), rows) - values.mean(axis=0)).max() <= 2.0**-17
    numpy.testing.assert_allclose(found(study("variance", dimension), rows), rounded.var(axis=0), rtol=1e-12, atol=0)
    edges = numpy.histogram(values, bins=17, range=(-100, 100))[0]
    assert found(study("histogram", dimension, bins=17), rows).tolist() == edges.tolist()


def test_a_weighted_mean_takes_its_weights_from_the_last_value() -> None:
    values = RANDOM.uniform(-100, 100, (50, 7))
    values[:, -1] = RANDOM.uniform(0, 5, 50)
    expected = numpy.average(values[:, :-1], axis=0, weights=values[:, -1])
    result = found(study("weighted-mean", 7, maximum_weight=5), list(values))
    assert abs(result - expected).max() < 1e-3
    exact = numpy.rint(values * 65536) / 65536
    numpy.testing.assert_allclose(result, numpy.average(exact[:, :-1], axis=0, weights=exact[:, -1]), rtol=1e-12)


def test_a_regression_of_badly_conditioned_columns_is_solved_exactly() -> None:
    feature = RANDOM.uniform(90, 90.01, 400)
    rows = numpy.rint(numpy.column_stack((feature, 3 * feature - 250)) * 65536) / 65536
    result = found(study("linear-regression", 2), [rows[:150], rows[150:]])
    expected = numpy.linalg.lstsq(numpy.c_[numpy.ones(400), rows[:, 0]], rows[:, 1], rcond=None)[0]
    numpy.testing.assert_allclose(result, expected, rtol=1e-6)


def test_a_regression_that_is_not_determined_has_no_result() -> None:
    with pytest.raises(MpcInputError, match="determine"):
        found(study("linear-regression", 3), [numpy.array([[1.0, 2.0, 3.0], [2.0, 4.0, 5.0], [3.0, 6.0, 4.0]])])


def test_weights_of_nothing_and_false_counts_make_no_result() -> None:
    with pytest.raises(MpcInputError, match="add up"):
        found(study("weighted-mean", 2), [numpy.array([1.0, 0.0])])
    terms = study("histogram", 2, bins=2)
    with pytest.raises(MpcInputError, match="counts"):
        terms.program.decode(terms, [1, 2], 1)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_values_beyond_the_bounds_or_of_another_shape_are_refused(name: str) -> None:
    needed = {"histogram": {"bins": 2.0}, "comparison-count": {"than": 0.0}}.get(name, {})
    terms = MpcTerms("s", name, 2, -1.0, 1.0, arguments=needed)
    encode = terms.program.encode
    assert len(encode(terms, numpy.array([1.0, 1.0]))) == terms.length
    for wrong in ([1.5, 0.5], [float("nan"), 0.5], [0.5, float("inf")], [0.5], [[[0.5, 0.5]]]):
        with pytest.raises(MpcInputError):
            encode(terms, numpy.array(wrong))


def test_the_field_grows_with_what_has_to_fit() -> None:
    small, large = FIELDS
    assert study("sum", 1).field is small
    assert study("variance", 1).field is small
    assert study("variance", 1, contributors=2**20).field is large
    assert study("max", 1).field is large
    assert MpcTerms("s", "max", 1, 0, 100, fraction_bits=0, contributors=1000).field is small


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"study": "a study"}, "name"),
        ({"statistic": "median"}, "know no"),
        ({"dimension": 0}, "dimension"),
        ({"parties": 4}, "three or five"),
        ({"contributors": 2**21}, "contributors"),
        ({"contributors": 3, "minimum": 4}, "minimum"),
        ({"fraction_bits": 33}, "fraction_bits"),
        ({"low": 1.0, "high": 1.0}, "no numbers"),
        ({"high": float("nan")}, "no numbers"),
        ({"high": 2.0**40}, "52 bits"),
        ({"arguments": {"bins": 3}}, "no argument"),
        ({"low": 0.0, "high": 1e-6}, "one number"),
        ({"statistic": "max", "low": 5.0, "high": 5.0000001}, "one number"),
        ({"statistic": "weighted-mean", "arguments": {"maximum_weight": 1e-6}}, "binary place"),
        ({"statistic": "histogram", "low": 1.0, "high": 1.0000000000000002, "arguments": {"bins": 4}}, "too close"),
        ({"statistic": "histogram"}, "needs the argument"),
        ({"statistic": "histogram", "arguments": {"bins": 2.5}}, "whole"),
        ({"statistic": "quantile", "arguments": {"q": 0}}, "quantile"),
        ({"statistic": "comparison-count", "arguments": {"than": 9}}, "within"),
        ({"statistic": "weighted-mean", "dimension": 1}, "weight"),
        ({"statistic": "weighted-mean", "arguments": {"maximum_weight": 0}}, "above zero"),
        ({"statistic": "linear-regression", "dimension": 34}, "columns"),
        ({"dimension": 2**22, "statistic": "variance", "fraction_bits": 50}, "fraction_bits"),
        (
            {"statistic": "linear-regression", "high": 2.0**19, "contributors": 2**20, "fraction_bits": 32,
             "arguments": {"maximum_rows": 2**30}},
            "does not hold",
        ),
    ],
)  # fmt: skip
def test_terms_that_make_no_sense_or_overflow_are_refused(changes: dict[str, Any], reason: str) -> None:
    whole: dict[str, Any] = {"study": "s", "statistic": "sum", "dimension": 3, "low": -1.0, "high": 1.0}
    with pytest.raises(MpcTermsError, match=reason):
        MpcTerms(**(whole | changes))


def test_terms_differ_in_their_digest_when_they_differ_in_anything() -> None:
    one = study("quantile", 3, q=0.5)
    others = [
        study("quantile", 3, q=0.25),
        study("max", 3),
        study("quantile", 4, q=0.5),
        MpcTerms("s", "quantile", 3, -100.0, 99.0, 3, 1024, 16, {"q": 0.5}),
        MpcTerms("s", "quantile", 3, -100.0, 100.0, 5, 1024, 16, {"q": 0.5}),
        MpcTerms("s", "quantile", 3, -100.0, 100.0, 3, 1024, 16, {"q": 0.5}, 2),
        MpcTerms("t", "quantile", 3, -100.0, 100.0, 3, 1024, 16, {"q": 0.5}),
    ]
    assert len({terms.digest for terms in (one, *others)}) == 8
    assert study("quantile", 3).digest == one.digest  # a default that is written out is the same


def test_every_error_is_of_one_family() -> None:
    assert issubclass(MpcTermsError, MpcError)
    assert issubclass(MpcInputError, MpcError)
