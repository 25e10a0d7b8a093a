"""Day two of a deployed app: its releases, pool, log, state and end."""
