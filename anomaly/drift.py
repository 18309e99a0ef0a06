"""Has the traffic as a whole changed: told on two time scales, and only when many clients agree."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from anomaly.features import FEATURES
from anomaly.state import State, floats, take, take_array

_ALARM: Final = 6.0
_WIDTH: Final = 64


class Drift(NamedTuple):
    """A lasting change of a feature.

    Attributes:
        feature: its name.
        before: its mean over the long memory.
        now: its mean over the short memory.
    """

    feature: str
    before: float
    now: float


class DriftMonitor:
    """Compares each feature's mean of the last thousands of events with that of the last tens of thousands.

    A change counts when it exceeds six standard errors of the short mean and at least `crowd` different clients sent
    the events of the short memory: one client, however loud, is no drift. Telling it changes nothing by itself; to
    forget on alarm would let an attacker make the model forget.

    Args:
        short: events of the short memory.
        long: events of the long memory.
        crowd: distinct clients that must agree (of at most 64 told apart).
    """

    def __init__(self, short: float = 2_000.0, long: float = 20_000.0, crowd: int = 16) -> None:
        self._pace = (1.0 / short, 1.0 / long)
        self._short, self._long, self._square = ([0.0] * len(FEATURES) for _ in range(3))
        self._crowd = crowd
        self._clients: list[float] = [-1e9] * _WIDTH
        self.seen = 0

    def observe(self, client: int, values: Iterable[float]) -> None:
        """Take one event in eight or so: about 4 us."""
        self.seen += 1
        self._clients[client % _WIDTH] = float(self.seen)
        first = 1.0 / self.seen
        quick, slow = max(self._pace[0], first), max(self._pace[1], first)
        short, long, square = self._short, self._long, self._square
        for place, value in enumerate(values):
            short[place] += quick * (value - short[place])
            gap = value - long[place]
            long[place] += slow * gap
            square[place] += slow * (gap * gap - square[place])

    def drifts(self) -> list[Drift]:
        """Return the features that have changed lastingly; none before the long memory is half full."""
        recent = 1.0 / self._pace[0]
        crowd = sum(self.seen - at < recent for at in self._clients)
        if self.seen < 0.5 / self._pace[1] or crowd < self._crowd:
            return []
        # Events of one client resemble one another: a tenth of them counts as independent.
        independent = 2.0 * recent / 10.0
        return [
            Drift(name, self._long[place], self._short[place])
            for place, name in enumerate(FEATURES)
            if abs(self._short[place] - self._long[place])
            > max(0.03, _ALARM * (self._square[place] / independent) ** 0.5)
        ]

    def state(self) -> State:
        """Return everything it remembers."""
        return {
            "short": floats(self._short), "long": floats(self._long), "square": floats(self._square),
            "clients": floats(self._clients), "seen": self.seen,
        }  # fmt: skip

    def restore(self, state: State) -> None:
        """Become what `state` says, exactly.

        Raises:
            StateCorrupt: the state is of another shape.
        """
        short, long, square = (
            take_array(state, name, "d", len(FEATURES)).tolist() for name in ("short", "long", "square")
        )
        clients = take_array(state, "clients", "d", _WIDTH).tolist()
        self.seen = take(state, "seen", int)
        self._short, self._long, self._square, self._clients = short, long, square, clients
