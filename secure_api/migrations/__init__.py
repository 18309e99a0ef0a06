"""Alembic migrations. `secure_api.data.migrations` runs them."""
