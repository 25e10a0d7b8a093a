"""The bucket of jobs, and the topics that are told of results."""

from preheat_providers._aws.templates.buckets import private_bucket
from preheat_providers._aws.templates.intrinsics import Json, Resources, object_arn, ref, resource, sub
from preheat_providers.sagemaker.template.wanted import Wanted

KEPT_DAYS = 7
TOPICS = ("ResultTopic", "FailureTopic")


def storage_resources(wanted: Wanted) -> Resources:
    """Return the bucket, unless the project brings one, and the topics if it wants them."""
    if not wanted.is_async:
        return {}
    resources: Resources = {}
    if wanted.own_bucket:
        resources["Jobs"] = _bucket(wanted)
    if wanted.options.notify:
        resources |= {name: _topic(wanted) for name in TOPICS}
    return resources


def bucket_text(wanted: Wanted) -> str:
    """Return the name of the bucket, for `sub`."""
    return wanted.options.output_bucket or "${Jobs}"


def bucket_name(wanted: Wanted) -> str | Json:
    """Return the name of the bucket as a value."""
    return wanted.options.output_bucket or ref("Jobs")


def folder_uri(wanted: Wanted, folder: str) -> str | Json:
    """Return the address of a folder of the bucket."""
    uri = f"s3://{bucket_text(wanted)}/{wanted.prefix}{folder}"
    return sub(uri) if wanted.own_bucket else uri


def folder_arn(wanted: Wanted, folder: str) -> Json:
    """Return the ARN of all objects of that folder."""
    return object_arn(bucket_text(wanted), f"{wanted.prefix}{folder}*")


def _bucket(wanted: Wanted) -> Json:
    bucket = private_bucket(KEPT_DAYS, kms_key=wanted.options.kms_key)
    events = {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    if wanted.uploads:
        bucket["Properties"]["NotificationConfiguration"] = events
    return bucket


def _topic(wanted: Wanted) -> Json:
    return resource("AWS::SNS::Topic", {"KmsMasterKeyId": wanted.options.kms_key})
