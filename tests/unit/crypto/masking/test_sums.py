"""Whole sums, against numpy: exact, whoever drops out and whenever, and across restarts."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from crypto import MaskingServerStage
from crypto.errors import MaskingOrderError, TooFewClients
from crypto.masking import MaskedSum, MaskingTerms, Quantization
from tests.unit.crypto.masking.consortium import Consortium, Values, random_values, terms

FEW = settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])


def plain(values: Values, survivors: tuple[int, ...]) -> NDArray[Any]:
    """The sum that nobody but numpy knows."""
    return numpy.asarray(sum(values[index] for index in survivors))


def assert_exact(found: MaskedSum, values: Values, survivors: tuple[int, ...]) -> None:
    assert found.survivors == survivors
    assert found.values.tolist() == plain(values, survivors).tolist()


@pytest.mark.parametrize("contributors", [*range(2, 10), 16, 25, 40])
def test_the_sum_is_exact(contributors: int) -> None:
    of = terms(contributors, dimension=3 * contributors)
    values = random_values(of, contributors)
    assert_exact(Consortium(of).run(values), values, tuple(range(1, contributors + 1)))


@FEW
@given(st.integers(2, 8), st.integers(1, 5000), st.integers(0, 2**32), st.data())
def test_the_sum_is_exact_whoever_drops_out(contributors: int, dimension: int, seed: int, data: st.DataObject) -> None:
    of = terms(contributors, dimension)
    order = data.draw(st.permutations(range(1, contributors + 1)))
    leaving = order[: data.draw(st.integers(0, of.dropouts))]
    stages = [data.draw(st.integers(0, 4)) for _ in leaving]
    dropping = tuple(
        [index for index, left in zip(leaving, stages, strict=True) if left == stage] for stage in range(5)
    )
    values = random_values(of, seed)
    survivors = [index for index in values if all(index not in group for group in dropping[:3])]
    assert_exact(Consortium(of).run(values, dropping=dropping), values, tuple(survivors))


@FEW
@given(st.integers(2, 5), st.integers(1, 20), st.integers(0, 2**32))
def test_the_sum_of_any_numbers_is_within_the_bound(contributors: int, dimension: int, seed: int) -> None:
    of = terms(contributors, dimension, quantization=Quantization.bounded(8.0, 2.0**-22))
    generator = numpy.random.default_rng(seed)
    values = {index: generator.normal(0, 4, dimension) for index in range(1, contributors + 1)}
    found = Consortium(of).run(values)
    clipped = numpy.sum([numpy.clip(row, -8, 8) for row in values.values()], axis=0)
    assert abs(found.values - clipped).max() <= of.quantization.error_bound(contributors) + 1e-12


@pytest.mark.parametrize("stage", range(5))
def test_as_many_may_drop_out_at_one_stage_as_leave_the_threshold(stage: int) -> None:
    of = terms(7, threshold=5)
    values = random_values(of)
    dropping = tuple([2, 7] if number == stage else [] for number in range(5))
    survivors = (1, 3, 4, 5, 6) if stage < 3 else tuple(range(1, 8))
    assert_exact(Consortium(of).run(values, dropping=dropping), values, survivors)


@pytest.mark.parametrize("stage", range(5))
def test_one_more_is_the_end_of_it(stage: int) -> None:
    of = terms(7, threshold=5)
    dropping = tuple([2, 4, 7] if number == stage else [] for number in range(5))
    consortium = Consortium(of)
    with pytest.raises(TooFewClients, match=r"^4 clients .*: 5 are needed$"):
        consortium.run(random_values(of), dropping=dropping)
    assert consortium.server.stage == stage
    assert consortium.server.heard == (1, 3, 5, 6)


def test_below_the_threshold_the_stage_stays_open_for_one_who_is_late() -> None:
    of = terms(4, threshold=3)
    values = random_values(of)
    consortium = Consortium(of)
    consortium.setup()
    consortium.share()
    with pytest.raises(TooFewClients):
        consortium.collect(values, [1, 4])
    consortium.collect(values, [3])
    consortium.confirm()
    consortium.reveal()
    assert_exact(consortium.server.result(), values, (1, 3, 4))


def test_who_dropped_out_at_each_stage_together() -> None:
    of = terms(12, threshold=7, colluding=0)
    values = random_values(of)
    found = Consortium(of).run(values, dropping=([3], [12], [1, 8], [5], [])).survivors
    assert found == (2, 4, 5, 6, 7, 9, 10, 11)


def test_everything_goes_on_after_a_restart_between_any_two_steps() -> None:
    of = terms(5)
    values = random_values(of)
    consortium = Consortium(of)
    consortium.restart()
    consortium.setup()
    consortium.restart()
    consortium.share()
    consortium.restart()
    consortium.receive()
    consortium.restart()
    consortium.collect(values, [1, 2, 3, 5])
    consortium.restart()
    consortium.confirm()
    consortium.restart()
    consortium.reveal([5, 2, 3])
    consortium.restart()
    with pytest.raises(TooFewClients, match="3 clients revealed their shares: 4 are needed"):
        consortium.server.result()
    consortium.reveal([1])
    consortium.restart()
    assert_exact(consortium.server.result(), values, (1, 2, 3, 5))


def test_a_restart_amid_the_contributions_loses_none() -> None:
    of = terms(4)
    values = random_values(of)
    consortium = Consortium(of)
    consortium.setup()
    consortium.share()
    consortium.receive()
    for index in (1, 2, 3, 4):
        consortium.server.collect(consortium.clients[index].contribute(values[index]))
        consortium.restart()
        assert consortium.server.heard == tuple(range(1, index + 1))
    consortium.server.close()
    consortium.confirm()
    consortium.reveal()
    assert_exact(consortium.server.result(), values, (1, 2, 3, 4))


def test_the_result_can_be_asked_for_again_and_is_the_same() -> None:
    of = terms(3)
    consortium = Consortium(of)
    first = consortium.run(random_values(of))
    assert consortium.server.result().levels.tolist() == first.levels.tolist()


def test_the_server_stores_four_bytes_a_value_and_the_boxes() -> None:
    """Contributions leave nothing behind but their sum."""
    sizes = []
    for count in (3, 5):
        consortium = Consortium(terms(5, dimension=20_000, threshold=3, colluding=0))
        consortium.setup()
        consortium.share()
        empty = len(consortium.server.to_bytes())
        consortium.collect(random_values(consortium.terms), range(1, count + 1))
        sizes.append(len(consortium.server.to_bytes()) - empty - 2 * count)
    assert sizes == [4 * 20_001, 4 * 20_001]


def masked(of: MaskingTerms, values: Values) -> list[NDArray[Any]]:
    """What the server sees of each contribution."""
    consortium = Consortium(of)
    consortium.setup()
    consortium.share()
    consortium.receive()
    messages = [client.contribute(values[index]) for index, client in consortium.clients.items()]
    return [numpy.frombuffer(message, "<u4", offset=40) for message in messages]


def test_what_the_server_sees_is_uniform_and_says_nothing_of_the_numbers() -> None:
    of = terms(3, dimension=50_000)
    zeros = {index: numpy.zeros(50_000) for index in (1, 2, 3)}
    for seen in masked(of, zeros):
        assert len(numpy.unique(seen)) > 49_990
        ones = numpy.unpackbits(seen.view(numpy.uint8)).mean()
        assert abs(ones - 0.5) < 0.003
        counts = numpy.bincount(seen >> 24, minlength=256)
        assert 130 < ((counts - 50_001 / 256) ** 2 / (50_001 / 256)).sum() < 420


def test_two_runs_have_nothing_in_common() -> None:
    of = terms(3, dimension=100)
    values = random_values(of)
    first, second = (masked(of, values) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert (one == other).sum() < 3


def test_stages_are_in_their_order() -> None:
    assert [stage.name for stage in MaskingServerStage] == ["SETUP", "SHARING", "COLLECTING", "CONFIRMING", "REVEALING"]
    consortium = Consortium(terms(3))
    consortium.run(random_values(consortium.terms))
    with pytest.raises(MaskingOrderError, match="the last stage"):
        consortium.server.close()
