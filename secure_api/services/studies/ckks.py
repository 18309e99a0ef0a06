"""Encrypted sums: contributions are added by residues, the sum goes to whoever has the key."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from crypto import CapacityExceeded, CiphertextRefused, CryptoError
from crypto.homomorphic import Accumulator, ContextFacts, HomomorphicTerms, LinearModel, check_residues
from crypto.homomorphic.parameters import MAX_CONTRIBUTORS
from crypto.homomorphic.residues import contribution_bytes
from secure_api.data.contexts import ContextRepository, context_of
from secure_api.data.contributions import ContributionRepository, participation, take, untaken
from secure_api.data.database import Database, ReadSession, WriteSession
from secure_api.data.studies import hold_computing
from secure_api.data.study_states import read_state, write_state
from secure_api.domain.errors import Conflict, Invalid, NotReady
from secure_api.domain.studies import Study, StudyTerms
from secure_api.services.studies.method import Aborted, ContributedMethod, Progress, Released, Unfinished
from secure_api.services.studies.privacy import privacy_terms
from secure_api.services.studies.terms import check_body
from secure_api.services.work import Work

SUM: Final = "sum"
OCTETS: Final = "application/octet-stream"
CHUNK_BYTES: Final = 4 << 20  # of contributions that are added in one step
MAX_CACHED: Final = 64
LINEAR_SCORE: Final = "linear-score"
_MEMBERS: Final = frozenset({"context", "maximum_contributors", "arguments"})
_SCORE_MEMBERS: Final = frozenset({"context", "model"})


class CkksStudies(ContributedMethod):
    """Studies of the method ckks: sums in CKKS, or exact ones in BFV, as the study's context says.

    Parameters: `context` (fingerprint), `maximum_contributors` (1,024 unless told), `arguments` of the statistic; for
    a linear score `context` and `model`.
    Adding is arithmetic on arrays of integers: no native library parses what a contributor sent. Facts of contexts
    never change, and are cached.
    """

    shared_result = False

    def __init__(self) -> None:
        self._facts: OrderedDict[tuple[str, str], ContextFacts] = OrderedDict()

    async def check(self, work: Work, study: Study, invited: Sequence[str]) -> None:
        """Accept terms whose sums cannot wrap.

        Raises:
            Invalid: the parameters, or numbers that could.
        """
        terms = study.terms
        score = terms.statistic == LINEAR_SCORE
        if unknown := sorted(set(terms.parameters) - (_SCORE_MEMBERS if score else _MEMBERS)):
            raise Invalid(f"This method has no parameter {unknown[0]:.40}.", pointer="/parameters")
        fingerprint = _fingerprint(terms)
        stored = await ContextRepository(work.session, work.caller).find(fingerprint)
        if stored is None:
            raise Invalid("The organization has no such context: upload it first.", pointer="/parameters/context")
        facts = ContextFacts.from_json(stored.facts)
        try:
            homomorphic = homomorphic_terms(terms, facts)
        except CapacityExceeded as error:
            raise Invalid(f"The sums could wrap around: {error}.", pointer="/parameters") from error
        except CiphertextRefused as error:
            raise Invalid(f"The statistic makes no sense here: {error}.", pointer="/parameters") from error
        if score:
            _check_score(terms, invited)
        if terms.minimum_contributors > homomorphic.contributors:
            raise Invalid("More contributors are needed than there may be.", pointer="/minimum_contributors")
        check_body(contribution_bytes(facts, homomorphic.count), work.limits.max_body_bytes, "/dimension")

    async def accept(self, work: Work, study: Study, content: bytes, present: int) -> None:
        """Accept residues of the study's context.

        Raises:
            Invalid: the bytes are none.
            Conflict: as many have contributed as may, or the organization's part of a score is there.
        """
        facts = await self._facts_of(work.session, study)
        terms = homomorphic_terms(study.terms, facts)
        try:
            check_residues(facts, content, terms.count)
        except CiphertextRefused as error:
            raise Invalid(f"The contribution is refused: {error}.") from error
        if study.terms.statistic == LINEAR_SCORE and await ContributionRepository(work.session, work.caller).any(
            study.id
        ):
            raise Conflict("Another client of the organization has contributed its part of the scores.")
        if present >= terms.contributors:
            raise Conflict(f"{terms.contributors} have contributed, as many as may.")

    async def compute(self, database: Database, study: Study) -> Progress:
        """Add the next contributions, and keep the sum with the mark that they are in it; then release it.

        Raises:
            Conflict: somebody else added meanwhile.
            NotReady: the server lacks what adding needs.
        """
        # One moment: a sum and contributions that another worker took in between would make a part of the sum a result.
        async with database.snapshot() as session:
            facts = await self._facts_of(session, study)
            terms = homomorphic_terms(study.terms, facts)
            if (await participation(session, study.id)).clients > terms.contributors:
                return Aborted("more contributed than the modulus has room for")
            before = await read_state(session, study.id, SUM)
            limit = max(1, CHUNK_BYTES // contribution_bytes(facts, terms.count))
            contributions = await untaken(session, study.id, limit)
        if not contributions:
            return Released(before.content, OCTETS)
        try:
            content = await asyncio.to_thread(
                _add, facts, terms.count, before.content or None, [content for _, content in contributions]
            )
        except CiphertextRefused:
            return Aborted("a stored contribution is damaged")
        except CryptoError as error:
            raise NotReady(str(error)) from error
        async with database.write() as session:
            await hold_computing(session, study.id)
            await write_state(session, study.id, SUM, content, before.version)
            await take(session, study.id, [client_id for client_id, _ in contributions])
        return Unfinished()

    async def _facts_of(self, session: ReadSession | WriteSession, study: Study) -> ContextFacts:
        key = (study.organization_id, _fingerprint(study.terms))
        if key in self._facts:
            self._facts.move_to_end(key)
            return self._facts[key]
        facts = ContextFacts.from_json((await context_of(session, *key)).facts)
        self._facts[key] = facts
        if len(self._facts) > MAX_CACHED:
            self._facts.popitem(last=False)
        return facts


def homomorphic_terms(terms: StudyTerms, facts: ContextFacts) -> HomomorphicTerms:
    """Give the terms that contributions of a study are encrypted by.

    Raises:
        Invalid: the parameters are none.
        CapacityExceeded: sums could wrap. CiphertextRefused: the statistic makes no sense.
    """
    if terms.statistic == LINEAR_SCORE:
        return model_of(terms).terms(facts.parameters, terms.dimension, privacy_terms(terms))
    contributors = terms.parameters.get("maximum_contributors", MAX_CONTRIBUTORS)
    arguments = terms.parameters.get("arguments", {})
    if not isinstance(contributors, int) or isinstance(contributors, bool):
        raise Invalid("maximum_contributors is a whole number.", pointer="/parameters/maximum_contributors")
    if not isinstance(arguments, dict) or not all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in arguments.values()
    ):
        raise Invalid("arguments are numbers by name.", pointer="/parameters/arguments")
    return HomomorphicTerms(
        facts.parameters,
        terms.statistic,
        terms.dimension,
        terms.bounds.low,
        terms.bounds.high,
        contributors,
        {name: float(value) for name, value in arguments.items() if isinstance(value, int | float)},
        privacy_terms(terms),
    )


def model_of(terms: StudyTerms) -> LinearModel:
    """Give the model of a study of linear scores.

    Raises:
        CiphertextRefused, CapacityExceeded: it makes no sense, or would not hide somebody's values.
    """
    return LinearModel.parse(terms.parameters.get("model"), terms.bounds.low, terms.bounds.high)


def _check_score(terms: StudyTerms, invited: Sequence[str]) -> None:
    """Accept a model whose organizations are those invited, all of whom are needed."""
    names = sorted(model_of(terms).weights)
    if names != sorted(invited):
        raise Invalid(
            "The model has weights of the invited organizations, and of no others.", pointer="/parameters/model"
        )
    if not terms.minimum_contributors == terms.minimum_organizations == len(names):
        raise Invalid("A score needs the part of every organization.", pointer="/minimum_contributors")


def _fingerprint(terms: StudyTerms) -> str:
    fingerprint = terms.parameters.get("context")
    if not isinstance(fingerprint, str):
        raise Invalid("A study of this method names its context by fingerprint.", pointer="/parameters/context")
    return fingerprint


def _add(facts: ContextFacts, count: int, sum_so_far: bytes | None, contents: Sequence[bytes]) -> bytes:
    accumulator = Accumulator(facts, count, sum_so_far)
    for content in contents:
        accumulator.add(content)
    return accumulator.to_bytes()
