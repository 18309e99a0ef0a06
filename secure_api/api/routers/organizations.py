"""Organizations and enrollment tokens."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from secure_api.api.dependencies import ViewDependency, WorkDependency
from secure_api.api.json_route import JsonRoute
from secure_api.api.wire import Instant, Name, Wire
from secure_api.domain.roles import Role
from secure_api.services import organizations as service

DAY = 86_400  # seconds

router = APIRouter(prefix="/v1", route_class=JsonRoute, tags=["organizations"])


class OrganizationIn(Wire):
    """An organization to create."""

    name: Name


class OrganizationOut(Wire):
    """An organization."""

    id: str
    name: str
    created: Instant


class OrganizationsOut(Wire):
    """The organizations of the consortium."""

    organizations: list[OrganizationOut]


class TokenIn(Wire):
    """An enrollment token to issue."""

    organization: Name
    role: Role
    expires_in: Annotated[
        int, Field(strict=True, ge=60, le=30 * DAY, description="Seconds that the token can be spent.")
    ] = DAY


class TokenOut(Wire):
    """An enrollment token; shown this once."""

    id: str
    token: str
    organization: str
    role: Role
    expires: Instant


@router.post("/organizations", status_code=201)
async def create_organization(work: WorkDependency, organization: OrganizationIn) -> OrganizationOut:
    """Create an organization (the operator's admins)."""
    created = await service.create_organization(work, organization.name)
    return OrganizationOut(id=created.id, name=created.name, created=created.created)


@router.get("/organizations")
async def list_organizations(view: ViewDependency) -> OrganizationsOut:
    """List the organizations (the operator's admins)."""
    return OrganizationsOut(
        organizations=[
            OrganizationOut(id=item.id, name=item.name, created=item.created)
            for item in await service.list_organizations(view)
        ]
    )


@router.post("/tokens", status_code=201)
async def issue_token(work: WorkDependency, token: TokenIn) -> TokenOut:
    """Issue a one-time enrollment token (admins; of another organization: the operator's)."""
    issued = await service.issue_token(work, token.organization, token.role, timedelta(seconds=token.expires_in))
    return TokenOut(
        id=issued.id,
        token=issued.token,
        organization=issued.organization,
        role=issued.role,
        expires=issued.expires,
    )
