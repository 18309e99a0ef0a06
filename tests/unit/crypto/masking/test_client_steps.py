"""The steps of an honest client: their order, what it says when it is asked again, and what it forgets."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import numpy
import pytest

from crypto import MaskingClient, MaskingClientStage, MaskingServer, PrivateKey, SignatureAlgorithm
from crypto.errors import MaskingOrderError, QuantizationError
from crypto.masking import Confirmations, MaskingRoster, Participants
from tests.unit.crypto.masking.consortium import Consortium, key, random_values, roster, terms, until_receiving

TERMS = terms(3, threshold=2)
VALUES = random_values(TERMS)


def messages_for(index: int) -> tuple[MaskingClient, dict[str, Callable[[MaskingClient], object]]]:
    """A client that joined, and its steps with the messages of a sum in which it takes part, in their order."""
    consortium = Consortium(TERMS)
    fresh = MaskingClient.from_bytes(consortium.clients[index].to_bytes(), roster(TERMS))
    consortium.run(VALUES)
    server = consortium.server
    return fresh, {
        "advertise": lambda client: client.advertise(key(index)),
        "share": lambda client: client.share(server.participants(), key(index)),
        "receive": lambda client: client.receive(server.delivery(index)),
        "contribute": lambda client: client.contribute(VALUES[index]),
        "confirm": lambda client: client.confirm(server.survivors(), key(index)),
        "reveal": lambda client: client.reveal(server.confirmations()),
    }


def test_every_step_says_the_same_when_it_is_repeated_also_after_a_restart() -> None:
    client, steps = messages_for(2)
    for step in steps.values():
        said = step(client)
        assert step(client) == said
        client = MaskingClient.from_bytes(client.to_bytes(), roster(TERMS))
        assert step(client) == said
    assert client.stage is MaskingClientStage.CONFIRMED


@pytest.mark.parametrize("done", range(6))
def test_steps_out_of_their_order_are_refused_and_change_nothing(done: int) -> None:
    client, steps = messages_for(2)
    names = list(steps)
    for name in names[:done]:
        steps[name](client)
    before = client.to_bytes()
    allowed = {"advertise": (0, 1, 2), "share": (0, 1, 2), "receive": (2, 3, 4, 5, 6), "contribute": (3, 4)}
    allowed |= {"confirm": (4, 5), "reveal": (5, 6)}
    for name in names:
        if done not in allowed[name]:
            with pytest.raises(MaskingOrderError):
                steps[name](client)
            assert client.to_bytes() == before


def test_another_contribution_under_the_same_masks_is_refused_also_after_a_restart() -> None:
    consortium = until_receiving(TERMS)
    consortium.receive()
    client = consortium.clients[1]
    first = client.contribute(VALUES[1])
    for _ in range(2):
        with pytest.raises(MaskingOrderError, match="other values were contributed before"):
            client.contribute(VALUES[1] + 0.25)
        assert client.contribute(VALUES[1]) == first
        client = MaskingClient.from_bytes(client.to_bytes(), roster(TERMS))


def test_values_that_cannot_be_taken_leave_the_contribution_open() -> None:
    consortium = until_receiving(TERMS)
    consortium.receive()
    with pytest.raises(QuantizationError, match="one row of 8 numbers"):
        consortium.clients[1].contribute([1.0])
    assert consortium.clients[1].stage is MaskingClientStage.RECEIVED
    assert consortium.clients[1].contribute(VALUES[1])


def test_a_list_of_numbers_is_as_good_as_an_array() -> None:
    consortium = until_receiving(TERMS)
    consortium.receive()
    client = consortium.clients[1]
    assert client.contribute(VALUES[1].tolist()) == client.contribute(VALUES[1].astype(numpy.float32))


def test_secrets_are_forgotten_when_no_step_needs_them() -> None:
    client, steps = messages_for(2)
    root, shares_seed, self_seed = client._state.root, client._state.shares_seed, client._state.self_seed
    steps["share"](client)
    stored = client.to_bytes()
    assert [len(secret) for secret in (root, shares_seed, self_seed) if secret in stored] == [32, 32, 32]
    steps["receive"](client)
    pair_seeds = [held.seed for held in client._state.held if held.seed]
    stored = client.to_bytes()
    assert len(pair_seeds) == 2
    assert (root in stored, shares_seed in stored, self_seed in stored) == (False, False, True)
    assert all(seed in stored for seed in pair_seeds)
    steps["contribute"](client)
    steps["confirm"](client)
    stored = client.to_bytes()
    assert not any(secret in stored for secret in (self_seed, *pair_seeds))


def test_a_client_shows_no_secret_and_is_not_copied() -> None:
    client, _ = messages_for(2)
    assert repr(client) == "MaskingClient('heights', 2, JOINED)"
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            copied(client)
    for part in (client._state, until_receiving(TERMS).clients[1]._state.held[0]):
        shown = repr(part)
        assert "b'" not in shown.replace("b''", "")
        assert "value" not in shown


def test_two_clients_draw_different_secrets() -> None:
    states = [MaskingClient.join(TERMS, roster(TERMS), 1)._state for _ in range(2)]
    drawn = {secret for state in states for secret in (state.root, state.shares_seed, state.self_seed)}
    assert len(drawn) == 6


def test_randomness_comes_from_whoever_calls() -> None:
    drawn: list[int] = []

    def recorded(length: int) -> bytes:
        drawn.append(length)
        return bytes([len(drawn)]) * length

    client = MaskingClient.join(TERMS, roster(TERMS), 1, recorded)
    assert (client._state.root, client._state.shares_seed, client._state.self_seed) == (
        b"\1" * 32,
        b"\2" * 32,
        b"\3" * 32,
    )
    assert drawn == [32, 32, 32]


@pytest.mark.parametrize("algorithm", [SignatureAlgorithm.ML_DSA_44, SignatureAlgorithm.ML_DSA_87])
def test_clients_sign_with_lattices_too(algorithm: SignatureAlgorithm) -> None:
    """ML-DSA signs with fresh randomness: what is repeated differs in its signature, and counts once all the same."""
    of = terms(3, threshold=2)
    keys = {index: PrivateKey.generate(algorithm) for index in (1, 2, 3)}
    invited = MaskingRoster(of, {index: private.public_key for index, private in keys.items()})
    server = MaskingServer.open(of, invited)
    clients = {index: MaskingClient.join(of, invited, index) for index in keys}
    for index, client in clients.items():
        first, second = (client.advertise(keys[index]) for _ in range(2))
        assert first != second
        assert server.advertise(first) == server.advertise(second) == index
    server.close()
    for index, client in clients.items():
        server.share(client.share(server.participants(), keys[index]))
    server.close()
    for index in (1, 3):
        clients[index].receive(server.delivery(index))
        server.collect(clients[index].contribute(VALUES[index]))
    server.close()
    for index in (1, 3):
        first, second = (clients[index].confirm(server.survivors(), keys[index]) for _ in range(2))
        assert first != second
        assert server.confirm(first) == server.confirm(second)
    server.close()
    assert len(Confirmations.decode(server.confirmations(), of).confirmations) == 2
    for index in (1, 3):
        server.reveal(clients[index].reveal(server.confirmations()))
    assert server.result().values.tolist() == (VALUES[1] + VALUES[3]).tolist()
    assert Participants.decode(server.participants(), of).advertisements[0].index == 1
