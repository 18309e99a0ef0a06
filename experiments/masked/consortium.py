"""A masked sum under way in this process, stored between its stages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy
from numpy.typing import NDArray

from crypto import (
    LibraryMissing,
    MaskingClient,
    MaskingRoster,
    MaskingServer,
    MaskingTerms,
    PrivateKey,
    Quantization,
    SignatureAlgorithm,
    least_masking_threshold,
)
from crypto.libraries import require
from experiments.errors import Unavailable

CLIENTS = 20
#: The client whose steps are measured: it is never one that drops out.
WHO = CLIENTS
STEP, LEVELS = 0.01, 10_000


@dataclass
class Stored:
    """Before each of its steps: what the measured client has stored, and what the server told it."""

    states: dict[str, bytes] = field(default_factory=dict)
    told: dict[str, bytes] = field(default_factory=dict)


@dataclass
class Consortium:
    """`CLIENTS` clients that have sent boxes; `revealed` goes on from there, as often as one likes."""

    terms: MaskingTerms
    keys: dict[int, PrivateKey]
    roster: MaskingRoster
    rows: dict[int, NDArray[Any]]
    server: bytes
    clients: dict[int, bytes]
    stored: Stored

    def revealed(self, dropping: int) -> MaskingServer:
        """Let all but the first `dropping` members contribute, confirm and reveal."""
        server = MaskingServer.from_bytes(self.server, self.roster)
        left = {
            index: MaskingClient.from_bytes(data, self.roster)
            for index, data in self.clients.items()
            if index > dropping
        }
        stored = self.stored
        for index, client in left.items():
            delivery = server.delivery(index)
            if index == WHO:
                stored.states["receive"], stored.told["receive"] = client.to_bytes(), delivery
            client.receive(delivery)
            if index == WHO:
                stored.states["contribute"] = client.to_bytes()
            server.collect(client.contribute(self.rows[index]))
        server.close()
        survivors = server.survivors()
        stored.states["confirm"], stored.told["confirm"] = left[WHO].to_bytes(), survivors
        for index, client in left.items():
            server.confirm(client.confirm(survivors, self.keys[index]))
        server.close()
        confirmations = server.confirmations()
        stored.states["reveal"], stored.told["reveal"] = left[WHO].to_bytes(), confirmations
        for client in left.values():
            server.reveal(client.reveal(confirmations))
        return server

    def step(self, name: str) -> Callable[[], bytes | tuple[int, ...]]:
        """Give a client's step, from its stored state."""
        state, told, key = self.stored.states[name], self.stored.told.get(name, b""), self.keys[WHO]
        steps: dict[str, Callable[[MaskingClient], bytes | tuple[int, ...]]] = {
            "advertise": lambda client: client.advertise(key),
            "share": lambda client: client.share(told, key),
            "receive": lambda client: client.receive(told),
            "contribute": lambda client: client.contribute(self.rows[WHO]),
            "confirm": lambda client: client.confirm(told, key),
            "reveal": lambda client: client.reveal(told),
        }
        take = steps[name]
        return lambda: take(MaskingClient.from_bytes(state, self.roster))


@cache
def consortium(dimension: int) -> Consortium:
    """Make one whose members have sent boxes; once in this process. Raises Unavailable."""
    try:
        require("masked sums", "numpy")
    except LibraryMissing as error:
        raise Unavailable(str(error)) from None
    threshold, colluding = least_masking_threshold(CLIENTS), -(-CLIENTS // 3) - 1
    terms = MaskingTerms("experiment", 0, dimension, CLIENTS, threshold, colluding, Quantization(STEP, LEVELS))
    keys = {index: PrivateKey.generate(SignatureAlgorithm.ML_DSA_65) for index in range(1, CLIENTS + 1)}
    roster = MaskingRoster(terms, {index: key.public_key for index, key in keys.items()})
    clients = {index: MaskingClient.join(terms, roster, index) for index in keys}
    server, stored = MaskingServer.open(terms, roster), Stored()
    stored.states["advertise"] = clients[WHO].to_bytes()
    for index, client in clients.items():
        server.advertise(client.advertise(keys[index]))
    server.close()
    listed = server.participants()
    stored.states["share"], stored.told["share"] = clients[WHO].to_bytes(), listed
    for index, client in clients.items():
        server.share(client.share(listed, keys[index]))
    server.close()
    random = numpy.random.default_rng(dimension)
    rows = {index: random.uniform(-STEP * LEVELS, STEP * LEVELS, dimension) for index in keys}
    kept = {index: client.to_bytes() for index, client in clients.items()}
    made = Consortium(terms, keys, roster, rows, server.to_bytes(), kept, stored)
    made.revealed(0)  # stores what the later steps begin with
    return made
