"""Studies, whom they invite, and what is kept for them."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from secure_api.data.models.model import Model


class StudyRow(Model):
    """One study. `terms` is JSON; `lease` (POSIX seconds) keeps two workers from computing the same one."""

    __tablename__ = "studies"
    __table_args__ = (Index("ix_studies_state_deadline", "state", "deadline"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), index=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.id"))
    name: Mapped[str] = mapped_column(String(63))
    method: Mapped[str] = mapped_column(String(16))
    terms: Mapped[str] = mapped_column(Text)
    deadline: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Text)
    created: Mapped[datetime]
    closed: Mapped[datetime | None]
    ended: Mapped[datetime | None]
    lease: Mapped[int] = mapped_column(BigInteger, default=0)


class StudyInvitationRow(Model):
    """An organization whose clients may contribute to a study."""

    __tablename__ = "study_invitations"

    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id"), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), primary_key=True, index=True)


class StudyContributionRow(Model):
    """What a client contributed; `content` is emptied once it is taken into the study's state."""

    __tablename__ = "study_contributions"
    __table_args__ = (Index("ix_study_contributions_study_id_taken", "study_id", "taken"),)

    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id"), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.id"), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    digest: Mapped[str] = mapped_column(String(64))
    keyid: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    taken: Mapped[bool] = mapped_column(default=False)
    time: Mapped[datetime]


class StudyMessageRow(Model):
    """A message of a method that has rounds: of one client (or, with an empty name, of the server), in one stage."""

    __tablename__ = "study_messages"

    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id"), primary_key=True)
    stage: Mapped[str] = mapped_column(String(32), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    time: Mapped[datetime]


class StudyStateRow(Model):
    """A part of a study's state, by name: a checkpoint, the result. `version` counts its changes."""

    __tablename__ = "study_states"

    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    version: Mapped[int] = mapped_column(BigInteger)


class ContextRow(Model):
    """A public context for homomorphic encryption; `facts` is JSON, told by a process of its own that parsed it."""

    __tablename__ = "contexts"

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    facts: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime]
