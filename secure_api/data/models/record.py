"""Records."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from secure_api.data.models.model import Model


class RecordRow(Model):
    """One time-stamped entry of a dataset.

    `attributes` is JSON text as the gate accepted it, not JSONB: JSONB turns 1e22 into an integer and drops the sign
    of -0.0, and what was accepted must come back unchanged.
    """

    __tablename__ = "records"
    __table_args__ = (
        Index("ix_records_dataset_id_time_id", "dataset_id", "time", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"))
    ledger_sequence: Mapped[int] = mapped_column(BigInteger, index=True)
    time: Mapped[datetime]
    attributes: Mapped[str] = mapped_column(Text)
    client_id: Mapped[str] = mapped_column(String(36))
