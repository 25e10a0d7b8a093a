"""Releases: endpoint configs that stay, each with its record in the artifact bucket.

    preheat/NAME/STAGE.endpoint/releases/000007.json

CloudFormation gives configs names of its own, and SageMaker lists them by name only; so what belongs together
is written down. A record is made after its release works.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from preheat.provider.protocol import Release
from preheat_providers._aws.errors import translated
from preheat_providers.sagemaker.template.names import DIGEST_TAG

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """One release: its endpoint config and model, the bundle's digest, and when it was made (RFC 3339).

    `weights` is where in the artifact bucket SageMaker finds its weights, if it has them from there; `before`
    is the release that served when this one was made, where that is known.
    """

    number: int
    config: str
    model: str
    digest: str
    created: str = ""
    weights: str | None = None
    before: int | None = None


class ReleaseBook:
    """The records of one function and stage, below `folder` of `bucket`."""

    def __init__(self, client: "S3Client", bucket: str, folder: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{folder}releases/"

    def releases(self) -> tuple[Released, ...]:
        """Return what is recorded, newest first. Raises ProviderError."""
        pages = self._client.get_paginator("list_objects_v2")
        with translated(f"the releases in s3://{self._bucket}/{self._prefix} cannot be read"):
            try:
                keys = [
                    each["Key"]
                    for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix)
                    for each in page.get("Contents", ())
                ]
            except self._client.exceptions.NoSuchBucket:
                return ()
            return tuple(self._read(key) for key in sorted(keys, reverse=True))

    def write(self, released: Released) -> None:
        """Record a release, or write its record again. Raises ProviderError."""
        with translated(f"release {released.number} cannot be recorded in s3://{self._bucket}"):
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._key(released.number),
                Body=json.dumps(asdict(released)).encode(),
            )

    def remove(self, number: int) -> None:
        """Remove a record. Raises ProviderError."""
        with translated(f"the record of release {number} cannot be removed from s3://{self._bucket}"):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(number))

    def _read(self, key: str) -> Released:
        with self._client.get_object(Bucket=self._bucket, Key=key)["Body"] as stream:
            return Released(**json.loads(stream.read()))

    def _key(self, number: int) -> str:
        return f"{self._prefix}{number:06}.json"


def release_list(releases: Iterable[Released], config: str) -> tuple[Release, ...]:
    """Return `releases` as the provider's; the one of `config` is active."""
    return tuple(
        Release(
            number=each.number,
            digest=each.digest,
            created=each.created,
            active=each.config == config,
        )
        for each in releases
    )


def superfluous(releases: Sequence[Released], *, keep: int, config: str) -> tuple[Released, ...]:
    """Return which of `releases`, newest first, may go.

    The `keep` newest stay, the one of `config`, which answers, and the one that a rollback from it goes to.
    """
    before = {each.before for each in releases if each.config == config}
    return tuple(each for each in releases[keep:] if each.config != config and each.number not in before)


def digest_in(template: Mapping[str, Any]) -> str:
    """Return the digest of the bundle that a stack has."""
    tags = template["Resources"]["EndpointConfig"]["Properties"]["Tags"]
    return next((str(each["Value"]) for each in tags if each["Key"] == DIGEST_TAG), "")
