from __future__ import annotations

import itertools
import secrets

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import MpcFormatError, MpcTermsError
from crypto.mpc import FIELDS, Field, combine, field_for, share
from crypto.mpc.vectors import add, draw, pack, reduce_signed, signed, unpack

SMALL, LARGE = FIELDS


@pytest.mark.parametrize("field", FIELDS, ids=str)
@pytest.mark.parametrize(("parties", "threshold"), [(3, 1), (5, 2)])
def test_any_threshold_and_one_of_the_parties_make_the_values(field: Field, parties: int, threshold: int) -> None:
    edge = field.prime >> 1
    values = numpy.array([0, 1, -1, 12345, -edge, edge], dtype=object)
    shares = dict(enumerate(share(values, field, parties, threshold, secrets.token_bytes)))
    for some in itertools.combinations(shares, threshold + 1):
        assert combine({index: shares[index] for index in some}, field, threshold) == values.tolist()
    assert combine(shares, field, threshold) == values.tolist()
    with pytest.raises(MpcFormatError, match="make the values"):
        combine({0: shares[0]}, field, threshold)


@given(st.lists(st.integers(-(2**60) + 1, 2**60 - 1), min_size=1, max_size=20))
@settings(max_examples=25)
def test_shares_add_up_to_shares_of_the_sum(numbers: list[int]) -> None:
    values = numpy.array(numbers, dtype=object)
    both = [share(item, LARGE, 3, 1, secrets.token_bytes) for item in (values, values[::-1])]
    pairs = zip(*both, strict=True)
    sums = [pack(LARGE, add(LARGE, [unpack(LARGE, first), unpack(LARGE, second)])) for first, second in pairs]
    assert combine(dict(enumerate(sums)), LARGE, 1) == (values + values[::-1]).tolist()


def test_a_false_share_is_noticed_when_there_are_more_than_needed() -> None:
    shares = dict(enumerate(share(numpy.array([7, 8]), SMALL, 3, 1, secrets.token_bytes)))
    shares[1] = pack(SMALL, unpack(SMALL, shares[1]) ^ numpy.uint64(1))
    with pytest.raises(MpcFormatError, match="no one secret"):
        combine(shares, SMALL, 1)
    with pytest.raises(MpcFormatError, match="one length"):
        combine({0: shares[0], 2: shares[2][:8]}, SMALL, 1)


def test_one_share_says_nothing_as_every_value_goes_with_it() -> None:
    """With one share known, a polynomial leads to any value: the share is the draw times one, plus the value."""
    drawn = (5).to_bytes(8, "little")
    (first, *_) = share(numpy.array([9]), SMALL, 3, 1, lambda _: drawn)
    (other, *_) = share(numpy.array([4]), SMALL, 3, 1, lambda _: (10).to_bytes(8, "little"))
    assert first == other == (14).to_bytes(8, "little")


@pytest.mark.parametrize("field", FIELDS, ids=str)
def test_a_draw_that_is_the_prime_itself_is_drawn_again(field: Field) -> None:
    draws = iter([b"\xff" * (2 * field.width), b"\x03" + bytes(2 * field.width - 1)])
    assert draw(field, 2, lambda count: next(draws)[:count]).tolist()[0] == 3


@pytest.mark.parametrize("field", FIELDS, ids=str)
def test_vectors_have_one_form_and_no_other(field: Field) -> None:
    numbers = [0, 1, field.prime - 1]
    data = pack(field, numpy.array(numbers, dtype=object))
    assert unpack(field, data, 3).tolist() == numbers
    assert signed(field, numbers) == [0, 1, -1]
    assert reduce_signed(field, numpy.array([0, 1, -1])).tolist() == numbers
    for wrong in (field.prime.to_bytes(field.width, "little"), b"\xff" * field.width, data[:-1]):
        with pytest.raises(MpcFormatError):
            unpack(field, wrong)
    with pytest.raises(MpcFormatError, match="is due"):
        unpack(field, data, 2)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 25])
def test_many_vectors_add_up_without_overflow(count: int) -> None:
    vector = numpy.full(3, SMALL.prime - 1, dtype=numpy.uint64)
    assert add(SMALL, [vector] * count).tolist() == [-count % SMALL.prime] * 3
    with pytest.raises(MpcFormatError, match="no vector"):
        add(SMALL, [])


def test_the_field_is_the_smallest_that_holds_the_numbers() -> None:
    assert [field_for(bits) for bits in (2, 60, 61, 126)] == [SMALL, SMALL, LARGE, LARGE]
    with pytest.raises(MpcTermsError, match="does not hold"):
        field_for(127)


def test_no_threshold_that_protects_nobody_is_taken() -> None:
    for parties, threshold in ((3, 0), (3, 3), (17, 8)):
        with pytest.raises(MpcTermsError, match="threshold"):
            share(numpy.array([1]), SMALL, parties, threshold, secrets.token_bytes)
