"""The authenticated caller of a request."""

from dataclasses import dataclass

from secure_api.domain.errors import Forbidden
from secure_api.domain.roles import GRANTS, OPERATOR_ONLY, Permission, Role


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed the request: a client, its organization and role, and the keys that signed.

    `operator` is true for clients of the organization that runs the server: their admins may act for any
    organization, their admins and auditors may read the whole ledger. It never opens another organization's records.
    """

    client_id: str
    organization_id: str
    organization: str
    role: Role
    operator: bool
    keyids: tuple[str, ...]

    def may(self, permission: Permission) -> bool:
        """Tell whether the caller's role grants `permission`."""
        if permission in OPERATOR_ONLY and not self.operator:
            return False
        return permission in GRANTS[self.role]

    def require(self, permission: Permission) -> None:
        """Demand `permission`.

        Raises:
            Forbidden: the role does not grant it.
        """
        if not self.may(permission):
            raise Forbidden(f"The role {self.role.value} does not grant {permission.value} here.")
