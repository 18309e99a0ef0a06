"""Ledger entries."""

from datetime import datetime

from sqlalchemy import BigInteger, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from secure_api.data.models.model import Model


class LedgerEntryRow(Model):
    """One entry of the hash chain. Rows are only ever inserted."""

    __tablename__ = "ledger_entries"

    sequence: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    previous_hash: Mapped[str] = mapped_column(String(64))
    time: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(63))
    organization_id: Mapped[str | None] = mapped_column(String(36), index=True)
    actor: Mapped[str | None] = mapped_column(String(36))
    payload: Mapped[str] = mapped_column(Text)  # RFC 8785 canonical JSON
    hash: Mapped[str] = mapped_column(String(64))
