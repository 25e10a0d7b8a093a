"""Which options a platform would take: each is put into the project as it would be written. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from preheat.project.model import Project
from preheat.provider.protocol import Provider
from preheat.provider.warm_options import WarmOption

SCALING = {"min": int, "max": int, "warm": int, "idle_s": float}


def possible(
    provider: Provider, project: Project, options: Iterable[WarmOption]
) -> tuple[list[WarmOption], list[tuple[str, str]]]:
    """Return the options that `provider` has nothing against, and the names of the others with its reason."""
    before = {finding.message for finding in provider.check(project)}
    offered, refused = [], []
    for option in options:
        least = max([option.least, *(each.least for each in option.hours)])
        if least > option.most:
            refused.append((option.name, f"{option.most} workers are the most that run."))
            continue
        found = provider.check(changed(project, provider.name, option.settings))
        news = [finding.message for finding in found if finding.message not in before]
        if news:
            refused.append((option.name, news[0]))
        else:
            offered.append(option)
    return offered, refused


def changed(project: Project, provider: str, settings: Mapping[str, Any]) -> Project:
    """Return `project` with `settings`, those of `[scaling]` and of the provider's own table."""
    scaling, table = project.scaling, dict(project.provider.get(provider, {}))
    for key, value in settings.items():
        head, _, name = key.rpartition(".")
        if head == "scaling":
            scaling = replace(scaling, **{name: SCALING[name](value)})
        elif value is None:
            table.pop(name, None)
        else:
            table[name] = value
    return replace(project, scaling=scaling, provider={**project.provider, provider: table})
