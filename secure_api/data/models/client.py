"""Clients: enrolled key holders."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from secure_api.data.models.model import Model


class ClientRow(Model):
    """One client of an organization, with its role."""

    __tablename__ = "clients"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), index=True)
    name: Mapped[str | None] = mapped_column(String(63))
    role: Mapped[str] = mapped_column(String(16))
    created: Mapped[datetime]
