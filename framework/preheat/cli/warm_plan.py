"""`preheat warm plan`: what keeping workers warm would have cost, and saved, on real or made-up traffic."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from preheat.cli import options
from preheat.cli.extras import require
from preheat.cli.tools import Tools, pass_tools
from preheat.errors import ProviderError

if TYPE_CHECKING:
    from preheat.provider.warm_options import Warms
    from preheat.warming.planner import Plan
    from preheat.warming.simulate import Replay
    from preheat.warming.trace.model import Trace

FILE = click.Path(dir_okay=False, path_type=Path)
SERVICE_MS = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the command was asked."""

    directory: Path
    provider: str
    stage: str
    trace: Path | None
    rate: str | None
    bursty: bool
    column: str | None
    timezone: str
    cold_ms: float | None
    coldstart: Path | None
    service_ms: float | None
    p99_ms: float | None
    seed: int
    write: bool
    picture: Path | None


@options.command(
    "plan",
    "preheat warm plan --trace arrivals.csv --cold-ms 900",
    "preheat coldstart --json > cold.json",
    "preheat warm plan --provider aws_lambda --trace access.log --coldstart cold.json --p99-ms 100 --write",
    'preheat warm plan --provider modal --rate "20/h" --bursty --cold-ms 4000 --plot warm.svg',
)
@options.directory
@options.provider
@options.stage
@click.option("--trace", metavar="FILE", type=FILE, help="Arrivals: CSV, access log, CloudWatch export.")
@click.option("--rate", metavar="RATE", help="Made-up arrivals in place of a trace, such as 20/h.")
@click.option("--bursty", is_flag=True, help="In bursts, with --rate.")
@click.option("--column", metavar="NAME", help="The CSV column with the moments.")
@click.option("--timezone", metavar="ZONE", default="UTC", show_default=True, help="Of moments without one.")
@click.option("--cold-ms", metavar="MS", type=click.FloatRange(min=0, min_open=True), help="A cold start.")
@click.option("--coldstart", metavar="FILE", type=FILE, help="What `preheat coldstart --json` printed.")
@click.option("--service-ms", metavar="MS", type=click.FloatRange(min=0), help="What a warm request takes.")
@click.option("--p99-ms", metavar="MS", type=click.FloatRange(min=0), help="The most to be added at p99.")
@click.option("--seed", metavar="N", type=int, default=0, show_default=True, help="Of what is random.")
@click.option("--write", is_flag=True, help="Write the cheapest that meets --p99-ms into preheat.toml.")
@options.plot("the frontier")
@options.as_json
@pass_tools
def plan(tools: Tools, /, **asked: object) -> None:
    """Replay traffic under everything that a provider offers to keep workers warm.

    Says what each costs in a month, how many requests meet a cold start, and what that adds to them.
    """
    question = Question(**asked)  # type: ignore[arg-type]
    _refuse(question)
    for module in ("numpy", "numba"):
        require(module)
    _answer(tools, question)


def _refuse(asked: Question) -> None:
    if (asked.trace is None) == (asked.rate is None):
        raise click.UsageError("Give --trace FILE or --rate RATE, one of them.")
    if asked.bursty and asked.rate is None:
        raise click.UsageError("--bursty goes with --rate.")
    if (asked.cold_ms is None) == (asked.coldstart is None):
        message = "Give --cold-ms MS or --coldstart FILE: preheat coldstart --json > cold.json"
        raise click.UsageError(message)
    if asked.write and asked.p99_ms is None:
        raise click.UsageError("--write needs --p99-ms: what is written is the cheapest that meets it.")


def _answer(tools: Tools, asked: Question) -> None:
    from preheat.cli import warm_views
    from preheat.progress import Step
    from preheat.project.editing import write_settings
    from preheat.warming.planner import demand_of
    from preheat.warming.planner import plan as make_plan
    from preheat.warming.possible import possible

    with tools.screen.progress() as report:
        pipeline = tools.pipeline(asked.provider, asked.stage, report)
        project = pipeline.project(asked.directory)
        platform = _platform(tools, asked.provider)
        replay = _replay(asked)
        demand = demand_of(replay.trace, replay.services_s)
        offered, refused = possible(pipeline.provider, project, platform.warm_options(project, demand))
        made = make_plan(offered, replay, said=lambda name: report(Step("replay", name)))
    chosen = made.cheapest(asked.p99_ms, busiest=demand.levels[-1]) if asked.p99_ms is not None else None
    if asked.picture is not None:
        _draw(made, project.name, asked)
    if asked.write and chosen is not None:
        write_settings(asked.directory, asked.stage, chosen.option.settings, check=pipeline.project)
    notes = [*replay.trace.notes, *(f"{name} is left out: {why}" for name, why in refused)]
    if asked.service_ms is None and replay.trace.services_s is None:
        notes.append(f"The trace does not say what a request takes: {SERVICE_MS:g} ms, or give --service-ms.")
    told = warm_views.Told(
        plan=made,
        replay=replay,
        demand=demand,
        chosen=chosen,
        notes=tuple(notes),
        written=asked.write,
        provider=asked.provider,
    )
    tools.screen.result(warm_views.document(told), lambda: warm_views.lines(told))


def _platform(tools: Tools, provider: str) -> "Warms":
    from preheat.provider.warm_options import Warms

    platform: object = tools.registry.get(provider)
    if not isinstance(platform, Warms):
        raise ProviderError(
            f"Provider {provider!r} does not say how it keeps workers warm.",
            hint="preheat warm plan --provider local ...  # what it would take on this machine",
        )
    return platform


def _replay(asked: Question) -> "Replay":
    import numpy as np

    from preheat.warming.simulate import Replay
    from preheat.warming.start import ColdStart, read_cold_start

    trace = _trace(asked)
    services = trace.services_s
    if services is None or asked.service_ms is not None:
        given_ms = SERVICE_MS if asked.service_ms is None else asked.service_ms
        services = np.array([given_ms / 1000])
    cold_ms = asked.cold_ms or 0.0
    given = ColdStart(p50_ms=cold_ms, p95_ms=cold_ms)
    cold = given if asked.coldstart is None else read_cold_start(asked.coldstart)
    return Replay(trace=trace, cold=cold, services_s=services, seed=asked.seed)


def _trace(asked: Question) -> "Trace":
    from preheat.warming.trace.generate import generate, read_rate
    from preheat.warming.trace.read import read_trace

    if asked.trace is None:
        return generate(read_rate(asked.rate or ""), bursty=asked.bursty, seed=asked.seed)
    try:
        zone = ZoneInfo(asked.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        message = f"There is no time zone {asked.timezone!r}; write Europe/Berlin or UTC."
        raise click.UsageError(message) from error
    return read_trace(asked.trace, column=asked.column, zone=zone, seed=asked.seed)


def _draw(made: "Plan", name: str, asked: Question) -> None:
    from preheat.warming.plot import draw

    assert asked.picture is not None
    draw(made, asked.picture, title=f"{name} on {asked.provider}", p99_ms=asked.p99_ms)
