"""`preheat image`: a project as a container image, without a container engine."""

from pathlib import Path
from typing import Any

import click

from preheat.bundle.image.packages import require_packages
from preheat.cli import image_views, options
from preheat.cli.image_making import Wanted, making
from preheat.cli.tools import Tools, pass_tools

PLATFORMS = ("linux/amd64", "linux/arm64")

_base = click.option(
    "--base", metavar="IMAGE", help="What to build on; python:VERSION-slim of Docker Hub if not given."
)
_platform = click.option(
    "--platform",
    type=click.Choice(PLATFORMS),
    default=PLATFORMS[0],
    show_default=True,
    help="What the container runs on.",
)
_format = click.option(
    "--format",
    "dialect",
    type=click.Choice(["oci", "docker"]),
    default="oci",
    show_default=True,
    help="How the manifest is written; docker is schema 2, for old registries.",
)
_user = click.option("--user", metavar="ID", help="Who runs in the container; 65532 if not given.")


@options.group(
    "image",
    "preheat image build --output image.tar",
    "preheat image push registry.example.com/team/ocr:v1",
    "preheat image inspect python:3.12-slim",
)
def image() -> None:
    """Make a container image, without a container engine.

    The image runs the server of `preheat serve` as process 1 on port 8080. Needs preheat[image].
    """


@options.command(
    "build",
    "preheat image build --output image.tar && docker load -i image.tar",
    "preheat image build examples/ocr --output layout/ --base python:3.12-slim",
    "preheat image build --dockerfile context/ --json",
)
@options.directory
@_base
@_platform
@_format
@_user
@click.option(
    "--output",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Write it: an archive for `docker load` if PATH ends in .tar, else a folder (OCI layout).",
)
@click.option("--tag", metavar="NAME", help="What `docker load` calls it; PROJECT:STAGE if not given.")
@click.option(
    "--dockerfile",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write a Dockerfile and its files, to build elsewhere.",
)
@options.stage
@options.upgrade
@options.as_json
@pass_tools
def build(
    tools: Tools, /, output: Path | None, tag: str | None, dockerfile: Path | None, **given: Any
) -> None:
    """Build the image, and write it where --output says.

    The base is looked into first: its Python, its C library and its platform must fit. The digest
    depends on the project, the base, whose own digest is kept in preheat-image.lock, and the Python
    of this machine that compiles byte-code.
    """
    wanted = Wanted(**given)
    require_packages("image")
    from preheat.bundle.image.dockerfile import export_dockerfile
    from preheat.bundle.image.export import export_archive, export_layout
    from preheat.bundle.image.reference import parse_reference

    with making(tools, wanted) as (made, _, report):
        if output is not None:
            name = parse_reference(tag or f"localhost/{made.project.name}:{made.project.stage}")
            if output.suffix == ".tar":
                export_archive(made.image, output.absolute(), name=name, report=report)
            else:
                export_layout(made.image, output.absolute(), name=name, report=report)
        if dockerfile is not None:
            export_dockerfile(made.bundle, made.foundation, made.container, dockerfile.absolute())
    written = [str(path) for path in (output, dockerfile) if path is not None]
    document = {**image_views.document(made.image, made.project), "written": written}
    tools.screen.result(document, lambda: image_views.built(made.image, made.project, written))


@options.command(
    "push",
    "preheat image push registry.example.com/team/ocr:v1",
    "preheat image push localhost:5000/ocr:dev examples/ocr --platform linux/arm64",
    "preheat image push registry.example.com/team/ocr:v2 --json",
)
@click.argument("reference")
@options.directory
@_base
@_platform
@_format
@_user
@options.stage
@options.upgrade
@options.as_json
@pass_tools
def push(tools: Tools, /, reference: str, **given: Any) -> None:
    """Build the image and store it in a registry as REFERENCE.

    Logins are those of `docker login`, credential helpers included. Only what the registry lacks is
    sent: after an edit of the handler, kilobytes.
    """
    wanted = Wanted(**given)
    require_packages("image")
    from preheat.bundle.image.push import push_image
    from preheat.bundle.image.reference import parse_reference

    to = parse_reference(reference)
    with making(tools, wanted) as (made, registries, report):
        pushed = push_image(made.image, to, registries=registries, report=report)
    document = {**image_views.document(made.image, made.project), **image_views.pushed_document(pushed)}
    tools.screen.result(document, lambda: image_views.pushed(made.image, made.project, pushed))


@options.command(
    "inspect",
    "preheat image inspect python:3.12-slim",
    "preheat image inspect layout/ --json",
    "preheat image inspect registry.example.com/team/ocr:v1 --platform linux/arm64",
)
@click.argument("image")
@_platform
@options.as_json
@pass_tools
def inspect(tools: Tools, image: str, platform: str) -> None:
    """Show what IMAGE is: a name in a registry, or a folder or archive that --output wrote."""
    require_packages("image")
    from preheat.bundle.image.document import Platform
    from preheat.bundle.image.inspect import inspect_layout, inspect_remote
    from preheat.bundle.image.reference import parse_reference
    from preheat.bundle.image.registry.credentials import DockerLogins
    from preheat.bundle.image.registry.registries import Registries

    if Path(image).exists():
        found = inspect_layout(Path(image))
    else:
        with Registries(DockerLogins()) as registries:
            found = inspect_remote(parse_reference(image), Platform(*platform.split("/")), registries)
    tools.screen.result(image_views.found_document(found), lambda: image_views.found(found))


for _command in (build, push, inspect):
    image.add_command(_command)
