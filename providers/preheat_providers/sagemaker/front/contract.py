"""The handler's contract document, as the deploy put it beside this module. Ships."""

from pathlib import Path

DOCUMENT = Path(__file__).with_name("contract.json")


def contract(path: Path = DOCUMENT) -> str:
    """Return the document in JSON, empty where the handler was not run when it was built."""
    return path.read_text(encoding="utf-8") if path.exists() else ""
