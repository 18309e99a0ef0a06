"""One masked sum as the database has it: the library's server, put together from stored messages."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from crypto import CryptoError, MaskingServer, MaskingServerStage, PublicKey, SignatureAlgorithm
from crypto.masking.arrays import WORD
from crypto.masking.boxes import Sharing
from crypto.masking.messages import Advertisement, Confirmation, Reveal
from crypto.masking.parameters import MaskedStudy
from crypto.masking.roster import MaskingRoster
from crypto.masking.server_state import ServerState
from secure_api.data.database import ReadSession, WriteSession
from secure_api.data.keys import find_owners
from secure_api.data.study_messages import messages_of, senders_of
from secure_api.data.study_states import StatePart, read_state
from secure_api.domain.errors import Invalid
from secure_api.domain.masked_stages import MaskedProgress, MaskedStage
from secure_api.domain.studies import Study
from secure_api.services.studies.privacy import privacy_terms

PROGRESS: Final = "progress"
TOTAL: Final = "total"
SENDERS: Final = 8  # whose boxes are in memory at once
_STAGES: Final = dict(zip(MaskedStage, MaskingServerStage, strict=True))
Session = ReadSession | WriteSession


def masked_study_of(study: Study) -> MaskedStudy:
    """Read the parameters of a masked study.

    Raises:
        Invalid: they make no sense.
    """
    terms = study.terms
    try:
        return MaskedStudy.parse(
            study.id,
            terms.dimension,
            terms.bounds.low,
            terms.bounds.high,
            terms.minimum_contributors,
            terms.parameters,
            privacy_terms(terms),
        )
    except CryptoError as error:
        raise Invalid(f"The parameters make no sense: {error}.", pointer="/parameters") from error


@dataclass(frozen=True, slots=True)
class Member:
    """A contributor on the roster: its index, its key, and the client that the key belongs to."""

    index: int
    key: PublicKey
    client_id: str
    organization_id: str


async def members_of(session: Session, masked: MaskedStudy) -> list[Member]:
    """Find the contributors on the roster.

    Raises:
        Invalid: a key was never enrolled.
    """
    owners = await find_owners(session, masked.roster)
    if missing := [keyid for keyid in masked.roster if keyid not in owners]:
        raise Invalid(f"There is no key {missing[0]}.", pointer="/parameters/roster")
    members = []
    for index, keyid in enumerate(masked.roster, 1):
        owner = owners[keyid]
        key = PublicKey(SignatureAlgorithm(owner.algorithm), owner.public_key)
        members.append(Member(index, key, owner.client_id, owner.organization_id))
    return members


@dataclass(slots=True)
class Round:
    """A masked sum as it stands. `total` is the sum so far, to be replaced by whoever adds to it."""

    masked: MaskedStudy
    members: list[Member]
    progress: MaskedProgress
    total: StatePart
    server: MaskingServer
    state: ServerState

    def index_of(self, client_id: str, keyids: tuple[str, ...]) -> int | None:
        """Tell which contributor a client is, who signed with these keys; None when it is not on the roster."""
        for member in self.members:
            if member.client_id == client_id and member.key.keyid in keyids:
                return member.index
        return None

    def sum_bytes(self) -> bytes:
        """Give the sum so far, to be stored."""
        return b"" if self.state.total is None else self.state.total.tobytes()


async def read_round(session: Session, study: Study) -> Round:
    """Put a masked sum together, without boxes and without the sum: few steps take these, and they are long.

    Raises:
        Invalid: the parameters make no sense. LibraryMissing: numpy is not installed.
    """
    masked = masked_study_of(study)
    members = await members_of(session, masked)
    index = {member.client_id: member.index for member in members}
    progress = MaskedProgress.from_bytes((await read_state(session, study.id, PROGRESS)).content)
    terms, stage = masked.terms, progress.stage
    state = ServerState(terms, _STAGES[stage])
    for content in (await messages_of(session, study.id, MaskedStage.ADVERTISEMENT)).values():
        advertised = Advertisement.decode(content, terms)
        state.advertised[advertised.index] = advertised
    if stage is not MaskedStage.ADVERTISEMENT:
        for client_id in await senders_of(session, study.id, MaskedStage.SHARING):
            state.sharings[index[client_id]] = Sharing(index[client_id], ())
        contributed = await senders_of(session, study.id, MaskedStage.CONTRIBUTION)
        state.contributed = {index[client_id] for client_id in contributed}
        for content in (await messages_of(session, study.id, MaskedStage.CONFIRMATION)).values():
            confirmed = Confirmation.decode(content, terms)
            state.confirmations[confirmed.index] = confirmed
        for content in (await messages_of(session, study.id, MaskedStage.REVEAL)).values():
            revealed = Reveal.decode(content, terms)
            state.reveals[revealed.index] = revealed
    roster: MaskingRoster = masked.roster_of([member.key for member in members])
    return Round(masked, members, progress, StatePart(b"", 0), MaskingServer(state, roster), state)


async def read_boxes(session: Session, study: Study, found: Round, recipients: Collection[int]) -> None:
    """Read the boxes for some clients, a few senders at a time: all of them are about n * n times 5 KB."""
    clients = {member.index: member.client_id for member in found.members}
    senders = sorted(found.state.sharings)
    for start in range(0, len(senders), SENDERS):
        chosen = [clients[index] for index in senders[start : start + SENDERS]]
        for content in (await messages_of(session, study.id, MaskedStage.SHARING, chosen)).values():
            shared = Sharing.decode(content, found.masked.terms)
            boxes = tuple(box for box in shared.boxes if box.recipient in recipients)
            found.state.sharings[shared.sender] = Sharing(shared.sender, boxes)


async def read_total(session: Session, study: Study, found: Round) -> None:
    """Read the sum so far."""
    found.total = await read_state(session, study.id, TOTAL)
    found.state.total = _total(found.total.content)


def _total(content: bytes):  # type: ignore[no-untyped-def]  # an array of uint32, or None
    import numpy

    return numpy.frombuffer(content, WORD).copy() if content else None
