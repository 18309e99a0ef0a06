"""What callers do with studies: create, look, contribute, close, abort, read the result."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from secure_api.data.budgets import BudgetRepository
from secure_api.data.contributions import Contribution, ContributionRepository
from secure_api.data.datasets import DatasetRepository
from secure_api.data.studies import (
    StudyRepository,
    lock_study,
    organizations_invited,
    organizations_named,
)
from secure_api.data.study_states import RESULT, read_state
from secure_api.domain.errors import Conflict, Forbidden, Invalid, NotFound
from secure_api.domain.identifier import new_identifier
from secure_api.domain.roles import Permission
from secure_api.domain.studies import ENDED, Participation, Study, StudyLimits, StudyState, StudyTerms
from secure_api.services.budgets import reserve
from secure_api.services.studies import transitions
from secure_api.services.studies.method import Methods, Released, StudyMethodService
from secure_api.services.studies.privacy import calibrated
from secure_api.services.studies.terms import check_terms
from secure_api.services.work import View, Work

INSPECTIONS = 2


@dataclass(frozen=True, slots=True)
class StudyView:
    """A study as a caller sees it: whom it invites (names), who has contributed so far, how far the computation is."""

    study: Study
    invited: list[str]
    participation: Participation
    progress: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A contribution that is stored, durably; `new` is false when these very bytes had been stored before."""

    digest: str
    new: bool


class StudyOffice:
    """Serves studies of the methods that this server offers, within its limits."""

    def __init__(self, methods: Methods, limits: StudyLimits) -> None:
        self.methods = methods
        self.limits = limits
        #: Processes that look at contexts at the same time: each may use gigabytes.
        self.inspections = asyncio.Semaphore(INSPECTIONS)

    async def create(self, work: Work, name: str, terms: StudyTerms, invited: Sequence[str]) -> StudyView:
        """Create a study of the caller's, open for contributions of the organizations `invited` (names).

        Raises:
            Forbidden: the caller's role does not create studies.
            Invalid: the terms make no sense, here or to the method.
            NotFound: the dataset, or something that the method's parameters name, is not there.
            Conflict: the organization has too many studies that have not ended, or the dataset's budget is spent.
            NotReady: the server lacks what privacy needs.
        """
        work.caller.require(Permission.CREATE_STUDIES)
        check_terms(terms, self.limits, work.clock(), len(invited))
        method = self._method(terms)
        # Before the first statement: it takes seconds in a process' first study, and a writer keeps the others waiting.
        terms = replace(terms, privacy=await calibrated(terms.privacy))
        repository = StudyRepository(work.session, work.caller)
        if await repository.count_open() >= self.limits.max_open:
            raise Conflict(f"An organization may have {self.limits.max_open} studies that have not ended.")
        dataset = None
        if terms.dataset is not None:
            dataset = await DatasetRepository(work.session, work.caller).get(terms.dataset)
            await reserve(work, dataset, terms.privacy)
        if len(set(invited)) < len(invited):
            raise Invalid("An organization is invited once.", pointer="/contributors")
        found = await organizations_named(work.session, invited)
        if unknown := sorted(set(invited) - set(found)):
            raise Invalid(f"There is no organization named {unknown[0]}.", pointer="/contributors")
        if set(found.values()) - {work.caller.organization_id}:
            floor = self.limits.min_contributors
            if terms.minimum_organizations < floor:
                # Of two organizations the creator's could bring all contributions but one: it would read that one.
                raise Invalid(
                    f"A study that invites other organizations needs contributions of {floor} organizations at least.",
                    pointer="/minimum_organizations",
                )
        study = Study(
            id=new_identifier(),
            organization_id=work.caller.organization_id,
            client_id=work.caller.client_id,
            name=name,
            terms=terms,
            state=StudyState.OPEN,
            reason=None,
            created=work.clock(),
            closed=None,
            ended=None,
        )
        await method.check(work, study, sorted(invited))
        await repository.add(study, list(found.values()))
        if dataset is not None and terms.privacy is not None:
            await BudgetRepository(work.session, work.caller).spend(dataset.id, study.id, terms.privacy.rho)
        await work.record(
            "study.created",
            {
                "study": study.id,
                "name": name,
                "method": terms.method.value,
                "statistic": terms.statistic,
                "dimension": terms.dimension,
                "minimum_contributors": terms.minimum_contributors,
                "minimum_organizations": terms.minimum_organizations,
                "invited": [*sorted(invited)],
                "privacy": None if terms.privacy is None else {**asdict(terms.privacy)},
            },
        )
        return StudyView(study, sorted(invited), Participation(0, 0))

    async def get(self, view: View, id: str) -> StudyView:
        """Look at a study.

        Raises:
            Forbidden: the caller's role does not read studies.
            NotFound: there is none that the caller may know of.
        """
        view.caller.require(Permission.READ_STUDIES)
        study = await StudyRepository(view.session, view.caller).get(id)
        method = self._method(study.terms)
        present = await method.participation(view.session, study)
        progress = await method.progress(view.session, study) if study.state is StudyState.COMPUTING else None
        return StudyView(study, await organizations_invited(view.session, id), present, progress)

    async def newest(self, view: View, limit: int, behind: str | None) -> list[Study]:
        """List the studies that the caller may know of, the newest first, behind the study `behind`.

        Raises:
            Forbidden: the caller's role does not read studies.
            NotFound: there is no study `behind`.
        """
        view.caller.require(Permission.READ_STUDIES)
        repository = StudyRepository(view.session, view.caller)
        before = None
        if behind is not None:
            last = await repository.get(behind)
            before = (last.created, last.id)
        return await repository.newest(limit, before)

    async def contribute(self, work: Work, id: str, content: bytes) -> Accepted:
        """Store the caller's contribution; the same bytes again change nothing.

        Raises:
            Forbidden: the caller's role does not contribute, or its organization is not invited.
            NotFound: there is no study that the caller may know of.
            Conflict: the study takes no contributions any more, or other bytes of this client's are there.
            Invalid: the bytes are none that this study can add.
        """
        work.caller.require(Permission.CONTRIBUTE)
        studies = StudyRepository(work.session, work.caller)
        study = await studies.get(id, hold=True)
        repository = ContributionRepository(work.session, work.caller)
        before = await repository.standing(id)
        if not before.invited:
            raise Forbidden("The organization is not invited to contribute to this study.")
        digest = hashlib.sha256(content).hexdigest()
        if before.digest is not None:
            if before.digest != digest:
                raise Conflict(
                    f"This client has contributed other bytes to the study already: SHA-256 {before.digest}."
                )
            return Accepted(digest, new=False)
        now = work.clock()
        if study.state is not StudyState.OPEN or study.terms.deadline <= now:
            raise Conflict("The study takes no contributions any more.")
        await self._method(study.terms).accept(work, study, content, before.clients)
        keyid = work.caller.keyids[0]
        contribution = Contribution(
            work.caller.client_id, work.caller.organization_id, digest, keyid, len(content), now
        )
        await repository.add(id, contribution, content)
        await work.record("study.contributed", {"study": id, "sha256": digest, "bytes": len(content), "keyid": keyid})
        return Accepted(digest, new=True)

    async def close(self, work: Work, id: str) -> None:
        """Take no more contributions to a study of the caller's organization; closed already is fine.

        Raises:
            Forbidden: the caller's role, or organization, does not close it.
            NotFound: there is no study that the caller may know of.
            Conflict: it was aborted.
        """
        study = await self._own(work, id)
        if study.state is StudyState.ABORTED:
            raise Conflict("The study was aborted.")
        if study.state is StudyState.OPEN:
            await transitions.close(work.session, study, work.clock(), work.caller.client_id)

    async def abort(self, work: Work, id: str, reason: str) -> None:
        """End a study of the caller's organization without a result.

        Raises:
            Forbidden: the caller's role, or organization, does not abort it.
            NotFound: there is no study that the caller may know of.
            Conflict: it has ended.
        """
        study = await self._own(work, id)
        if study.state in ENDED:
            raise Conflict(f"The study was {study.state.value}.")
        await transitions.abort(work.session, study, work.clock(), reason, work.caller.client_id)

    async def result(self, view: View, id: str) -> Released:
        """Read what a study released.

        Raises:
            Forbidden: the result is its creator's organization's alone.
            NotFound: there is no study that the caller may know of.
            Conflict: it is not released.
        """
        view.caller.require(Permission.READ_STUDIES)
        study = await StudyRepository(view.session, view.caller).get(id)
        if study.state is not StudyState.RELEASED:
            reason = f": {study.reason}" if study.reason else "."
            raise Conflict(f"The study is {study.state.value}{reason}")
        own = study.organization_id == view.caller.organization_id
        if not own and not self._method(study.terms).shared_result:
            raise Forbidden("The result of this study is for its creator's organization alone.")
        media_type, _, content = (await read_state(view.session, id, RESULT)).content.partition(b"\n")
        return Released(content, media_type.decode())

    async def _own(self, work: Work, id: str) -> Study:
        work.caller.require(Permission.CREATE_STUDIES)
        study = await StudyRepository(work.session, work.caller).get(id)
        if study.organization_id != work.caller.organization_id:
            raise Forbidden("A study is closed and aborted by its creator's organization alone.")
        return await lock_study(work.session, id)

    def _method(self, terms: StudyTerms) -> StudyMethodService:
        method = self.methods.get(terms.method)
        if method is None:
            raise NotFound(f"This server does not offer the method {terms.method.value}.")
        return method
