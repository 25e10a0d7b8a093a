"""Day two of a deployed function: its releases, traffic, state and end."""
