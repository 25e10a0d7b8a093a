"""The region of a function that is only called by its name: that of the project in the current folder."""

from pathlib import Path

from preheat.errors import ProjectError
from preheat.project.assemble import merged
from preheat.project.document import read_document
from preheat.project.model import DEFAULT_STAGE


def region_in(folder: Path, provider: str, name: str | None, stage: str | None) -> str | None:
    """Return the region that preheat.toml in `folder` names for `provider`, if it is the project `name`.

    Without `name` any project is meant.
    """
    try:
        values = merged(read_document(folder).values, stage or DEFAULT_STAGE)
    except ProjectError:  # no project, or one that is being edited: neither is in the way of others
        return None
    if name is not None and values.get("name") != name:
        return None
    tables = values.get("provider")
    table = tables.get(provider) if isinstance(tables, dict) else None
    region = table.get("region") if isinstance(table, dict) else None
    return region if isinstance(region, str) else None
