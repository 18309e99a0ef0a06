"""Async SQLAlchemy: every table, every query, every transaction."""
