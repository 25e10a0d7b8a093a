"""`preheat releases`, `preheat rollback` and `preheat promote`."""

import dataclasses

import click

from preheat.cli import options, views
from preheat.cli.boundary import interruptible
from preheat.cli.canary import Canary, read_duration
from preheat.cli.deploy import deployment_document
from preheat.cli.text import bold
from preheat.cli.tools import Tools, pass_tools
from preheat.provider.protocol import Deployment

UNWATCHED = "The traffic stays as it is now, unwatched: preheat promote {name}, or preheat rollback {name}."


def _share(_ctx: click.Context, _option: click.Parameter, text: str | None) -> float | None:
    """Read `0.1` or `10%` as a share of the traffic."""
    if text is None:
        return None
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise click.BadParameter(f"{text!r} is no share of the traffic; write 10% or 0.1.")
    return share


@options.command("releases", "preheat releases ocr", "preheat releases ocr --stage prod --json")
@options.function
@options.as_json
@pass_tools
def releases(tools: Tools, name: str, provider: str, stage: str) -> None:
    """List the numbered releases, newest first."""
    found = tools.registry.get(provider).releases(name, stage)
    documents = [dataclasses.asdict(release) for release in found]
    document = {"name": name, "provider": provider, "stage": stage, "releases": documents}
    tools.screen.result(document, lambda: views.releases(found))


@options.command("rollback", "preheat rollback ocr", "preheat rollback ocr 3 --stage prod")
@options.function_name
@click.argument("release", required=False, type=click.IntRange(min=1))
@options.provider
@options.stage
@options.as_json
@pass_tools
def rollback(tools: Tools, name: str, release: int | None, provider: str, stage: str) -> None:
    """Make RELEASE the active one again; without a number, the one that served before."""
    deployment = tools.registry.get(provider).rollback(name, stage, release)
    _show(tools, deployment, f"release {deployment.release} is live again")


@options.command(
    "promote",
    "preheat promote ocr --canary 10%",
    "preheat promote ocr --canary 10% --for 10m --provider lambda",
    "preheat promote ocr",
)
@options.function
@click.option(
    "--canary", metavar="SHARE", callback=_share, help="Only this share of the traffic: 10% or 0.1."
)
@click.option(
    "--for",
    "for_s",
    metavar="TIME",
    callback=read_duration,
    help="With --canary: watch its alarms this long (5m, 10m, 1h), then give it all of the traffic.",
)
@click.option(
    "--alarm",
    "alarms",
    metavar="NAME",
    multiple=True,
    help="With --for: an alarm to watch, in place of those that deploy made; may be repeated.",
)
@options.as_json
@pass_tools
def promote(
    tools: Tools,
    name: str,
    provider: str,
    stage: str,
    canary: float | None,
    for_s: float | None,
    alarms: tuple[str, ...],
) -> None:
    """Give the newest release all traffic, or a share of it.

    The rest goes to the release that had the traffic before. With --for, an alarm that fires in that time
    gives it all of the traffic again, as do alarms that cannot be read any more, and the command exits
    with 1.
    """
    if for_s is not None and canary is None:
        raise click.UsageError("--for watches a canary. Add --canary 10%.")
    if alarms and for_s is None:
        raise click.UsageError("--alarm is watched for a time. Add --for 10m.")
    found = tools.registry.get(provider)
    if canary is not None and for_s is not None:
        with interruptible(lambda: UNWATCHED.format(name=name)), tools.screen.progress() as report:
            watched = Canary(
                provider=found,
                name=name,
                stage=stage,
                share=canary,
                for_s=for_s,
                alarms=alarms,
                report=report,
                clock=tools.clock,
                sleep=tools.sleep,
            )
            deployment, canary = watched.run(), None
    else:
        deployment = found.promote(name, stage, canary=canary)
    share = (
        f"release {deployment.release} gets all"
        if canary is None
        else f"the newest release gets {canary:.0%}"
    )
    _show(tools, deployment, f"{share} of the traffic")


def _show(tools: Tools, deployment: Deployment, what: str) -> None:
    where = bold(f"{deployment.name} ({deployment.stage}) on {deployment.provider}")
    tools.screen.result(deployment_document(deployment), lambda: [f"{where}: {what}"])
