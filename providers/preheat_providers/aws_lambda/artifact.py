"""What a function is made of, in a bucket: named by its content, sent only when missing.

    preheat/NAME/STAGE/HEX.zip       an archive, by the digest over what it unpacks to
    preheat/NAME/STAGE/weights/HEX   a file of weights, by its SHA-256

Each function has a folder of its own, so that whoever destroys it knows what to remove.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from preheat.bundle.digest import read_folder
from preheat.bundle.model import Layer
from preheat.bundle.zip.archive import Archive
from preheat.progress import Report
from preheat_providers._aws.storing import Stored, Storing
from preheat_providers.aws_lambda.shipped.weights.listing import Item

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def archive_key(folder: str, digest: str) -> str:
    """Return the key of the archive with this `sha256:HEX` in `folder`, which ends in `/`."""
    return f"{folder}{digest.removeprefix('sha256:')}.zip"


def store_archive(
    client: "S3Client", archive: Archive, *, bucket: str, key: str, report: Report, label: str = "archive"
) -> Stored:
    """Put `archive` at `key` of `bucket` unless it is there. Raises ProviderError."""
    return Storing(client, bucket, report).store(archive.path, key, label)


def weight_items(layer: Layer, folder: str) -> tuple[Item, ...]:
    """Return the files of the weights layer as the function will look for them. Reads them all."""
    return tuple(
        Item(path=path, key=f"{folder}weights/{file.sha256}", bytes=file.bytes, sha256=file.sha256)
        for path, file in read_folder(layer.path).items()
    )


def store_weights(
    client: "S3Client", layer: Layer, items: Iterable[Item], *, bucket: str, report: Report
) -> tuple[Stored, ...]:
    """Put the files of `layer` that `bucket` lacks there. Raises ProviderError."""
    storing = Storing(client, bucket, report)
    return tuple(storing.store(layer.path / item.path, item.key, item.path) for item in items)
