"""Behavior analysis of one worker: the thread that scores, and the task that writes down and reads what all share."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final, TypeVar

import anyio
import structlog

from anomaly.event import Pseudonyms
from anomaly.labels import Labeled, Labels, Verdict
from crypto import StorageKey
from secure_api.data.active_status import active_until
from secure_api.data.database import Database, WriteSession
from secure_api.data.errors import DatabaseUnavailable
from secure_api.data.findings import Kept, client_labels, keep_finding, newest_label
from secure_api.data.nonces import NonceUse
from secure_api.data.organizations import OrganizationRepository
from secure_api.data.restrictions import ease, restrict, restrictions, sweep_restrictions
from secure_api.domain.alerts import Action, AlertLabel, BehaviorTerms, ClientLabel, Finding, Restriction, Subject
from secure_api.domain.clock import Clock
from secure_api.domain.errors import BehaviorMissing, ConfigurationError
from secure_api.services import ledger
from secure_api.services.behavior.facts import Facts, network_of
from secure_api.services.behavior.restrictions import Restrictions, restriction_of
from secure_api.services.behavior.state_file import StateFile
from secure_api.services.behavior.watcher import Watcher

if TYPE_CHECKING:
    from anomaly.watch import Watch

STATE_KEY: Final = "behavior state"
PSEUDONYMS: Final = "behavior pseudonyms"
HEEDED: Final = timedelta(days=30)
#: Seconds between two readings of all labels when none is new: they fade, and pseudonyms change.
LABELS_INTERVAL: Final = 600.0
SWEEP_INTERVAL: Final = 60.0
STOP_TIMEOUT: Final = 10.0
#: Addresses whose network's pseudonym is kept at hand, for a day at most: pseudonyms change.
MAX_NETWORKS: Final = 8_192
DAY: Final = 86_400.0

T = TypeVar("T")

log = structlog.get_logger("secure_api.behavior")


class BehaviorOffice:
    """Everything behavior analysis does in one worker.

    Raises:
        BehaviorMissing: the extra `behavior` is not installed.
    """

    def __init__(
        self, database: Database, storage_key: StorageKey, folder: Path, terms: BehaviorTerms, *, clock: Clock
    ) -> None:
        self._database = database
        self._terms = terms
        self._clock = clock
        try:
            from anomaly.watch import Watch
            from secure_api.services.behavior.reference import Reference
        except ModuleNotFoundError as error:
            raise BehaviorMissing from error
        self._make: Callable[[], Watch] = lambda: Watch(terms.clients, warm_up=terms.warm_up)
        self._names = Pseudonyms(storage_key.derive(PSEUDONYMS))
        self._loop_names = Pseudonyms(storage_key.derive(PSEUDONYMS))
        self._state = StateFile(folder, storage_key.derive(STATE_KEY))
        self.restrictions = Restrictions(enforce=terms.enforce)
        #: The second opinion, if the operator wants one.
        self.reference = Reference(Random()) if terms.reference_interval else None  # noqa: S311 - picks a sample
        self._watcher = Watcher(
            self._make(), self._names, self.restrictions, capacity=terms.queue, reference=self.reference
        )
        self._operator: str | None = None
        self._next_save = self._next_labels = self._next_sweep = 0.0
        # Not when all other workers ask, too.
        self._next_turn = time.monotonic() + terms.reference_interval * Random().uniform(0.5, 1.0)  # noqa: S311
        self._newest_label: datetime | None = None
        self._networks: dict[str, tuple[int, str]] = {}
        self._day = -1
        self.alerts = 0
        self._counted: dict[str, float] = {}

    @property
    def watcher(self) -> Watcher:
        """The thread and its queue."""
        return self._watcher

    async def open(self) -> None:
        """Restore what was learned and start the thread.

        Raises:
            DatabaseUnavailable: the database cannot be reached.
        """
        await asyncio.to_thread(self._restore)
        await self._read()
        self._next_save = time.monotonic() + self._terms.save_interval
        self._watcher.start()

    async def close(self) -> None:
        """Score what waits, write down what was found, save the state."""
        ended = await asyncio.to_thread(self._watcher.stop, STOP_TIMEOUT)
        try:
            await self._write()
        finally:
            if ended:
                await asyncio.to_thread(self._state.save, self._watcher.watch)
            else:  # what still changes cannot be saved; the last snapshot stays
                log.warning("behavior state could not be saved", reason="scoring did not end in time")
            self._state.close()

    async def step(self) -> None:
        """Write down findings, read what other workers restricted and what people labeled, save now and then.

        Raises:
            DatabaseUnavailable: the database cannot be reached; nothing is lost but what overflows.
        """
        await self._resolve_suspects()
        await self._write()
        await self._read()
        now = time.monotonic()
        if now >= self._next_save:
            self._next_save = now + self._terms.save_interval
            self._watcher.command(lambda: self._state.save(self._watcher.watch))
        if self.reference is not None and now >= self._next_turn:
            self._next_turn = now + self._terms.reference_interval
            self._watcher.command(self.reference.turn)

    def progress(self) -> Mapping[str, float]:
        """Tell what was done since this was asked last, by name."""
        now = asdict(self._watcher.counts) | {"alerts": self.alerts}
        done = {name: count - self._counted.get(name, 0) for name, count in now.items()}
        self._counted = now
        return done

    def offer(self, facts: Facts) -> None:
        """Hand over a finished request."""
        self._watcher.offer(facts)

    def network_key(self, address: str, now: float) -> tuple[int, str]:
        """Give the pseudonym of an address's network, as a number and as a restriction's key."""
        day = int(now // DAY)
        if day != self._day or len(self._networks) >= MAX_NETWORKS:
            self._day, self._networks = day, {}
        known = self._networks.get(address)
        if known is None:
            number = self._loop_names.of(b"network", network_of(address), now)
            known = self._networks[address] = (number, f"{number:016x}")
        return known

    def check_network(self, address: str, now: float) -> None:
        """Check where a request comes from, before anything is known of it.

        Raises:
            AuthenticationFailed: its network is blocked.
        """
        if self.restrictions.any_network:
            number, key = self.network_key(address, now)
            self.restrictions.check_network(key, now, shared=self._watcher.shared(number, now))

    def check_client(self, client: str, address: str, now: float, *, in_session: bool) -> None:
        """Check who sent an authenticated request.

        Raises:
            AuthenticationFailed, Throttled, FreshSignatureRequired: its client or network is restricted.
        """
        if len(self.restrictions):
            network = self.network_key(address, now)[1] if self.restrictions.any_network else None
            self.restrictions.check_client(client, now, network=network, in_session=in_session)

    def _restore(self) -> None:
        self._state.open()
        self._watcher.watch = self._state.restore(self._make(), self._watcher.watch)

    async def _resolve_suspects(self) -> None:
        taken = drained(self._watcher.suspects)
        if not taken:
            return
        now = int(self._clock().timestamp())
        claims = [claim for facts in taken if facts.refused is not None for claim in facts.refused.claims]
        uses = [NonceUse(claim.keyid, "", 0, 0, claim.session) for claim in dict.fromkeys(claims)]
        try:
            ends = await active_until(self._database, uses, now)
        except (DatabaseUnavailable, asyncio.CancelledError):
            self._watcher.suspects.extendleft(reversed(taken))  # for the next try
            raise
        active = {(use.keyid, use.session) for use, end in zip(uses, ends, strict=True) if end is not None}
        for facts in taken:
            named = () if facts.refused is None else facts.refused.claims
            self._watcher.resolve(facts, replayed=all((claim.keyid, claim.session) in active for claim in named))

    async def _write(self) -> None:
        taken = drained(self._watcher.findings)
        if not taken:
            return
        # Shielded: what was taken out and not yet written would be lost by a server that is stopped now.
        with anyio.CancelScope(shield=True):
            try:
                async with self._database.write() as session:
                    stored = [finding for finding in taken if await self._keep(session, finding)]
                self._tell(stored)
            except DatabaseUnavailable:
                self._watcher.findings.extendleft(reversed(taken))  # for the next try; what is too much goes
                raise
            except Exception:  # a defect: it must not take the others along
                await self._write_each(taken)

    async def _write_each(self, findings: Sequence[Finding]) -> None:
        for number, finding in enumerate(findings):
            try:
                async with self._database.write() as session:
                    stored = await self._keep(session, finding)
                if stored:
                    self._tell([finding])
            except DatabaseUnavailable:
                self._watcher.findings.extendleft(reversed(findings[number:]))
                raise
            except Exception as error:
                log.error("an alert could not be written down", alert=finding.id, exc_info=error)

    def _tell(self, stored: Sequence[Finding]) -> None:
        """Count and log new alerts, once they are committed."""
        self.alerts += len(stored)
        for finding in stored:
            log.warning(
                "alert", alert=finding.id, subject=finding.subject.value, rule=finding.rule, action=finding.action.value
            )

    async def _keep(self, session: WriteSession, finding: Finding) -> bool:
        """Write a finding down; returns whether it is a new alert."""
        organization = finding.organization_id or await self._operator_id(session)
        filed = await keep_finding(session, finding, organization, self._terms.limits)
        stored = filed.kept is Kept.STORED
        if not self._terms.enforce or finding.action is Action.OBSERVE:
            return stored
        wanted = restriction_of(finding, organization)
        blocked = await restrict(session, wanted, int(self._clock().timestamp()))
        if blocked and filed.alert_id is not None:  # in a flood of alerts, blocks are no flood of entries
            await ledger.append(
                session,
                time=self._clock(),
                kind="behavior.blocked",
                organization_id=organization,
                actor=None,
                payload={
                    "alert": filed.alert_id,
                    "subject": finding.subject.value,
                    "key": finding.key,
                    "rule": finding.rule,
                    "until": finding.until,
                },
            )
        return stored

    async def _operator_id(self, session: WriteSession) -> str:
        if self._operator is None:
            operator = await OrganizationRepository(session).operator()
            if operator is None:
                raise ConfigurationError("The database has no operator's organization.")
            self._operator = operator.id
        return self._operator

    async def _read(self) -> None:
        now, ticks = self._clock(), time.monotonic()
        seconds = int(now.timestamp())
        async with self._database.read() as session:
            held = await restrictions(session, seconds) if self._terms.enforce else ()
            easing = self._shared_networks(held, now.timestamp())
            if self._terms.enforce:
                self.restrictions.replace(held)
                for finding in self._watcher.findings.copy():  # told to nobody yet
                    self.restrictions.put(restriction_of(finding), seconds)
            newest = await newest_label(session)
            if newest != self._newest_label or ticks >= self._next_labels:
                self._newest_label, self._next_labels = newest, ticks + LABELS_INTERVAL
                self._heed(await client_labels(session, now - HEEDED), now)
        if easing:
            async with self._database.write() as writing:
                await ease(writing, easing)
        if self._terms.enforce and ticks >= self._next_sweep:
            self._next_sweep = ticks + SWEEP_INTERVAL
            async with self._database.write() as writing:
                await sweep_restrictions(writing, seconds)

    def _shared_networks(self, held: Sequence[Restriction], now: float) -> list[str]:
        """List the blocked networks from which a client signed here, which whoever blocked them cannot know of.

        Of a network that was blocked here and no more is, another worker has said just that.
        """
        easing = []
        for restriction in held:
            if restriction.subject is not Subject.NETWORK:
                continue
            number = int(restriction.key, 16)
            if restriction.action is Action.BLOCK:
                if self._watcher.shared(number, now):
                    easing.append(restriction.key)
            elif self.restrictions.blocks(restriction.key):
                self._watcher.share(number, now)
        return easing

    def _heed(self, labels: Sequence[ClientLabel], now: datetime) -> None:
        of = self._loop_names.of
        seconds = now.timestamp()
        heeded = Labels(
            Labeled(
                of(b"client", label.client_id.encode(), seconds),
                Verdict(label.label.value),
                seconds - label.labeled.timestamp(),
            )
            for label in labels
        )
        lenient = {AlertLabel.FALSE, AlertLabel.EXPECTED_AUTOMATION}
        self._watcher.set_labels(heeded, frozenset(label.client_id for label in labels if label.label in lenient))


def drained(queue: deque[T]) -> list[T]:
    """Take everything out of a queue that another thread fills, and may shorten."""
    taken: list[T] = []
    try:
        while True:
            taken.append(queue.popleft())
    except IndexError:
        return taken
