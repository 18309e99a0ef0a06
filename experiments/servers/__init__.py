"""Servers under load: one route, what protects it, and what that costs."""

from experiments.servers.arm import server_arm
from experiments.servers.protection import Protection

__all__ = ["Protection", "server_arm"]
