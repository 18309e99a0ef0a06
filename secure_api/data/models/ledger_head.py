"""Signed ledger heads."""

from datetime import datetime

from sqlalchemy import BigInteger, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from secure_api.data.models.model import Model


class LedgerHeadRow(Model):
    """The server's signature over the chain's newest hash at one moment."""

    __tablename__ = "ledger_heads"

    sequence: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    hash: Mapped[str] = mapped_column(String(64))
    time: Mapped[datetime]
    keyid: Mapped[str] = mapped_column(String(43))
    signature: Mapped[bytes] = mapped_column(LargeBinary)
