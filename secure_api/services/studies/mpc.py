"""Multi-party studies: boxes relayed unread to compute parties, and their result released when all have posted it."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from crypto import MpcError
from crypto.mpc.boxes import SharedContribution, box_bytes, box_digest
from crypto.mpc.parameters import MpcParameters
from crypto.mpc.terms import MpcTerms
from secure_api.data.contributions import content_of, contributions_to, participation
from secure_api.data.database import Database, ReadSession, WriteSession
from secure_api.data.studies import hold_computing, organizations_named
from secure_api.data.study_states import read_state, write_state
from secure_api.domain import strict_json
from secure_api.domain.clock import Clock, system_clock
from secure_api.domain.errors import Conflict, Invalid
from secure_api.domain.party_attempts import PartyAttempts
from secure_api.domain.session_inputs import SessionInput, SessionInputs
from secure_api.domain.studies import Study
from secure_api.services.studies.method import Aborted, ContributedMethod, Progress, Released, Unfinished
from secure_api.services.studies.privacy import privacy_terms
from secure_api.services.studies.terms import check_body
from secure_api.services.work import Work

COMPUTE_SECONDS: Final = 7 * 86_400
ATTEMPTS: Final = "attempts"
INPUTS: Final = "inputs"
MAX_CONTRIBUTORS: Final = 16_384
MAX_KEYID: Final = 64
RESULT_BYTES: Final = 26  # of one value in the JSON of a posted result, at most
CHUNK: Final = 16  # contributions that are in memory at once


def parameters_of(study: Study) -> MpcParameters:
    """Read the parameters of a multi-party study.

    Raises:
        Invalid: they make no sense.
    """
    try:
        return MpcParameters.parse(study.terms.parameters)
    except MpcError as error:
        raise Invalid(str(error), pointer="/parameters") from error


def mpc_terms_of(study: Study, parameters: MpcParameters) -> MpcTerms:
    """Give the terms that contributors encode by.

    Raises:
        Invalid: they make no sense, or no field holds their numbers.
    """
    terms = study.terms
    try:
        bounds, least = terms.bounds, terms.minimum_contributors
        noise = privacy_terms(terms)
        return parameters.terms(study.id, terms.statistic, terms.dimension, bounds.low, bounds.high, least, noise)
    except MpcError as error:
        raise Invalid(str(error), pointer="/parameters") from error


class MpcStudies(ContributedMethod):
    """The method mpc. Nothing of a contribution is ever opened here.

    A study that its parties have not computed `seconds` after it was closed is given up.
    """

    def __init__(self, clock: Clock = system_clock, seconds: int = COMPUTE_SECONDS) -> None:
        self._clock = clock
        self._seconds = seconds

    async def check(self, work: Work, study: Study, invited: Sequence[str]) -> None:
        """Accept the terms of a study: parties that are apart, a program that is known, a field that holds all sums.

        Raises:
            Invalid: one of these is not so, or noise is asked for that the program does not add.
        """
        parameters = parameters_of(study)
        shared = mpc_terms_of(study, parameters)
        most = parameters.contributors
        if not study.terms.minimum_contributors <= most <= MAX_CONTRIBUTORS:
            raise Invalid(
                f"maximum_contributors lies between minimum_contributors and {MAX_CONTRIBUTORS}.",
                pointer="/parameters/maximum_contributors",
            )
        contribution = 1 + MAX_KEYID + shared.parties * box_bytes(shared)
        check_body(max(contribution, RESULT_BYTES * (shared.length + 20)), work.limits.max_body_bytes, "/dimension")
        names = [party.organization for party in parameters.parties]
        if unknown := sorted(set(names) - set(await organizations_named(work.session, names))):
            raise Invalid(f"There is no organization named {unknown[0]}.", pointer="/parameters/parties")

    async def accept(self, work: Work, study: Study, content: bytes, present: int) -> None:
        """Accept a contribution: as long as its boxes, and named after the key that signs it.

        Raises:
            Invalid: it is not.
            Conflict: as many as the field holds have contributed.
        """
        parameters = parameters_of(study)
        try:
            posted = SharedContribution.from_bytes(content, mpc_terms_of(study, parameters))
        except MpcError as error:
            raise Invalid(str(error)) from error
        if posted.contributor != work.caller.keyids[0]:
            raise Invalid("The contribution names another key than the one that signed it.")
        if present >= parameters.contributors:
            raise Conflict("As many as the study takes have contributed.")

    async def progress(self, session: ReadSession | WriteSession, study: Study) -> str | None:
        """Say which attempt it is, how many parties have posted, and why the last attempt ended."""
        part = await read_state(session, study.id, ATTEMPTS)
        return PartyAttempts.from_bytes(part.content).standing if part.content else None

    async def compute(self, database: Database, study: Study) -> Progress:
        """Prepare the first attempt, and release what all parties posted; in between, the parties are waited for."""
        async with database.read() as session:
            part = await read_state(session, study.id, ATTEMPTS)
        if not part.content:
            return await self._prepare(database, study)
        attempts = PartyAttempts.from_bytes(part.content)
        if attempts.agreed and attempts.result is not None:
            members = {"statistic": study.terms.statistic, **attempts.result, "parties": attempts.parties}
            if study.terms.privacy is not None:
                async with database.read() as session:
                    present = (await participation(session, study.id)).clients
                members["noise"] = mpc_terms_of(study, parameters_of(study)).noise(present)
            return Released(strict_json.dumps({**members, "attempt": attempts.attempt}), "application/json")
        newest = f"; the last attempt ended with {attempts.aborts[-1].reason}" if attempts.aborts else ""
        if attempts.exhausted:
            return Aborted(f"the compute parties came to no result in {attempts.attempt} attempts{newest}")
        if study.closed is not None and self._clock() >= study.closed + timedelta(seconds=self._seconds):
            return Aborted(f"the compute parties came to no result in {self._seconds} seconds{newest}")
        return Unfinished(waiting=True)

    async def _prepare(self, database: Database, study: Study) -> Progress:
        parameters = parameters_of(study)
        terms = mpc_terms_of(study, parameters)
        async with database.read() as session:
            clients = [item.client_id for item in await contributions_to(session, study.id)]
        inputs: list[SessionInput] = []
        for start in range(0, len(clients), CHUNK):
            async with database.read() as session:
                contents = await content_of(session, study.id, clients[start : start + CHUNK])
            for client, content in contents.items():
                try:
                    posted = SharedContribution.from_bytes(content, terms)
                except MpcError:
                    if content:
                        return Aborted("a stored contribution is damaged")
                    raise Conflict("The study has ended.") from None  # what it was given is forgotten
                digests = await asyncio.to_thread(_digests, posted.boxes)
                inputs.append(SessionInput(client, posted.contributor, digests))
        async with database.write() as session:
            await hold_computing(session, study.id)
            await write_state(session, study.id, INPUTS, SessionInputs.ordered(inputs).to_bytes(), 0)
            await write_state(session, study.id, ATTEMPTS, PartyAttempts(terms.parties).to_bytes(), 0)
        return Unfinished(waiting=True)


def _digests(boxes: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(box_digest(box).hex() for box in boxes)
