"""Buckets whose uploads run a function: they must tell EventBridge. Changes their notifications, adding only.

A bucket has one configuration of notifications, which a put replaces as a whole; so what is there is read,
put back with EventBridge added, and read again.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-event-notifications-eventbridge.html
"""

from typing import TYPE_CHECKING, Any

from preheat.errors import ProviderError
from preheat.progress import Notice
from preheat_providers._aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SWITCH = "EventBridgeConfiguration"


def tells_events(client: "S3Client", bucket: str) -> bool:
    """Say whether `bucket` exists and tells EventBridge of its uploads. Raises ProviderError."""
    with translated(f"the notifications of the bucket {bucket} cannot be read"):
        try:
            return SWITCH in _notifications(client, bucket)
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchBucket", "404"):
                return False
            raise


def make_tell(
    client: "S3Client", bucket: str, *, region: str, trigger: str, provider: str, option: str = "region"
) -> bool:
    """Let `bucket` tell EventBridge of its uploads, and return whether it did not before.

    `option` is what the provider calls the region of AWS. Raises ProviderError if the bucket is missing or
    lies in another region, or another change came between.
    """
    _require(client, bucket, region=region, trigger=trigger, setting=(provider, option))
    with translated(f"the notifications of the bucket {bucket} cannot be changed"):
        before = _notifications(client, bucket)
        if SWITCH in before:
            return False
        client.put_bucket_notification_configuration(
            Bucket=bucket,
            NotificationConfiguration={**before, SWITCH: {}},  # type: ignore[typeddict-item]
            # Those of others are checked again otherwise, and one whose queue is gone would stop us.
            SkipDestinationValidation=True,
        )
        after = _notifications(client, bucket)
    if after != {**before, SWITCH: {}}:
        lost = sorted(key for key in before if after.get(key) != before[key]) or [SWITCH]
        raise ProviderError(
            f"Somebody else changed the notifications of the bucket {bucket} at the same time: "
            f"{', '.join(lost)} is not what it was.",
            hint=f"aws s3api get-bucket-notification-configuration --bucket {bucket}  # then deploy again",
        )
    return True


def still_tells(bucket: str, stage: str) -> Notice:
    """Return what a destroy says of a bucket that a deploy has switched on, and that stays so."""
    return Notice(
        stage,
        f"The bucket {bucket} still tells EventBridge of its uploads: others may listen.",
        hint=f"aws s3api get-bucket-notification-configuration --bucket {bucket}",
    )


def _notifications(client: "S3Client", bucket: str) -> dict[str, Any]:
    found = client.get_bucket_notification_configuration(Bucket=bucket)
    return {key: value for key, value in found.items() if key != "ResponseMetadata"}


def _require(client: "S3Client", bucket: str, *, region: str, trigger: str, setting: tuple[str, str]) -> None:
    provider, option = setting
    with translated(f"the bucket {bucket} of the trigger {trigger} cannot be used"):
        try:
            found = client.head_bucket(Bucket=bucket)
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
                raise
            raise ProviderError(
                f"The bucket {bucket!r} of the trigger {trigger!r} does not exist.",
                hint=f"aws s3 mb s3://{bucket} --region {region}",
            ) from error
    where = found.get("BucketRegion", region)
    if where != region:
        raise ProviderError(
            f"The bucket {bucket!r} of the trigger {trigger!r} lies in {where}, and its events go to "
            f"EventBridge there; the deploy is in {region}.",
            hint=f'{option} = "{where}"  # in [provider.{provider}]',
        )
