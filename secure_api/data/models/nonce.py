"""Nonces that were spent."""

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from secure_api.data.models.model import Model


class NonceRow(Model):
    """One spent nonce. The primary key is what makes spending atomic."""

    __tablename__ = "nonces"
    __table_args__ = ({"sqlite_with_rowid": False},)

    keyid: Mapped[str] = mapped_column(String(43), primary_key=True)
    nonce: Mapped[str] = mapped_column(String(128), primary_key=True)
    expires: Mapped[int] = mapped_column(BigInteger, index=True)  # POSIX seconds, clock skew included
