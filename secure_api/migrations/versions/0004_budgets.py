"""Privacy budgets of datasets.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "dataset_budgets",
        sa.Column("dataset_id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("epsilon", sa.Double(), nullable=False),
        sa.Column("delta", sa.Double(), nullable=False),
        sa.Column("sensitivity", sa.Double(), nullable=True),
        sa.Column("changed", sa.DateTime(timezone=True), nullable=False),
        _reference("dataset_budgets", "dataset_id", "datasets.id"),
        _reference("dataset_budgets", "organization_id", "organizations.id"),
        sa.PrimaryKeyConstraint("dataset_id", name=op.f("pk_dataset_budgets")),
    )
    op.create_table(
        "budget_spendings",
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("dataset_id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("rho", sa.Double(), nullable=False),
        sa.Column("returned", sa.Boolean(), nullable=False),
        _reference("budget_spendings", "study_id", "studies.id"),
        _reference("budget_spendings", "dataset_id", "datasets.id"),
        _reference("budget_spendings", "organization_id", "organizations.id"),
        sa.PrimaryKeyConstraint("study_id", name=op.f("pk_budget_spendings")),
    )
    op.create_index(op.f("ix_budget_spendings_dataset_id"), "budget_spendings", ["dataset_id"], unique=False)


def downgrade() -> None:
    """Undo. What was spent is forgotten, so budgets must be set anew with that in mind."""
    op.drop_table("budget_spendings")
    op.drop_table("dataset_budgets")


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))
