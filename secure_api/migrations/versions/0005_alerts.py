"""Alerts of behavior analysis.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "alerts",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("subject", sa.String(length=8), nullable=False),
        sa.Column("key", sa.String(length=36), nullable=False),
        sa.Column("opened", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("folded", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.Double(), nullable=False),
        sa.Column("rule", sa.String(length=32), nullable=True),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("routes", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("label", sa.String(length=32), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("labeled", sa.DateTime(timezone=True), nullable=True),
        sa.Column("labeled_by", sa.String(length=36), nullable=True),
        sa.Column("relabeled", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_alerts_organization_id")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_alerts")),
        sa.UniqueConstraint("id", name=op.f("uq_alerts_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_alerts_organization_id_subject_sequence", "alerts", ["organization_id", "subject", "sequence"], unique=False
    )
    op.create_index("ix_alerts_key", "alerts", ["key"], unique=False)
    op.create_index("ix_alerts_labeled", "alerts", ["labeled"], unique=False)
    op.create_table(
        "restrictions",
        sa.Column("subject", sa.String(length=8), nullable=False),
        sa.Column("key", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("alert_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_restrictions_organization_id")
        ),
        sa.PrimaryKeyConstraint("subject", "key", name=op.f("pk_restrictions")),
    )
    op.create_index(op.f("ix_restrictions_until"), "restrictions", ["until"], unique=False)


def downgrade() -> None:
    """Undo. Every alert and label is lost."""
    op.drop_table("restrictions")
    op.drop_table("alerts")
