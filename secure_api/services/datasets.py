"""Datasets."""

from secure_api.data.datasets import Dataset, DatasetRepository
from secure_api.domain.identifier import new_identifier
from secure_api.domain.roles import Permission
from secure_api.services.work import View, Work


async def create_dataset(work: Work, name: str) -> Dataset:
    """Create a dataset of the caller's organization.

    Raises:
        Forbidden: the caller's role does not create datasets.
        Conflict: the organization has one of that name.
    """
    work.caller.require(Permission.CREATE_DATASETS)
    dataset = Dataset(id=new_identifier(), name=name, created=work.clock())
    await DatasetRepository(work.session, work.caller).add(dataset)
    await work.record("dataset.created", {"dataset": dataset.id, "name": name})
    return dataset


async def list_datasets(view: View) -> list[Dataset]:
    """List the datasets of the caller's organization by name.

    Raises:
        Forbidden: the caller's role does not read datasets.
    """
    view.caller.require(Permission.READ_DATASETS)
    return await DatasetRepository(view.session, view.caller).all()
