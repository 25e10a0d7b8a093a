"""`preheat replay` and `preheat backfill`: deliveries of triggers, again or for the first time."""

from pathlib import Path

import click

from preheat.cli import options
from preheat.cli.tools import Tools, pass_tools


@options.command("replay", "preheat replay ocr")
@options.function
@options.as_json
@pass_tools
def replay(tools: Tools, name: str, provider: str, stage: str) -> None:
    """Run the deliveries again that failed for good."""
    _show(tools, name, stage, tools.registry.get(provider).replay(name, stage))


@options.command("backfill", "preheat backfill ocr ./scans", "preheat backfill ocr s3://uploads/2024/")
@options.function_name
@click.argument("source")
@options.provider
@options.stage
@options.as_json
@pass_tools
def backfill(tools: Tools, name: str, source: str, provider: str, stage: str) -> None:
    """Run on the objects that already exist under SOURCE, a folder or s3://BUCKET/PREFIX."""
    folder = Path(source)
    place = str(folder.resolve()) if folder.is_dir() else source
    _show(tools, name, stage, tools.registry.get(provider).backfill(name, stage, place))


def _show(tools: Tools, name: str, stage: str, queued: int) -> None:
    what = "1 delivery" if queued == 1 else f"{queued} deliveries"
    tools.screen.result({"name": name, "stage": stage, "queued": queued}, lambda: [f"{what} queued"])
