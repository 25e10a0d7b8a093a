from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.stub import Stubber

from preheat.errors import BadInput
from preheat.runtime.objects.events import ObjectRecord
from preheat.runtime.objects.storage import S3Storage

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KEY = "arn:aws:kms:eu-central-1:111122223333:key/0f6e3a2c"
ROLE = "User: arn:aws:sts::111122223333:assumed-role/preheat-ocr-dev-Role/ocr is not authorized to perform: "
DECRYPT = (
    f"{ROLE}kms:Decrypt on resource: {KEY} because no identity-based policy allows the kms:Decrypt action"
)
QUOTED = f'{ROLE}kms:GenerateDataKey on resource: "{KEY}" because no resource-based policy allows it'
VERSION = f'{ROLE}s3:GetObjectVersion on resource: "arn:aws:s3:::in/a b.json" because no policy allows it'
LIST = f'{ROLE}s3:ListBucket on resource: "arn:aws:s3:::in" because no identity-based policy allows it'


def record(version_id: str | None = None) -> ObjectRecord:
    return ObjectRecord(
        bucket="in", key="a b.json", size=3, etag="e", version_id=version_id, sequencer="0A", time=0.0
    )


@pytest.fixture
def client() -> "Iterator[S3Client]":
    made = boto3.client(
        "s3", region_name="us-east-1", aws_access_key_id="AKIATESTONLY", aws_secret_access_key="s"
    )
    yield made
    made.close()


@pytest.fixture
def s3(client: "S3Client") -> Iterator[Stubber]:
    """What S3 answers, in order."""
    with Stubber(client) as answers:
        yield answers


@pytest.mark.parametrize(("version_id", "current"), [(None, True), ("v1", False)])
def test_what_was_deleted_has_nothing_newer_unless_versions_may_lie_below(
    client: "S3Client", s3: Stubber, version_id: str | None, current: bool
) -> None:
    s3.add_client_error("head_object", "404", "Not Found", 404)
    assert S3Storage(client).current(record(version_id)) is current


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        (DECRYPT, f"Allow kms:Decrypt on {KEY}."),
        (QUOTED, f"Allow kms:GenerateDataKey on {KEY}."),
        (VERSION, "Allow s3:GetObjectVersion on arn:aws:s3:::in/*."),
        (LIST, "Allow s3:ListBucket on arn:aws:s3:::in."),
        ("Access Denied", "Allow s3:GetObject on arn:aws:s3:::in/*."),
    ],
    ids=["key", "quoted", "version", "bucket", "unsaid"],
)
def test_a_denial_says_what_to_allow(client: "S3Client", s3: Stubber, message: str, advice: str) -> None:
    s3.add_client_error("get_object", "AccessDenied", message, 403)
    with pytest.raises(BadInput) as caught:
        S3Storage(client).read(record(), limit=100)
    assert caught.value.message == f"s3://in/a b.json cannot be read: S3 answered AccessDenied. {advice}"


def test_a_result_that_may_not_be_written_says_so_too(client: "S3Client", s3: Stubber) -> None:
    s3.add_client_error("put_object", "AccessDenied", "Access Denied", 403)
    with pytest.raises(
        BadInput, match=r"out/r\.json cannot be written: .* Allow s3:PutObject on arn:aws:s3:::out/\*"
    ):
        S3Storage(client).write("out", "r.json", b"{}", "application/json")
