from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

from experiments.errors import CheckFailed, Unavailable
from experiments.homomorphic.cohort import way
from experiments.homomorphic.summing import Adding, adding, decrypting, encrypting
from experiments.scale import QUICK
from experiments.subject import Setting

NOTHING: Any = Setting(QUICK, None, None)  # type: ignore[arg-type]  # these arms need neither folder nor chance
DIMENSION = 3


@pytest.mark.parametrize("parameters", ["ckks-8192", "bfv-8192"])
@pytest.mark.parametrize("name", ["ours", "ours, accepting too", "TenSEAL", "plaintext"])
def test_sums_are_those_of_numpy_within_the_bound_that_is_told(name: str, parameters: str) -> None:
    subject = adding(name, parameters, DIMENSION, 40, NOTHING)
    subject.check()
    found = subject.measure(2)
    assert found.loops == 2
    assert 0 <= found.extra["worst_error"] <= found.extra["error_bound"]
    assert found.extra["value_bytes"] * DIMENSION == pytest.approx(found.extra["contribution_bytes"])


@pytest.mark.parametrize("name", ["ours", "TenSEAL"])
def test_clients_and_analysts_do_what_they_are_timed_for(name: str) -> None:
    encrypting(name, "bfv-8192", DIMENSION, NOTHING).check()
    decrypting(name, "bfv-8192", DIMENSION, NOTHING).check()


def test_a_sum_of_something_else_is_no_figure() -> None:
    chosen, contents = way("plaintext", "bfv-8192", DIMENSION)
    twice = (contents[1], *contents[1:])
    with pytest.raises(CheckFailed, match="is wrong by"):
        Adding(chosen, twice, DIMENSION, 40).check()


def test_a_peer_that_is_not_installed_is_left_out_or_adds_like_the_others() -> None:
    if find_spec("seal") is None:
        with pytest.raises(Unavailable, match="seal-python is not installed"):
            adding("seal-python", "ckks-8192", DIMENSION, 2, NOTHING)
        return
    adding("seal-python", "ckks-8192", DIMENSION, 2, NOTHING).check()
    encrypting("seal-python", "bfv-8192", DIMENSION, NOTHING).check()
