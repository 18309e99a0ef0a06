from __future__ import annotations

from functools import reduce

import pytest

from secure_api.domain.errors import Conflict
from secure_api.domain.party_attempts import KEPT_ABORTS, PartyAbort, PartyAttempts, PartyResult

RESULT = PartyResult("ab" * 32, 3, (4.75, 3.0))
OTHER = PartyResult("ab" * 32, 3, (4.75, 3.5))


def posted(*indices: int) -> PartyAttempts:
    return reduce(lambda state, index: state.with_result(index, 0, RESULT), indices, PartyAttempts(3))


def test_a_result_is_agreed_when_all_parties_posted_it_and_not_before() -> None:
    assert [posted(*range(count)).agreed for count in range(4)] == [False, False, False, True]
    assert posted(0, 1, 2).result == {"transcript": "ab" * 32, "contributors": 3, "values": [4.75, 3.0]}


def test_a_party_may_say_the_same_again_and_nothing_else() -> None:
    state = posted(0)
    assert state.with_result(0, 0, RESULT) == state
    with pytest.raises(Conflict, match="another result"):
        state.with_result(0, 0, OTHER)


def test_a_result_that_is_not_the_others_ends_the_attempt() -> None:
    state = posted(0, 1).with_result(2, 0, OTHER)
    assert (state.attempt, state.posted, state.result, state.agreed) == (1, (), None, False)
    assert state.aborts[-1].reason == "result-differs"
    with pytest.raises(Conflict, match="attempt 1"):
        state.with_result(0, 0, RESULT)


def test_an_abort_begins_the_next_attempt_once() -> None:
    first, second = (PartyAbort(0, index, "party-lost", 2, "") for index in (0, 1))
    state = posted(2).with_abort(first).with_abort(second).with_abort(second)
    assert (state.attempt, state.posted, state.aborts) == (1, (), (first, second))
    with pytest.raises(Conflict):
        state.with_abort(PartyAbort(2, 0, "stopped", None, ""))


def test_where_it_stands_is_a_line_without_the_words_of_a_party() -> None:
    assert posted(0).standing == "attempt 0: 1 of 3 parties have posted a result"
    lost = posted(2).with_abort(PartyAbort(0, 0, "party-lost", 2, "a word of its own"))
    assert lost.standing == (
        "attempt 1: 0 of 3 parties have posted a result; "
        "attempt 0 ended with party-lost, told by party 0, about party 2"
    )
    assert posted().with_abort(PartyAbort(0, 1, "stopped", None, "")).standing.endswith("stopped, told by party 1")


def test_what_all_agreed_on_is_not_aborted_any_more() -> None:
    with pytest.raises(Conflict):
        posted(0, 1, 2).with_abort(PartyAbort(0, 0, "stopped", None, ""))


def test_attempts_end_and_few_aborts_are_kept() -> None:
    state = PartyAttempts(3)
    while not state.exhausted:
        state = state.with_abort(PartyAbort(state.attempt, 0, "silent", 1, ""))
    assert (state.attempt, len(state.aborts)) == (64, KEPT_ABORTS)


@pytest.mark.parametrize("state", [PartyAttempts(5), posted(0, 2), posted(1).with_result(0, 0, OTHER)])
def test_state_survives_being_stored(state: PartyAttempts) -> None:
    assert PartyAttempts.from_bytes(state.to_bytes()) == state
