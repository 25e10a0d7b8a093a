"""`preheat releases`, `preheat rollback` and `preheat promote`."""

import dataclasses

import click

from preheat.cli import options, views
from preheat.cli.deploy import deployment_document
from preheat.cli.text import bold
from preheat.cli.tools import Tools, pass_tools
from preheat.provider.protocol import Deployment


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
    """Make RELEASE the active one again; without a number, the one before."""
    deployment = tools.registry.get(provider).rollback(name, stage, release)
    _show(tools, deployment, f"release {deployment.release} is live again")


@options.command("promote", "preheat promote ocr --canary 10%", "preheat promote ocr")
@options.function
@click.option(
    "--canary", metavar="SHARE", callback=_share, help="Only this share of the traffic: 10% or 0.1."
)
@options.as_json
@pass_tools
def promote(tools: Tools, name: str, provider: str, stage: str, canary: float | None) -> None:
    """Give the newest release all traffic, or a share of it."""
    deployment = tools.registry.get(provider).promote(name, stage, canary=canary)
    share = (
        f"release {deployment.release} gets all"
        if canary is None
        else f"the newest release gets {canary:.0%}"
    )
    _show(tools, deployment, f"{share} of the traffic")


def _show(tools: Tools, deployment: Deployment, what: str) -> None:
    where = bold(f"{deployment.name} ({deployment.stage}) on {deployment.provider}")
    tools.screen.result(deployment_document(deployment), lambda: [f"{where}: {what}"])
