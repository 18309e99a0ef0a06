"""Alembic's environment: migrate on the connection that `secure_api.data.migrations` hands over."""

from typing import Any, Literal

from alembic import context

from secure_api.data.models import Model
from secure_api.data.models.model import UtcDateTime


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our types as the plain ones that they are in the database: a migration must outlive them."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Model.metadata,
    render_as_batch=True,
    compare_type=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
