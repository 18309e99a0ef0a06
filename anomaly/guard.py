"""How much a new observation may teach: what stands out in masses does not become usual by its mass."""

from typing import Final

from anomaly.state import State, take

_LEVELS: Final = 4
_SHORT: Final = 1 / 200
_SLACK: Final = 5.0


class BurstGuard:
    """Weights observations for learning by how often such ranks come at the moment, and how often they should.

    A rank of r (a tail probability of 10 ** -r) should come once in 10 ** r observations. Scattered rare ones are
    learned in full, or else they would seem rarer and rarer; those of a burst are learned as much in sum as the tail
    allows. What lasts longer than a burst is a new usual: once a fifth of the last `patience` observations stood out,
    the guard gives way, and slowly.

    Args:
        patience: observations until what goes on is taken for the new usual.
    """

    __slots__ = ("_lasting", "_long", "_short")

    def __init__(self, patience: float = 20_000.0) -> None:
        self._long = 1.0 / patience
        self._short = [0.0] * _LEVELS
        self._lasting = 0.0

    def weight(self, rank: float) -> float:
        """Return the weight in (0, 1] with which an observation of this rank is to be learned, and count it."""
        short = self._short
        level = int(rank)
        if level >= _LEVELS:
            level = _LEVELS
        for place in range(_LEVELS):
            short[place] += _SHORT * ((level > place) - short[place])
        self._lasting += self._long * ((level > 1) - self._lasting)
        if level < 2:
            return 1.0
        weight = _SLACK * 10.0**-level / short[level - 1]
        if self._lasting > 0.2:
            weight = max(weight, self._lasting - 0.2)
        return weight if weight < 1.0 else 1.0

    @property
    def lasting(self) -> float:
        """The share of observations that stood out (rank 2 and more), over the longer memory; usually 0.01."""
        return self._lasting

    def state(self) -> State:
        """Return everything it remembers."""
        return {"short": [*self._short], "lasting": self._lasting}

    def restore(self, state: State) -> None:
        """Become what `state` says.

        Raises:
            StateCorrupt: the state is of another shape.
        """
        self._short = [float(x) for x in take(state, "short", list) if type(x) is float][:_LEVELS]
        self._lasting = take(state, "lasting", float)
