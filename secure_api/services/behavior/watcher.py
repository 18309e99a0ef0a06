"""The thread that scores finished requests: whatever happens to it, no request waits for it or fails with it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

import structlog

from anomaly.event import Pseudonyms
from anomaly.labels import Labels
from secure_api.domain.alerts import GRAVITY, LASTS, Action, Finding, Subject
from secure_api.domain.identifier import new_identifier
from secure_api.services.behavior.facts import REPLAYED_OR_REVOKED, Facts, event_of
from secure_api.services.behavior.policy import action_for
from secure_api.services.behavior.restrictions import Restrictions, restriction_of

if TYPE_CHECKING:
    from anomaly.watch import Observation, Watch
    from secure_api.services.behavior.reference import Reference

MAX_FINDINGS: Final = 256
MAX_SUSPECTS: Final = 256
MAX_TOLD: Final = 1_024
MAX_SIGNERS: Final = 4_096
#: Seconds during which a network on which a client signed counts as shared with it.
SHARED_FOR: Final = 3_600.0
#: Seconds that an episode lasts without an unusual request.
RECENT: Final = 600.0
#: Seconds between two updates of one alert.
UPDATE_INTERVAL: Final = 5.0
#: Failures of the detector between two lines of the log.
LOGGED_EVERY: Final = 1_000
#: Seconds for which requests gather before the thread scores them, and how many it scores without letting go.
GATHER_SECONDS: Final = 0.05
LET_GO_EVERY: Final = 8
#: Under which name the reference is shown those who did not sign.
STRANGERS: Final = "strangers"

Command = Callable[[], None]
log = structlog.get_logger("secure_api.behavior")


@dataclass(slots=True)
class Counts:
    """What the thread did: plain numbers that only it writes, `dropped` aside, which is the event loop's."""

    events: int = 0
    dropped: int = 0
    findings: int = 0
    failures: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class _Told:
    episode: int
    finding: Finding
    at: float
    by: str


class Watcher:
    """One `anomaly.Watch` in a thread of its own, behind a bounded queue.

    `offer` is all that a request pays: one append. Findings and restrictions come out at the other end; `findings` is
    for the task that writes them down.

    Args:
        watch: the detector; from `start` on the thread's alone.
        names: pseudonyms, whose secret all workers share.
        restrictions: where actions take effect on this worker at once.
        capacity: requests that wait to be scored at most; more are dropped and counted.
        reference: is shown what was scored, if there is one.
    """

    def __init__(
        self,
        watch: Watch,
        names: Pseudonyms,
        restrictions: Restrictions,
        *,
        capacity: int = 10_000,
        reference: Reference | None = None,
    ) -> None:
        self.watch = watch
        self.counts = Counts()
        self.findings: deque[Finding] = deque()
        self.suspects: deque[Facts] = deque()
        self.pardoned: frozenset[str] = frozenset()
        self._names = names
        self._restrictions = restrictions
        self._capacity = capacity
        self._reference = reference
        self._queue: SimpleQueue[Facts | Command | None] = SimpleQueue()
        self._told: OrderedDict[tuple[Subject, int], _Told] = OrderedDict()
        self._signers: OrderedDict[int, float] = OrderedDict()
        self._thread: threading.Thread | None = None
        self._since = 0  # requests scored since the thread let go of the lock

    def start(self) -> None:
        """Start a thread; after `stop` another one goes on where the last one ended."""
        self._thread = threading.Thread(target=self._run, name="behavior", daemon=True)
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Score what waits, then end the thread; blocks for `timeout` seconds at most. Returns whether it has ended."""
        if self._thread is None:
            return True
        self._queue.put(None)
        self._thread.join(timeout)
        ended = not self._thread.is_alive()
        self._thread = None
        return ended

    def offer(self, facts: Facts) -> None:
        """Hand over a finished request; O(1), never waits, never fails."""
        if self._queue.qsize() < self._capacity:
            self._queue.put(facts)
        else:
            self.counts.dropped += 1

    def command(self, command: Command) -> None:
        """Have the thread call something between two events; what it raises is logged and counted."""
        self._queue.put(command)

    def resolve(self, facts: Facts, *, replayed: bool) -> None:
        """Say of a suspect whether its nonce was spent before: if not, its key or session was over."""
        self.command(lambda: self._score(facts, replayed=replayed))

    def set_labels(self, labels: Labels, pardoned: frozenset[str]) -> None:
        """Heed these labels from now on, and no others."""

        def apply() -> None:
            self.watch.labels = labels
            self.pardoned = pardoned

        self.command(apply)

    def shared(self, network: int, now: float) -> bool:
        """Tell whether a client signed from a network within the hour."""
        return now - self._signers.get(network, -SHARED_FOR) < SHARED_FOR

    def share(self, network: int, now: float) -> None:
        """Say that a client signed from a network: here, or at another worker."""
        self.command(lambda: self._note_signer(network, now))

    def _run(self) -> None:
        while (item := self._next()) is not None:
            began = time.perf_counter()
            try:
                if isinstance(item, Facts):
                    self._take(item)
                else:
                    item()
            except Exception as error:
                if self.counts.failures % LOGGED_EVERY == 0:
                    log.error("behavior analysis failed", failures=self.counts.failures + 1, exc_info=error)
                self.counts.failures += 1
            self.counts.seconds += time.perf_counter() - began

    def _next(self) -> Facts | Command | None:
        """Wait for what comes next; by itself for a moment when there is nothing, so that requests gather.

        A thread that is woken for each request takes the interpreter's lock from the event loop each time, which costs
        several times what scoring does.
        """
        try:
            item = self._queue.get_nowait()
        except Empty:
            item = self._queue.get()
            if not isinstance(item, Facts):
                return item
            time.sleep(GATHER_SECONDS)
        self._since += 1
        if self._since >= LET_GO_EVERY:
            self._since = 0
            time.sleep(0)  # the event loop may have been waiting for the lock
        return item

    def _take(self, facts: Facts) -> None:
        if facts.refused is not None and facts.refused.reason == REPLAYED_OR_REVOKED and facts.refused.claims:
            if len(self.suspects) < MAX_SUSPECTS:
                self.suspects.append(facts)
                return
            self._score(facts, replayed=False)  # not to be told apart in such numbers
            return
        self._score(facts, replayed=False)

    def _score(self, facts: Facts, *, replayed: bool) -> None:
        event = event_of(facts, self._names, replayed=replayed)
        seen = self.watch.observe(event)
        self.counts.events += 1
        if facts.client_id:
            self._note_signer(event.network, facts.time)
        if seen.episode is not None:
            self._follow(seen, facts, event.network)
        if self._reference is not None:
            self._reference.note(facts.client_id or STRANGERS, seen.score.value, self.watch.scorer.values)

    def _note_signer(self, network: int, now: float) -> None:
        self._signers[network] = now
        self._signers.move_to_end(network)
        if len(self._signers) > MAX_SIGNERS:
            self._signers.popitem(last=False)

    def _follow(self, seen: Observation, facts: Facts, network: int) -> None:
        """Tell of an episode when it opens, when it calls for more, and every few seconds while it lasts."""
        episode = seen.episode
        assert episode is not None  # noqa: S101 - for the type checker
        subject = Subject(episode.key.value)
        about = (subject, episode.who)
        told = self._told.get(about)
        if told is not None and told.episode != episode.number:
            told = None  # an earlier episode of the same subject
        client_id = facts.client_id if subject is Subject.CLIENT else ""
        pardoned = client_id in self.pardoned
        action = action_for(
            subject,
            rule=episode.rule is not None,
            rank=episode.value,
            requests=episode.requests,
            corroborated=self._corroborated(network, facts),
            shared=self.shared(network, facts.time),
            pardoned=pardoned,
        )
        if told is None:
            if seen.explanation is None:
                return  # opened before the state was restored, or dropped from this memory: others tell of it
            finding = self._describe(seen, facts, subject, action)
        else:
            old = told.finding
            # What a label ended does not come back with the next request of the same episode.
            graver = action if pardoned else max(action, old.action, key=GRAVITY.__getitem__)
            if graver is old.action and abs(facts.time - told.at) < UPDATE_INTERVAL:
                return
            finding = replace(
                old,
                last=datetime.fromtimestamp(facts.time, UTC),
                requests=episode.requests,
                rank=_rounded(episode.value),
                action=graver,
                until=int(facts.time) + LASTS[graver],
                update=True,
            )
        self._told[about] = _Told(episode.number, finding, facts.time, told.by if told is not None else facts.client_id)
        self._told.move_to_end(about)
        if len(self._told) > MAX_TOLD:
            self._told.popitem(last=False)
        self._tell(finding, facts.time)

    def _corroborated(self, network: int, facts: Facts) -> bool:
        """Tell whether a client's network has an episode of late that somebody else's requests opened."""
        told = self._told.get((Subject.NETWORK, network))
        return told is not None and told.by != facts.client_id and abs(facts.time - told.at) < RECENT

    def _describe(self, seen: Observation, facts: Facts, subject: Subject, action: Action) -> Finding:
        episode, explanation = seen.episode, seen.explanation
        assert episode is not None  # noqa: S101 - for the type checker
        assert explanation is not None  # noqa: S101 - for the type checker
        features = self.watch.scorer.features
        counts = {
            Subject.CLIENT: features.client.count,
            Subject.NETWORK: features.network.count,
            Subject.ROUTE: features.route.count,
        }
        return Finding(
            id=new_identifier(),
            subject=subject,
            key=facts.client_id if subject is Subject.CLIENT else f"{episode.who:016x}",
            organization_id=facts.organization_id if subject is Subject.CLIENT else None,
            opened=datetime.fromtimestamp(facts.time, UTC),
            last=datetime.fromtimestamp(facts.time, UTC),
            seen=int(counts[subject]),
            requests=episode.requests,
            rank=_rounded(episode.value),
            rule=None if episode.rule is None else episode.rule.value,
            action=action,
            until=int(facts.time) + LASTS[action],
            reasons=tuple(reason._asdict() for reason in explanation.reasons),
            routes=explanation.routes,
            text=explanation.text,
        )

    def _tell(self, finding: Finding, now: float) -> None:
        if not finding.update:
            self.counts.findings += 1
        self._restrictions.put(restriction_of(finding), now)
        self.findings.append(finding)
        while len(self.findings) > MAX_FINDINGS:
            self.findings.popleft()


def _rounded(rank: float) -> float:
    return round(rank, 2)
