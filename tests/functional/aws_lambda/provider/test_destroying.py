"""What lies beside the stack, and is removed with it."""

from typing import TYPE_CHECKING

import pytest
from tests.fakes.lambda_control import BUCKET

from preheat.errors import NotDeployed
from preheat.progress import quiet
from preheat_providers._aws.session import Session
from preheat_providers.aws_lambda.operating.destroying import destroy
from preheat_providers.aws_lambda.place import Place
from preheat_providers.aws_lambda.template.names import default_bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def place(session: Session) -> Place:
    return Place(session=session, name="ocr", stage="dev", sleep=lambda _: None)


@pytest.fixture
def bucket(s3: "S3Client", session: Session) -> str:
    """The account's own, with old versions of everything."""
    name = default_bucket(session.account().id, session.region)
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def keys(s3: "S3Client", bucket: str) -> list[str]:
    found = s3.list_object_versions(Bucket=bucket)
    return sorted(each["Key"] for each in (*found.get("Versions", ()), *found.get("DeleteMarkers", ())))


def test_what_a_killed_destroy_left_is_removed_by_the_next(
    place: Place, bucket: str, s3: "S3Client", session: Session
) -> None:
    for key in ("a.zip", "a.zip", "weights/1"):
        s3.put_object(Bucket=bucket, Key=f"preheat/ocr/dev/{key}", Body=b"x")
    s3.delete_object(Bucket=bucket, Key="preheat/ocr/dev/a.zip")
    s3.put_object(Bucket=bucket, Key="preheat/ocr/dev-2/a.zip", Body=b"x")
    session.client("logs").create_log_group(logGroupName="/preheat/ocr/dev")
    receipt = destroy(place, quiet)
    assert keys(s3, bucket) == ["preheat/ocr/dev-2/a.zip"]
    assert receipt.removed == (
        f"4 objects (archives and weights) in s3://{bucket}/preheat/ocr/dev/",
        "log group /preheat/ocr/dev, written to after the stack was gone",
    )
    assert receipt.left == ()
    with pytest.raises(NotDeployed):
        destroy(place, quiet)


def test_a_thousand_objects_and_more_are_removed(place: Place, bucket: str, s3: "S3Client") -> None:
    for number in range(1005):
        s3.put_object(Bucket=bucket, Key=f"preheat/ocr/dev/{number}.zip", Body=b"")
    assert destroy(place, quiet).removed[0].startswith("1005 objects")
    assert keys(s3, bucket) == []


def test_in_an_account_without_anything_there_is_nothing_to_destroy(place: Place, s3: "S3Client") -> None:
    with pytest.raises(NotDeployed, match="'ocr' is not deployed at stage 'dev' in us-east-1"):
        destroy(place, quiet)
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
