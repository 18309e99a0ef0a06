"""What each role may do. This table is the only place that decides it.

A role grants permissions *inside the caller's own organization*; the few that reach across organizations ask for the
operator's organization as well (see `OPERATOR_ONLY`).
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """Role of a client within its organization."""

    ADMIN = "admin"
    CONTRIBUTOR = "contributor"
    ANALYST = "analyst"
    AUDITOR = "auditor"


class Permission(StrEnum):
    """One thing that a route may demand of its caller."""

    MANAGE_ORGANIZATIONS = "organizations:manage"
    ISSUE_TOKENS = "tokens:issue"
    MANAGE_CLIENTS = "clients:manage"
    CREATE_DATASETS = "datasets:create"
    READ_DATASETS = "datasets:read"
    APPEND_RECORDS = "records:append"
    READ_RECORDS = "records:read"
    READ_LEDGER = "ledger:read"
    SET_BUDGETS = "budgets:set"
    CREATE_STUDIES = "studies:create"
    READ_STUDIES = "studies:read"
    CONTRIBUTE = "studies:contribute"
    READ_ALERTS = "alerts:read"
    LABEL_ALERTS = "alerts:label"


GRANTS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.ADMIN: frozenset(Permission),
        Role.CONTRIBUTOR: frozenset(
            {
                Permission.CREATE_DATASETS,
                Permission.READ_DATASETS,
                Permission.APPEND_RECORDS,
                Permission.READ_RECORDS,
                Permission.READ_STUDIES,
                Permission.CONTRIBUTE,
            }
        ),
        Role.ANALYST: frozenset(
            {
                Permission.READ_DATASETS,
                Permission.READ_RECORDS,
                Permission.CREATE_STUDIES,
                Permission.READ_STUDIES,
            }
        ),
        Role.AUDITOR: frozenset(
            {Permission.READ_DATASETS, Permission.READ_LEDGER, Permission.READ_STUDIES, Permission.READ_ALERTS}
        ),
    }
)

#: Permissions that count only in the operator's organization, whatever the role.
OPERATOR_ONLY: frozenset[Permission] = frozenset({Permission.MANAGE_ORGANIZATIONS})
