"""Sessions and sealing keys.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "sealing_keys",
        sa.Column("generation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kid", sa.String(length=43), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("retires", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("keyid", sa.String(length=43), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("generation", name=op.f("pk_sealing_keys")),
        sa.UniqueConstraint("kid", name=op.f("uq_sealing_keys_kid")),
    )
    op.create_index(op.f("ix_sealing_keys_expires"), "sealing_keys", ["expires"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("client_id", sa.String(length=36), nullable=False),
        sa.Column("key_set", sa.String(length=36), nullable=False),
        sa.Column("suite", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("idle_timeout", sa.BigInteger(), nullable=False),
        sa.Column("last_used", sa.BigInteger(), nullable=False),
        sa.Column("requests_left", sa.BigInteger(), nullable=False),
        sa.Column("bytes_left", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name=op.f("fk_sessions_client_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_sessions_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    for column in ("client_id", "expires", "key_set", "organization_id"):
        op.create_index(op.f(f"ix_sessions_{column}"), "sessions", [column], unique=False)


def downgrade() -> None:
    """Undo. Every session ends, and what was sealed to a server's key cannot be opened any more."""
    for column in ("organization_id", "key_set", "expires", "client_id"):
        op.drop_index(op.f(f"ix_sessions_{column}"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_index(op.f("ix_sealing_keys_expires"), table_name="sealing_keys")
    op.drop_table("sealing_keys")
