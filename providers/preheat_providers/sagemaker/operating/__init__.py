"""Day two of a deployed endpoint: its releases, traffic, state and end."""
