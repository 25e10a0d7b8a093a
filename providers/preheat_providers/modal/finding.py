"""How this provider says what it does not take: a key of preheat.toml, what is wrong, and what to paste."""

from collections.abc import Callable

from preheat.findings import Finding
from preheat.project.model import Project

Find = Callable[[str, str, str], Finding]
"""Makes a finding of the key, the message and the fix."""


def finder(project: Project) -> Find:
    """Return what makes findings in the preheat.toml of `project`."""

    def find(key: str, message: str, fix: str) -> Finding:
        return Finding(message=message, file=project.root / "preheat.toml", key=key, fix=fix)

    return find
