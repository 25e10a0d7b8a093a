"""The HTTP surface that every provider shows: one application over any engine. `app` brings FastAPI."""

from preheat.runtime.surface.settings import Settings
from preheat.runtime.surface.surface import Surface

__all__ = ["Settings", "Surface"]
