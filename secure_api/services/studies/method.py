"""What a study leaves to its method: which terms make sense, which contributions may be stored, how it computes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from secure_api.data.contributions import participation
from secure_api.data.database import Database, ReadSession, WriteSession
from secure_api.domain.studies import Participation, Study, StudyMethod
from secure_api.services.work import Work


@dataclass(frozen=True, slots=True)
class Released:
    """A study's result: what its route answers with, and of which media type."""

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Aborted:
    """A study that cannot be carried on, and why: one sentence for everybody who takes part."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A study that goes on later. `waiting`: not before somebody does something, so look again after a while."""

    waiting: bool = False


Progress: TypeAlias = Released | Aborted | Unfinished


class StudyMethodService(Protocol):
    """One method. It holds nothing of a study in memory between two calls: any worker may be asked next."""

    #: Whether clients of the invited organizations may read the result, or the creator's organization alone.
    shared_result: bool

    async def check(self, work: Work, study: Study, invited: Sequence[str]) -> None:
        """Accept the terms of a study that is about to be created and invites these organizations (names).

        Raises:
            Invalid: the statistic, the parameters, or numbers that could overflow.
            NotFound: something that the parameters name is not there.
        """

    async def accept(self, work: Work, study: Study, content: bytes, present: int) -> None:
        """Accept the bytes of a contribution to an open study before they are stored; parses nothing natively.

        `present` clients have contributed before.

        Raises:
            Invalid: they are none that this study can add.
            Conflict: contributions to this study are not made in this way.
        """

    async def participation(self, session: ReadSession | WriteSession, study: Study) -> Participation:
        """Count who takes part, when a study closes and when it releases its result."""

    async def progress(self, session: ReadSession | WriteSession, study: Study) -> str | None:
        """Say how far a study that is computing has come, and what it waits for: for everybody who may know of it."""

    async def compute(self, database: Database, study: Study) -> Progress:
        """Do the next piece of work of a study that is computing; whatever is to last is in the database by then.

        It may be killed at any moment, and is then called again, perhaps in another process. One worker at a time.

        Raises:
            DomainError: it could not be done now; it is tried again.
        """


Methods: TypeAlias = Mapping[StudyMethod, StudyMethodService]


class ContributedMethod:
    """A method whose participants are those who contributed before the study closed."""

    shared_result = True

    async def participation(self, session: ReadSession | WriteSession, study: Study) -> Participation:
        """Count the contributions."""
        return await participation(session, study.id)

    async def progress(self, session: ReadSession | WriteSession, study: Study) -> str | None:
        """Say nothing."""
        return None
