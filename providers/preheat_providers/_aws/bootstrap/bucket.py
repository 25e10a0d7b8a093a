"""The artifact bucket: archives and weights, encrypted, private, over TLS only. Pure."""

from typing import Any

from preheat_providers._aws.bootstrap.statements import BUCKET, policy, sub

MAKES = "MakesBucket"
NAME = {"Fn::If": [MAKES, {"Ref": "ArtifactBucket"}, {"Ref": "ExistingBucket"}]}
"""The bucket in use: the stack's own, or the one that was named."""

KEPT = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
"""Functions run from what lies there: deleting the stack keeps it. A creation that failed leaves nothing."""


def bucket() -> dict[str, Any]:
    """Return the bucket. Uploads that were cut are removed after a day; nothing else ever is."""
    return {
        "Type": "AWS::S3::Bucket",
        "Condition": MAKES,
        **KEPT,
        "Properties": {
            "BucketName": sub(BUCKET),
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
                ]
            },
            "LifecycleConfiguration": {
                "Rules": [
                    {
                        "Id": "cut-uploads",
                        "Status": "Enabled",
                        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                    }
                ]
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
        },
    }


def bucket_policy() -> dict[str, Any]:
    """Return its policy: no request without TLS."""
    own = sub("${ArtifactBucket.Arn}")
    statement = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [own, sub("${ArtifactBucket.Arn}/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {
        "Type": "AWS::S3::BucketPolicy",
        "Condition": MAKES,
        **KEPT,
        "Properties": {"Bucket": {"Ref": "ArtifactBucket"}, "PolicyDocument": policy(statement)},
    }
