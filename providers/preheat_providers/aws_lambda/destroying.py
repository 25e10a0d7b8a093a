"""Removes a function, whole. The stack goes after what it names, so that a killed destroy can be repeated."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from preheat.progress import Amount, Notice, Report, Step
from preheat.provider.protocol import Receipt
from preheat_providers._aws.errors import translated
from preheat_providers._aws.stacks import Stack
from preheat_providers.aws_lambda.anatomy import upload_buckets
from preheat_providers.aws_lambda.deploying.parameters import BUCKET_PARAMETER
from preheat_providers.aws_lambda.place import Place
from preheat_providers.aws_lambda.template.names import default_bucket

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import DeleteTypeDef

STAGE = "destroy"
OBJECTS_AT_ONCE = 1000
"""https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html"""

Identity = tuple[str, str]
"""The key and the version of an object."""


def destroy(place: Place, report: Report) -> Receipt:
    """Remove everything that deploy made. Raises NotDeployed, or ProviderError with what would not go."""
    stack = place.stack()
    bucket = _artifact_bucket(place, stack)
    client = place.session.client("s3")
    removed: list[str] = []
    if stack is not None and (jobs := stack.outputs.get("JobsBucket")):
        report(Step(STAGE, f"emptying s3://{jobs}"))
        removed += _emptied(client, jobs, "", "jobs", report)
    removed += _emptied(client, bucket, place.folder, "archives and weights", report)
    if stack is not None:
        removed += place.stacks.delete(place.function, report=report)
    logs = place.session.client("logs")
    if _drop_log_group(logs, place.group):
        removed.append(f"log group {place.group}, written to after the stack was gone")
    if not removed:
        raise place.missing()
    for told in upload_buckets(stack.template) if stack is not None and stack.template else ():
        report(_kept_on(told))
    return Receipt(name=place.name, stage=place.stage, removed=tuple(removed), left=_left(place, bucket))


def _artifact_bucket(place: Place, stack: Stack | None) -> str:
    if stack is not None and BUCKET_PARAMETER in stack.parameters:
        return stack.parameters[BUCKET_PARAMETER]
    account = place.session.account()
    return default_bucket(account.id, account.region)


def _kept_on(bucket: str) -> Notice:
    return Notice(
        STAGE,
        f"The bucket {bucket} still tells EventBridge of its uploads: others may listen.",
        hint=f"aws s3api get-bucket-notification-configuration --bucket {bucket}",
    )


def _emptied(client: "S3Client", bucket: str, prefix: str, what: str, report: Report) -> list[str]:
    """Remove every object and version below `prefix`; return what to put on the receipt.

    Asks for the beginning of the list each time: what is left of it then is what would not go.
    """
    count, refused = 0, frozenset[Identity]()
    with translated(f"s3://{bucket}/{prefix} cannot be emptied"):
        while batch := [each for each in _first(client, bucket, prefix) if each not in refused]:
            answer = client.delete_objects(Bucket=bucket, Delete=_deletion(batch))
            errors = answer.get("Errors", [])
            refused |= {(each["Key"], each.get("VersionId", "null")) for each in errors}
            count += len(batch) - len(errors)
            report(Amount(STAGE, what, count, None, "objects"))
    return [f"{count} objects ({what}) in s3://{bucket}/{prefix}"] if count else []


def _deletion(batch: Sequence[Identity]) -> "DeleteTypeDef":
    return {"Objects": [{"Key": key, "VersionId": version} for key, version in batch], "Quiet": True}


def _first(client: "S3Client", bucket: str, prefix: str) -> list[Identity]:
    """Return the first objects and versions below `prefix`, as many as may be removed at once."""
    try:
        page = client.list_object_versions(Bucket=bucket, Prefix=prefix, MaxKeys=OBJECTS_AT_ONCE)
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchBucket", "404"):
            return []
        raise
    found = (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
    return [(each["Key"], each["VersionId"]) for each in found]


def _drop_log_group(client: "CloudWatchLogsClient", group: str) -> bool:
    with translated(f"the log group {group} cannot be removed"):
        try:
            client.delete_log_group(logGroupName=group)
        except client.exceptions.ResourceNotFoundException:
            return False
    return True


def _left(place: Place, bucket: str) -> tuple[str, ...]:
    """Return what is still there, asked of AWS again."""
    left = []
    if (stack := place.stack()) is not None:
        left.append(f"stack {stack.name} ({stack.status})")
    client = place.session.client("s3")
    with translated(f"s3://{bucket}/{place.folder} cannot be listed"):
        left += [f"s3://{bucket}/{key}" for key, _ in _first(client, bucket, place.folder)]
    return tuple(left)
