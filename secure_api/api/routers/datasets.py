"""Datasets."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from secure_api.api.dependencies import ViewDependency, WorkDependency
from secure_api.api.json_route import JsonRoute
from secure_api.api.wire import NAME_PATTERN, Instant, Name, Wire
from secure_api.data.budgets import Budget
from secure_api.services import budgets
from secure_api.services import datasets as service

router = APIRouter(prefix="/v1", route_class=JsonRoute, tags=["datasets"])


class DatasetIn(Wire):
    """A dataset to create."""

    name: Name


class DatasetOut(Wire):
    """A dataset."""

    name: str
    created: Instant


class DatasetsOut(Wire):
    """The datasets of the caller's organization."""

    datasets: list[DatasetOut]


Above = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]


class BudgetIn(Wire):
    """What the studies of a dataset may cost together, an epsilon at a delta; the least sensitivity of each."""

    epsilon: Annotated[Above, Field(le=1_000)]
    delta: Annotated[Above, Field(le=1e-3)]
    sensitivity: Above | None = None


class SpendingOut(Wire):
    """What one study costs, in rho; `returned` when it ended before anything was computed."""

    study: str
    name: str
    state: str
    rho: float
    returned: bool


class BudgetOut(BudgetIn):
    """A budget, and what is spent of it: an epsilon at the budget's delta."""

    spent: float
    studies: list[SpendingOut]


DatasetName = Annotated[str, Path(pattern=NAME_PATTERN, description="The dataset's name.")]


@router.put("/datasets/{name}/budget")
async def set_budget(work: WorkDependency, name: DatasetName, budget: BudgetIn) -> BudgetOut:
    """Set the privacy budget of a dataset of the caller's organization; its studies declare privacy from then on."""
    return _budget(await budgets.set_budget(work, name, Budget(budget.epsilon, budget.delta, budget.sensitivity)))


@router.get("/datasets/{name}/budget")
async def get_budget(view: ViewDependency, name: DatasetName) -> BudgetOut:
    """Look at a dataset's privacy budget: what it is, what is spent, by which studies."""
    return _budget(await budgets.budget_of(view, name))


@router.post("/datasets", status_code=201)
async def create_dataset(work: WorkDependency, dataset: DatasetIn) -> DatasetOut:
    """Create a dataset of the caller's organization."""
    created = await service.create_dataset(work, dataset.name)
    return DatasetOut(name=created.name, created=created.created)


@router.get("/datasets")
async def list_datasets(view: ViewDependency) -> DatasetsOut:
    """List the datasets of the caller's organization by name."""
    return DatasetsOut(
        datasets=[DatasetOut(name=item.name, created=item.created) for item in await service.list_datasets(view)]
    )


def _budget(found: budgets.BudgetView) -> BudgetOut:
    return BudgetOut(
        epsilon=found.budget.epsilon,
        delta=found.budget.delta,
        sensitivity=found.budget.sensitivity,
        spent=found.spent,
        studies=[
            SpendingOut(study=one.study_id, name=one.name, state=one.state, rho=one.rho, returned=one.returned)
            for one in found.spendings
        ],
    )
