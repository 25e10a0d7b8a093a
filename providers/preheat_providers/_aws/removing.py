"""Removes objects, stacks with buckets and log groups for good. Each call can be repeated."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from preheat.progress import Amount, Report, Step
from preheat_providers._aws.errors import translated
from preheat_providers._aws.stacks import StackFailed, Stacks

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import DeleteTypeDef

STAGE = "destroy"
BUCKET_TYPE = "AWS::S3::Bucket"
OBJECTS_AT_ONCE = 1000
"""https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html"""

Identity = tuple[str, str]
"""The key and the version of an object."""


def emptied(client: "S3Client", bucket: str, prefix: str, what: str, report: Report) -> list[str]:
    """Remove every object and version below `prefix`; return what to put on the receipt.

    Asks for the beginning of the list each time: what is left of it then is what would not go.
    """
    count, refused = 0, frozenset[Identity]()
    with translated(f"s3://{bucket}/{prefix} cannot be emptied"):
        while batch := [each for each in first_objects(client, bucket, prefix) if each not in refused]:
            answer = client.delete_objects(Bucket=bucket, Delete=_deletion(batch))
            errors = answer.get("Errors", [])
            refused |= {(each["Key"], each.get("VersionId", "null")) for each in errors}
            count += len(batch) - len(errors)
            report(Amount(STAGE, what, count, None, "objects"))
    objects = "1 object" if count == 1 else f"{count} objects"
    return [f"{objects} ({what}) in s3://{bucket}/{prefix}"] if count else []


def delete_with_bucket(
    stacks: Stacks, name: str, clear: Callable[[], Sequence[str]], report: Report
) -> tuple[str, ...]:
    """Remove the stack, whose bucket `clear` has emptied, and empties again for what was written meanwhile.

    CloudFormation removes no bucket that holds something. Returns what was removed. Raises ProviderError.
    """
    try:
        return stacks.delete(name, report=report)
    except StackFailed as error:
        if not any(each.type == BUCKET_TYPE for each in error.failures):
            raise
    report(Step(STAGE, "emptying the bucket again, where something was written meanwhile"))
    return (*clear(), *stacks.delete(name, report=report))


def _deletion(batch: Sequence[Identity]) -> "DeleteTypeDef":
    return {"Objects": [{"Key": key, "VersionId": version} for key, version in batch], "Quiet": True}


def first_objects(client: "S3Client", bucket: str, prefix: str) -> list[Identity]:
    """Return the first objects and versions below `prefix`, as many as may be removed at once."""
    try:
        page = client.list_object_versions(Bucket=bucket, Prefix=prefix, MaxKeys=OBJECTS_AT_ONCE)
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchBucket", "404"):
            return []
        raise
    found = (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
    return [(each["Key"], each["VersionId"]) for each in found]


def drop_log_group(client: "CloudWatchLogsClient", group: str) -> bool:
    """Remove a log group and say whether there was one. Raises ProviderError."""
    with translated(f"the log group {group} cannot be removed"):
        try:
            client.delete_log_group(logGroupName=group)
        except client.exceptions.ResourceNotFoundException:
            return False
    return True
