"""Behavior analysis in the service: requests become events, events findings, findings alerts and restrictions."""
