"""Messages have one spelling, their sizes are known, and no bytes raise anything but errors of the package."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import MaskingClient, MaskingServer
from crypto.errors import CryptoError, MaskingError, MaskingFormatError
from crypto.masking import (
    Advertisement,
    Confirmation,
    Confirmations,
    Contribution,
    Delivery,
    MaskingTerms,
    Participants,
    Reveal,
    Sharing,
    Survivors,
)
from crypto.masking.client_state import ClientState
from crypto.masking.message import Message
from crypto.masking.server_state import ServerState
from tests.unit.crypto.masking.consortium import Consortium, key, random_values, roster, terms
from tests.unit.crypto.mutation import mutated

TERMS = terms(4, dimension=3, threshold=3)
VALUES = random_values(TERMS)
KINDS: list[type[Message]] = [
    Advertisement,
    Participants,
    Sharing,
    Delivery,
    Contribution,
    Survivors,
    Confirmation,
    Confirmations,
    Reveal,
]


@cache
def recorded() -> tuple[dict[type[Message], bytes], dict[type[Message], bytes], list[bytes], list[bytes]]:
    """A message of each kind, from a sum without client 4; and the receiver's state before it, and all states."""
    consortium = Consortium(TERMS)
    server, client = consortium.server, consortium.clients[2]
    said: dict[type[Message], bytes] = {}
    before: dict[type[Message], bytes] = {}
    servers, clients = [server.to_bytes()], [client.to_bytes()]

    def to_server(kind: type[Message], message: bytes) -> None:
        said[kind], before[kind] = message, servers[-1]

    def to_client(kind: type[Message], message: bytes) -> None:
        said[kind], before[kind] = message, clients[-1]

    to_server(Advertisement, client.advertise(key(2)))
    consortium.setup()
    servers.append(server.to_bytes())
    to_client(Participants, server.participants())
    to_server(Sharing, client.share(server.participants(), key(2)))
    clients.append(client.to_bytes())
    consortium.share()
    servers.append(server.to_bytes())
    to_client(Delivery, server.delivery(2))
    consortium.receive([2])
    clients.append(client.to_bytes())
    to_server(Contribution, client.contribute(VALUES[2]))
    clients.append(client.to_bytes())
    consortium.collect(VALUES, [1, 2, 3])
    servers.append(server.to_bytes())
    to_client(Survivors, server.survivors())
    to_server(Confirmation, client.confirm(server.survivors(), key(2)))
    clients.append(client.to_bytes())
    consortium.confirm()
    servers.append(server.to_bytes())
    to_client(Confirmations, server.confirmations())
    to_server(Reveal, client.reveal(server.confirmations()))
    consortium.reveal()
    servers.append(server.to_bytes())
    return said, before, servers, clients


def take(kind: type[Message], message: bytes) -> object:
    """Hand a message to whoever it is for."""
    state = recorded()[1][kind]
    if kind in (Advertisement, Sharing, Contribution, Confirmation, Reveal):
        server = MaskingServer.from_bytes(state, roster(TERMS))
        steps: dict[type[Message], Callable[[bytes], object]] = {
            Advertisement: server.advertise,
            Sharing: server.share,
            Contribution: server.collect,
            Confirmation: server.confirm,
            Reveal: server.reveal,
        }
        return steps[kind](message)
    client = MaskingClient.from_bytes(state, roster(TERMS))
    if kind is Participants:
        return client.share(message, key(2))
    if kind is Delivery:
        return client.receive(message)
    if kind is Survivors:
        return client.confirm(message, key(2))
    return client.reveal(message)


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_has_one_spelling(kind: type[Message]) -> None:
    said = recorded()[0][kind]
    message = kind.decode(said, TERMS)
    assert message.encode(TERMS) == said
    assert said[:38] == b"SAMS\x01" + bytes([KINDS.index(kind) + 1]) + TERMS.digest
    assert len(said) <= kind.most_bytes(TERMS)
    assert take(kind, said)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(data=st.data())
def test_mutated_messages_raise_nothing_but_our_errors(kind: type[Message], data: st.DataObject) -> None:
    message = data.draw(mutated(recorded()[0][kind]))
    try:
        found = kind.decode(message, TERMS)
    except MaskingFormatError:
        with pytest.raises(MaskingError):
            take(kind, message)
        return
    assert found.encode(TERMS) == message
    try:
        take(kind, message)
    except MaskingError:
        return


@pytest.mark.parametrize("kind", KINDS)
@given(fields=st.binary(max_size=300))
def test_random_fields_raise_nothing_but_our_errors(kind: type[Message], fields: bytes) -> None:
    message = kind.header(TERMS) + fields
    try:
        found = kind.decode(message, TERMS)
    except MaskingFormatError:
        return
    assert found.encode(TERMS) == message


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_of_another_kind_version_or_sum_is_refused(kind: type[Message]) -> None:
    said = recorded()[0][kind]
    for other in KINDS:
        if other is not kind:
            with pytest.raises(MaskingFormatError, match=f"this is not a {other.__name__}|at most"):
                other.decode(said, TERMS)
    for place in (0, 4, 5):
        with pytest.raises(MaskingFormatError, match=f"this is not a {kind.__name__}"):
            kind.decode(said[:place] + bytes([said[place] ^ 1]) + said[place + 1 :], TERMS)
    with pytest.raises(MaskingFormatError, match="another study, another round, or other terms"):
        kind.decode(said, terms(4, dimension=3, threshold=3, round=1))


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_that_is_cut_or_longer_is_refused(kind: type[Message]) -> None:
    said = recorded()[0][kind]
    for message in (b"", said[:5], said[:37], said[:38], said[:-1], said + b"\0"):
        with pytest.raises(MaskingFormatError):
            kind.decode(message, TERMS)


@pytest.mark.parametrize("kind", KINDS)
def test_more_bytes_than_can_be_are_refused_before_they_are_read(kind: type[Message]) -> None:
    most = kind.most_bytes(TERMS)
    with pytest.raises(MaskingFormatError, match=f"a {kind.__name__} has at most {most} bytes, not {most + 1}"):
        kind.decode(kind.header(TERMS) + bytes(most - 37), TERMS)


def fields(kind: type[Message], *numbers: int) -> bytes:
    """A message of two-byte numbers."""
    return kind.header(TERMS) + struct.pack(f">{len(numbers)}H", *numbers)


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ((2, 2, 1), "not in ascending order: 1 after 2"),
        ((2, 1, 1), "not in ascending order: 1 after 1"),
        ((1, 0), "no client has the index 0"),
        ((1, 5), "no client has the index 5"),
        ((5, 1, 2, 3, 4), "5 in the place of at most 4"),
        ((2, 1), "in the middle of a field"),
        ((1, 1, 2), "2 bytes too many"),
    ],
)
def test_indices_are_in_one_order(numbers: tuple[int, ...], reason: str) -> None:
    with pytest.raises(MaskingFormatError, match=reason):
        Survivors.decode(fields(Survivors, *numbers), TERMS)


def test_a_box_for_its_sender_is_refused() -> None:
    sharing = recorded()[0][Sharing]
    assert sharing[38:44] == b"\0\2\0\3\0\1"
    with pytest.raises(MaskingFormatError, match="a box of client 2 for itself"):
        Sharing.decode(sharing[:43] + b"\2" + sharing[44:], TERMS)


def test_a_share_outside_of_the_field_is_refused() -> None:
    reveal = recorded()[0][Reveal]
    with pytest.raises(MaskingFormatError, match="not in the field"):
        Reveal.decode(reveal[:44] + b"\xff" * 48 + reveal[92:], TERMS)


def test_a_contribution_is_a_view_of_what_was_received() -> None:
    said = recorded()[0][Contribution]
    found = Contribution.decode(said, TERMS)
    assert isinstance(found.masked, memoryview)
    assert found.masked.obj is said
    assert len(said) == 40 + 4 * 4


@settings(max_examples=60)
@given(data=st.data())
def test_mutated_states_raise_nothing_but_our_errors(data: st.DataObject) -> None:
    _, _, servers, clients = recorded()
    stored = data.draw(mutated(data.draw(st.sampled_from(servers))))
    with suppress(CryptoError):
        assert len(ServerState.from_bytes(stored).terms.digest) == 32
    stored = data.draw(mutated(data.draw(st.sampled_from(clients))))
    with suppress(CryptoError):
        assert ClientState.from_bytes(stored).to_bytes() == stored


def test_states_have_one_spelling() -> None:
    _, _, servers, clients = recorded()
    for stored in servers:
        assert ServerState.from_bytes(stored).to_bytes() == stored
    for stored in clients:
        assert ClientState.from_bytes(stored).to_bytes() == stored
    for stored in (servers[-1], clients[-1]):
        for read in (ServerState.from_bytes, ClientState.from_bytes):
            with pytest.raises(MaskingFormatError):
                read(stored + b"\0")
    with pytest.raises(MaskingFormatError, match="not the state of a masking client"):
        ClientState.from_bytes(servers[-1])
    with pytest.raises(MaskingFormatError, match="not the state of a masking server"):
        ServerState.from_bytes(clients[-1])


def test_what_is_for_another_sum_is_refused_by_both_ends() -> None:
    other: MaskingTerms = terms(4, dimension=3, threshold=3, study="weights")
    for kind in KINDS:
        said = kind.decode(recorded()[0][kind], TERMS).encode(other)
        with pytest.raises(MaskingFormatError, match="another study"):
            take(kind, said)
