"""Public keys of clients."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from secure_api.data.models.model import Model


class KeyRow(Model):
    """One public key. Keys enrolled together share a `key_set` and must sign together (hybrid)."""

    __tablename__ = "keys"

    keyid: Mapped[str] = mapped_column(String(43), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), index=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.id"), index=True)
    key_set: Mapped[str] = mapped_column(String(36), index=True)
    algorithm: Mapped[str] = mapped_column(String(16))
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[str] = mapped_column(String(8))  # active, rotated, revoked
    created: Mapped[datetime]
    ended: Mapped[datetime | None]
