"""A server that lies about survivors, with clients on its side: it never gets both secrets of anybody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from crypto import MaskingClient
from crypto.errors import MaskingError, MaskingOrderError, MaskingRefused, TooFewClients
from crypto.masking import Confirmation, Confirmations, Reveal, Survivors
from crypto.masking.statements import confirmation_statement
from tests.unit.crypto.masking.consortium import (
    Consortium,
    circle,
    key,
    random_values,
    roster,
    terms,
    until_confirming,
    until_receiving,
    until_sharing,
)

TERMS = terms(7, threshold=5)
EVERYBODY = tuple(range(1, 8))
STORIES = [EVERYBODY, (1, 2, 3, 4, 5, 6), (2, 3, 4, 5, 6, 7), (1, 3, 4, 5, 7), (1, 2, 3, 4)]


def signed_by(consortium: Consortium, who: Iterable[int], survivors: Iterable[int]) -> bytes:
    """Confirmations of any survivors, by keys of clients who say what the server wants."""
    of = consortium.terms
    statement = confirmation_statement(of, circle(consortium).digest, EVERYBODY, tuple(survivors))
    return Confirmations(tuple(Confirmation(index, key(index).sign(statement)) for index in who)).encode(of)


def told(consortium: Consortium, index: int, survivors: Iterable[int]) -> bytes:
    """What a client answers to these survivors."""
    return consortium.clients[index].confirm(Survivors(tuple(survivors)).encode(consortium.terms), key(index))


def test_different_survivors_for_different_clients_reveal_nothing() -> None:
    """Bonawitz's attack: one half is told that client 7 survived, the other that it dropped out."""
    consortium = until_confirming(TERMS)
    stories = {index: EVERYBODY if index <= 3 else (1, 2, 3, 4, 5, 6) for index in EVERYBODY[:6]}
    heard = [Confirmation.decode(told(consortium, index, stories[index]), TERMS) for index in stories]
    together = Confirmations(tuple(heard)).encode(TERMS)
    for index in stories:
        with pytest.raises(MaskingRefused, match="did not sign these members and survivors"):
            consortium.clients[index].reveal(together)
        alike = tuple(entry for entry in heard if stories[entry.index] == stories[index])
        with pytest.raises(TooFewClients, match="3 clients confirmed the survivors: 5 are needed"):
            consortium.clients[index].reveal(Confirmations(alike).encode(TERMS))


def test_an_honest_server_finds_out_who_was_told_something_else() -> None:
    consortium = until_confirming(TERMS)
    with pytest.raises(MaskingRefused, match="client 4 did not sign"):
        consortium.server.confirm(told(consortium, 4, (1, 2, 3, 4, 5)))


def test_a_second_set_of_survivors_is_refused_even_after_a_restart() -> None:
    consortium = until_confirming(TERMS)
    told(consortium, 1, EVERYBODY)
    for _ in range(2):
        for others in ((1, 2, 3, 4, 5), (1, 2, 3, 4, 5, 6)):
            with pytest.raises(MaskingRefused, match="said before that others survived"):
                told(consortium, 1, others)
        consortium.restart()
    told(consortium, 1, EVERYBODY)


def test_fewer_survivors_than_the_threshold_are_not_confirmed() -> None:
    consortium = until_confirming(TERMS)
    with pytest.raises(TooFewClients, match="4 clients contributed: 5 are needed"):
        told(consortium, 1, (1, 2, 3, 4))
    assert told(consortium, 1, EVERYBODY)


def test_survivors_that_sent_no_boxes_are_refused() -> None:
    consortium = until_sharing(TERMS)
    consortium.share([1, 2, 3, 4, 5])
    consortium.collect(random_values(TERMS))
    with pytest.raises(MaskingRefused, match="sent no boxes"):
        told(consortium, 1, (1, 2, 3, 4, 6))


def test_a_client_that_is_said_to_have_dropped_out_says_no_more() -> None:
    consortium = until_confirming(TERMS)
    with pytest.raises(MaskingOrderError, match="goes on without client 7"):
        told(consortium, 7, (1, 2, 3, 4, 5, 6))
    with pytest.raises(MaskingOrderError, match="before the survivors are confirmed"):
        consortium.clients[7].reveal(signed_by(consortium, (1, 2, 3, 4, 5), (1, 2, 3, 4, 5, 6)))


def test_confirmations_of_who_did_not_survive_do_not_count() -> None:
    consortium = until_confirming(TERMS)
    told(consortium, 1, (1, 2, 3, 4, 5))
    with pytest.raises(MaskingRefused, match="client 6 is no survivor"):
        consortium.clients[1].reveal(signed_by(consortium, (1, 2, 3, 4, 6), (1, 2, 3, 4, 5)))


def test_one_forged_confirmation_is_enough_to_refuse_all() -> None:
    consortium = until_confirming(TERMS)
    told(consortium, 1, EVERYBODY)
    good = Confirmations.decode(signed_by(consortium, EVERYBODY, EVERYBODY), TERMS).confirmations
    forged = (*good[:6], replace(good[6], signature=good[5].signature))
    with pytest.raises(MaskingRefused, match="client 7 did not sign"):
        consortium.clients[1].reveal(Confirmations(forged).encode(TERMS))


def test_confirmations_of_another_round_do_not_count() -> None:
    consortium, other = until_confirming(TERMS), until_confirming(replace(TERMS, round=1))
    told(consortium, 1, EVERYBODY)
    elsewhere = Confirmations.decode(signed_by(other, EVERYBODY, EVERYBODY), other.terms)
    with pytest.raises(MaskingRefused, match="did not sign"):
        consortium.clients[1].reveal(elsewhere.encode(TERMS))


@settings(max_examples=40)
@given(st.data())
def test_a_client_never_reveals_both_secrets_of_anybody(data: st.DataObject) -> None:
    """Whatever the server says, in any order, with every other client on its side, and with restarts between."""
    consortium = until_confirming(TERMS)
    subject = data.draw(st.sampled_from(EVERYBODY), "client")
    everybody = roster(TERMS)
    masks: set[int] = set()
    roots: set[int] = set()
    for _ in range(data.draw(st.integers(1, 8), "steps")):
        client = consortium.clients[subject]
        survivors = data.draw(st.sampled_from(STORIES), "survivors")
        try:
            if data.draw(st.booleans(), "confirm"):
                client.confirm(Survivors(tuple(survivors)).encode(TERMS), key(subject))
            else:
                found = Reveal.decode(client.reveal(signed_by(consortium, survivors, survivors)), TERMS)
                masks |= {index for index, _ in found.masks}
                roots |= {index for index, _ in found.roots}
        except MaskingError:
            pass
        if data.draw(st.booleans(), "restart"):
            consortium.clients[subject] = MaskingClient.from_bytes(client.to_bytes(), everybody)
    assert not masks & roots
    assert masks | roots in (set(), set(EVERYBODY))
    event("revealed" if masks else "never revealed")


def test_what_a_server_learns_of_one_that_it_says_dropped_out_leaves_its_own_mask() -> None:
    """Client 7 contributed, but the server says that it did not: its root comes out, its own mask does not."""
    consortium = until_receiving(TERMS)
    consortium.receive()
    values = random_values(TERMS)
    for index in EVERYBODY[:6]:
        consortium.server.collect(consortium.clients[index].contribute(values[index]))
    withheld = consortium.clients[7].contribute(values[7])
    consortium.server.close()
    consortium.confirm()
    consortium.reveal()
    assert consortium.server.result().survivors == EVERYBODY[:6]
    reveals = consortium.server._state.reveals.values()
    assert [7 in dict(reveal.roots) for reveal in reveals] == [True] * 6
    assert [7 in dict(reveal.masks) for reveal in reveals] == [False] * 6
    with pytest.raises(MaskingOrderError, match="this belongs to the stage collecting"):
        consortium.server.collect(withheld)
