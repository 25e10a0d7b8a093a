"""`preheat plan` and `preheat deploy`."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from preheat.cli import next_steps, options, views
from preheat.cli.boundary import WRONG_USE, interruptible
from preheat.cli.progress import Progress
from preheat.cli.render import Screen
from preheat.cli.tools import Tools, pass_tools
from preheat.errors import PreheatError
from preheat.plan.document import deletions, plan_document
from preheat.provider.protocol import Deployment

if TYPE_CHECKING:
    from preheat.deploy import Prepared

NOT_APPLIED = "Nothing was deployed; what was fetched stays in the cache."
HALF_APPLIED = "The deploy was cut while it changed things. The same command again finishes it."


@options.command(
    "plan",
    "preheat plan",
    "preheat plan --stage prod --exit-code",
    "preheat plan examples/ocr --json",
    "preheat plan --provider lambda --template > template.json",
)
@options.directory
@options.provider
@options.stage
@options.upgrade
@click.option("--exit-code", is_flag=True, help="Exit with 2 if a deploy would change something.")
@click.option("--template", is_flag=True, help="Print the platform's own template, and nothing else.")
@options.as_json
@click.pass_context
@pass_tools
def plan(
    tools: Tools,
    ctx: click.Context,
    directory: Path,
    provider: str,
    stage: str,
    upgrade: bool,
    exit_code: bool,
    template: bool,
) -> None:
    """Show what a deploy would change, and change nothing."""
    with interruptible(lambda: NOT_APPLIED), tools.screen.progress() as report:
        pipeline = tools.pipeline(provider, stage, report, upgrade=upgrade)
        if template:
            text = pipeline.template(pipeline.project(directory))
            tools.screen.lines([text.rstrip("\n")])
            return
        made = pipeline.prepare(pipeline.project(directory)).plan
    tools.screen.result(plan_document(made), lambda: views.plan(made))
    if exit_code and made.changes:
        ctx.exit(WRONG_USE)


@options.command("deploy", "deploy", "deploy examples/ocr --tls", "preheat deploy --stage prod --yes --json")
@options.directory
@options.provider
@options.stage
@options.upgrade
@click.option(
    "--tls", is_flag=True, help="Serve HTTPS, as `tls = true` in [provider.local] does (local only)."
)
@options.yes
@options.as_json
@pass_tools
def deploy(
    tools: Tools, directory: Path, provider: str, stage: str, upgrade: bool, tls: bool, yes: bool
) -> None:
    """Make a project a live endpoint.

    Checks, builds, plans and applies. A project that already runs as it is stays untouched.
    """
    if tls and provider != "local":
        raise click.UsageError("--tls is for the local provider; elsewhere the platform serves HTTPS.")
    begun = time.monotonic()
    with tools.screen.progress() as report:
        agreement = Agreement(tools.screen, report, without_asking=yes)
        settings = {"tls": True} if tls else {}
        pipeline = tools.pipeline(provider, stage, report, upgrade=upgrade, options=settings)
        with interruptible(lambda: HALF_APPLIED if "apply" in report.begun else NOT_APPLIED):
            deployment = replace(pipeline, approve=agreement).deploy(directory)
    seconds = time.monotonic() - begun
    tools.screen.result(
        {**deployment_document(deployment), "seconds": round(seconds, 3)},
        lambda: next_steps.deployed(deployment, agreement.prepared, seconds=seconds),
    )


class Agreement:
    """Asks before a plan that deletes something is applied, and keeps what was prepared."""

    prepared: "Prepared"

    def __init__(self, screen: Screen, progress: Progress, *, without_asking: bool) -> None:
        self._screen = screen
        self._progress = progress
        self._without_asking = without_asking

    def __call__(self, prepared: "Prepared") -> None:
        """Raise unless nothing is deleted, --yes was given, or the user agrees."""
        self.prepared = prepared
        if self._without_asking or not deletions(prepared.plan):
            return
        with self._progress.paused():
            for line in views.plan(prepared.plan):
                self._screen.say(line)
            if not self._screen.agreed("Delete what is marked with - ?"):
                raise PreheatError("Nothing was changed.")


def deployment_document(deployment: Deployment) -> dict[str, Any]:
    """Return a deployment as JSON values."""
    return {
        "name": deployment.name,
        "provider": deployment.provider,
        "stage": deployment.stage,
        "release": deployment.release,
        "digest": deployment.digest,
        "endpoint": deployment.endpoint,
        "changed": deployment.changed,
        "token": deployment.token,
        "authority": deployment.authority,
        "notes": list(deployment.notes),
    }
