"""Which sums may be made, and the one form of their terms."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import MaskingError, MaskingFormatError, MaskingTermsError
from crypto.masking import MaskingTerms, Quantization, least_masking_threshold
from tests.unit.crypto.masking.consortium import terms

TERMS = terms(contributors=10, dimension=4096, colluding=3, study="heights:2026", round=7)


@st.composite
def all_terms(draw: st.DrawFn) -> MaskingTerms:
    """Any terms that may be."""
    contributors = draw(st.integers(2, 1024))
    threshold = draw(st.integers(contributors // 2 + 1, contributors))
    most = min(2 * threshold - contributors - 1, threshold - 2)
    return MaskingTerms(
        draw(st.from_regex(r"[A-Za-z0-9._:-]{1,64}", fullmatch=True)),
        draw(st.integers(0, 2**32 - 1)),
        draw(st.integers(1, 2**26)),
        contributors,
        threshold if most >= 0 else contributors,
        draw(st.integers(0, max(most, 0))),
        Quantization(draw(st.floats(1e-100, 1e100)), draw(st.integers(1, (2**31 - 1) // contributors))),
    )


@given(all_terms())
def test_terms_have_one_form(given_terms: MaskingTerms) -> None:
    data = given_terms.to_bytes()
    assert MaskingTerms.from_bytes(data) == given_terms
    study = given_terms.study.encode()
    by_hand = struct.pack(
        f">B{len(study)}sIIHHHdI",
        len(study),
        study,
        given_terms.round,
        given_terms.dimension,
        given_terms.contributors,
        given_terms.threshold,
        given_terms.colluding,
        given_terms.quantization.step,
        given_terms.quantization.levels,
    )
    assert data == by_hand
    assert given_terms.digest == hashlib.sha256(b"secure-api masked sum v1 terms\n" + by_hand).digest()


@given(st.binary(max_size=120) | st.binary(min_size=26, max_size=26))
def test_bytes_are_terms_or_refused(data: bytes) -> None:
    try:
        found = MaskingTerms.from_bytes(data)
    except MaskingError:
        return
    assert found.to_bytes() == data


@pytest.mark.parametrize("data", [TERMS.to_bytes()[:-1], TERMS.to_bytes() + b"\0", b"\x01\xff" + TERMS.to_bytes()[13:]])
def test_terms_of_another_length_or_spelling_are_refused(data: bytes) -> None:
    with pytest.raises(MaskingFormatError):
        MaskingTerms.from_bytes(data)


@pytest.mark.parametrize(
    "other",
    [
        replace(TERMS, study="heights:2027"),
        replace(TERMS, round=8),
        replace(TERMS, dimension=4095),
        replace(TERMS, contributors=9),
        replace(TERMS, threshold=8),
        replace(TERMS, colluding=2),
        replace(TERMS, quantization=Quantization(0.5, 400)),
        replace(TERMS, quantization=Quantization(0.25, 399)),
    ],
)
def test_other_terms_have_another_digest(other: MaskingTerms) -> None:
    assert other.digest != TERMS.digest


@pytest.mark.parametrize(("contributors", "threshold", "colluding"), [(3, 2, 0), (10, 7, 3), (10, 6, 1), (4, 4, 2)])
def test_a_threshold_just_large_enough_is_taken(contributors: int, threshold: int, colluding: int) -> None:
    assert terms(contributors, threshold=threshold, colluding=colluding).dropouts == contributors - threshold


@pytest.mark.parametrize(
    ("contributors", "threshold", "colluding", "least"),
    [(10, 5, 0, 6), (10, 6, 2, 7), (10, 6, 3, 7), (9, 6, 3, 7), (100, 66, 33, 67), (1024, 512, 0, 513)],
)
def test_a_threshold_that_a_lying_server_gets_round_is_refused(
    contributors: int, threshold: int, colluding: int, least: int
) -> None:
    with pytest.raises(MaskingTermsError, match=f"takes a threshold of at least {least}, not {threshold}"):
        terms(contributors, threshold=threshold, colluding=colluding)
    assert terms(contributors, threshold=least, colluding=colluding).threshold == least


def test_two_sets_of_survivors_never_both_have_enough_signatures() -> None:
    """What 2t > n + c is for: honest clients sign once, c clients sign both."""
    for contributors in range(2, 40):
        for colluding in range(contributors - 1):
            threshold = least_masking_threshold(contributors, colluding)
            if threshold > contributors:
                continue
            terms(contributors, threshold=threshold, colluding=colluding)
            honest = contributors - colluding
            most_for_both = honest + 2 * colluding  # signatures there are, for two sets together
            assert most_for_both < 2 * threshold


def test_a_sum_with_one_honest_contribution_is_refused() -> None:
    with pytest.raises(MaskingTermsError, match="2 colluding clients know their own part of a sum of 3"):
        terms(3, threshold=3, colluding=2)


@pytest.mark.parametrize("contributors", range(2, 60))
def test_without_a_number_any_minority_below_a_third_may_collude(contributors: int) -> None:
    threshold = least_masking_threshold(contributors)
    colluding = -(-contributors // 3) - 1
    assert 2 * threshold > contributors + colluding
    assert threshold <= 2 * contributors // 3 + 1
    terms(contributors, threshold=threshold, colluding=colluding)


@pytest.mark.parametrize(
    "changes",
    [
        {"study": ""},
        {"study": "a" * 65},
        {"study": "a b"},
        {"study": "größen"},
        {"study": "a\n"},
        {"round": -1},
        {"round": 2**32},
        {"dimension": 0},
        {"dimension": 2**26 + 1},
        {"contributors": 1025},
        {"threshold": 11},
        {"colluding": -1},
        {"colluding": 11},
    ],
)
def test_terms_out_of_range_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(MaskingTermsError):
        replace(TERMS, **changes)  # type: ignore[arg-type]


def test_a_sum_of_one_is_refused() -> None:
    with pytest.raises(MaskingTermsError, match="contributors: 2 to 1024, not 1"):
        MaskingTerms("s", 0, 1, 1, 1, 0, Quantization(1.0, 1))


def test_a_sum_that_could_overflow_is_refused() -> None:
    with pytest.raises(MaskingTermsError, match="10 contributors of 214748365 steps each could sum up"):
        terms(10, quantization=Quantization(1.0, 214748365))
    assert terms(10, quantization=Quantization(1.0, 214748364)).quantization.levels == 214748364
