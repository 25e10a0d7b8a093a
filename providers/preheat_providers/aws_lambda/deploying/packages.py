"""The two ways of code to Lambda: archives by way of S3, or an image by way of ECR."""

from collections.abc import Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from preheat.bundle.cache import Cache
from preheat.errors import ProviderError
from preheat.progress import Notice, Report, Step
from preheat_providers._aws.errors import translated
from preheat_providers._aws.images.imaging import Imaging
from preheat_providers.aws_lambda.deploying.archives import Artifacts, upload
from preheat_providers.aws_lambda.deploying.versions import Code
from preheat_providers.aws_lambda.place import Place
from preheat_providers.aws_lambda.template.images import images_template_of
from preheat_providers.aws_lambda.template.names import stack_tags

if TYPE_CHECKING:
    from mypy_boto3_ecr.type_defs import ImageIdentifierTypeDef

    from preheat.bundle.image.image import Image

STAGE = "apply"
IMAGES_AT_ONCE = 100
"""https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html"""


class Package(Protocol):
    """What a deploy sends."""

    def send(self) -> None:
        """Send what is missing where Lambda takes it from. Raises ProviderError."""
        ...

    def code(self, key: str) -> Code:
        """Return where Lambda finds what a version calls `key`."""
        ...

    def tidy(self, used: Set[str]) -> None:
        """Remove what none of the versions that are `used` needs. What cannot be removed is said."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Archives:
    """Archives and weights in the artifact bucket, where they stay until the function goes."""

    place: Place
    artifacts: Artifacts
    bucket: str
    cache: Cache
    report: Report

    def send(self) -> None:
        """Upload them."""
        self.report(Step(STAGE, f"sending what s3://{self.bucket} lacks"))
        client = self.place.session.client("s3")
        upload(client, self.artifacts, bucket=self.bucket, cache=self.cache, report=self.report)

    def code(self, key: str) -> Code:
        """Return the object."""
        return {"S3Bucket": self.bucket, "S3Key": key}

    def tidy(self, used: Set[str]) -> None:
        """Leave them: an edit's archive has a few kilobytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """Images in the function's own repository, each for as long as a version has it."""

    place: Place
    image: "Image"
    imaging: Imaging
    report: Report

    def send(self) -> None:
        """Make the repository, and push the image."""
        place = self.place
        place.image_stack()  # raises Conflict for somebody else's
        self.report(Step(STAGE, f"asking CloudFormation what differs of {place.image_stack_name}"))
        place.stacks.deploy(
            place.image_stack_name,
            images_template_of(place.name, place.stage),
            parameters={},
            tags=stack_tags(place.name, place.stage),
            report=self.report,
        )
        self.imaging.push(self.image, place.repository)

    def code(self, key: str) -> Code:
        """Return the image's address."""
        return {"ImageUri": f"{self.imaging.registry.name}/{key}"}

    def tidy(self, used: Set[str]) -> None:
        """Remove the images of releases that are gone, and of deploys that failed."""
        try:
            self._remove(self._unused(used))
        except ProviderError as error:
            self.report(Notice(STAGE, f"An old image stays: {error.message}", hint=error.hint))

    def _unused(self, used: Set[str]) -> list[str]:
        repository = self.place.repository
        pages = self.place.session.client("ecr").get_paginator("list_images")
        with translated(f"the images of {repository} cannot be listed"):
            found = {
                each["imageDigest"]
                for page in pages.paginate(repositoryName=repository)
                for each in page["imageIds"]
            }
        return sorted(digest for digest in found if f"{repository}@{digest}" not in used)

    def _remove(self, digests: list[str]) -> None:
        repository = self.place.repository
        client = self.place.session.client("ecr")
        for first in range(0, len(digests), IMAGES_AT_ONCE):
            batch: list[ImageIdentifierTypeDef] = [
                {"imageDigest": digest} for digest in digests[first : first + IMAGES_AT_ONCE]
            ]
            with translated(f"images of {repository} cannot be removed"):
                client.batch_delete_image(repositoryName=repository, imageIds=batch)
