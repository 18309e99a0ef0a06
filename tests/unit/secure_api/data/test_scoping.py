"""The scope of a query: the caller's organization, or a reason."""

from __future__ import annotations

import pytest

from secure_api.data.models import RecordRow
from secure_api.data.records import RecordRepository
from secure_api.data.scoping import across_organizations
from secure_api.domain.caller import Caller
from secure_api.domain.roles import Role


def test_a_reason_must_be_given() -> None:
    for reason in ("", "  ", "\n"):
        with pytest.raises(TypeError, match="needs a reason"):
            across_organizations(reason)


def test_a_reason_changes_nothing_else() -> None:
    def query() -> int:
        return 7

    assert across_organizations("for a test")(query) is query


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("operator", [False, True])
def test_every_scoped_statement_names_the_callers_organization(role: Role, operator: bool) -> None:
    caller = Caller("client", "organization-of-the-caller", "alpha", role, operator, ())
    repository = RecordRepository(None, caller)  # type: ignore[arg-type]  # building a statement needs no session
    for statement in (
        repository.select_own(RecordRow),
        repository.select_own_columns(RecordRow, RecordRow.id, RecordRow.attributes),
    ):
        compiled = statement.compile(compile_kwargs={"literal_binds": True})
        assert "WHERE records.organization_id = 'organization-of-the-caller'" in str(compiled)
