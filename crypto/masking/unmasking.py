"""Unmasking: the server puts together what survivors revealed, and takes away the masks that did not cancel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crypto.errors import MaskingError, MaskingRefused, SharingError
from crypto.masking.boxes import Sharing
from crypto.masking.circle import Circle
from crypto.masking.masks import add_mask, subtract_mask
from crypto.masking.messages import Advertisement, Reveal
from crypto.masking.quantization import Quantization
from crypto.masking.seeds import commitment, pair_key, pair_root, pair_seed
from crypto.sharing import Share, combine

if TYPE_CHECKING:
    from numpy import float64, int64, uint32
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class MaskedSum:
    """The sum over the survivors' contributions: exact in levels (int64), of which each is a step of the terms."""

    levels: NDArray[int64] = field(repr=False)
    survivors: tuple[int, ...]
    quantization: Quantization

    @property
    def values(self) -> NDArray[float64]:
        """The sum as numbers, within `quantization.error_bound(len(survivors))` of that of the clipped ones."""
        return self.quantization.numbers_of(self.levels)


@dataclass(frozen=True, slots=True)
class Unmasking:
    """What the server takes the masks away with: who takes part, what they sealed, and what survivors revealed."""

    circle: Circle
    advertised: Mapping[int, Advertisement]
    sharings: Mapping[int, Sharing]
    survivors: tuple[int, ...]
    reveals: Sequence[Reveal]

    def unmask(self, total: NDArray[uint32]) -> MaskedSum:
        """Return the sum under the masks of `total`, which stays as it is.

        Raises MaskingRefused (shares or boxes of a client that are false), MaskingError (a sum that cannot be).
        """
        terms = self.circle.terms
        dropped = [index for index in self.sharings if index not in self.survivors]
        # Every secret is put together and checked before the first mask is made.
        self_seeds = [self._self_seed(index) for index in self.survivors]
        left = [pair for index in dropped for pair in self._pairs(index, self._root(index))]
        plain = total.copy()
        for seed in self_seeds:
            subtract_mask(plain, seed)
        for seed, added in left:
            (subtract_mask if added else add_mask)(plain, seed)
        if int(plain[-1]) != len(self.survivors):
            raise MaskingError(f"not the sum of {len(self.survivors)} contributions: masks are left in it")
        levels = terms.quantization.levels_of(plain[:-1], len(self.survivors))
        return MaskedSum(levels, self.survivors, terms.quantization)

    def _self_seed(self, index: int) -> bytes:
        expected, terms = self.advertised[index].commitment, self.circle.terms
        held = [dict(reveal.masks)[index] for reveal in self.reveals]
        return self._put_together(index, held, lambda seed: commitment(terms, index, seed) == expected)

    def _root(self, index: int) -> bytes:
        expected, terms = self.advertised[index].pair_key, self.circle.terms
        held = [dict(reveal.roots)[index] for reveal in self.reveals]
        return self._put_together(index, held, lambda root: pair_key(terms, root).public_key == expected)

    def _put_together(self, index: int, held: Sequence[Share], is_right: Callable[[bytes], bool]) -> bytes:
        """Return the secret. With a share to spare, one false share does no harm: every row of shares is tried."""
        threshold = self.circle.terms.threshold
        twice = [*held, *held]
        for start in range(len(held) if len(held) > threshold else 1):
            try:
                secret = combine(twice[start : start + threshold], threshold)
            except SharingError:
                continue
            if is_right(secret):
                return secret
        raise MaskingRefused(f"the shares of client {index} do not give what it advertised: one or more are false")

    def _pairs(self, dropped: int, root: bytes) -> Iterator[tuple[bytes, bool]]:
        """Yield the seeds that survivors masked with for one that dropped out, and whether they added the mask."""
        terms = self.circle.terms
        key, chosen = pair_key(terms, root), pair_root(terms, root)
        for survivor in self.survivors:
            if survivor > dropped:
                yield pair_seed(terms, chosen, dropped, survivor), False
            else:
                yield self.circle.open_pair(self.sharings[survivor].box_for(dropped), key), True
