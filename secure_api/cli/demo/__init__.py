"""`secure-api demo`: a real server in a temporary folder, believed and refused requests, a tampered ledger."""

from secure_api.cli.demo.command import EXAMPLES, demo

__all__ = ["EXAMPLES", "demo"]
