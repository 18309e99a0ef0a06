"""What the arms of `masked-sums` measure."""

from __future__ import annotations

from typing import Any, Final

import numpy
from numpy.typing import NDArray

from crypto import MaskedSum, MaskingTerms, Quantization
from crypto.masking import Contribution, MaskingServer, MaskingServerStage, expand, least_masking_threshold
from crypto.masking.roster import MaskingRoster
from crypto.masking.server_state import ServerState
from experiments.errors import CheckFailed
from experiments.masked.consortium import LEVELS, STEP, consortium
from experiments.subject import Clock, Operation, Reading, Setting, process_clock

#: Clients whose contributions a sum has where adding is measured.
CONTRIBUTORS: Final = 100
_DISTINCT: Final = 20
_FLOWER_RANGE: Final = 1 << 32


def mask(size: int, setting: Setting) -> Operation:
    """Prepare the product's mask of a seed: an AES-256-CTR key stream."""
    seed = setting.random.randbytes(32)

    def verify(found: object) -> None:
        again, other = expand(seed, size), expand(setting.random.randbytes(32), size)
        if not isinstance(found, numpy.ndarray) or (found != again).any() or found.shape != (size,):
            raise CheckFailed("a seed makes two masks")
        if (found == other).mean() > 0.01:
            raise CheckFailed("two seeds make one mask")

    return Operation(lambda: expand(seed, size), verify, {"value_bytes": 4.0})


def flower_mask(size: int, setting: Setting) -> Operation:
    """Prepare a mask as flwr 1.41 makes it (`pseudo_rand_gen` of its secaggplus_utils), written anew after it.

    The seed's words are added modulo 2 to 32 bits, which seed the Mersenne Twister of numpy's RandomState.
    """
    seed = setting.random.randbytes(32)

    def generate() -> NDArray[numpy.int64]:
        folded = 0
        for start in range(0, len(seed), 4):
            folded ^= int.from_bytes(seed[start : start + 4], "little")
        drawn: NDArray[numpy.int64] = numpy.random.RandomState(folded).randint(
            0, _FLOWER_RANGE - 1, (size,), dtype=numpy.int64
        )
        return drawn

    def verify(found: object) -> None:
        if not isinstance(found, numpy.ndarray) or (found != generate()).any() or found.shape != (size,):
            raise CheckFailed("a seed makes two masks")

    return Operation(generate, verify)


class Collecting:
    """A subject whose operation adds one contribution to a sum of `CONTRIBUTORS`: masked by the product, or plain.

    Both read the same bytes of memory, as many distinct rows, and begin a new sum with zeros.
    """

    def __init__(self, size: int, setting: Setting, *, masked: bool, clock: Clock = process_clock) -> None:
        threshold = least_masking_threshold(CONTRIBUTORS)
        self._terms = MaskingTerms("experiment", 0, size, CONTRIBUTORS, threshold, 0, Quantization(STEP, LEVELS))
        random = numpy.random.default_rng(size)
        rows = [random.integers(0, 2**32, size + 1, dtype=numpy.uint32).astype("<u4") for _ in range(_DISTINCT)]
        turns = CONTRIBUTORS // _DISTINCT
        self._expected = sum(row.astype(numpy.uint64) * turns for row in rows) % 2**32
        self._messages = [
            Contribution(index + 1, rows[index % _DISTINCT].tobytes()).encode(self._terms)
            if masked
            else rows[index % _DISTINCT].tobytes()
            for index in range(CONTRIBUTORS)
        ]
        self._masked, self._clock = masked, clock
        self._added = 0
        self._total: Any = self._begin()
        self._extra = {
            "contribution_bytes": float(len(self._messages[0])),
            "value_bytes": len(self._messages[0]) / size,
        }

    def check(self) -> None:
        """Show that the sum is numpy's, of wider words. Raises CheckFailed."""
        total = self._begin()
        for message in self._messages:
            self._add(total, message)
        found = total._state.sum if self._masked else total
        if (found != self._expected).any():
            raise CheckFailed("the sum of contributions is another one")

    def measure(self, loops: int) -> Reading:
        """Add so many contributions."""
        add, messages = self._add, self._messages
        cpu, wall = self._clock()
        for _ in range(loops):
            add(self._total, messages[self._added])
            self._added += 1
            if self._added == CONTRIBUTORS:
                self._added, self._total = 0, self._begin()
        cpu_after, wall_after = self._clock()
        micro = 1e6 / loops
        return Reading(loops, (cpu_after - cpu) * micro, (wall_after - wall) * micro, self._extra)

    def close(self) -> None:
        """Nothing is left."""

    def _begin(self) -> Any:
        if not self._masked:
            return numpy.zeros(self._terms.words, numpy.uint32)
        sharings: Any = dict.fromkeys(range(1, CONTRIBUTORS + 1))  # who sent boxes: collecting asks for no more
        state = ServerState(self._terms, MaskingServerStage.COLLECTING, sharings=sharings)
        return MaskingServer(state, _NOBODY)

    def _add(self, total: Any, message: bytes) -> None:
        if self._masked:
            total.collect(message)
        else:
            numpy.add(total, numpy.frombuffer(message, "<u4"), out=total)


_NOBODY: Any = MaskingRoster.__new__(MaskingRoster)  # collecting verifies no signature


def collecting(size: int, setting: Setting, *, masked: bool) -> Collecting:
    """Prepare a server's adding."""
    return Collecting(size, setting, masked=masked)


def stepping(name: str, size: int, setting: Setting) -> Operation:
    """Prepare a client's step, from its stored state, among `CLIENTS`."""
    take = consortium(size).step(name)
    content = take()

    def verify(found: object) -> None:
        if type(found) is not type(content) or len(found) != len(content):
            raise CheckFailed(f"the step {name} says something else")

    return Operation(take, verify, {"sent_bytes": float(len(content))} if isinstance(content, bytes) else {})


def unmasking(size: int, dropping: int, setting: Setting) -> Operation:
    """Prepare a server's unmasking of a sum from which the first `dropping` clients dropped out."""
    members = consortium(size)
    server = members.revealed(dropping)
    expected = sum(numpy.rint(row / STEP) for index, row in members.rows.items() if index > dropping)

    def verify(found: object) -> None:
        if not isinstance(found, MaskedSum) or (found.levels != expected).any():
            raise CheckFailed("the unmasked sum is another one")

    return Operation(server.result, verify)
