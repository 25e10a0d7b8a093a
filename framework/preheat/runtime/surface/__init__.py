"""The HTTP surface that every provider shows: one application over any engine. Only this imports FastAPI."""

from preheat.runtime.surface.app import build_app

__all__ = ["build_app"]
