"""`preheat build`: the bundle, and what it weighs."""

from pathlib import Path
from typing import Any

import click

from preheat.bundle.model import Bundle
from preheat.cli import options, views
from preheat.cli.boundary import interruptible
from preheat.cli.tools import Tools, pass_tools


@options.command(
    "build", "preheat build", "preheat build examples/ocr --sizes", "preheat build --upgrade --json"
)
@options.directory
@options.provider
@options.stage
@click.option("--sizes", is_flag=True, help="List what every package, weight and the code weigh.")
@options.upgrade
@options.as_json
@pass_tools
def build(tools: Tools, directory: Path, provider: str, stage: str, sizes: bool, upgrade: bool) -> None:
    """Turn a project into bytes with a digest.

    The same project gives the same bytes on any machine. What did not change is not made again.
    """
    remains = "What was fetched stays in the cache."
    with interruptible(lambda: remains), tools.screen.progress() as report:
        pipeline = tools.pipeline(provider, stage, report, upgrade=upgrade)
        project = pipeline.project(directory)
        pipeline.check(project)
        made = pipeline.bundle(project)

    def lines() -> list[str]:
        shown = list(views.bundle(made))
        ledger = {f"{size.layer}/{size.name}": size.bytes for size in made.sizes}
        return (
            [*shown, "", *views.sizes(ledger, made.unzipped_bytes, made.target.unzipped_limit)]
            if sizes
            else shown
        )

    tools.screen.result(_document(made, with_sizes=sizes), lines)


def _document(made: Bundle, *, with_sizes: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "digest": made.digest,
        "layers": [
            {"name": layer.name, "digest": layer.digest, "bytes": layer.bytes} for layer in made.layers
        ],
        "unzipped_bytes": made.unzipped_bytes,
        "path": str(made.path),
        "cached": made.cached,
    }
    if with_sizes:
        document["unzipped_limit"] = made.target.unzipped_limit
        document["sizes"] = [
            {"layer": size.layer, "name": size.name, "bytes": size.bytes} for size in made.sizes
        ]
    return document
