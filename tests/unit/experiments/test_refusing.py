"""Operations that must refuse: the call that is timed is the call that is shown forgeries."""

from __future__ import annotations

import pytest

from experiments import CheckFailed
from experiments.refusing import Inputs, RefusingOperation


class Refused(Exception):
    pass


def even(inputs: Inputs) -> int:
    number: int = next(inputs.following)
    if number % 2:
        raise Refused
    return number // (number - 4)


def operation(items: list[int], forged: dict[str, int]) -> RefusingOperation:
    inputs = Inputs(items)
    return RefusingOperation(lambda: even(inputs), lambda _result: None, inputs=inputs, refusal=Refused, forged=forged)


def test_inputs_are_given_in_turn_and_forgeries_leave_no_trace() -> None:
    one = operation([2, 6, 8], {"an odd number": 3})
    one.check()
    assert [one.call() for _ in range(4)] == [-1, 3, 2, -1]


@pytest.mark.parametrize(
    ("items", "forged", "what"),
    [
        ([2], {"an even number": 6}, "an even number is accepted"),
        ([2], {"four": 4}, "four is not refused, but ZeroDivisionError"),
        ([3], {}, "Refused"),
    ],
)
def test_what_is_accepted_fails_otherwise_or_refuses_the_good_does_not_pass(
    items: list[int], forged: dict[str, int], what: str
) -> None:
    with pytest.raises(CheckFailed, match=what):
        operation(items, forged).check()
