"""Which images go, and how a version's image is addressed."""

from collections.abc import Iterator
from typing import Any, cast

from botocore.exceptions import ClientError

from preheat.progress import Event, Notice
from preheat_providers.aws_lambda.deploying.packages import IMAGES_AT_ONCE, Images
from preheat_providers.aws_lambda.place import Place

REPOSITORY = "preheat/ocr/dev/function"
HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


class Ecr:
    """A repository with images of these digests, each listed with a tag and without one."""

    def __init__(self, *digests: str, denied: bool = False) -> None:
        self.digests = [*digests]
        self.batches: list[int] = []
        self._denied = denied

    def client(self, service: str) -> "Ecr":
        assert service == "ecr"
        return self

    def get_paginator(self, operation: str) -> "Ecr":
        assert operation == "list_images"
        return self

    def paginate(self, *, repositoryName: str) -> Iterator[Any]:
        assert repositoryName == REPOSITORY
        for digest in self.digests:
            yield {"imageIds": [{"imageDigest": digest, "imageTag": "a"}, {"imageDigest": digest}]}

    def batch_delete_image(self, *, repositoryName: str, imageIds: list[Any]) -> None:
        assert repositoryName == REPOSITORY
        if self._denied:
            raise ClientError(
                {"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "BatchDeleteImage"
            )
        self.batches.append(len(imageIds))
        for each in imageIds:
            self.digests.remove(each["imageDigest"])


class Registries:
    """Stands for what pushes; only the registry's name is asked for."""

    name = HOST

    @property
    def registry(self) -> "Registries":
        return self


def images(ecr: Ecr, events: list[Event]) -> Images:
    place = Place(session=cast("Any", ecr), name="ocr", stage="dev")
    made = cast("Any", None)
    return Images(place=place, image=made, imaging=cast("Any", Registries()), report=events.append)


def test_images_that_no_version_has_are_removed_and_the_others_stay() -> None:
    ecr, events = Ecr("sha256:a", "sha256:b", "sha256:c"), list[Event]()
    images(ecr, events).tidy({f"{REPOSITORY}@sha256:b", "preheat/other/dev/function@sha256:a"})
    assert (ecr.digests, ecr.batches, events) == (["sha256:b"], [2], [])


def test_no_more_are_removed_at_once_than_ecr_takes() -> None:
    ecr = Ecr(*(f"sha256:{number}" for number in range(IMAGES_AT_ONCE + 1)))
    images(ecr, []).tidy(set())
    assert (ecr.digests, ecr.batches) == ([], [100, 1])


def test_nothing_is_asked_where_there_is_nothing_to_remove() -> None:
    ecr = Ecr("sha256:a", denied=True)
    events: list[Event] = []
    images(ecr, events).tidy({f"{REPOSITORY}@sha256:a"})
    assert events == []


def test_an_image_that_cannot_be_removed_is_no_failed_deploy() -> None:
    events: list[Event] = []
    images(Ecr("sha256:a", denied=True), events).tidy(set())
    (notice,) = events
    assert isinstance(notice, Notice)
    assert notice.text.startswith(f"An old image stays: images of {REPOSITORY} cannot be removed")


def test_a_version_is_found_in_the_registry_as_aws_calls_it() -> None:
    assert images(Ecr(), []).code(f"{REPOSITORY}@sha256:a") == {"ImageUri": f"{HOST}/{REPOSITORY}@sha256:a"}
