"""Why a request stands out, in words, by template: no payload, no identifier."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from anomaly.clients import EW_LENGTH
from anomaly.episodes import Episode
from anomaly.event import NOBODY
from anomaly.features import FEATURES, OF_CLIENT
from anomaly.rules import Rule
from anomaly.scorer import Key, Scorer

_TOP: Final = 3

_SENTENCES: Final = {
    Rule.REPLAYED_NONCE: "A nonce was used a second time",
    Rule.BAD_SIGNATURES: "Several signatures in a row did not verify",
    Rule.FOREIGN_OBJECTS: "Many objects in a row were asked for that are missing or belong to others",
}
_SOURCES: Final = {Key.CLIENT: ".", Key.NETWORK: ", from this network.", Key.ROUTE: ", on this route."}
_SUBJECTS: Final = {
    Key.CLIENT: "This client", Key.NETWORK: "This network", Key.ROUTE: "The traffic on this route",
}  # fmt: skip


class Reason(NamedTuple):
    """A feature that made a request stand out.

    Attributes:
        feature: its name.
        value: what it was, in [0, 1].
        usual: what is usual for who sent the request, a client or whoever is not identified on the network; None for a
            feature of the network or route, and when little is known.
        population: the value that one usual request in a hundred exceeds.
        share: its part of the evidence, in [0, 1].
        tail: -log10 of the share of usual requests with such a value.
    """

    feature: str
    value: float
    usual: float | None
    population: float
    share: float
    tail: float


class Explanation(NamedTuple):
    """Why an episode was opened: up to three reasons, the last ten routes (oldest first), and the text of both."""

    reasons: tuple[Reason, ...]
    routes: tuple[str, ...]
    text: str


def explain(scorer: Scorer, episode: Episode, client: int) -> Explanation:
    """Explain the event that `scorer` processed last, of `client` (or `NOBODY`). For alerts, not for every request."""
    parts, values = scorer.parts.tolist(), scorer.values
    who = scorer.features.client
    total = sum(parts) or 1.0
    tails = scorer.tails.tails_of(values)
    reasons = tuple(
        Reason(
            FEATURES[place], values[place],
            float(who.ew[EW_LENGTH + place]) if place < OF_CLIENT and who.known > 1.0 else None,
            scorer.tails.quantile(place, 0.99), parts[place] / total, tails[place],
        )
        for place in sorted(range(len(parts)), key=parts.__getitem__, reverse=True)[:_TOP]
        if parts[place] > 0.0
    )  # fmt: skip
    names = scorer.features.routes.names
    routes = tuple(names[index] or "other routes" for index in who.trail)
    return Explanation(reasons, routes, _text(episode, reasons, routes, _sender(episode.key, client)))


def _sender(key: Key, client: int) -> str:
    """Say whose habit and whose routes are shown: networks and routes have none of their own."""
    if key is Key.CLIENT:
        return "this client"
    if client != NOBODY:
        return "the client heard last"
    return "unidentified requests of " + ("this network" if key is Key.NETWORK else "the network heard last")


def _text(episode: Episode, reasons: Sequence[Reason], routes: Sequence[str], sender: str) -> str:
    lines = [] if episode.rule is None else [_SENTENCES[episode.rule] + _SOURCES[episode.key]]
    if episode.rule is None:
        lines.append(
            f"{_SUBJECTS[episode.key]} stands out: about one usual request in {10 ** min(episode.value, 6.0):,.0f} "
            "looks as unusual."
        )
    for reason in reasons:
        usual = "" if reason.usual is None else f", usually {reason.usual:.2f} for {sender}"
        lines.append(
            f"- {reason.feature}: {reason.value:.2f}{usual}; 99 % of all stay below {reason.population:.2f} "
            f"({reason.share:.0%} of the evidence)"
        )
    whose = "" if episode.key is Key.CLIENT else f" of {sender}"
    lines.append(f"Last routes{whose}: " + ", ".join(routes) + ".")
    return "\n".join(lines)
