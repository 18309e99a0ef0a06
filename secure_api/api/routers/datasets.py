"""Datasets."""

from fastapi import APIRouter

from secure_api.api.dependencies import ViewDependency, WorkDependency
from secure_api.api.json_route import JsonRoute
from secure_api.api.wire import Instant, Name, Wire
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
