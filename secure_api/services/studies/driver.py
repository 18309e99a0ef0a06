"""Carries studies on: closes them at their deadline, starts them, computes, releases. In every worker of every host."""

from collections.abc import Awaitable, Callable

import anyio
import structlog

from secure_api.data.database import Database
from secure_api.data.studies import lease_study, lock_study, set_lease, studies_in
from secure_api.domain.clock import Clock
from secure_api.domain.errors import Conflict, DomainError
from secure_api.domain.studies import Study, StudyState
from secure_api.services.studies import transitions
from secure_api.services.studies.method import Aborted, Methods, Released, StudyMethodService, Unfinished

LEASE = 120  # seconds that a worker may take for one piece of work before another one tries, unless told
PAUSE = 1  # seconds until a study that waits for somebody is looked at again
DEFECT_PAUSE = 60  # seconds until one that we failed at is tried again
TOO_FEW = "fewer took part than the study needs"

log = structlog.get_logger("secure_api.studies")


class StudyDriver:
    """Does the next piece of work of every study that has one to be done."""

    def __init__(self, database: Database, methods: Methods, clock: Clock, lease: int = LEASE) -> None:
        self._database = database
        self._methods = methods
        self._clock = clock
        self._lease_seconds = lease

    async def step(self) -> None:
        """Close what is due, start what is closed, and carry on what computes until nothing more can be done now.

        Raises:
            DatabaseUnavailable: the database cannot be reached; what was done until then lasts.
        """
        async with self._database.read() as session:
            due = await studies_in(session, StudyState.OPEN, due=self._clock())
        for study in due:
            await self._change(study, self._close)
        async with self._database.read() as session:
            closed = await studies_in(session, StudyState.CLOSED)
        for study in closed:
            await self._change(study, self._start)
        async with self._database.read() as session:
            computing = await studies_in(session, StudyState.COMPUTING)
        for study in computing:
            await self._compute(study)

    async def _close(self, study: Study) -> None:
        async with self._database.write() as session:
            present = await lock_study(session, study.id)
            if present.state is StudyState.OPEN:
                await transitions.close(session, present, self._clock(), None)

    async def _start(self, study: Study) -> None:
        async with self._database.write() as session:
            present = await lock_study(session, study.id)
            if present.state is not StudyState.CLOSED:
                return
            method = self._methods.get(study.terms.method)
            if method is None:
                return
            who = await method.participation(session, present)
            if who.enough_for(present.terms):
                await transitions.start(session, present, self._clock(), who)
            else:
                await transitions.abort(session, present, self._clock(), TOO_FEW, None)

    async def _compute(self, study: Study) -> None:
        method = self._methods.get(study.terms.method)
        held = None if method is None else await self._lease(study)
        if method is None or held is None:
            return
        pause = 0
        try:
            while isinstance(progress := await method.compute(self._database, study), Unfinished):
                if progress.waiting:
                    pause = PAUSE
                    return
                until = self._now() + self._lease_seconds
                async with self._database.write() as session:
                    if not await set_lease(session, study.id, held, until):
                        return  # this took longer than the lease, and another worker goes on
                held = until
            await self._settle(study, method, progress)
        except Conflict:
            pass  # somebody aborted it meanwhile
        except DomainError as error:
            pause = PAUSE
            log.warning("a study could not be carried on", study=study.id, error=error.detail)
        except Exception as error:  # a defect, but no reason to leave the other studies
            pause = DEFECT_PAUSE
            log.error("a study could not be carried on", study=study.id, exc_info=error)
        finally:
            # Shielded: a server that is stopped now must not leave the study waiting until its lease ends.
            with anyio.CancelScope(shield=True):
                async with self._database.write() as session:
                    await set_lease(session, study.id, held, self._now() + pause)

    async def _lease(self, study: Study) -> int | None:
        """Take the study, if no worker has it; returns until when (POSIX seconds)."""
        now = self._now()
        until = now + self._lease_seconds
        async with self._database.write() as session:
            return until if await lease_study(session, study.id, now, until) else None

    def _now(self) -> int:
        return int(self._clock().timestamp())

    async def _settle(self, study: Study, method: StudyMethodService, progress: Released | Aborted) -> None:
        async with self._database.write() as session:
            present = await lock_study(session, study.id)
            if present.state is not StudyState.COMPUTING:
                return
            if isinstance(progress, Aborted):
                await transitions.abort(session, present, self._clock(), progress.reason, None)
                return
            who = await method.participation(session, present)
            if who.enough_for(present.terms):
                await transitions.release(session, present, self._clock(), progress, who)
            else:
                await transitions.abort(session, present, self._clock(), TOO_FEW, None)

    async def _change(self, study: Study, change: Callable[[Study], Awaitable[None]]) -> None:
        try:
            await change(study)
        except Conflict:
            pass  # another worker, or its creator, was faster
        except DomainError as error:
            log.warning("a study could not be carried on", study=study.id, error=error.detail)
