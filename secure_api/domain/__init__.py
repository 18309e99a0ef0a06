"""Frozen value types and errors. Imports nothing else of ours, and no framework but Pydantic."""
