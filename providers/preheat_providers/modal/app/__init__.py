"""The app that a deploy generates: its spec, and the files that are made of it."""
