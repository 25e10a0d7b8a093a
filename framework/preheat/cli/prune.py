"""`preheat prune`: the cache without what nobody needs."""

import re
import time
from collections import Counter

import click

from preheat.cli import options, views
from preheat.cli.text import human_bytes
from preheat.cli.tools import Tools, pass_tools
from preheat.errors import MissingExtra, PreheatError
from preheat.provider.registry import Registry

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}


def _age(ctx: click.Context, param: click.Parameter, value: str) -> float:
    """Return a time span such as 7d, 12h or 30m in seconds."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", value)
    if found is None:
        raise click.BadParameter(f"{value!r} is no time span; one looks like 7d, 12h or 30m.", ctx, param)
    return float(found[1]) * UNITS_S[found[2]]


@options.command("prune", "preheat prune", "preheat prune --dry-run", "preheat prune --older-than 0s --yes")
@click.option(
    "--older-than",
    metavar="AGE",
    callback=_age,
    default="7d",
    show_default=True,
    help="Keep what a build used since then.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@options.yes
@options.as_json
@pass_tools
def prune(tools: Tools, older_than: float, dry_run: bool, yes: bool) -> None:
    """Remove what no release and no recent build uses from $PREHEAT_HOME/cache.

    Layers of deployed releases always stay, the earlier ones that a rollback may want among them.
    """
    from preheat.bundle.cache import Cache  # imports that `preheat --help` does not need
    from preheat.bundle.prune import find_unused, remove
    from preheat.project.home import home

    cache = Cache(home() / "cache")
    since = time.time() - older_than
    with cache.alone():
        found = find_unused(cache, _deployed(tools.registry), since=since)
    if found.entries and not dry_run:
        question = f"Remove {human_bytes(found.freed_bytes)} from {cache.root}?"
        if not yes and not tools.screen.agreed(question):
            raise PreheatError("Nothing was removed.")
        with cache.alone():  # the answer may have taken long enough for a deploy
            found = find_unused(cache, _deployed(tools.registry), since=since)
            remove(cache, found)
    counts = Counter(entry.kind for entry in found.entries)
    document = {"dry_run": dry_run, "freed_bytes": found.freed_bytes, "removed": dict(sorted(counts.items()))}
    tools.screen.result(document, lambda: views.pruning(counts, found.freed_bytes, dry_run=dry_run))


def _deployed(registry: Registry) -> set[str]:
    """Return the digest of every bundle that a release of this machine may run."""
    digests: set[str] = set()
    for name in registry.names:
        try:
            provider = registry.get(name)
        except MissingExtra:
            continue  # it can have deployed nothing from here without what it needs
        if provider.capabilities.runs_from_cache:
            for one in provider.status(None, None):
                digests.update(release.digest for release in provider.releases(one.name, one.stage))
    return digests
