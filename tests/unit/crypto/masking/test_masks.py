"""Masks are the AES-256-CTR key stream, computed here block by block, and look uniform."""

from __future__ import annotations

import numpy
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import MaskingError
from crypto.masking import add_mask, expand, subtract_mask

SEED = bytes(range(32))
seeds = st.binary(min_size=32, max_size=32)


def blocks(seed: bytes, count: int) -> bytes:
    """The key stream, each block an encryption of its number."""
    encryptor = Cipher(algorithms.AES(seed), modes.ECB()).encryptor()
    return encryptor.update(b"".join(number.to_bytes(16) for number in range(count)))


@given(seeds, st.integers(0, 300))
def test_a_mask_is_the_key_stream_in_little_endian_words(seed: bytes, count: int) -> None:
    assert expand(seed, count).tobytes() == blocks(seed, count // 4 + 1)[: 4 * count]


@pytest.mark.parametrize("count", [65_535, 65_536, 65_537, 200_003])
def test_a_mask_longer_than_a_chunk_goes_on(count: int) -> None:
    assert expand(SEED, count).tobytes() == blocks(SEED, count // 4 + 1)[: 4 * count]


def test_known_answer() -> None:
    """Frozen: AES-256-CTR, key 00..1f, counter 0."""
    assert expand(SEED, 4).tobytes().hex() == "f29000b62a499fd0a9f39a6add2e7780"


@given(st.lists(st.integers(0, 2**32 - 1), max_size=40), seeds)
def test_what_is_added_can_be_taken_away(numbers: list[int], seed: bytes) -> None:
    plain = numpy.array(numbers, "<u4")
    values = plain.copy()
    add_mask(values, seed)
    assert [(one + int(two)) % 2**32 for one, two in zip(numbers, expand(seed, len(numbers)), strict=True)] == list(
        values
    )
    subtract_mask(values, seed)
    assert (values == plain).all()


def test_a_mask_looks_uniform() -> None:
    """Bits and bytes of a million values; a fixed seed, so the test is sure."""
    mask = expand(SEED, 1_000_000)
    ones = numpy.unpackbits(mask.view(numpy.uint8)).reshape(-1, 32).mean(axis=0)
    assert abs(ones - 0.5).max() < 0.003  # six standard deviations
    counts = numpy.bincount(mask.view(numpy.uint8), minlength=256)
    expected = 4_000_000 / 256
    assert 120 < ((counts - expected) ** 2 / expected).sum() < 430  # chi-squared, 255 degrees of freedom
    assert abs(numpy.corrcoef(mask[:-1], mask[1:])[0, 1]) < 0.005
    assert len(numpy.unique(mask)) > 999_000 * (1 - 2**-12)


@given(seeds, seeds)
def test_other_seeds_have_other_masks(one: bytes, other: bytes) -> None:
    assert (expand(one, 8) == expand(other, 8)).all() == (one == other)


def test_a_masked_row_of_zeros_is_the_mask_alone() -> None:
    """So whatever is masked looks as uniform as the mask."""
    values = numpy.zeros(1000, "<u4")
    add_mask(values, SEED)
    assert (values == expand(SEED, 1000)).all()


@pytest.mark.parametrize("length", [0, 16, 24, 31, 33])
def test_seeds_of_other_lengths_are_refused(length: int) -> None:
    """16 and 24 bytes would be keys of AES, too."""
    with pytest.raises(MaskingError, match=f"32 bytes, not {length}"):
        add_mask(numpy.zeros(3, "<u4"), bytes(length))


@pytest.mark.parametrize("values", [numpy.zeros(3, "<u8"), numpy.zeros(3, "<i4"), numpy.zeros((2, 2), "<u4")])
def test_other_arrays_are_refused(values: numpy.typing.NDArray[numpy.uint32]) -> None:
    with pytest.raises(MaskingError, match="a row of uint32"):
        add_mask(values, SEED)
    assert not values.any()
