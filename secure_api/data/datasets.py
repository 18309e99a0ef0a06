"""Queries on datasets."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from secure_api.data.models import DatasetRow
from secure_api.data.scoping import ScopedRepository
from secure_api.domain.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset."""

    id: str
    name: str
    created: datetime


class DatasetRepository(ScopedRepository):
    """The datasets of the caller's organization."""

    async def add(self, dataset: Dataset) -> None:
        """Insert a dataset.

        Raises:
            Conflict: the organization has one of that name.
        """
        try:
            async with self._session.begin_nested():
                self._session.add(
                    DatasetRow(
                        id=dataset.id,
                        organization_id=self._caller.organization_id,
                        name=dataset.name,
                        created=dataset.created,
                    )
                )
        except IntegrityError as error:
            raise Conflict(f"A dataset named {dataset.name} exists already.") from error

    async def get(self, name: str) -> Dataset:
        """Find a dataset.

        Raises:
            NotFound: the organization has none of that name; another organization's counts as none.
        """
        row = await self._session.scalar(self.select_own(DatasetRow).where(DatasetRow.name == name))
        if row is None:
            raise NotFound(f"There is no dataset named {name}.")
        return Dataset(row.id, row.name, row.created)

    async def all(self) -> list[Dataset]:
        """List the datasets by name."""
        rows = await self._session.scalars(self.select_own(DatasetRow).order_by(DatasetRow.name))
        return [Dataset(row.id, row.name, row.created) for row in rows]
