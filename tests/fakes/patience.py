"""How long tests wait for what must come."""

PATIENCE_S = 120.0
"""Longer than a machine with other work holds anything up; nothing that comes is waited for this long."""
