"""From one state of a study to the next: the change, its ledger entry, what is forgotten."""

import hashlib
from datetime import datetime

from secure_api.data.budgets import return_spending
from secure_api.data.contributions import empty_contributions
from secure_api.data.database import WriteSession
from secure_api.data.studies import move_study
from secure_api.data.study_states import RESULT, forget_states, write_state
from secure_api.domain.json_value import JsonValue
from secure_api.domain.studies import Participation, Study, StudyState
from secure_api.services import ledger
from secure_api.services.studies.method import Released

MAX_REASON = 500  # characters


async def close(session: WriteSession, study: Study, now: datetime, actor: str | None) -> None:
    """Take no more contributions; `actor` is the client that closes, None for the deadline.

    Raises:
        Conflict: the study is in another state by now.
    """
    await _move(session, study, StudyState.CLOSED, now, actor, {"by": "deadline" if actor is None else "creator"})


async def start(session: WriteSession, study: Study, now: datetime, present: Participation) -> None:
    """Begin to compute over what enough participants contributed.

    Raises:
        Conflict: the study is in another state by now.
    """
    counts: dict[str, JsonValue] = {"contributors": present.clients, "organizations": present.organizations}
    await _move(session, study, StudyState.COMPUTING, now, None, counts)


async def release(session: WriteSession, study: Study, now: datetime, result: Released, present: Participation) -> None:
    """Keep the result, and forget all that led to it.

    Raises:
        Conflict: the study is in another state by now.
    """
    digest = hashlib.sha256(result.content).hexdigest()
    told: dict[str, JsonValue] = {
        "sha256": digest,
        "contributors": present.clients,
        "organizations": present.organizations,
    }
    await _move(session, study, StudyState.RELEASED, now, None, told)
    content = result.media_type.encode() + b"\n" + result.content
    await write_state(session, study.id, RESULT, content, 0)
    await _forget(session, study)


async def abort(session: WriteSession, study: Study, now: datetime, reason: str, actor: str | None) -> None:
    """End a study without a result, and forget what it was given.

    Raises:
        Conflict: the study is in another state by now.
    """
    told: dict[str, JsonValue] = {"reason": reason[:MAX_REASON]}
    # Before anything was computed nobody has learned anything: not the parties, not the server.
    if study.state in {StudyState.OPEN, StudyState.CLOSED} and await return_spending(session, study.id):
        told["budget"] = "returned"
    await _move(session, study, StudyState.ABORTED, now, actor, told, reason[:MAX_REASON])
    await _forget(session, study)


async def _move(
    session: WriteSession,
    study: Study,
    to: StudyState,
    now: datetime,
    actor: str | None,
    told: dict[str, JsonValue],
    reason: str | None = None,
) -> None:
    await move_study(session, study, to, now, reason)
    await ledger.append(
        session,
        time=now,
        kind=f"study.{to.value}",
        organization_id=study.organization_id,
        actor=actor,
        payload={"study": study.id, **told},
    )


async def _forget(session: WriteSession, study: Study) -> None:
    await empty_contributions(session, study.id)
    await forget_states(session, study.id)
