"""A bundle to the image of its endpoint: which base it has, and whether it is too large."""

from typing import TYPE_CHECKING

from preheat.bundle.model import Bundle
from preheat.errors import ProviderError
from preheat.project.model import Project
from preheat_providers._aws.images.imaging import Imaging
from preheat_providers.sagemaker.container import container_of
from preheat_providers.sagemaker.limits import IMAGE_BYTES
from preheat_providers.sagemaker.options import Options

if TYPE_CHECKING:
    from preheat.bundle.image.image import Image


def image_of(project: Project, bundle: Bundle, options: Options, imaging: Imaging) -> "Image":
    """Return the image. Raises BundleError where its base does not fit, ProviderError for one too large."""
    base = base_of(options, bundle.target.python)
    image = imaging.build(project.root, bundle, base=base, container=container_of(project))
    check_size(image.bytes, options)
    return image


def base_of(options: Options, python: str) -> str:
    """Return the image to build on."""
    from preheat.bundle.image.checks import default_base  # imports an HTTP client

    return options.base_image or default_base(python)


def check_size(image_bytes: int, options: Options) -> None:
    """Raise ProviderError for an image that is too large for its endpoint already while it is packed."""
    if options.mode == "serverless" and image_bytes > IMAGE_BYTES:
        raise ProviderError(
            f"The image has {image_bytes:,} bytes packed, and a serverless endpoint takes {IMAGE_BYTES:,} "
            "unpacked.",
            hint='mode = "async"  # in [provider.sagemaker]; weights = "s3" keeps them out of the image',
        )
