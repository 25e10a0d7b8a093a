"""preheat.toml: its published schema, and the frozen Project it becomes."""
