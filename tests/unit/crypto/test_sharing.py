"""Shamir's scheme against a recomputation from its definition, and what is refused."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import SharingError
from crypto.sharing import PRIME, SHARE_BYTES, Share, combine, split

SECRET = bytes(range(32))
secret_bytes = st.binary(min_size=32, max_size=32)


@st.composite
def sharings(draw: st.DrawFn) -> tuple[bytes, int, list[int], Callable[[int], bytes]]:
    """A secret, a threshold, distinct indices, and randomness that can be had again."""
    indices = draw(st.lists(st.integers(1, 2**16 - 1), min_size=1, max_size=12, unique=True))
    return draw(secret_bytes), draw(st.integers(1, len(indices))), indices, random.Random(draw(st.integers())).randbytes


def is_prime(number: int) -> bool:
    """Miller and Rabin's test with the first primes as bases."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
        powers = [pow(base, odd << shift, number) for shift in range(twos)]
        if powers[0] != 1 and number - 1 not in powers:
            return False
    return True


def test_the_field_is_that_of_p384() -> None:
    assert PRIME.to_bytes(48).hex() == "f" * 63 + "e" + "f" * 8 + "0" * 16 + "f" * 8
    assert is_prime(PRIME)
    assert not is_prime(PRIME - 2)


@given(sharings(), st.randoms())
def test_any_shares_as_many_as_the_threshold_give_the_secret(
    sharing: tuple[bytes, int, list[int], Callable[[int], bytes]], order: random.Random
) -> None:
    secret, threshold, indices, randomness = sharing
    shares = list(split(secret, threshold, indices, randomness))
    assert [share.index for share in shares] == indices
    order.shuffle(shares)
    assert combine(shares[:threshold], threshold) == secret


@given(sharings(), secret_bytes)
def test_one_share_less_fits_every_secret(
    sharing: tuple[bytes, int, list[int], Callable[[int], bytes]], other: bytes
) -> None:
    """For any other secret there is a polynomial of the same degree through the same shares: they tell nothing."""
    secret, threshold, indices, randomness = sharing
    if threshold == 1:
        return
    known = split(secret, threshold, indices, randomness)[: threshold - 1]
    # The polynomial through the known shares and the other secret at zero, evaluated at the index of the missing one.
    points = [(0, int.from_bytes(other)), *((share.index, share.value) for share in known)]
    last = indices[threshold - 1]
    value = sum(
        ((y * product([(last - other_x, x - other_x) for other_x, _ in points if other_x != x])) for x, y in points), 0
    )
    assert combine([*known, Share(last, value % PRIME)], threshold) == other


def product(pairs: list[tuple[int, int]]) -> int:
    """The product of fractions modulo the prime."""
    whole = Fraction(1)
    for numerator, denominator in pairs:
        whole *= Fraction(numerator, denominator)
    return whole.numerator * pow(whole.denominator, -1, PRIME)


def test_the_shares_are_values_of_one_polynomial() -> None:
    drawn = [secrets.token_bytes(64) for _ in range(2)]
    left = list(drawn)
    shares = split(SECRET, 3, [1, 2, 7], lambda length: left.pop(0)[:length])
    first, second = (int.from_bytes(coefficient) for coefficient in drawn)
    assert [share.value for share in shares] == [
        (int.from_bytes(SECRET) + first * x + second * x**2) % PRIME for x in (1, 2, 7)
    ]


def test_with_a_threshold_of_one_every_share_is_the_secret() -> None:
    assert {share.value for share in split(SECRET, 1, [3, 9], secrets.token_bytes)} == {int.from_bytes(SECRET)}


@given(sharings(), st.data())
def test_a_changed_share_is_noticed(
    sharing: tuple[bytes, int, list[int], Callable[[int], bytes]], data: st.DataObject
) -> None:
    secret, threshold, indices, _ = sharing
    shares = list(split(secret, threshold, indices, secrets.token_bytes))[:threshold]
    place = data.draw(st.integers(0, threshold - 1))
    shares[place] = Share(shares[place].index, secrets.randbelow(PRIME))
    with pytest.raises(SharingError, match="of no one secret"):
        combine(shares, threshold)


def test_shares_of_two_secrets_do_not_mix() -> None:
    one, other = (split(secret, 3, [1, 2, 3], secrets.token_bytes) for secret in (SECRET, SECRET[::-1]))
    with pytest.raises(SharingError, match="of no one secret"):
        combine([*one[:2], other[2]], 3)


@given(st.integers(1, 2**16 - 1), st.integers(0, PRIME - 1))
def test_a_share_has_one_form(index: int, value: int) -> None:
    share = Share(index, value)
    assert len(share.to_bytes()) == SHARE_BYTES == 50
    assert Share.from_bytes(share.to_bytes()) == share


@given(st.binary(max_size=60) | st.binary(min_size=SHARE_BYTES, max_size=SHARE_BYTES))
def test_bytes_are_a_share_or_refused(data: bytes) -> None:
    try:
        share = Share.from_bytes(data)
    except SharingError:
        return
    assert share.to_bytes() == data


@pytest.mark.parametrize("index", [0, -1, 2**16])
def test_indices_that_no_share_has_are_refused(index: int) -> None:
    with pytest.raises(SharingError, match="from 1 to 65535"):
        Share(index, 0)
    with pytest.raises(SharingError, match="from 1 to 65535"):
        split(SECRET, 1, [1, index], secrets.token_bytes)


@pytest.mark.parametrize("value", [-1, PRIME, 2**384 - 1])
def test_values_outside_of_the_field_are_refused(value: int) -> None:
    with pytest.raises(SharingError, match="not in the field"):
        Share(1, value)


def test_the_value_of_a_share_is_not_shown() -> None:
    assert repr(Share(4, 123456)) == "Share(index=4)"


@pytest.mark.parametrize("length", [0, 31, 33])
def test_secrets_of_other_lengths_are_refused(length: int) -> None:
    with pytest.raises(SharingError, match=f"32 bytes, not {length}"):
        split(bytes(length), 1, [1], secrets.token_bytes)


@pytest.mark.parametrize("threshold", [0, -1, 4])
def test_thresholds_that_nobody_can_reach_are_refused(threshold: int) -> None:
    with pytest.raises(SharingError, match="a threshold of 1 to 3"):
        split(SECRET, threshold, [1, 2, 3], secrets.token_bytes)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_another_number_of_shares_is_refused(count: int) -> None:
    shares = split(SECRET, 2, [1, 2, 3], secrets.token_bytes)
    with pytest.raises(SharingError, match=f"2 shares make the secret, not {count}"):
        combine(shares[:count], 2)
    with pytest.raises(SharingError, match="0 shares"):
        combine([], 0)


def test_an_index_twice_is_refused() -> None:
    with pytest.raises(SharingError, match="index 2 is there twice"):
        split(SECRET, 2, [2, 1, 2], secrets.token_bytes)
    share, _ = split(SECRET, 2, [1, 2], secrets.token_bytes)
    with pytest.raises(SharingError, match="index 1 is there twice"):
        combine([share, share], 2)


def test_randomness_that_runs_dry_is_refused() -> None:
    with pytest.raises(SharingError, match="gave 3 bytes"):
        split(SECRET, 2, [1, 2], lambda length: bytes(3))
