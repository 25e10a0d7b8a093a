"""ONNX models: sessions that load fast, and a handler for any model that needs no code."""

from typing import TYPE_CHECKING

from preheat_handlers.onnx.opening import Opening, opening

if TYPE_CHECKING:
    from preheat_handlers.onnx.handler import OnnxHandler
    from preheat_handlers.onnx.session import Session, open_session

__all__ = ["OnnxHandler", "Opening", "Session", "open_session", "opening"]

_PLACES = {"OnnxHandler": "handler", "Session": "session", "open_session": "session"}


def __getattr__(name: str) -> object:
    """Import what is asked for: `opening` is there to begin before anything else is imported."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
