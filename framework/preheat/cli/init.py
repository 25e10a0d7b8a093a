"""`preheat init`: a new project."""

import os
from pathlib import Path

import click

from preheat.cli import options
from preheat.cli.text import bold, paste
from preheat.cli.tools import Tools, pass_tools

TEMPLATES = ("minimal", "onnx", "image-upload")


@options.command("init", "preheat init demo", "preheat init ocr --template image-upload")
@click.argument("name")
@click.option(
    "--template",
    metavar="NAME",
    type=click.Choice(TEMPLATES),
    default="minimal",
    show_default=True,
    help=f"What to start from: {', '.join(TEMPLATES)}.",
)
@options.as_json
@pass_tools
def init(tools: Tools, name: str, template: str) -> None:
    """Start a project that deploys at once.

    NAME is the function's name and the folder that is made for it.
    """
    from preheat.project.scaffold import scaffold

    into = Path(name).resolve()
    files = [str(file) for file in scaffold(into.name, template, into)]
    shown = [os.path.relpath(file) for file in files]
    tools.screen.result(
        {"name": into.name, "files": files},
        lambda: [*shown, "", f"{bold(into.name)} is ready:", paste(f"preheat deploy {name}")],
    )
