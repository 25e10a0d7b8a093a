"""Imports what only measuring and planning need, or says which line installs it."""

import importlib
from types import ModuleType

from preheat.errors import MissingExtra

INSTALL = "pip install 'preheat[measure]'"


def require(module: str) -> ModuleType:
    """Import `module`, part of the extra `measure`. Raises MissingExtra."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as missing:
        message = f"This needs the module {missing.name!r}, which is not installed."
        raise MissingExtra(message, hint=INSTALL) from missing
