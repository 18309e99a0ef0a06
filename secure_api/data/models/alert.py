"""Alerts of behavior analysis, and what is done about whom they name."""

from datetime import datetime

from sqlalchemy import BigInteger, Double, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from secure_api.data.models.model import Model


class AlertRow(Model):
    """One alert. `key` is a client's id, or the pseudonym of a network or route; `reasons` and `routes` are JSON."""

    __tablename__ = "alerts"
    __table_args__ = (
        UniqueConstraint("id"),
        Index("ix_alerts_organization_id_subject_sequence", "organization_id", "subject", "sequence"),
        Index("ix_alerts_key", "key"),
        Index("ix_alerts_labeled", "labeled"),
        {"sqlite_autoincrement": True},
    )

    sequence: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    id: Mapped[str] = mapped_column(String(36))
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    subject: Mapped[str] = mapped_column(String(8))
    key: Mapped[str] = mapped_column(String(36))
    opened: Mapped[datetime]
    last: Mapped[datetime]
    seen: Mapped[int] = mapped_column(BigInteger)
    requests: Mapped[int] = mapped_column(BigInteger)
    folded: Mapped[int] = mapped_column(BigInteger)
    rank: Mapped[float] = mapped_column(Double)
    rule: Mapped[str | None] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(16))
    reasons: Mapped[str] = mapped_column(Text)
    routes: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    label: Mapped[str | None] = mapped_column(String(32))
    note: Mapped[str | None] = mapped_column(String(500))
    labeled: Mapped[datetime | None]
    labeled_by: Mapped[str | None] = mapped_column(String(36))
    relabeled: Mapped[int] = mapped_column(BigInteger)


class RestrictionRow(Model):
    """What every worker does about a client or a network until a time (POSIX seconds)."""

    __tablename__ = "restrictions"

    subject: Mapped[str] = mapped_column(String(8), primary_key=True)
    key: Mapped[str] = mapped_column(String(36), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    action: Mapped[str] = mapped_column(String(16))
    until: Mapped[int] = mapped_column(BigInteger, index=True)
    alert_id: Mapped[str] = mapped_column(String(36))
