"""Fixtures of the command line's tests."""

from tests.command_line import secure_api

__all__ = ["secure_api"]
