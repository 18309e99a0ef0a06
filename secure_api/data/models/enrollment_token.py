"""One-time enrollment tokens."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from secure_api.data.models.model import Model


class EnrollmentTokenRow(Model):
    """A token's SHA-256 (the token itself is never stored), what it grants, and whether it is spent."""

    __tablename__ = "enrollment_tokens"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"), index=True)
    role: Mapped[str] = mapped_column(String(16))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    expires: Mapped[datetime]
    used: Mapped[datetime | None]
    created: Mapped[datetime]
