"""Masked studies: contributions that look random, added one by one; only their sum is ever unmasked."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from typing import Final

from crypto import ALGORITHMS, CryptoError, MaskingError, MaskingOrderError, MaskingServer, PublicKey, TooFewClients
from crypto.masking.messages import Contribution
from secure_api.data.database import Database, ReadSession, WriteSession
from secure_api.data.studies import StudyRepository, hold_computing, lock_study, organizations_named
from secure_api.data.study_messages import StudyMessageRepository, participation_in, senders_of
from secure_api.data.study_states import read_state, write_state
from secure_api.domain import strict_json
from secure_api.domain.clock import Clock, system_clock
from secure_api.domain.errors import Conflict, Forbidden, Invalid, NotFound, NotReady, PayloadTooLarge
from secure_api.domain.json_value import JsonValue
from secure_api.domain.masked_stages import MaskedProgress, MaskedStage
from secure_api.domain.roles import Permission
from secure_api.domain.studies import Participation, Study, StudyMethod, StudyState
from secure_api.services.studies.masked_rounds import (
    PROGRESS,
    TOTAL,
    Round,
    masked_study_of,
    members_of,
    read_boxes,
    read_round,
    read_total,
)
from secure_api.services.studies.method import Aborted, Progress, Released, Unfinished
from secure_api.services.studies.terms import check_body
from secure_api.services.work import View, Work

_BOX_BYTES: Final = 2_416  # of the longest box in a Sharing, but for its signature
#: What the server tells after a stage, and from which stage on.
TOLD: Final = {
    "participants": MaskedStage.SHARING,
    "delivery": MaskedStage.CONTRIBUTION,
    "survivors": MaskedStage.CONFIRMATION,
    "confirmations": MaskedStage.REVEAL,
}
_TAKE: Final[dict[MaskedStage, Callable[[MaskingServer, bytes], int]]] = {
    MaskedStage.ADVERTISEMENT: MaskingServer.advertise,
    MaskedStage.SHARING: MaskingServer.share,
    MaskedStage.CONTRIBUTION: MaskingServer.collect,
    MaskedStage.CONFIRMATION: MaskingServer.confirm,
    MaskedStage.REVEAL: MaskingServer.reveal,
}


class MaskedStudies:
    """The method masked. Its participants are those whose contributions are in the sum, or who advertised before."""

    shared_result = True

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock

    async def check(self, work: Work, study: Study, invited: Sequence[str]) -> None:
        """Accept terms under which no sum can wrap, of a roster whose keys the invited organizations enrolled.

        Raises:
            Invalid: it is not so, or there is no room for the noise.
        """
        masked = masked_study_of(study)
        members = await members_of(work.session, masked)
        if len({member.client_id for member in members}) < len(members):
            raise Invalid("Two keys on the roster belong to one client.", pointer="/parameters/roster")
        organizations = set((await organizations_named(work.session, invited)).values())
        for member in members:
            if member.organization_id not in organizations:
                raise Invalid(
                    f"The key {member.key.keyid} is of no organization that is invited.", pointer="/parameters/roster"
                )
        check_body(Contribution.most_bytes(masked.terms), work.limits.max_body_bytes, "/dimension")
        signature = max(ALGORITHMS[member.key.algorithm].signature_bytes for member in members)
        check_body(len(members) * (_BOX_BYTES + signature), work.limits.max_body_bytes, "/parameters/roster")

    async def accept(self, work: Work, study: Study, content: bytes, present: int) -> None:
        """Refuse: contributions to a masked study are made in stages.

        Raises:
            Conflict: always.
        """
        raise Conflict("Contributions to a masked study are made in stages: see docs/masked-sums.md.")

    async def participation(self, session: ReadSession | WriteSession, study: Study) -> Participation:
        """Count those in the sum; before there are any, those who advertised keys."""
        contributed = await participation_in(session, study.id, MaskedStage.CONTRIBUTION)
        if contributed.clients or study.state is StudyState.COMPUTING:
            return contributed
        return await participation_in(session, study.id, MaskedStage.ADVERTISEMENT)

    async def progress(self, session: ReadSession | WriteSession, study: Study) -> str | None:
        """Say which messages it waits for, and how many have come."""
        part = await read_state(session, study.id, PROGRESS)
        if not part.content:
            return None
        stage = MaskedProgress.from_bytes(part.content).stage
        return f"{(await participation_in(session, study.id, stage)).clients} clients have sent their {stage.value}"

    async def compute(self, database: Database, study: Study) -> Progress:
        """Go on to the next stage when all were heard, or its time is over; unmask the sum in the end.

        Raises:
            NotReady: the server lacks what that needs.
        """
        now = int(self._clock().timestamp())
        async with database.read() as session:  # most looks find nothing to be done: they lock nobody
            if await _awaits(session, study, now):
                return Unfinished(waiting=True)
        async with database.write() as session:
            await hold_computing(session, study.id)
            part = await read_state(session, study.id, PROGRESS)
            if not part.content:  # everybody who advertised is in, and no one else
                following = MaskedProgress(MaskedStage.SHARING, now)
                await write_state(session, study.id, PROGRESS, following.to_bytes(), 0)
                return Unfinished()
            progress = MaskedProgress.from_bytes(part.content)
            heard = await senders_of(session, study.id, progress.stage)
            threshold = masked_study_of(study).terms.threshold
            if len(heard) < threshold:
                return Aborted(f"{len(heard)} sent their {progress.stage.value}: {threshold} are needed")
            if progress.stage.following is not None:
                following = MaskedProgress(progress.stage.following, now)
                await write_state(session, study.id, PROGRESS, following.to_bytes(), part.version)
                return Unfinished()
        async with database.read() as session:
            found = await _round(session, study)
            await read_boxes(session, study, found, found.state.dropped)
            await read_total(session, study, found)
        return await asyncio.to_thread(_unmask, found, study)

    async def take(self, work: Work, id: str, stage: MaskedStage, content: bytes) -> bool:
        """Take a client's message of a stage; the same bytes again change nothing. Returns whether it was new.

        Raises:
            Forbidden: the caller's role does not contribute, or its key is not on the roster.
            NotFound: there is no masked study that the caller may know of.
            Conflict: it is not the time for this message, or the client sent another one.
            Invalid: the message is malformed, forged, or of another sum.
        """
        work.caller.require(Permission.CONTRIBUTE)
        studies = StudyRepository(work.session, work.caller)
        await _masked(studies, id)
        if not await studies.invited(id):
            raise Forbidden("The organization is not invited to contribute to this study.")
        study = await lock_study(work.session, id)
        messages = StudyMessageRepository(work.session, work.caller)
        digest = hashlib.sha256(content).hexdigest()
        before = await messages.digest(id, stage)
        if before == digest:
            return False
        if before is not None:
            raise Conflict("This client has sent another message of this stage already.")
        # Before the messages are read: those of a study that is over are forgotten, and would be taken for damage.
        self._expect_state(study, stage)
        found = await _round(work.session, study)
        if stage is not found.progress.stage:
            raise Conflict(f"The study waits for messages of the stage {found.progress.stage.value}.")
        index = found.index_of(work.caller.client_id, work.caller.keyids)
        if index is None:
            raise Forbidden("The key that signed is not on the roster of this study.")
        if len(content) > found.server.most_bytes:
            raise PayloadTooLarge(f"A message of this stage has {found.server.most_bytes} bytes at most.")
        if stage is MaskedStage.CONTRIBUTION:
            await read_total(work.session, study, found)
        try:
            sender = await asyncio.to_thread(_TAKE[stage], found.server, content)
        except MaskingOrderError as error:
            raise Conflict(f"The message is not taken: {error}.") from error
        except MaskingError as error:
            raise Invalid(f"The message is refused: {error}.") from error
        if sender != index:
            raise Invalid(f"The message is contributor {sender}'s, and the caller is contributor {index}.")
        if stage is MaskedStage.CONTRIBUTION:
            await write_state(work.session, id, TOTAL, found.sum_bytes(), found.total.version)
            await messages.add(id, stage, digest, b"", work.clock())
            told: dict[str, JsonValue] = {"study": id, "sha256": digest, "bytes": len(content)}
            await work.record("study.contributed", {**told, "keyid": work.caller.keyids[0]})
        else:
            await messages.add(id, stage, digest, content, work.clock())
        return True

    def _expect_state(self, study: Study, stage: MaskedStage) -> None:
        first = stage is MaskedStage.ADVERTISEMENT
        open_ = study.state is StudyState.OPEN and study.terms.deadline > self._clock()
        if (first and not open_) or (not first and study.state is not StudyState.COMPUTING):
            raise Conflict(f"The study is {study.state.value}: it takes no {stage.value} now.")

    async def tell(self, view: View, id: str, name: str) -> bytes:
        """Give what the server tells the calling client after a stage: one of `TOLD`.

        Raises:
            Forbidden: the caller's role does not contribute, or its key is not on the roster.
            NotFound: there is no masked study that the caller may know of.
            Conflict: it is not known yet, or not for this client.
        """
        view.caller.require(Permission.CONTRIBUTE)
        study = await _masked(StudyRepository(view.session, view.caller), id)
        if study.state is not StudyState.COMPUTING:
            raise Conflict(f"The study is {study.state.value}.")
        found = await _round(view.session, study)
        index = found.index_of(view.caller.client_id, view.caller.keyids)
        if index is None:
            raise Forbidden("The key that signed is not on the roster of this study.")
        try:
            match name:
                case "participants":
                    return found.server.participants()
                case "delivery":
                    await read_boxes(view.session, study, found, {index})
                    return found.server.delivery(index)
                case "survivors":
                    return found.server.survivors()
                case _:
                    return found.server.confirmations()
        except MaskingOrderError as error:
            raise Conflict(f"Not yet, or not for this client: {error}.") from error

    async def standing(self, view: View, id: str) -> tuple[StudyState, MaskedStage]:
        """Tell where a masked study is, and the stage that it waits for.

        Raises:
            Forbidden: the caller's role does not read studies.
            NotFound: there is no masked study that the caller may know of.
        """
        view.caller.require(Permission.READ_STUDIES)
        study = await _masked(StudyRepository(view.session, view.caller), id)
        return study.state, MaskedProgress.from_bytes((await read_state(view.session, id, PROGRESS)).content).stage

    async def roster(self, view: View, id: str) -> list[PublicKey]:
        """Give the public keys on the roster of a masked study, in its order.

        Raises:
            Forbidden: the caller's role does not read studies.
            NotFound: there is no masked study that the caller may know of.
        """
        view.caller.require(Permission.READ_STUDIES)
        study = await _masked(StudyRepository(view.session, view.caller), id)
        return [member.key for member in await members_of(view.session, masked_study_of(study))]


async def _awaits(session: ReadSession, study: Study, now: int) -> bool:
    """Tell whether the present stage has time left, and somebody to wait for."""
    content = (await read_state(session, study.id, PROGRESS)).content
    progress = MaskedProgress.from_bytes(content)
    if not content or progress.stage.before is None or now >= progress.since + masked_study_of(study).stage_seconds:
        return False
    awaited = await senders_of(session, study.id, progress.stage.before)
    return awaited != await senders_of(session, study.id, progress.stage)


async def _masked(studies: StudyRepository, id: str) -> Study:
    study = await studies.get(id)
    if study.terms.method is not StudyMethod.MASKED:
        raise NotFound("There is no such masked study.")
    return study


async def _round(session: ReadSession | WriteSession, study: Study) -> Round:
    try:
        return await read_round(session, study)
    except CryptoError as error:
        raise NotReady(f"Masked studies cannot be served at the moment: {error}.") from error


def _unmask(found: Round, study: Study) -> Progress:
    try:
        result = found.server.result()
    except TooFewClients as error:
        return Aborted(str(error))
    except MaskingError as error:
        return Aborted(f"the sum cannot be unmasked: {error}")
    count = len(result.survivors)
    values, bound = found.masked.decode(result.values, count, study.terms.statistic)
    members: dict[str, JsonValue] = {
        "statistic": study.terms.statistic,
        "values": values.tolist(),
        "error_bound": bound,
        "contributors": count,
        "dropped": len(found.state.sharings) - count,
    }
    if found.masked.variance:
        members["noise"] = found.masked.noise(count, study.terms.statistic)
    return Released(strict_json.dumps(members), "application/json")
