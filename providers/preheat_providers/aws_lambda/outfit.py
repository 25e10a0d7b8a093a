"""What a deploy of one bundle is made of, before anybody is asked. Reads the bundle's files.

For an image the cache too, and the first time, and whenever its base changes, the base's registry: the image
is named by its digest, which is known before anything is pushed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from preheat.bundle.model import Bundle
from preheat.errors import ProjectError
from preheat.findings import Finding
from preheat.project.model import Project
from preheat.project.secret_values import resolve_secrets, secrets_mark
from preheat_providers._aws.images.imaging import Imaging
from preheat_providers.aws_lambda.built_findings import built_findings, image_findings
from preheat_providers.aws_lambda.container import base_of, container_of
from preheat_providers.aws_lambda.deploying.archives import Artifacts, artifacts_of
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.target import ArchiveName, environment_of
from preheat_providers.aws_lambda.template.document import template_of
from preheat_providers.aws_lambda.template.images import images_template_of
from preheat_providers.aws_lambda.template.names import object_prefix, repository_name
from preheat_providers.aws_lambda.template.wanted import Wanted

if TYPE_CHECKING:
    from preheat.bundle.image.image import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Outfit:
    """The archives or the image, the template that names them, and what that was made from.

    `secrets` are values. `images_template` is that of the repository, None for archives.
    """

    package: "Artifacts | Image"
    wanted: Wanted
    template: Mapping[str, Any]
    images_template: Mapping[str, Any] | None
    secrets: Mapping[str, str]


def outfit_of(
    project: Project,
    bundle: Bundle,
    options: Options,
    environ: Mapping[str, str],
    imaging: Imaging | None = None,
) -> Outfit:
    """Return what `bundle` is deployed with; `environ` has the secrets, `imaging` builds an image.

    Raises ProjectError for what AWS has no room for, ProviderError for a secret without a value, BundleError
    where the base of an image does not fit.
    """
    package: Artifacts | Image
    keys: Mapping[ArchiveName, str] = {}
    image: str | None = None
    if imaging is None:
        package = artifacts_of(bundle, options, object_prefix(project.name, project.stage))
        keys = package.keys
    else:
        package = image_of(project, bundle, options, imaging)
        image = f"{repository_name(project.name, project.stage)}@{package.digest}"
    secrets = resolve_secrets(project, environ)
    wanted = Wanted(
        project=project,
        options=options,
        keys=keys,
        image=image,
        digest=bundle.digest,
        environment=environment_of(project, options),
        secrets_mark=secrets_mark(project, secrets),
    )
    template = template_of(wanted)
    if findings := built_findings(bundle, project, options, template):
        raise _unfit(project, findings)
    images = images_template_of(project.name, project.stage) if imaging is not None else None
    return Outfit(package=package, wanted=wanted, template=template, images_template=images, secrets=secrets)


def image_of(project: Project, bundle: Bundle, options: Options, imaging: Imaging) -> "Image":
    """Return the image of `bundle`.

    Raises BundleError for a base that does not fit, ProjectError for an image that is too large.
    """
    base = base_of(options, bundle.target.python)
    image = imaging.build(project.root, bundle, base=base, container=container_of(project))
    base_bytes = sum(layer.descriptor.size for layer in image.layers if layer.name == "base")
    if findings := image_findings(bundle, project, base_bytes=base_bytes):
        raise _unfit(project, findings)
    return image


def _unfit(project: Project, findings: tuple[Finding, ...]) -> ProjectError:
    return ProjectError(f"{project.name} does not fit into AWS Lambda.", findings=findings)
