from typing import Any

import pytest

from preheat_providers._aws.templates.buckets import private_bucket

KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234"


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        (None, {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}),
        (
            KEY,
            {
                "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
                "BucketKeyEnabled": True,
            },
        ),
    ],
)
def test_every_object_is_encrypted(key: str | None, rule: dict[str, Any]) -> None:
    properties = private_bucket(7, kms_key=key)["Properties"]
    assert properties["BucketEncryption"] == {"ServerSideEncryptionConfiguration": [rule]}


def test_nobody_outside_reads_and_what_is_old_goes() -> None:
    properties = private_bucket(7)["Properties"]
    assert all(properties["PublicAccessBlockConfiguration"].values())
    (rule,) = properties["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 7)
