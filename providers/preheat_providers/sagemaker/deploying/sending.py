"""What of a deploy lies in the artifact bucket: the front, and the weights that SageMaker fetches."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from preheat.bundle.digest import read_folder
from preheat.bundle.model import Layer
from preheat.progress import Report
from preheat_providers._aws.storing import Stored, Storing
from preheat_providers.sagemaker.front.archive import FrontArchive

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def send_front(client: "S3Client", front: FrontArchive, *, bucket: str, key: str, report: Report) -> Stored:
    """Store the archive unless it is there. Raises ProviderError."""
    with TemporaryDirectory(prefix="preheat-") as folder:
        path = Path(folder) / "front.zip"
        path.write_bytes(front.data)
        return Storing(client, bucket, report).store(path, key, "front")


def send_weights(
    client: "S3Client", layer: Layer, *, bucket: str, prefix: str, report: Report
) -> tuple[Stored, ...]:
    """Store the files of the weights' layer below `prefix`, those that are missing. Raises ProviderError.

    SageMaker puts what lies there below /opt/ml/model, at the same paths.
    """
    storing = Storing(client, bucket, report)
    return tuple(
        storing.store(layer.path / path, f"{prefix}{path}", path) for path in read_folder(layer.path)
    )
