"""Forged keys and forged, swapped, stolen or repeated boxes: a client refuses them, whoever put them in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crypto import MaskingClient, MaskingRoster, MaskingServer
from crypto.errors import MaskingFormatError, MaskingOrderError, MaskingRefused, TooFewClients
from crypto.masking import Advertisement, Delivery, Participants, Sharing
from crypto.masking.circle import Held
from crypto.masking.seeds import pair_key
from crypto.masking.statements import advertisement_statement, box_statement
from crypto.sealing import SealingPrivateKey
from crypto.sharing import Share
from tests.unit.crypto.masking.consortium import (
    Consortium,
    circle,
    key,
    roster,
    terms,
    until_receiving,
    until_sharing,
)

TERMS = terms(7, threshold=5)
EVERYBODY = tuple(range(1, 8))


# Keys


def test_keys_that_the_server_made_itself_are_refused() -> None:
    consortium = until_sharing(TERMS)
    listed = Participants.decode(consortium.server.participants(), TERMS).advertisements
    keys = SealingPrivateKey(bytes(32)).public_key, SealingPrivateKey(bytes(31) + b"\1").public_key
    for changed in (
        replace(listed[3], shares_key=keys[0]),
        replace(listed[3], pair_key=keys[1]),
        replace(listed[3], commitment=bytes(32)),
        replace(listed[3], shares_key=listed[3].pair_key, pair_key=listed[3].shares_key),
        replace(listed[3], signature=listed[2].signature),
        replace(listed[2], index=4),
    ):
        message = Participants((*listed[:3], changed, *listed[4:])).encode(TERMS)
        with pytest.raises(MaskingRefused, match="client 4 did not sign its advertisement"):
            consortium.clients[1].share(message, key(1))


def test_advertisements_of_another_round_are_refused() -> None:
    other = until_sharing(replace(TERMS, round=1))
    replayed = Participants.decode(other.server.participants(), other.terms).encode(TERMS)
    with pytest.raises(MaskingRefused, match="client 1 did not sign"):
        until_sharing(TERMS).clients[1].share(replayed, key(1))


def test_a_list_without_the_client_or_with_old_keys_of_its_is_refused() -> None:
    consortium, before = until_sharing(TERMS), until_sharing(TERMS)
    listed = Participants.decode(consortium.server.participants(), TERMS).advertisements
    old = Participants.decode(before.server.participants(), TERMS).advertisements
    for others in (listed[1:], (old[0], *listed[1:])):
        with pytest.raises(MaskingRefused, match="client 1 is not among the participants as it advertised itself"):
            consortium.clients[1].share(Participants(others).encode(TERMS), key(1))


def test_a_short_list_is_refused() -> None:
    consortium = until_sharing(TERMS)
    listed = Participants.decode(consortium.server.participants(), TERMS).advertisements
    with pytest.raises(TooFewClients, match="4 clients take part: 5 are needed"):
        consortium.clients[1].share(Participants(listed[:4]).encode(TERMS), key(1))


def test_who_is_not_invited_does_not_take_part() -> None:
    consortium = until_sharing(TERMS)
    invited = {index: public for index, public in roster(TERMS).items() if index != 7}
    client = MaskingClient.from_bytes(consortium.clients[1].to_bytes(), MaskingRoster(TERMS, invited))
    with pytest.raises(MaskingRefused, match="client 7 is not invited"):
        client.share(consortium.server.participants(), key(1))


def test_different_lists_for_different_clients_open_no_boxes() -> None:
    consortium = until_sharing(TERMS)
    listed = Participants.decode(consortium.server.participants(), TERMS).advertisements
    short, whole = Participants(listed[:5]).encode(TERMS), consortium.server.participants()
    consortium.clients[1].share(short, key(1))
    sharings = [Sharing.decode(consortium.clients[at].share(whole, key(at)), TERMS) for at in range(2, 6)]
    delivery = Delivery(1, tuple(sharing.box_for(1) for sharing in sharings))
    with pytest.raises(MaskingRefused, match="client 2 did not sign the box for client 1"):
        consortium.clients[1].receive(delivery.encode(TERMS))


def test_shares_for_a_second_list_are_refused() -> None:
    consortium = until_sharing(TERMS)
    listed = Participants.decode(consortium.server.participants(), TERMS).advertisements
    consortium.clients[1].share(consortium.server.participants(), key(1))
    consortium.restart()
    with pytest.raises(MaskingOrderError, match="another list of participants"):
        consortium.clients[1].share(Participants(listed[:6]).encode(TERMS), key(1))


# Boxes


def test_boxes_that_the_server_sealed_itself_are_refused() -> None:
    """HPKE in base mode tells nothing of who sealed: with a pair seed of its own the server would know the mask."""
    consortium = until_receiving(TERMS)
    delivery = Delivery.decode(consortium.server.delivery(7), TERMS)
    advertised = consortium.server._state.advertised[7]
    own = key(99)  # any key that the server has
    held = Held(1, Share(7, 1), Share(7, 2), bytes(32))
    forged = circle(consortium).pack(held, advertised, own)
    with pytest.raises(MaskingRefused, match="client 1 did not sign the box for client 7"):
        consortium.clients[7].receive(replace(delivery, boxes=(forged, *delivery.boxes[1:])).encode(TERMS))


def test_boxes_that_changed_places_are_refused() -> None:
    consortium = until_receiving(TERMS)
    first, second, *rest = Delivery.decode(consortium.server.delivery(7), TERMS).boxes
    for boxes in (
        (replace(second, sender=1), replace(first, sender=2), *rest),
        (replace(first, shares=second.shares), second, *rest),
        (replace(first, pair=second.pair), second, *rest),
        (replace(first, signature=second.signature), second, *rest),
    ):
        with pytest.raises(MaskingRefused, match="client 1 did not sign the box for client 7"):
            consortium.clients[7].receive(Delivery(7, boxes).encode(TERMS))


def test_a_box_for_another_client_is_refused() -> None:
    consortium = until_receiving(TERMS)
    for_six = Delivery.decode(consortium.server.delivery(6), TERMS)
    with pytest.raises(MaskingRefused, match="these boxes are for client 6"):
        consortium.clients[7].receive(for_six.encode(TERMS))
    boxes = tuple(replace(box, recipient=7) for box in for_six.boxes if box.sender != 7)
    with pytest.raises(MaskingRefused, match="client 1 did not sign the box for client 7"):
        consortium.clients[7].receive(Delivery(7, boxes).encode(TERMS))


def test_a_box_that_another_client_passes_off_as_its_own_does_not_open() -> None:
    """The signature is right, but the seal is bound to who sealed."""
    consortium = until_receiving(TERMS)
    first, second, *rest = Delivery.decode(consortium.server.delivery(7), TERMS).boxes
    stolen = replace(second, shares=first.shares, pair=first.pair)
    statement = box_statement(TERMS, circle(consortium).digest, stolen)
    boxes = (first, replace(stolen, signature=key(2).sign(statement)), *rest)
    with pytest.raises(MaskingRefused, match="client 2 sealed no shares in its box for 7"):
        consortium.clients[7].receive(Delivery(7, boxes).encode(TERMS))


def test_boxes_of_another_round_are_refused() -> None:
    consortium, other = until_receiving(TERMS), until_receiving(replace(TERMS, round=1))
    replayed = Delivery.decode(other.server.delivery(7), other.terms)
    with pytest.raises(MaskingRefused, match="client 1 did not sign the box for client 7"):
        consortium.clients[7].receive(replayed.encode(TERMS))
    with pytest.raises(MaskingFormatError, match="another study, another round, or other terms"):
        consortium.clients[7].receive(other.server.delivery(7))


def test_boxes_of_who_does_not_take_part_are_refused() -> None:
    consortium = Consortium(TERMS)
    consortium.setup([1, 2, 3, 4, 5, 7])
    consortium.share()
    boxes = Delivery.decode(consortium.server.delivery(7), TERMS).boxes
    with pytest.raises(MaskingRefused, match="client 6 does not take part"):
        consortium.clients[7].receive(Delivery(7, (*boxes, replace(boxes[0], sender=6))).encode(TERMS))


def test_too_few_boxes_are_refused_and_the_right_ones_still_taken() -> None:
    consortium = until_receiving(TERMS)
    delivery = Delivery.decode(consortium.server.delivery(7), TERMS)
    with pytest.raises(TooFewClients, match="4 clients handed out boxes: 5 are needed"):
        consortium.clients[7].receive(Delivery(7, delivery.boxes[:3]).encode(TERMS))
    assert consortium.clients[7].receive(delivery.encode(TERMS)) == EVERYBODY


def test_a_second_delivery_is_refused() -> None:
    """Masks for other members would be another contribution of the same numbers."""
    consortium = until_receiving(TERMS)
    delivery = Delivery.decode(consortium.server.delivery(7), TERMS)
    consortium.clients[7].receive(delivery.encode(TERMS))
    with pytest.raises(MaskingOrderError, match="received once"):
        consortium.clients[7].receive(Delivery(7, delivery.boxes[:5]).encode(TERMS))


# What the server can open when a client dropped out


def test_the_root_of_a_client_does_not_open_the_shares_that_it_was_given() -> None:
    """It opens the pair seeds, which is what it is put together for."""
    consortium = until_sharing(TERMS)
    of, key_of_root = circle(consortium), pair_key(TERMS, consortium.clients[3]._state.root)
    consortium.share()
    boxes = [sharing.box_for(3) for sharing in consortium.server._state.sharings.values() if sharing.sender != 3]
    assert [len(of.open_pair(box, key_of_root)) for box in boxes if box.pair] == [32, 32]
    for box in boxes:
        with pytest.raises(MaskingRefused, match="sealed no shares"):
            of.open_shares(box, key_of_root)


def test_a_key_that_nobody_can_seal_to_is_refused() -> None:
    consortium = until_sharing(TERMS)
    listed = Participants.decode(consortium.server.participants(), TERMS).advertisements
    for raw in (bytes(1216), b"\xff" * 1216):
        forged = Advertisement(1, raw, listed[0].pair_key, bytes(32), b"")
        statement = advertisement_statement(TERMS, key(1).keyid, forged)
        forged = replace(forged, signature=key(1).sign(statement))
        with pytest.raises(MaskingRefused, match="client 1 advertised a key that nobody can use"):
            MaskingServer.open(TERMS, roster(TERMS)).advertise(forged.encode(TERMS))
