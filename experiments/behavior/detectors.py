"""Our detector and the peers as subjects: each is warm before it is timed, on the same requests."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from typing import Any, Final

from anomaly.detectors.peers import PEERS
from anomaly.errors import LibraryMissing
from anomaly.event import ApiEvent, Proof
from anomaly.features import FEATURES, FeatureExtractor
from anomaly.watch import Watch
from experiments.behavior.fed import Fed
from experiments.behavior.traffic import requests, vectors
from experiments.errors import CheckFailed, Unavailable
from experiments.subject import Setting, Subject

BATCH: Final = 1_000
REFIT: Final = 8_192


def _days(setting: Setting) -> float:
    return 1.0 if setting.scale.wide else 0.3


def _warm(setting: Setting) -> int:
    return 8_000 if setting.scale.wide else 2_600


def features(setting: Setting) -> Subject:
    """Prepare the features alone."""
    made, supply = FeatureExtractor(), requests(_days(setting))
    for event in islice(supply, _warm(setting)):
        made.take(event)

    def verify() -> None:
        found = made.take(next(supply))
        if len(found) != len(FEATURES) or not all(0.0 <= value <= 1.0 for value in found):
            raise CheckFailed("the features are not what they must be")

    return Fed(made.take, supply, verify)


def ours(setting: Setting) -> Subject:
    """Prepare the whole of it: features, score, rules, episodes, learning."""
    watch, supply = _watch(setting)

    def verify() -> None:
        usual = sorted(watch.observe(event).score.value for event in islice(supply, 200))[100]
        event = next(supply)._replace(proof=Proof.BAD, status=403, object=0, agent=7, network=7, request_bytes=1 << 40)
        odd = [watch.observe(event).score.value for _ in range(5)]
        if not max(odd) > max(2.0, usual):
            raise CheckFailed(f"what is odd in everything has the rank {max(odd):.2f}, the usual {usual:.2f}")

    return Fed(watch.observe, supply, verify)


def risk(setting: Setting) -> Subject:
    """Prepare what is asked before a request is answered."""
    watch, supply = _watch(setting)

    def verify() -> None:
        event = next(supply)
        if watch.risk(event.client, event.network, event.time) < 0.0 or watch.risk(1, 1, event.time) != 0.0:
            raise CheckFailed("who was never seen has a risk")

    def call(event: ApiEvent) -> float:
        return watch.risk(event.client, event.network, event.time)

    return Fed(call, supply, verify)


def _watch(setting: Setting) -> tuple[Watch, Any]:
    watch, supply = Watch(), requests(_days(setting))
    for event in islice(supply, _warm(setting)):
        watch.observe(event)
    return watch, supply


def peer(name: str, setting: Setting) -> Subject:
    """Prepare a peer: score, then learn, on features that were made before.

    Raises:
        Unavailable: its library is not installed.
    """
    try:
        made = PEERS[name]()
        supply = vectors(_days(setting))
        for row in islice(supply, _warm(setting)):
            made.score(row)
            made.learn(row)
    except LibraryMissing as missing:
        raise Unavailable(str(missing)) from missing

    def call(row: list[float]) -> None:
        made.score(row)
        made.learn(row)

    def verify() -> None:
        scores = [made.score(row) for row in islice(supply, 200)]
        if min(scores) == max(scores):
            raise CheckFailed("every request has the same score")

    return Fed(call, supply, verify)


def forest(rows: int, setting: Setting) -> Subject:
    """Prepare scikit-learn's isolation forest of 100 trees, fitted once, scoring so many rows at a time.

    Raises:
        Unavailable: scikit-learn is not installed.
    """
    made = fit(list(islice(vectors(_days(setting)), _warm(setting))))
    endless = vectors(_days(setting))
    supply = iter(lambda: list(islice(endless, rows)), [])

    def verify() -> None:
        scores = made.score_samples(next(supply))
        if len(scores) != rows:
            raise CheckFailed("a row has no score")

    return Fed(made.score_samples, supply, verify)


def refit(setting: Setting) -> Subject:
    """Prepare the same forest being fitted to the latest rows, in a worker process."""
    rows = list(islice(vectors(_days(setting)), _warm(setting)))[-REFIT:]
    fit(rows[:64])
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))

    def call(_: object) -> Any:
        return pool.submit(fit, rows).result()

    def verify() -> None:
        if len(call(None).estimators_) != 100:
            raise CheckFailed("the forest has not a hundred trees")

    return Fed(call, iter(lambda: None, 0), verify, done=lambda: pool.shutdown(wait=True))


def fit(rows: Sequence[Sequence[float]]) -> Any:
    """Fit an isolation forest of 100 trees.

    Raises:
        Unavailable: scikit-learn is not installed.
    """
    try:
        from sklearn.ensemble import IsolationForest  # type: ignore[import-untyped]  # it ships no types
    except ImportError as error:
        raise Unavailable(str(LibraryMissing("scikit-learn"))) from error
    return IsolationForest(n_estimators=100, random_state=1).fit(rows)
