"""A bucket that nobody outside reads, and that forgets what is old."""

from collections.abc import Mapping

from preheat_providers._aws.templates.intrinsics import Json, resource


def private_bucket(kept_days: int, *, kms_key: str | None = None) -> Json:
    """Return a bucket whose objects go after `kept_days`, encrypted with `kms_key` or by S3's own key."""
    expiry = {
        "Id": "expire",
        "Status": "Enabled",
        "ExpirationInDays": kept_days,
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    return resource(
        "AWS::S3::Bucket",
        {
            "BucketEncryption": {"ServerSideEncryptionConfiguration": [_encryption(kms_key)]},
            "LifecycleConfiguration": {"Rules": [expiry]},
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
        },
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Delete",
    )


def _encryption(kms_key: str | None) -> Mapping[str, object]:
    if kms_key is None:
        return {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    by_key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": kms_key}
    return {"ServerSideEncryptionByDefault": by_key, "BucketKeyEnabled": True}
