"""Organizations and the tokens that let clients in."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from secure_api.data.organizations import Organization, OrganizationRepository
from secure_api.data.tokens import TokenRepository
from secure_api.domain.errors import Forbidden, NotFound
from secure_api.domain.identifier import new_identifier
from secure_api.domain.roles import Permission, Role
from secure_api.services.work import View, Work

#: Begins every token, so that secret scanners can find one that leaked.
TOKEN_PREFIX = "sat_"  # noqa: S105 - a public prefix


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token as its issuer sees it, once."""

    id: str
    token: str
    organization: str
    role: Role
    expires: datetime


def token_digest(token: str) -> str:
    """Give the SHA-256 (hexadecimal) by which a token is kept: 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


async def create_organization(work: Work, name: str) -> Organization:
    """Create an organization.

    Raises:
        Forbidden: the caller is not an admin of the operator's organization.
        Conflict: the name is taken.
    """
    work.caller.require(Permission.MANAGE_ORGANIZATIONS)
    organization = Organization(new_identifier(), name, operator=False, created=work.clock())
    # The entry comes first: appending waits for every other writer, so that no name like this one slips in between.
    await work.record("organization.created", {"organization": organization.id, "name": name})
    await OrganizationRepository(work.session).add(organization)
    return organization


async def list_organizations(view: View) -> list[Organization]:
    """List the organizations by name.

    Raises:
        Forbidden: the caller is not an admin of the operator's organization.
    """
    view.caller.require(Permission.MANAGE_ORGANIZATIONS)
    return await OrganizationRepository(view.session).all()


async def issue_token(work: Work, organization_name: str, role: Role, lifetime: timedelta) -> IssuedToken:
    """Issue a one-time enrollment token: for any organization by the operator's admins, else for one's own.

    Raises:
        Forbidden: the caller may not issue tokens for that organization.
        NotFound: there is no such organization (told to the operator's admins only).
    """
    caller = work.caller
    caller.require(Permission.ISSUE_TOKENS)
    if organization_name != caller.organization and not caller.operator:
        raise Forbidden("Tokens of another organization are issued by the operator.")
    organization = await OrganizationRepository(work.session).by_name(organization_name)
    if organization is None:
        raise NotFound(f"There is no organization named {organization_name}.")
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    now = work.clock()
    issued = IssuedToken(new_identifier(), token, organization.name, role, now + lifetime)
    await TokenRepository(work.session).add(
        id=issued.id,
        organization_id=organization.id,
        role=role,
        digest=token_digest(token),
        expires=issued.expires,
        created=now,
    )
    await work.record("token.issued", {"token": issued.id, "organization": organization.id, "role": role.value})
    return issued
