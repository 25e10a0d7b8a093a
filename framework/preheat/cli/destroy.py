"""`preheat destroy`: the end of a function."""

import click

from preheat.cli import options, views
from preheat.cli.boundary import FAILED, interruptible
from preheat.cli.tools import Tools, pass_tools
from preheat.errors import PreheatError

REMAINS = "Some of it may be left. The same command again removes the rest."


@options.command("destroy", "preheat destroy ocr", "preheat destroy ocr --stage prod --yes --json")
@options.function
@options.yes
@options.as_json
@click.pass_context
@pass_tools
def destroy(tools: Tools, ctx: click.Context, name: str, provider: str, stage: str, yes: bool) -> None:
    """Remove everything that deploy made, and list it."""
    platform = tools.registry.get(provider)
    if not yes and not tools.screen.agreed(
        f"Remove {name} ({stage}) from {provider}, with its releases and logs?"
    ):
        raise PreheatError("Nothing was removed.")
    with interruptible(lambda: REMAINS), tools.screen.progress() as report:
        receipt = platform.destroy(name, stage, report=report)
    document = {"name": name, "provider": provider, "stage": stage}
    lists = {"removed": list(receipt.removed), "left": list(receipt.left)}
    tools.screen.result({**document, **lists}, lambda: views.receipt(receipt))
    if receipt.left:
        ctx.exit(FAILED)
