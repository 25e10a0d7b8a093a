"""Names as preheat.toml allows them, and the nearest valid one to what somebody wrote. Touches nothing."""

import difflib
import re
import unicodedata
from collections.abc import Iterable

NAME = re.compile(r"[a-z][a-z0-9-]{0,47}")
NAME_FORM = "1 to 48 lower-case letters, digits and dashes, a letter first"
LONGEST = 48


def is_name(text: str) -> bool:
    """Return whether `text` may name a project, a stage or a trigger."""
    return NAME.fullmatch(text) is not None


def nearest_name(text: str) -> str:
    """Return the valid name that is nearest to `text`; a valid one comes back as it is."""
    if is_name(text):
        return text
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", plain)
    dashed = re.sub(r"[^a-z0-9]+", "-", split.lower()).strip("-")
    if not dashed[:1].isalpha():
        dashed = f"model-{dashed}".rstrip("-")
    return dashed[:LONGEST].rstrip("-")


def nearest(text: str, known: Iterable[str]) -> str | None:
    """Return the one of `known` that `text` was probably meant to be."""
    folded = {name.lower().replace("_", "-"): name for name in known}
    near = difflib.get_close_matches(text.lower().replace("_", "-"), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None
