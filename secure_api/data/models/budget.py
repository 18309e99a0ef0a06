"""Privacy budgets of datasets, and what studies spend of them."""

from datetime import datetime

from sqlalchemy import Double, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from secure_api.data.models.model import Model


class BudgetRow(Model):
    """How much privacy the studies of a dataset may cost together."""

    __tablename__ = "dataset_budgets"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    epsilon: Mapped[float] = mapped_column(Double)
    delta: Mapped[float] = mapped_column(Double)
    sensitivity: Mapped[float | None] = mapped_column(Double)
    changed: Mapped[datetime]


class SpendingRow(Model):
    """What one study costs, in rho; `returned` when it ended before anything could be learned from it."""

    __tablename__ = "budget_spendings"

    study_id: Mapped[str] = mapped_column(String(36), ForeignKey("studies.id"), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), index=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    rho: Mapped[float] = mapped_column(Double)
    returned: Mapped[bool] = mapped_column(default=False)
