"""An access log scored offline: its events in the order of the file, its episodes as they end up."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Final

from anomaly.access_log import LogLine, Sources, parse
from anomaly.episodes import Episode
from anomaly.event import ApiEvent, Pseudonyms
from anomaly.explain import Explanation
from anomaly.scorer import Key
from anomaly.watch import Watch

MAX_EPISODES: Final = 10_000
_MAX_PROBLEMS: Final = 100


@dataclass(slots=True)
class Found:
    """An episode in a log.

    Attributes:
        episode: it goes on changing until the replay is over.
        name: the client, network or route in clear, as the log has it.
        explanation: why it was opened.
        line: the number of the line that opened it.
    """

    episode: Episode
    name: str
    explanation: Explanation
    line: int


@dataclass(slots=True)
class Replay:
    """What came of a log.

    Attributes:
        watch: what scores the events.
        events: lines that were events.
        bad: lines that were none.
        problems: number and problem of the first hundred of those.
        back: events that are more than a minute older than one before them.
        found: the episodes, in the order of opening, the first 10,000.
        opened: all episodes.
    """

    watch: Watch
    events: int = 0
    bad: int = 0
    back: int = 0
    opened: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    first: float = inf
    last: float = -inf

    def run(self, lines: Iterable[str]) -> Iterator[Found]:
        """Score every line; yield each episode when it is opened.

        The pseudonyms are keyed with a constant, as nothing of them leaves this object: the same log gives the same
        episodes.
        """
        for parsed in parse(lines, Pseudonyms(bytes(32), inf)):
            if parsed.event is None or parsed.sources is None:
                self.reject(parsed.number, parsed.problem or "")
            elif (found := self._observe(parsed, parsed.event, parsed.sources)) is not None:
                yield found

    def reject(self, number: int, problem: str) -> None:
        """Count a line that is no event."""
        self.bad += 1
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append((number, problem))

    def _observe(self, line: LogLine, event: ApiEvent, sources: Sources) -> Found | None:
        self.events += 1
        self.back += event.time < self.last - 60.0
        self.first, self.last = min(self.first, event.time), max(self.last, event.time)
        seen = self.watch.observe(event)
        if seen.episode is None or seen.explanation is None:
            return None
        self.opened += 1
        key = seen.episode.key
        name = {Key.CLIENT: sources.client, Key.NETWORK: sources.network, Key.ROUTE: event.route}[key]
        found = Found(seen.episode, name, seen.explanation, line.number)
        if len(self.found) < MAX_EPISODES:
            self.found.append(found)
        return found
