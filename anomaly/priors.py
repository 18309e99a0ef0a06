"""What is believed before anything was learned: fitted on the simulator, rounded, and kept close to equal weights.

The scales are the 99 % of the benign traffic of the standard suite, seeds 101 to 108; the weights a non-negative
logistic regression on the same seeds, drawn towards one half, because what is fitted sharply to one simulator says
little about other traffic. Seeds from 1 on are for reporting, and were never fitted.
"""

from typing import Final

from anomaly.features import FEATURES

# Feature: value that one benign request in a hundred exceeds, and weight of its tail in the evidence.
_PRIORS: Final[dict[str, tuple[float, float]]] = {
    "requests in 10 s": (0.65, 0.2), "requests in 10 min": (0.65, 0.35), "burst": (1.0, 0.5),
    "short interval": (0.8, 0.6), "clockwork": (1.0, 0.55),
    "faster than ever": (0.4, 0.3), "busier than ever": (0.4, 0.5),
    "unusual step": (0.4, 0.75), "unusual steps": (0.2, 1.1), "unlike itself": (0.45, 0.5),
    "new routes": (0.35, 0.5), "repetition": (1.0, 0.7),
    "new objects": (0.9, 0.8), "distinct objects": (0.4, 0.55), "foreign objects": (0.1, 0.9),
    "errors": (0.15, 0.5), "denials": (0.07, 0.7), "throttling": (0.03, 0.55), "slow answers": (0.07, 0.5),
    "odd request size": (0.1, 0.6), "odd response size": (0.15, 0.4), "bytes in 10 min": (0.75, 0.05),
    "new network": (0.5, 0.4), "new agent": (0.03, 0.6), "bad signatures": (0.03, 1.0), "odd hour": (1.0, 0.5),
    "clients on the network": (0.65, 0.5), "denials on the network": (0.1, 0.75),
    "rush on the route": (0.8, 0.6), "errors on the route": (0.2, 0.65), "strangers on the route": (0.45, 0.6),
}  # fmt: skip

SCALES: Final = tuple(_PRIORS[name][0] for name in FEATURES)
WEIGHTS: Final = tuple(_PRIORS[name][1] for name in FEATURES)

EVIDENCE_TENTH: Final = 4.8
"""The evidence that one benign request in ten exceeds."""
EVIDENCE_TOP: Final = 32.0
"""Where the histogram of evidence ends."""
EVIDENCE_DECADE: Final = 2.4
"""How much more evidence a tenth as many benign requests have, beyond that."""
THRESHOLD: Final = 3.3
"""The rank from which on a request counts against its keys, before anything was learned."""
