"""`preheat warm`: how many workers are kept ready, shown, set and planned."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from preheat.cli import options
from preheat.cli.canary import read_duration
from preheat.cli.problems import note
from preheat.cli.text import bold, columns, paste
from preheat.cli.tools import Tools, pass_tools
from preheat.cli.warm_plan import plan
from preheat.errors import ProviderError
from preheat.project.document import FILE
from preheat.provider.protocol import KeepsWarm, Pool, WarmPool

LABELS = {"min": "at least", "buffer": "idle beside the busy", "max": "at most", "idle_s": "stay when idle"}
UNTOLD = "This is what was deployed: the installed client cannot ask what is used now."


@options.group(
    "warm",
    "preheat warm show ocr --provider modal",
    "preheat warm set 2 --provider modal --live",
    "preheat warm plan --provider aws_lambda --trace arrivals.csv --cold-ms 1800 --p99-ms 100",
)
def warm() -> None:
    """Show, set and plan how many workers are kept ready."""


@warm.command(
    "show",
    cls=options.Command,
    examples=(
        "preheat warm show ocr --provider modal",
        "preheat warm show ocr --provider modal --stage prod --json",
    ),
)
@options.function
@options.as_json
@pass_tools
def show(tools: Tools, name: str, provider: str, stage: str) -> None:
    """Show how a deployed function's pool of workers scales now."""
    _show(tools, _live(tools, provider).warm_pool(name, stage))


@warm.command(
    "set",
    cls=options.Command,
    examples=(
        "preheat warm set 2 --provider modal --live",
        "preheat warm set 0 ocr --provider modal --buffer 1 --scaledown 5m --live --stage prod",
        "preheat warm set 2 --provider aws_lambda  # in preheat.toml, for the next deploy",
    ),
)
@click.argument("minimum", metavar="N", type=click.IntRange(min=0))
@click.argument("name", metavar="[NAME]", required=False)
@options.provider
@options.stage
@click.option("--buffer", metavar="N", type=click.IntRange(min=0), help="Idle workers beside the busy ones.")
@click.option("--max", "maximum", metavar="N", type=click.IntRange(min=1), help="Workers that run at most.")
@click.option(
    "--scaledown",
    "idle_s",
    metavar="TIME",
    callback=read_duration,
    help="How long an idle worker stays (90s, 5m, 1h).",
)
@click.option("--live", is_flag=True, help="Change what is deployed, now; the next deploy sets it again.")
@options.as_json
@pass_tools
def set_pool(
    tools: Tools,
    minimum: int,
    name: str | None,
    provider: str,
    stage: str,
    buffer: int | None,
    maximum: int | None,
    idle_s: float | None,
    live: bool,
) -> None:
    """Keep N workers ready: in preheat.toml for the next deploy, or with --live at once.

    Without NAME it is the project in the current folder. Hours that would decide in place of N are taken out.
    """
    change = Pool(min=minimum, buffer=buffer, max=maximum, idle_s=None if idle_s is None else round(idle_s))
    if live:
        platform = _live(tools, provider)
        _show(tools, platform.resize(name or _here(tools, provider, stage, None), stage, change))
    else:
        _write(tools, name, provider, stage, change)


warm.add_command(plan)


def _live(tools: Tools, provider: str) -> KeepsWarm:
    platform: object = tools.registry.get(provider)
    if not isinstance(platform, KeepsWarm):
        raise ProviderError(
            f"Provider {provider!r} changes no pool while it runs.",
            hint=f"preheat warm set 1 --provider {provider} && preheat deploy --provider {provider}",
        )
    return platform


def _here(tools: Tools, provider: str, stage: str, name: str | None) -> str:
    """Return the name of the project in the current folder. Raises ProviderError if `name` is another."""
    from preheat.progress import quiet

    found = tools.pipeline(provider, stage, quiet).project(Path.cwd()).name
    if name not in (None, found):
        raise ProviderError(
            f"The project in this folder is {found!r}, not {name!r}.",
            hint="Run it in the folder of that project, or add --live to change what is deployed.",
        )
    return found


def _write(tools: Tools, name: str | None, provider: str, stage: str, change: Pool) -> None:
    from preheat.progress import quiet
    from preheat.project.editing import write_settings
    from preheat.provider.warm_options import Warms

    root = Path.cwd()
    _here(tools, provider, stage, name)
    pipeline = tools.pipeline(provider, stage, quiet)
    platform: object = tools.registry.get(provider)
    if not isinstance(platform, Warms):
        raise ProviderError(
            f"Provider {provider!r} does not say how it keeps workers.", hint="[scaling]  # in preheat.toml"
        )
    settings = platform.warm_settings(pipeline.project(root), change)

    file = write_settings(
        root, stage, settings, check=lambda folder: pipeline.check(pipeline.project(folder))
    )
    deploy = f"preheat deploy --provider {provider}"
    tools.screen.result(
        {"file": str(file), "settings": settings},
        lambda: (f"{FILE}: {_listed(settings)}", *([paste(deploy)] if settings else [])),
    )


def _listed(settings: Mapping[str, Any]) -> str:
    told = (
        f"{key} = {value}" if value is not None else f"{key} taken out" for key, value in settings.items()
    )
    return ", ".join(told) or "as it is, nothing is kept ready that could be taken away"


def _show(tools: Tools, found: WarmPool) -> None:
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
