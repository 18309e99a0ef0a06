"""The server's steps: their order, what it takes once, and clients that send what they should not."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import replace

import numpy
import pytest

from crypto import MaskingServer, MaskingServerStage
from crypto.errors import MaskingError, MaskingFormatError, MaskingOrderError, MaskingRefused
from crypto.masking import Advertisement, Contribution, MaskingClient, Reveal, Sharing
from crypto.masking.circle import Held
from crypto.masking.statements import advertisement_statement, box_statement
from crypto.sharing import PRIME, Share
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

TERMS = terms(5, threshold=3, colluding=0)
VALUES = random_values(TERMS)
EVERYBODY = (1, 2, 3, 4, 5)


def until_revealing(dropped: tuple[int, ...] = (), of: int = 5) -> Consortium:
    """Survivors confirmed."""
    consortium = until_receiving(TERMS)
    consortium.collect(VALUES, [index for index in EVERYBODY[:of] if index not in dropped])
    consortium.confirm()
    return consortium


def reveal_of(consortium: Consortium, index: int) -> Reveal:
    """What a client reveals."""
    return Reveal.decode(consortium.clients[index].reveal(consortium.server.confirmations()), TERMS)


def shifted(pairs: tuple[tuple[int, Share], ...], subject: int, by: int = 1) -> tuple[tuple[int, Share], ...]:
    """The shares with that of one client's secret made false."""
    return tuple(
        (index, Share(share.index, (share.value + by) % PRIME) if index == subject else share) for index, share in pairs
    )


# Order


def test_messages_of_another_stage_are_refused() -> None:
    consortium = Consortium(TERMS)
    consortium.run(VALUES)
    server = consortium.server
    replayed: dict[MaskingServerStage, Callable[[MaskingServer], object]] = {
        MaskingServerStage.SETUP: lambda other: other.advertise(b""),
        MaskingServerStage.SHARING: lambda other: other.share(b""),
        MaskingServerStage.COLLECTING: lambda other: other.collect(b""),
        MaskingServerStage.CONFIRMING: lambda other: other.confirm(b""),
        MaskingServerStage.REVEALING: lambda other: other.reveal(b""),
    }
    for stage, step in replayed.items():
        expected = MaskingFormatError if stage is server.stage else MaskingOrderError
        with pytest.raises(expected):
            step(server)
    with pytest.raises(MaskingOrderError, match="belongs to the stage revealing, not to setup"):
        MaskingServer.open(TERMS, roster(TERMS)).result()


def test_what_a_stage_says_is_known_when_it_is_closed() -> None:
    consortium = Consortium(TERMS)
    server = consortium.server
    for ask in (server.participants, server.survivors, server.confirmations, lambda: server.delivery(1)):
        with pytest.raises(MaskingOrderError, match="is known when the stage"):
            ask()
    consortium.setup()
    assert server.participants() == server.participants()
    with pytest.raises(MaskingOrderError, match="is known when the stage sharing is closed"):
        server.delivery(1)


@pytest.mark.parametrize(
    ("stage", "most"),
    [
        (0, 38 + 2 + 2 * 1216 + 32 + 2 + 4627),
        (1, 38 + 4 + 5 * (2 + 1232 + 1168 + 2 + 4627)),
        (2, 38 + 2 + 4 * 9),
        (3, 38 + 2 + 2 + 4627),
        (4, 38 + 6 + 2 * 5 * 50),
    ],
)
def test_how_much_needs_to_be_read_is_known_before(stage: int, most: int) -> None:
    server = MaskingServer.open(TERMS, roster(TERMS))
    server._state.stage = MaskingServerStage(stage)
    assert server.most_bytes == most


def test_a_server_is_not_copied() -> None:
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            copied(MaskingServer.open(TERMS, roster(TERMS)))


# Once


def test_what_comes_again_counts_once() -> None:
    consortium = Consortium(TERMS)
    server, clients = consortium.server, consortium.clients
    for _ in range(2):
        for index in EVERYBODY:
            server.advertise(clients[index].advertise(key(index)))
    server.close()
    for _ in range(2):
        for index in EVERYBODY:
            server.share(clients[index].share(server.participants(), key(index)))
    server.close()
    consortium.collect(VALUES)
    for _ in range(2):
        for index in EVERYBODY:
            server.confirm(clients[index].confirm(server.survivors(), key(index)))
    server.close()
    for _ in range(2):
        for index in EVERYBODY:
            server.reveal(clients[index].reveal(server.confirmations()))
    assert server.result().values.tolist() == numpy.sum(list(VALUES.values()), axis=0).tolist()


def test_a_contribution_that_comes_again_is_refused_and_not_added() -> None:
    consortium = until_receiving(TERMS)
    consortium.receive()
    message = consortium.clients[1].contribute(VALUES[1])
    consortium.server.collect(message)
    with pytest.raises(MaskingOrderError, match="client 1 has contributed already"):
        consortium.server.collect(message)
    consortium.collect(VALUES, [2, 3, 4, 5])
    consortium.confirm()
    consortium.reveal()
    assert consortium.server.result().values.tolist() == numpy.sum(list(VALUES.values()), axis=0).tolist()


def test_other_keys_than_before_are_refused() -> None:
    consortium, other = Consortium(TERMS), Consortium(TERMS)
    consortium.server.advertise(consortium.clients[1].advertise(key(1)))
    with pytest.raises(MaskingOrderError, match="client 1 advertised other keys before"):
        consortium.server.advertise(other.clients[1].advertise(key(1)))


def test_other_boxes_than_before_are_refused() -> None:
    consortium = until_sharing(TERMS)
    stored = consortium.clients[1].to_bytes()
    consortium.server.share(consortium.clients[1].share(consortium.server.participants(), key(1)))
    again = MaskingClient.from_bytes(stored, roster(TERMS))  # an older state, which it must not go back to
    with pytest.raises(MaskingOrderError, match="client 1 sent other boxes before"):
        consortium.server.share(again.share(consortium.server.participants(), key(1)))


def test_other_shares_than_before_are_refused() -> None:
    consortium = until_revealing()
    found = reveal_of(consortium, 1)
    consortium.server.reveal(found.encode(TERMS))
    with pytest.raises(MaskingOrderError, match="client 1 revealed other shares before"):
        consortium.server.reveal(replace(found, masks=shifted(found.masks, 2)).encode(TERMS))


# Who has no part


def test_clients_without_a_part_are_refused() -> None:
    consortium = Consortium(TERMS)
    server, clients = consortium.server, consortium.clients
    consortium.setup([1, 2, 3, 4])
    listed = server.participants()
    consortium.share([1, 2, 3])
    with pytest.raises(MaskingOrderError, match="client 4 sent no boxes"):
        server.delivery(4)
    with pytest.raises(MaskingOrderError, match="client 4 sent no boxes"):
        server.collect(Contribution(4, bytes(4 * TERMS.words)).encode(TERMS))
    consortium.collect(VALUES)
    clients[4].share(listed, key(4))
    confirmation = clients[1].confirm(server.survivors(), key(1))
    with pytest.raises(MaskingOrderError, match="client 4 has not contributed"):
        server.confirm(confirmation[:38] + b"\0\4" + confirmation[40:])
    consortium.confirm()
    reveal = clients[1].reveal(server.confirmations())
    with pytest.raises(MaskingOrderError, match="client 4 has not contributed"):
        server.reveal(reveal[:38] + b"\0\4" + reveal[40:])


def test_boxes_of_who_advertised_nothing_are_refused() -> None:
    consortium = Consortium(TERMS)
    consortium.setup([1, 2, 3, 4])
    sharing = Sharing.decode(consortium.clients[1].share(consortium.server.participants(), key(1)), TERMS)
    moved = Sharing(5, tuple(replace(box, sender=5, pair=b"") for box in sharing.boxes))
    with pytest.raises(MaskingOrderError, match="client 5 advertised no keys"):
        consortium.server.share(moved.encode(TERMS))


# Forgeries


def test_an_advertisement_in_anothers_name_is_refused() -> None:
    consortium = Consortium(TERMS)
    entry = Advertisement.decode(consortium.clients[1].advertise(key(1)), TERMS)
    with pytest.raises(MaskingRefused, match="client 2 did not sign its advertisement"):
        consortium.server.advertise(replace(entry, index=2).encode(TERMS))


def test_a_key_that_another_advertised_is_refused() -> None:
    consortium = Consortium(TERMS)
    first = Advertisement.decode(consortium.clients[1].advertise(key(1)), TERMS)
    consortium.server.advertise(first.encode(TERMS))
    second = Advertisement.decode(consortium.clients[2].advertise(key(2)), TERMS)
    for stolen in (replace(second, shares_key=first.pair_key), replace(second, pair_key=second.shares_key)):
        signature = key(2).sign(advertisement_statement(TERMS, key(2).keyid, stolen))
        with pytest.raises(MaskingRefused, match="two of the advertised keys are the same"):
            consortium.server.advertise(replace(stolen, signature=signature).encode(TERMS))
    assert consortium.server.heard == (1,)


def test_boxes_for_others_or_not_for_all_are_refused() -> None:
    consortium = until_sharing(TERMS)
    sharing = Sharing.decode(consortium.clients[1].share(consortium.server.participants(), key(1)), TERMS)
    with pytest.raises(MaskingRefused, match="client 1 sent boxes for others than those who take part"):
        consortium.server.share(replace(sharing, boxes=sharing.boxes[1:]).encode(TERMS))
    swapped = (replace(sharing.boxes[0], shares=sharing.boxes[1].shares), *sharing.boxes[1:])
    with pytest.raises(MaskingRefused, match="client 1 did not sign the box for client 2"):
        consortium.server.share(replace(sharing, boxes=swapped).encode(TERMS))


def test_shares_that_nobody_asked_for_are_refused() -> None:
    consortium = until_revealing(dropped=(5,))
    found = reveal_of(consortium, 1)
    for other in (
        replace(found, masks=found.roots, roots=found.masks),
        replace(found, masks=found.masks[1:]),
        replace(found, masks=(*found.masks, *found.roots)),
        replace(found, roots=()),
    ):
        with pytest.raises(MaskingRefused, match="client 1 revealed other shares than are asked for"):
            consortium.server.reveal(other.encode(TERMS))


# False shares, seeds and values: found, and nothing is released


@pytest.mark.parametrize("by", [1, 2**300])
def test_a_false_share_is_found_when_there_is_none_to_spare(by: int) -> None:
    for subject in (2, 5):
        consortium = until_revealing(dropped=(5,))
        for index in (1, 2, 3):
            found = reveal_of(consortium, index)
            if index == 3:
                masks, roots = shifted(found.masks, subject, by), shifted(found.roots, subject, by)
                found = replace(found, masks=masks, roots=roots)
            consortium.server.reveal(found.encode(TERMS))
        with pytest.raises(MaskingRefused, match=f"the shares of client {subject} do not give what it advertised"):
            consortium.server.result()


@pytest.mark.parametrize("liar", [1, 2, 3, 4])
def test_a_false_share_does_no_harm_when_there_is_one_to_spare(liar: int) -> None:
    consortium = until_revealing(dropped=(5,))
    for index in (4, 3, 2, 1):
        found = reveal_of(consortium, index)
        if index == liar:
            found = replace(found, masks=shifted(found.masks, 2), roots=shifted(found.roots, 5))
        consortium.server.reveal(found.encode(TERMS))
    assert consortium.server.result().values.tolist() == numpy.sum([VALUES[at] for at in (1, 2, 3, 4)], axis=0).tolist()


def test_a_share_that_was_moved_on_purpose_is_found() -> None:
    """Who knows which shares are used can move the secret by one, and it is still no larger than a secret."""
    consortium = until_revealing()
    used = (1, 2, 3)
    weight = 1
    for other in used[:2]:
        weight = weight * other * pow(other - 3, -1, PRIME) % PRIME
    moved = pow(weight, -1, PRIME)
    for index in used:
        found = reveal_of(consortium, index)
        if index == 3:
            masks = tuple((at, Share(3, (share.value + moved * (at == 1)) % PRIME)) for at, share in found.masks)
            found = replace(found, masks=masks)
        consortium.server.reveal(found.encode(TERMS))
    with pytest.raises(MaskingRefused, match="the shares of client 1 do not give what it advertised"):
        consortium.server.result()


def test_a_contribution_that_was_changed_is_found_by_its_count_or_its_size() -> None:
    for word in (0, TERMS.words - 1):
        consortium = until_receiving(TERMS)
        consortium.receive()
        for index in EVERYBODY:
            message = bytearray(consortium.clients[index].contribute(VALUES[index]))
            if index == 2:
                message[40 + 4 * word + 3] ^= 0x40
            consortium.server.collect(bytes(message))
        consortium.server.close()
        consortium.confirm()
        consortium.reveal()
        with pytest.raises(MaskingError, match="masks are left"):
            consortium.server.result()


def test_a_pair_seed_that_was_not_sealed_is_found_when_it_is_needed() -> None:
    """Client 1 signs a box for client 5 that does not open, and client 5 drops out over it."""
    consortium = until_sharing(TERMS)
    listed = consortium.server.participants()
    for index in (2, 3, 4, 5):
        consortium.server.share(consortium.clients[index].share(listed, key(index)))
    sharing = Sharing.decode(consortium.clients[1].share(listed, key(1)), TERMS)
    held = Held(1, Share(5, 1), Share(5, 2), bytes(32))
    wrong = circle(consortium).pack(held, consortium.server._state.advertised[4], key(1))
    bad = replace(wrong, recipient=5)
    bad = replace(bad, signature=key(1).sign(box_statement(TERMS, circle(consortium).digest, bad)))
    consortium.server.share(replace(sharing, boxes=(*sharing.boxes[:3], bad)).encode(TERMS))
    consortium.server.close()
    with pytest.raises(MaskingRefused, match="client 1 sealed no shares in its box for 5"):
        consortium.clients[5].receive(consortium.server.delivery(5))
    consortium.collect(VALUES, [1, 2, 3, 4])
    consortium.confirm()
    consortium.reveal()
    with pytest.raises(MaskingRefused, match="client 1 sealed no pair seed in its box for 5"):
        consortium.server.result()


def test_a_client_that_masked_with_another_seed_is_found_by_the_count() -> None:
    """Nothing proves that a pair seed follows from the root: the sum comes out wrong, and is not given."""
    consortium = until_sharing(TERMS)
    listed = consortium.server.participants()
    sharings = {index: consortium.clients[index].share(listed, key(index)) for index in EVERYBODY}
    consortium.clients[1]._state = replace(consortium.clients[1]._state, root=bytes(32))
    for message in sharings.values():
        consortium.server.share(message)
    consortium.server.close()
    consortium.collect(VALUES)
    consortium.confirm()
    consortium.reveal()
    with pytest.raises(MaskingError, match="masks are left"):
        consortium.server.result()


def test_more_than_the_confirmed_are_not_needed() -> None:
    consortium = until_confirming(TERMS)
    consortium.confirm([1, 3, 5])
    consortium.reveal([5, 1, 3])
    assert consortium.server.result().survivors == EVERYBODY
