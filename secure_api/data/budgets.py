"""Queries on privacy budgets of datasets."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from secure_api.data.models import BudgetRow, DatasetRow, SpendingRow, StudyRow
from secure_api.data.scoping import ScopedRepository, across_organizations


@dataclass(frozen=True, slots=True)
class Budget:
    """How much privacy the studies of a dataset may cost together; none may declare a smaller sensitivity."""

    epsilon: float
    delta: float
    sensitivity: float | None = None


@dataclass(frozen=True, slots=True)
class Spending:
    """What one study costs, in rho."""

    study_id: str
    name: str
    state: str
    rho: float
    returned: bool


class BudgetRepository(ScopedRepository):
    """The budgets of the caller's organization."""

    async def hold(self, dataset_id: str) -> None:
        """Let one transaction after the other look at a dataset's budget, and spend of it."""
        await self._session.scalar(self.select_own(DatasetRow).where(DatasetRow.id == dataset_id).with_for_update())

    async def find(self, dataset_id: str) -> Budget | None:
        """Find the budget of a dataset."""
        row = await self._session.scalar(self.select_own(BudgetRow).where(BudgetRow.dataset_id == dataset_id))
        return None if row is None else Budget(row.epsilon, row.delta, row.sensitivity)

    async def put(self, dataset_id: str, budget: Budget, now: datetime) -> None:
        """Set the budget of a dataset, which the caller holds."""
        row = await self._session.scalar(self.select_own(BudgetRow).where(BudgetRow.dataset_id == dataset_id))
        if row is None:
            row = BudgetRow(dataset_id=dataset_id, organization_id=self._caller.organization_id)
            self._session.add(row)
        row.epsilon, row.delta, row.sensitivity, row.changed = budget.epsilon, budget.delta, budget.sensitivity, now
        await self._session.flush()

    async def spendings(self, dataset_id: str) -> list[Spending]:
        """List what studies cost of a dataset's budget, the oldest first."""
        statement = (
            self.select_own_columns(
                SpendingRow, SpendingRow.study_id, StudyRow.name, StudyRow.state, SpendingRow.rho, SpendingRow.returned
            )
            .join(StudyRow, StudyRow.id == SpendingRow.study_id)
            .where(SpendingRow.dataset_id == dataset_id)
            .order_by(StudyRow.created, StudyRow.id)
        )
        return [Spending(*row) for row in await self._session.execute(statement)]

    async def spend(self, dataset_id: str, study_id: str, rho: float) -> None:
        """Write down what a study costs of a dataset's budget, which the caller holds."""
        self._session.add(
            SpendingRow(
                study_id=study_id,
                dataset_id=dataset_id,
                organization_id=self._caller.organization_id,
                rho=rho,
                returned=False,
            )
        )
        await self._session.flush()


@across_organizations("of a study that the caller may change, or that the server carries on")
async def return_spending(session: AsyncSession, study_id: str) -> bool:
    """Give back what a study was to cost, for it ended before anything was computed; tells whether it was any."""
    if await session.scalar(select(SpendingRow.study_id).where(SpendingRow.study_id == study_id)) is None:
        return False
    await session.execute(update(SpendingRow).where(SpendingRow.study_id == study_id).values(returned=True))
    return True
