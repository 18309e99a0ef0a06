"""What a compute party asks of a study that is computing: its session, its boxes, and taking what came out."""

import hashlib
from dataclasses import dataclass
from typing import Final

from crypto.mpc.boxes import SharedContribution, box_bytes
from secure_api.data.contributions import content_of
from secure_api.data.database import ReadSession, WriteSession
from secure_api.data.studies import StudyRepository, lock_study
from secure_api.data.study_states import StatePart, read_state, write_state
from secure_api.domain import strict_json
from secure_api.domain.errors import Conflict, Forbidden, Invalid
from secure_api.domain.json_value import JsonValue
from secure_api.domain.party_attempts import PartyAbort, PartyAttempts, PartyResult
from secure_api.domain.roles import Permission
from secure_api.domain.session_inputs import SessionInput, SessionInputs
from secure_api.domain.studies import Study, StudyMethod, StudyState
from secure_api.services.studies.mpc import ATTEMPTS, INPUTS, mpc_terms_of, parameters_of
from secure_api.services.work import View, Work

ANSWER_BYTES: Final = 8 << 20  # of boxes in one answer, unless one box is larger


@dataclass(frozen=True, slots=True)
class PartySession:
    """The present attempt as one party sees it."""

    index: int
    attempt: int
    inputs: tuple[SessionInput, ...]


async def session_of(view: View, study_id: str) -> PartySession:
    """Give the caller's party its session.

    Raises:
        NotFound: there is no study that the caller may know of.
        Forbidden: the caller's role or organization runs no party of it.
        Conflict: it is not computing.
    """
    study, index = await _party(view, study_id)
    inputs = await _inputs(view.session, study)
    return PartySession(index, (await _attempts(view.session, study))[0].attempt, inputs)


async def boxes_of(view: View, study_id: str, attempt: int, start: int) -> bytes:
    """Give boxes of the caller's party, from the session's input `start` on, as many as one answer holds.

    Raises:
        NotFound, Forbidden: as `session_of`.
        Conflict: the study is not computing, or at another attempt.
        Invalid: there is no input `start`.
    """
    study, index = await _party(view, study_id)
    attempts, _ = await _attempts(view.session, study)
    if attempts.attempt != attempt:
        raise Conflict(f"The parties are at attempt {attempts.attempt}, not {attempt}.")
    inputs = await _inputs(view.session, study)
    if not 0 <= start < len(inputs):
        raise Invalid(f"The session has inputs 0 to {len(inputs) - 1}.", pointer="/start")
    terms = mpc_terms_of(study, parameters_of(study))
    clients = [one.client_id for one in inputs[start : start + max(1, ANSWER_BYTES // box_bytes(terms))]]
    contents = await content_of(view.session, study_id, clients)
    return b"".join(SharedContribution.from_bytes(contents[client], terms).boxes[index] for client in clients)


async def post_result(work: Work, study_id: str, attempt: int, result: PartyResult) -> None:
    """Take what the caller's party says came out; the same again changes nothing.

    Raises:
        NotFound, Forbidden: as `session_of`.
        Conflict: the study is not computing, at another attempt, or the party said something else before.
        Invalid: it counts other contributions than the session has.
    """
    study, index = await _party(work, study_id)
    await _hold(work.session, study)
    if result.contributors != len(await _inputs(work.session, study)):
        raise Invalid("The session has another number of contributions.", pointer="/contributors")
    attempts, part = await _attempts(work.session, study)
    after = attempts.with_result(index, attempt, result)
    if after == attempts:
        return
    await write_state(work.session, study_id, ATTEMPTS, after.to_bytes(), part.version)
    told: dict[str, JsonValue] = {"study": study_id, "party": index, "attempt": attempt}
    await work.record("study.party-result", {**told, "transcript": result.transcript, "sha256": result.digest})


async def post_abort(work: Work, study_id: str, attempt: int, reason: str, party: int | None, detail: str) -> None:
    """Take why the caller's party ended an attempt: the next one begins. The same again changes nothing.

    Raises:
        NotFound, Forbidden: as `session_of`.
        Conflict: the study is not computing, the attempt has not begun, or all parties have posted a result.
    """
    study, index = await _party(work, study_id)
    await _hold(work.session, study)
    attempts, part = await _attempts(work.session, study)
    after = attempts.with_abort(PartyAbort(attempt, index, reason, party, detail))
    if after == attempts:
        return
    await write_state(work.session, study_id, ATTEMPTS, after.to_bytes(), part.version)
    # What the detail says goes into the state alone; the ledger has its digest, as a peer's words may name anything.
    told: dict[str, JsonValue] = {"study": study_id, "party": index, "attempt": attempt, "about": party}
    sha256 = hashlib.sha256(strict_json.dumps(detail)).hexdigest()
    await work.record("study.party-abort", {**told, "reason": reason, "detail_sha256": sha256})


async def _party(view: View | Work, study_id: str) -> tuple[Study, int]:
    """Find the study, and which of its parties the caller's organization runs."""
    view.caller.require(Permission.CONTRIBUTE)
    study = await StudyRepository(view.session, view.caller).get(study_id)
    if study.terms.method is StudyMethod.MPC:
        for index, party in enumerate(parameters_of(study).parties):
            if party.organization == view.caller.organization:
                return study, index
    raise Forbidden("The caller's organization runs no compute party of this study.")


async def _hold(session: WriteSession, study: Study) -> None:
    """Let one party after the other post."""
    present = await lock_study(session, study.id)
    if present.state is not StudyState.COMPUTING:
        raise Conflict(f"The study is {present.state.value}.")


async def _attempts(session: ReadSession | WriteSession, study: Study) -> tuple[PartyAttempts, StatePart]:
    part = await read_state(session, study.id, ATTEMPTS)
    if study.state is not StudyState.COMPUTING or not part.content:
        raise Conflict(f"The study is {study.state.value}, and its parties have nothing to do yet or any more.")
    return PartyAttempts.from_bytes(part.content), part


async def _inputs(session: ReadSession | WriteSession, study: Study) -> tuple[SessionInput, ...]:
    part = await read_state(session, study.id, INPUTS)
    if not part.content:
        raise Conflict(f"The study is {study.state.value}, and its parties have nothing to do yet or any more.")
    return SessionInputs.from_bytes(part.content).inputs
