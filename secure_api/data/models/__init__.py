"""The tables, one a file. Importing this package fills `Model.metadata`."""

from secure_api.data.models.alert import AlertRow, RestrictionRow
from secure_api.data.models.budget import BudgetRow, SpendingRow
from secure_api.data.models.client import ClientRow
from secure_api.data.models.dataset import DatasetRow
from secure_api.data.models.enrollment_token import EnrollmentTokenRow
from secure_api.data.models.key import KeyRow
from secure_api.data.models.ledger_entry import LedgerEntryRow
from secure_api.data.models.ledger_head import LedgerHeadRow
from secure_api.data.models.model import Model
from secure_api.data.models.nonce import NonceRow
from secure_api.data.models.organization import OrganizationRow
from secure_api.data.models.record import RecordRow
from secure_api.data.models.sealing_key import SealingKeyRow
from secure_api.data.models.session import SessionRow
from secure_api.data.models.study import (
    ContextRow,
    StudyContributionRow,
    StudyInvitationRow,
    StudyMessageRow,
    StudyRow,
    StudyStateRow,
)

__all__ = [
    "AlertRow",
    "BudgetRow",
    "ClientRow",
    "ContextRow",
    "DatasetRow",
    "EnrollmentTokenRow",
    "KeyRow",
    "LedgerEntryRow",
    "LedgerHeadRow",
    "Model",
    "NonceRow",
    "OrganizationRow",
    "RecordRow",
    "RestrictionRow",
    "SealingKeyRow",
    "SessionRow",
    "SpendingRow",
    "StudyContributionRow",
    "StudyInvitationRow",
    "StudyMessageRow",
    "StudyRow",
    "StudyStateRow",
]
