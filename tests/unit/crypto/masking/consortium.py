"""Clients and a server of one masked sum, in one process, with the messages of every step."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy
from numpy.typing import NDArray

from crypto import (
    MaskedSum,
    MaskingClient,
    MaskingRoster,
    MaskingServer,
    MaskingTerms,
    PrivateKey,
    Quantization,
    SignatureAlgorithm,
    least_masking_threshold,
)
from crypto.masking import Participants
from crypto.masking.circle import Circle

Values = Mapping[int, NDArray[Any]]


@cache
def key(index: int) -> PrivateKey:
    """The enrolled key of a client; Ed25519, for its signatures are quick and always the same."""
    return PrivateKey.from_seed(SignatureAlgorithm.ED25519, index.to_bytes(32))


def terms(
    contributors: int = 5,
    dimension: int = 8,
    threshold: int | None = None,
    colluding: int | None = None,
    quantization: Quantization | None = None,
    study: str = "heights",
    round: int = 0,
) -> MaskingTerms:
    """Terms with the smallest threshold for any minority of colluding clients below one third."""
    if threshold is None:
        threshold = least_masking_threshold(contributors, colluding)
    if colluding is None:
        colluding = min(2 * threshold - contributors - 1, threshold - 2, -(-contributors // 3) - 1)
    chosen = quantization or Quantization.bounded(100.0, 0.25)
    return MaskingTerms(study, round, dimension, contributors, threshold, colluding, chosen)


def roster(of: MaskingTerms) -> MaskingRoster:
    """All clients, invited."""
    return MaskingRoster(of, {index: key(index).public_key for index in range(1, of.contributors + 1)})


@dataclass
class Consortium:
    """A sum under way. Each step is for the clients that are named, or all who can take it."""

    terms: MaskingTerms
    server: MaskingServer = field(init=False)
    clients: dict[int, MaskingClient] = field(init=False)

    def __post_init__(self) -> None:
        """Everybody joins."""
        everybody = roster(self.terms)
        self.server = MaskingServer.open(self.terms, everybody)
        self.clients = {index: MaskingClient.join(self.terms, everybody, index) for index in everybody}

    def restart(self) -> None:
        """Everybody goes on from what was stored."""
        everybody = roster(self.terms)
        self.server = MaskingServer.from_bytes(self.server.to_bytes(), everybody)
        stored = {index: client.to_bytes() for index, client in self.clients.items()}
        self.clients = {index: MaskingClient.from_bytes(data, everybody) for index, data in stored.items()}

    def setup(self, who: Iterable[int] | None = None) -> None:
        """Clients advertise; the server closes the stage."""
        for index in self.clients if who is None else who:
            assert self.server.advertise(self.clients[index].advertise(key(index))) == index
        self.server.close()

    def share(self, who: Iterable[int] | None = None) -> None:
        """Participants send boxes; the server closes the stage."""
        listed = self.server.participants()
        for index in self.server._state.advertised if who is None else who:
            assert self.server.share(self.clients[index].share(listed, key(index))) == index
        self.server.close()

    def receive(self, who: Iterable[int] | None = None) -> None:
        """Members open their boxes."""
        for index in self.server._state.members if who is None else who:
            assert self.clients[index].receive(self.server.delivery(index)) == self.server._state.members

    def collect(self, values: Values, who: Iterable[int] | None = None) -> None:
        """Members receive and contribute; the server closes the stage."""
        chosen = self.server._state.members if who is None else tuple(who)
        self.receive(chosen)
        for index in chosen:
            assert self.server.collect(self.clients[index].contribute(values[index])) == index
        self.server.close()

    def confirm(self, who: Iterable[int] | None = None) -> None:
        """Survivors confirm; the server closes the stage."""
        survivors = self.server.survivors()
        for index in self.server._state.survivors if who is None else who:
            assert self.server.confirm(self.clients[index].confirm(survivors, key(index))) == index
        self.server.close()

    def reveal(self, who: Iterable[int] | None = None) -> None:
        """Survivors that confirmed reveal."""
        confirmations = self.server.confirmations()
        for index in self.server._state.confirmations if who is None else who:
            assert self.server.reveal(self.clients[index].reveal(confirmations)) == index

    def run(self, values: Values, *, dropping: tuple[Iterable[int], ...] = ((), (), (), (), ())) -> MaskedSum:
        """Take all steps; `dropping` names those who are not heard any more in each of the five stages."""
        gone = [set(group) for group in itertools.accumulate(map(tuple, dropping))]
        left = [[index for index in self.clients if index not in absent] for absent in gone]
        self.setup(left[0])
        self.share(left[1])
        self.collect(values, left[2])
        self.confirm(left[3])
        self.reveal(left[4])
        return self.server.result()


def random_values(of: MaskingTerms, seed: int = 0) -> dict[int, NDArray[Any]]:
    """Numbers for each client, within the bound, and whole steps: their sum is exact."""
    generator = numpy.random.default_rng(seed)
    levels, step = of.quantization.levels, of.quantization.step
    shape = of.contributors, of.dimension
    drawn = generator.integers(-levels, levels, shape, endpoint=True) * step
    return {index + 1: row for index, row in enumerate(drawn)}


def until_sharing(of: MaskingTerms) -> Consortium:
    """Everybody advertised."""
    consortium = Consortium(of)
    consortium.setup()
    return consortium


def until_receiving(of: MaskingTerms) -> Consortium:
    """Everybody sent boxes."""
    consortium = until_sharing(of)
    consortium.share()
    return consortium


def until_confirming(of: MaskingTerms) -> Consortium:
    """Everybody contributed."""
    consortium = until_receiving(of)
    consortium.collect(random_values(of))
    return consortium


def circle(consortium: Consortium) -> Circle:
    """What stands for the participants."""
    listed = Participants.decode(consortium.server.participants(), consortium.terms).advertisements
    return Circle.of(consortium.terms, roster(consortium.terms), listed)
