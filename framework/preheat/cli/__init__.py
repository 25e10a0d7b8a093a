"""The commands: they parse, call the pipeline, and are the only part that prints."""
