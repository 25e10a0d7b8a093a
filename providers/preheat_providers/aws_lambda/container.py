"""The container that Lambda runs of an image, as data for the image's configuration. Pure.

What Lambda demands of images: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html, read on
2026-11-21. It chooses the user itself, mounts everything read-only but /tmp, and looks into no port.
"""

from preheat.bundle.image.container import CODE, Container
from preheat.project.model import Project
from preheat_providers.aws_lambda.options import Options

SCRIPT = "preheat_providers/aws_lambda/shipped/container.py"
"""Where what starts lies in the code layer."""

PLATFORMS = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
"""What wheels are chosen for: the base image brings the libc, which the image builder checks."""

CLIENT_REQUIREMENTS = ("awslambdaric>=4",)
"""Lambda's runtime client, which an archive finds in Lambda's own runtime."""

SDK_REQUIREMENTS = ("boto3>=1.36",)
"""The AWS SDK, for events and jobs: an archive finds it there too."""


def base_of(options: Options, python: str) -> str:
    """Return the image to build on."""
    from preheat.bundle.image.checks import default_base  # imports an HTTP client

    return options.base_image or default_base(python)


def container_of(project: Project) -> Container:
    """Return the container. Variables come with the function's settings, as for an archive."""
    return Container(
        command=("-I", "-S", "-B", "-X", "utf8", f"/{CODE}/{SCRIPT}"),
        labels={"org.opencontainers.image.title": project.name},
        ports=(),
        user=None,
    )
