"""The packages that only images need, which no plain install has."""

import importlib

from preheat.errors import MissingExtra

NEEDED = ("deflate", "httpx")


def require_packages(extra: str) -> None:
    """Raise MissingExtra, which says that `extra` of preheat installs them, unless they are installed."""
    for package in NEEDED:
        try:
            importlib.import_module(package)
        except ModuleNotFoundError as error:
            raise MissingExtra(
                f"Images need the package {package}.", hint=f"pip install 'preheat[{extra}]'"
            ) from error
