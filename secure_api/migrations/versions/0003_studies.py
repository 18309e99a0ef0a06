"""Studies and contexts.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None

TABLES = ("study_states", "study_messages", "study_invitations", "study_contributions", "studies", "contexts")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "contexts",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        _reference("contexts", "organization_id", "organizations.id"),
        sa.PrimaryKeyConstraint("fingerprint", "organization_id", name=op.f("pk_contexts")),
    )
    op.create_table(
        "studies",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("client_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease", sa.BigInteger(), nullable=False),
        _reference("studies", "client_id", "clients.id"),
        _reference("studies", "organization_id", "organizations.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studies")),
    )
    op.create_index(op.f("ix_studies_organization_id"), "studies", ["organization_id"], unique=False)
    op.create_index("ix_studies_state_deadline", "studies", ["state", "deadline"], unique=False)
    op.create_table(
        "study_contributions",
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("client_id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("keyid", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("taken", sa.Boolean(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        _reference("study_contributions", "client_id", "clients.id"),
        _reference("study_contributions", "organization_id", "organizations.id"),
        _reference("study_contributions", "study_id", "studies.id"),
        sa.PrimaryKeyConstraint("study_id", "client_id", name=op.f("pk_study_contributions")),
    )
    op.create_index("ix_study_contributions_study_id_taken", "study_contributions", ["study_id", "taken"], unique=False)
    op.create_table(
        "study_invitations",
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        _reference("study_invitations", "organization_id", "organizations.id"),
        _reference("study_invitations", "study_id", "studies.id"),
        sa.PrimaryKeyConstraint("study_id", "organization_id", name=op.f("pk_study_invitations")),
    )
    op.create_index(
        op.f("ix_study_invitations_organization_id"), "study_invitations", ["organization_id"], unique=False
    )
    op.create_table(
        "study_messages",
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("client_id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        _reference("study_messages", "organization_id", "organizations.id"),
        _reference("study_messages", "study_id", "studies.id"),
        sa.PrimaryKeyConstraint("study_id", "stage", "client_id", name=op.f("pk_study_messages")),
    )
    op.create_table(
        "study_states",
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        _reference("study_states", "study_id", "studies.id"),
        sa.PrimaryKeyConstraint("study_id", "name", name=op.f("pk_study_states")),
    )


def downgrade() -> None:
    """Undo. Every study is lost, whatever its state."""
    for table in TABLES:
        op.drop_table(table)


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))
