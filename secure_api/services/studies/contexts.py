"""Public contexts: looked at in a process of their own, then kept by fingerprint."""

from crypto import ContextRefused, CryptoError
from crypto.homomorphic import ContextFacts, inspect_context
from secure_api.data.contexts import ContextRepository, StoredContext, context_of
from secure_api.data.studies import StudyRepository
from secure_api.domain.errors import Conflict, Invalid, NotFound, NotReady
from secure_api.domain.roles import Permission
from secure_api.domain.studies import StudyMethod
from secure_api.services.studies.office import StudyOffice
from secure_api.services.work import View, Work


async def add_context(work: Work, content: bytes, office: StudyOffice) -> tuple[ContextFacts, bool]:
    """Keep a public context of the caller's organization; returns what it is, and whether it is new.

    Raises:
        Forbidden: the caller's role does not create studies.
        Invalid: it is none that encrypted sums can use.
        Conflict: the organization has too many.
        NotReady: no process could look at it now, or the server lacks what that needs.
    """
    work.caller.require(Permission.CREATE_STUDIES)
    limits = office.limits
    try:
        async with office.inspections:
            facts = await inspect_context(content, max_bytes=limits.max_context_bytes)
    except ContextRefused as error:
        raise Invalid(f"The context is refused: {error}.") from error
    except CryptoError as error:
        raise NotReady(f"Contexts cannot be taken at the moment: {error}.") from error
    repository = ContextRepository(work.session, work.caller)
    if await repository.find(facts.fingerprint) is not None:
        return facts, False
    if await repository.count() >= limits.max_contexts:
        raise Conflict(f"An organization may have {limits.max_contexts} contexts.")
    if not await repository.add(StoredContext(facts.fingerprint, content, facts.to_json()), work.clock()):
        return facts, False
    await work.record("context.added", {"fingerprint": facts.fingerprint, "parameters": facts.parameters.name})
    return facts, True


async def read_context(view: View, study_id: str) -> bytes:
    """Read the context of a study that the caller may know of.

    Raises:
        Forbidden: the caller's role does not read studies.
        NotFound: there is no such study, or it has no context.
    """
    view.caller.require(Permission.READ_STUDIES)
    study = await StudyRepository(view.session, view.caller).get(study_id)
    fingerprint = study.terms.parameters.get("context")
    if study.terms.method is not StudyMethod.CKKS or not isinstance(fingerprint, str):
        raise NotFound("The study has no context.")
    return (await context_of(view.session, study.organization_id, fingerprint)).content
