"""Starts of a bundle, measured here: how long each phase takes, and what would make them shorter."""
