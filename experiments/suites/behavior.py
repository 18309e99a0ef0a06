"""What it costs to score every request, beside other detectors on the same features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from experiments.experiment import Arm, Experiment, Finding, Plot
from experiments.scale import Scale
from experiments.servers.protection import Protection

if TYPE_CHECKING:
    from experiments.subject import Setting, Subject

PEERS: Final = {
    "fixed rate limit": "a fixed rate limit", "HST(10, 250)": "river's HalfSpaceTrees (10 trees, window 250)",
    "HST(25, 2500)": "river's HalfSpaceTrees (25 trees, window 2,500)", "LODA": "river's LODA",
    "one-class SVM": "river's one-class SVM", "max SAD": "the largest of river's scalers",
    "RRCF, our own, subsampled": "a small random cut forest of our own (10 trees of 128)",
}  # fmt: skip
SLOW: Final = "iForest, one row"
BATCH: Final = "iForest, 1,000 rows"
REFIT: Final = "iForest, refit in a worker"

DETECTORS: Final = ("features", "secure-api", "risk", *PEERS, SLOW, BATCH, REFIT)
#: Whole requests within a session to a server, by whether it watches them.
SERVED: Final = {"not watched": Protection("session"), "watched": Protection("session", watched=True)}


def _subject(name: str, setting: Setting) -> Subject:
    from experiments.behavior import detectors

    made: dict[str, Callable[[Setting], Subject]] = {
        "features": detectors.features,
        "secure-api": detectors.ours,
        "risk": detectors.risk,
        SLOW: partial(detectors.forest, 1),
        BATCH: partial(detectors.forest, detectors.BATCH),
        REFIT: detectors.refit,
    }
    return made.get(name, partial(detectors.peer, name))(setting)


def arms(scale: Scale) -> Sequence[Arm]:
    """Ours, its parts, and the peers."""
    from experiments.servers.arm import server_arm

    return [
        *(Arm(name, partial(_subject, name), {"detector": name}) for name in DETECTORS),
        *(Arm(name, server_arm(protection), {"request": name}, process="load") for name, protection in SERVED.items()),
    ]


def against(name: str, title: str) -> Finding:
    """Set the whole of ours against features and a peer."""
    return Finding(
        "to-" + "".join(letter if letter.isalnum() else "-" for letter in name.lower()).replace("--", "-").strip("-"),
        lambda r: r["secure-api"] / (r["features"] + r[name]),
        f"Ours takes {{value}} of the time of the same features and {title}.",
        otherwise=f"Ours, and the same features with {title}: no difference shown ({{value}}).",
        headline=name in ("HST(25, 2500)", "LODA"),
    )


EXPERIMENT = Experiment(
    name="behavior",
    title="Behavior analysis of a request",
    question="What does it cost to score every request and to learn from it, beside other detectors?",
    topic=21,
    held_fixed=(
        "simulated traffic of 80 clients, seed 21, the same requests in the same order for every arm; detectors have "
        "seen 2,600 of them (8,000 at full scale) before they are timed",
        "ours: features, tails, habit, ranks per client, network and route, rules, episodes, drift, learning",
        "peers: score, then learn, on the 29 features that were made before; in ratios the features are added",
        "iForest: scikit-learn's, 100 trees, one row at a time or a thousand; fitted on 2,600 (8,000)",
        "one process and one thread but for the worker that refits",
        "in the API: requests within a session over HTTP, of one client, to the route of `peers`",
    ),
    checked=(
        "Ours ranks a request above two that is odd in everything; features lie in [0, 1]; who was never seen has no "
        "risk; peers' scores differ between requests; a forest has a hundred trees and a score for every row."
    ),
    arms=arms,
    findings=(
        Finding(
            "ours", lambda r: r["secure-api"], "Scoring a request and learning from it takes {value}.", "amount", "us"
        ),
        Finding(
            "p99",
            lambda r: r["secure-api"],
            "Of one hundred requests, one takes longer than {value}.",
            "amount",
            "us",
            "latency_p99",
            headline=False,
        ),
        Finding("features", lambda r: r["features"], "Its features take {value}.", "amount", "us", headline=False),
        Finding(
            "risk", lambda r: r["risk"], "Before a request, its client's risk is known in {value}.", "amount", "us"
        ),
        *(against(name, title) for name, title in PEERS.items()),
        Finding(
            "to-iforest",
            lambda r: r["secure-api"] / r[SLOW],
            "Ours takes {value} of the time in which scikit-learn's isolation forest scores one row.",
            headline=False,
        ),
        Finding(
            "iforest-batch",
            lambda r: r[BATCH] / 1_000,
            "In batches of a thousand that forest takes {value} a row.",
            "amount",
            "us",
            headline=False,
        ),
        Finding(
            "in-the-api",
            lambda r: r["watched"] - r["not watched"],
            "Watching a request within a session takes {value} of the server's CPU time, in line and in its thread.",
            "amount",
            "us",
        ),
        Finding(
            "api-latency",
            lambda r: r["watched"] / r["not watched"],
            "Under full load such a request is answered in {value} of the time of one that is not watched.",
            quantity="latency_p50",
            headline=False,
        ),
        Finding(
            "iforest-refit",
            lambda r: r[REFIT],
            "Refitting it in a worker takes {value}.",
            "amount",
            "us",
            "wall",
            headline=False,
        ),
    ),
    answer="A request is scored and learned from in {ours}, after it was answered. Over the same features and "
    "HalfSpaceTrees with 25 trees: {to-hst-25-2500}; over LODA: {to-loda}. Before a request its client's risk is known "
    "in {risk}.",
    plots=(Plot("dots", "CPU time of a request", x="detector", log=True, where={"detector": DETECTORS}),),
    seconds={"quick": 14, "full": 180},
)
