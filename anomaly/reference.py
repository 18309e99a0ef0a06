"""The slow reference: scikit-learn's isolation forest, and how far the model agrees with it.

`python -m anomaly.reference` is the process that fits it: two samples in (what is usual, what is to be judged), an
opinion out as JSON. It takes seconds and a hundred megabytes, which is why no worker does it in its own process.
"""

import json
import os
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from anomaly.errors import AnomalyError, StateCorrupt
from anomaly.libraries import require
from anomaly.sample import MAX_BYTES, Rows, read_rows

#: Rows below which nothing is judged, and rows of one client below which nothing is said of it.
LEAST: Final = 256
LEAST_OF_ONE: Final = 8
#: The share of a sample that counts as its most unusual, and what the model finds usual: a rank of one in ten.
UNUSUAL: Final = 0.02
USUAL: Final = 1.0
FAR: Final = 2.0
MAX_NAMED: Final = 5
TREES: Final = 100
NICE: Final = 10


class Opinion(NamedTuple):
    """What the reference makes of a sample that the model has scored.

    Attributes:
        rows: how many rows it looked at.
        agreement: Spearman's correlation of its scores with the model's, -1 to 1; 0 when either tells nothing apart.
        shared: the part of the model's most unusual fiftieth that is in the forest's most unusual tenth.
        overlooked: whose rows the forest finds far more unusual, by their median, than the usual ones, while the model
            finds them usual: numbers of `Rows.who`.
    """

    rows: int
    agreement: float
    shared: float
    overlooked: tuple[int, ...]


def judge(usual: Rows, rows: Rows, *, seed: int = 1) -> Opinion:
    """Fit a forest on the usual rows, let it score the others and compare it with the model.

    Raises:
        LibraryMissing: scikit-learn is not installed.
        StateCorrupt: there are too few rows.
    """
    require("sklearn")
    if min(len(usual.values), len(rows.values)) < LEAST:
        raise StateCorrupt(f"A sample has fewer than {LEAST} rows.")
    from scipy.stats import rankdata
    from sklearn.ensemble import IsolationForest  # type: ignore[import-untyped]  # it ships no types

    forest = IsolationForest(n_estimators=TREES, random_state=seed).fit(usual.features)
    scores = -forest.score_samples(rows.features)
    count = len(scores)
    ours, theirs = rankdata(rows.values), rankdata(scores)
    flat = np.ptp(ours) == 0 or np.ptp(theirs) == 0
    top = np.argsort(-rows.values, kind="stable")[: max(1, int(count * UNUSUAL))]
    return Opinion(
        rows=count,
        agreement=0.0 if flat else float(np.corrcoef(ours, theirs)[0, 1]),
        shared=float(np.mean(theirs[top] > 0.9 * count)),
        overlooked=_overlooked(rows, scores, _bar(-forest.score_samples(usual.features))),
    )


def _bar(usual: "np.typing.NDArray[np.float64]") -> float:
    """Return the score that is `FAR` times as far above the middle as the most unusual fiftieth begins.

    Batch jobs, which run in one hour and not in the one before, reach 1.6 times on simulated traffic.
    """
    middle, top = np.quantile(usual, [0.5, 1 - UNUSUAL])
    return float(middle + FAR * (top - middle))


def _overlooked(rows: Rows, scores: "np.typing.NDArray[np.float64]", bar: float) -> tuple[int, ...]:
    """Find whose rows the forest has above `bar`, by their median, and the model among the usual ones.

    The bar is that of the sample before: one that a client has filled with its own rows would hide it.
    """
    found = []
    for who in np.unique(rows.who):
        own = rows.who == who
        if own.sum() < LEAST_OF_ONE or np.median(rows.values[own]) >= USUAL:
            continue
        height = float(np.median(scores[own]))
        if height > bar:
            found.append((height, int(who)))
    return tuple(who for _, who in sorted(found, reverse=True)[:MAX_NAMED])


def read_opinion(answer: bytes) -> Opinion:
    """Read what the process wrote.

    Raises:
        AnomalyError: it wrote an error, or nothing that makes sense.
    """
    try:
        told = json.loads(answer)
        if "error" in told:
            raise AnomalyError(str(told["error"]))
        overlooked: Sequence[int] = told["overlooked"]
        return Opinion(
            int(told["rows"]), float(told["agreement"]), float(told["shared"]), tuple(int(who) for who in overlooked)
        )
    except (ValueError, TypeError, KeyError):
        raise AnomalyError("The reference gave no answer.") from None


def main() -> None:
    """Give one opinion; what is wrong goes to stdout as JSON, too."""
    os.nice(NICE)
    try:
        usual, rest = read_rows(sys.stdin.buffer.read(2 * MAX_BYTES + 1))
        rows, _ = read_rows(rest)
        answer: dict[str, object] = judge(usual, rows)._asdict()
    except AnomalyError as error:
        answer = {"error": str(error)}
    sys.stdout.buffer.write(json.dumps(answer).encode())


if __name__ == "__main__":
    main()
