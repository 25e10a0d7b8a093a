"""`preheat warm`: how a function's pool of workers scales, shown and changed while it runs."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from preheat.cli import options
from preheat.cli.canary import read_duration
from preheat.cli.problems import note
from preheat.cli.text import bold, columns
from preheat.cli.tools import Tools, pass_tools
from preheat.errors import ProviderError
from preheat.provider.protocol import KeepsWarm, Pool, WarmPool

LABELS = {"min": "at least", "buffer": "idle beside the busy", "max": "at most", "idle_s": "stay when idle"}
UNTOLD = "This is what was deployed: the installed client cannot ask what is used now."


@options.command(
    "warm",
    "preheat warm ocr --provider modal",
    "preheat warm ocr --provider modal --min 2 --buffer 1",
    "preheat warm ocr --provider modal --scaledown 5m --stage prod",
)
@options.function
@click.option("--min", "minimum", metavar="N", type=click.IntRange(min=0), help="Workers that always run.")
@click.option("--buffer", metavar="N", type=click.IntRange(min=0), help="Idle workers beside the busy ones.")
@click.option("--max", "maximum", metavar="N", type=click.IntRange(min=1), help="Workers that run at most.")
@click.option(
    "--scaledown",
    "idle_s",
    metavar="TIME",
    callback=read_duration,
    help="How long an idle worker stays (90s, 5m, 1h).",
)
@options.as_json
@pass_tools
def warm(
    tools: Tools,
    name: str,
    provider: str,
    stage: str,
    minimum: int | None,
    buffer: int | None,
    maximum: int | None,
    idle_s: float | None,
) -> None:
    """Show how a function's pool of workers scales, or change it at once.

    Nothing is deployed, and the next deploy sets what preheat.toml says.
    """
    platform: object = tools.registry.get(provider)
    if not isinstance(platform, KeepsWarm):
        raise ProviderError(
            f"Provider {provider!r} changes no pool while it runs.",
            hint=f"preheat deploy --provider {provider}  # after a change of [scaling] in preheat.toml",
        )
    change = Pool(min=minimum, buffer=buffer, max=maximum, idle_s=None if idle_s is None else round(idle_s))
    found = platform.warm_pool(name, stage) if change == Pool() else platform.resize(name, stage, change)
    tools.screen.result(document(found), lambda: lines(found))


def document(found: WarmPool) -> dict[str, Any]:
    """Return a pool as JSON values."""
    return asdict(found) | {"changed": list(found.changed)}


def lines(found: WarmPool) -> Iterator[str]:
    """Yield a pool as a table."""
    waiting = f", {found.waiting} requests waiting" if found.waiting else ""
    head = bold(f"{found.name} ({found.stage}) on {found.provider}")
    yield f"{head}: {found.workers} {'worker' if found.workers == 1 else 'workers'}{waiting}"
    rows = [(label, _shown(found, name)) for name, label in LABELS.items()]
    yield from (f"  {line}" for line in columns(rows))
    if not found.exact:
        yield from note(UNTOLD)


def _shown(found: WarmPool, name: str) -> str:
    value = getattr(found.pool, name)
    text = "as the platform decides" if value is None else f"{value} s" if name == "idle_s" else str(value)
    return f"{text}  (not as deployed)" if name in found.changed else text
