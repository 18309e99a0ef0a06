"""A bounded, uniform sample of what was scored, for whoever looks at it again."""

import json
from collections import Counter
from random import Random
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anomaly.errors import StateCorrupt
from anomaly.features import FEATURES

ROWS: Final = 2_048
MAX_BYTES: Final = 1 << 20
_STEPS: Final = 255.0
_HEAD: Final = 128


class Rows(NamedTuple):
    """Rows of a sample, in no order.

    Attributes:
        features: (rows, features), each in [0, 1] to a part in 255.
        values: (rows,), how unusual the model found each.
        who: (rows,), whose each was: small numbers.
    """

    features: NDArray[np.float32]
    values: NDArray[np.float32]
    who: NDArray[np.uint32]


class Sample:
    """Keeps `rows` of all rows that it is shown, each with the same probability (Vitter's algorithm R).

    Args:
        random: chooses.
        rows: kept at most; a row takes some 40 bytes.
    """

    def __init__(self, random: Random, rows: int = ROWS) -> None:
        self._random = random
        self._features = np.zeros((rows, len(FEATURES)), np.uint8)
        self._values = np.zeros(rows, np.float32)
        self._who: list[str] = []
        self.seen = 0

    def __len__(self) -> int:
        return len(self._who)

    def add(self, who: str, value: float, features: list[float]) -> None:
        """Show it a row; about a microsecond when the row is kept, less when it is not."""
        self.seen += 1
        place = len(self._who)
        if place < len(self._values):
            self._who.append(who)
        else:
            place = self._random.randrange(self.seen)
            if place >= len(self._values):
                return
            self._who[place] = who
        self._values[place] = value
        self._features[place] = np.multiply(features, _STEPS)

    def names(self) -> list[str]:
        """List whose rows there are, those with most rows first: the numbers of `Rows.who` count along it."""
        return [name for name, _ in Counter(self._who).most_common()]

    def to_bytes(self) -> bytes:
        """Write the rows for another process: a line of JSON, then their arrays."""
        count = len(self)
        number = {name: place for place, name in enumerate(self.names())}
        head = json.dumps({"rows": count, "features": len(FEATURES)}).encode() + b"\n"
        who = np.array([number[name] for name in self._who], "<u4")
        return head + self._features[:count].tobytes() + self._values[:count].astype("<f4").tobytes() + who.tobytes()


def read_rows(data: bytes) -> tuple[Rows, bytes]:
    """Read what `Sample.to_bytes` wrote, and give what comes behind it.

    Raises:
        StateCorrupt: it wrote no such thing.
    """
    head, newline, rest = data[:_HEAD].partition(b"\n")
    try:
        told = json.loads(head)
        count, width = told["rows"], told["features"]
    except (ValueError, TypeError, KeyError):
        raise StateCorrupt("This is no sample.") from None
    size = count * (width + 8) if type(count) is int and count >= 0 and width == len(FEATURES) else -1
    begin = len(head) + len(newline)
    del rest
    if not 0 <= size <= min(MAX_BYTES, len(data) - begin):
        raise StateCorrupt("The sample has another length or other features.")
    values = begin + count * width
    return (
        Rows(
            np.frombuffer(data, np.uint8, count * width, begin).reshape(count, width).astype(np.float32) / _STEPS,
            np.frombuffer(data, "<f4", count, values).astype(np.float32),
            np.frombuffer(data, "<u4", count, values + 4 * count).astype(np.uint32),
        ),
        data[begin + size :],
    )
