"""Servers under load: one route, what protects it, and what that costs.

`experiments.servers.arm.server_arm` makes an arm of it. Nothing is imported here: servers import what they need alone.
"""
