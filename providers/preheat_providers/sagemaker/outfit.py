"""What a deploy of one bundle is made of, before anything is sent. Reads the bundle's files and the cache."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from preheat.bundle.model import Bundle
from preheat.project.model import Project
from preheat.project.secret_values import resolve_secrets, secrets_mark
from preheat_providers._aws.images.imaging import Imaging
from preheat_providers.sagemaker.front.archive import FrontArchive, front_archive
from preheat_providers.sagemaker.gpu_host import ami_of
from preheat_providers.sagemaker.imaging import image_of
from preheat_providers.sagemaker.instances import instance_of, volume_gb
from preheat_providers.sagemaker.options import Options
from preheat_providers.sagemaker.shipped.settings import Settings
from preheat_providers.sagemaker.target import concurrent_of
from preheat_providers.sagemaker.template.document import template_of
from preheat_providers.sagemaker.template.images import images_template_of
from preheat_providers.sagemaker.template.wanted import Wanted

if TYPE_CHECKING:
    from preheat.bundle.image.image import Image

RELEASE_CHARACTERS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Outfit:
    """The image, the front, the templates, and what they were made from; `secrets` are values."""

    image: "Image"
    front: FrontArchive
    wanted: Wanted
    template: Mapping[str, Any]
    images_template: Mapping[str, Any]
    secrets: Mapping[str, str]


def outfit_of(
    project: Project, bundle: Bundle, options: Options, environ: Mapping[str, str], imaging: Imaging
) -> Outfit:
    """Return what `bundle` is deployed with; `environ` has the secrets.

    Raises BundleError where the base does not fit, ProviderError for a secret without a value.
    """
    image = image_of(project, bundle, options, imaging)
    front = front_archive(bundle.contract)
    secrets = resolve_secrets(project, environ)
    instance, weights = instance_of(project, options), bundle.layer("weights")
    apart = options.weights == "s3"
    wanted = Wanted(
        project=project,
        options=options,
        image=image.digest,
        digest=bundle.digest,
        front=front.key(project.name, project.stage),
        instance=instance,
        ami=ami_of(project, options, bundle),
        concurrent=concurrent_of(project, options, bundle.contract),
        weights=weights.digest if apart else None,
        volume_gb=volume_gb(project, instance, fetched=weights.bytes if apart else 0),
        environment=settings_of(project, bundle, options).environment(),
        secrets_mark=secrets_mark(project, secrets),
    )
    return Outfit(
        image=image,
        front=front,
        wanted=wanted,
        template=template_of(wanted),
        images_template=images_template_of(project.name, project.stage, options),
        secrets=secrets,
    )


def settings_of(project: Project, bundle: Bundle, options: Options) -> Settings:
    """Return what the container is told. Its release is the bundle: a number is not known beforehand."""
    release = bundle.digest.removeprefix("sha256:")[:RELEASE_CHARACTERS]
    return Settings(stage=project.stage, release=release, mode=options.mode)
