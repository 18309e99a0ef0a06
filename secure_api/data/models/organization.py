"""Organizations: the tenants of the consortium."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from secure_api.data.models.model import Model


class OrganizationRow(Model):
    """One organization. Exactly one is the operator's."""

    __tablename__ = "organizations"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(63), unique=True)
    operator: Mapped[bool] = mapped_column(default=False)
    created: Mapped[datetime]
