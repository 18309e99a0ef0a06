"""Identifiers of rows."""

from uuid import uuid4


def new_identifier() -> str:
    """Make a random identifier (UUID version 4)."""
    return str(uuid4())
