"""Removes a function, whole. The stack goes after what it names, so that a killed destroy can be repeated."""

from functools import partial

from preheat.progress import Report, Step
from preheat.provider.protocol import Receipt
from preheat_providers._aws.buckets import still_tells
from preheat_providers._aws.errors import translated
from preheat_providers._aws.parameters import artifact_bucket
from preheat_providers._aws.removing import delete_with_bucket, drop_log_group, emptied, first_objects
from preheat_providers._aws.stacks import Stack
from preheat_providers._aws.templates.anatomy import upload_buckets
from preheat_providers.aws_lambda.place import Place
from preheat_providers.aws_lambda.template.names import default_bucket

STAGE = "destroy"


def destroy(place: Place, report: Report) -> Receipt:
    """Remove everything that deploy made. Raises NotDeployed, or ProviderError with what would not go."""
    stack = place.stack()
    bucket = _artifact_bucket(place, stack)
    client = place.session.client("s3")
    removed: list[str] = []
    jobs = stack.outputs.get("JobsBucket") if stack is not None else None
    if jobs is not None:
        report(Step(STAGE, f"emptying s3://{jobs}"))
        removed += emptied(client, jobs, "", "jobs", report)
    removed += emptied(client, bucket, place.folder, "archives and weights", report)
    if jobs is not None:
        clear = partial(emptied, client, jobs, "", "jobs", report)
        removed += delete_with_bucket(place.stacks, place.function, clear, report)
    elif stack is not None:
        removed += place.stacks.delete(place.function, report=report)
    if place.image_stack() is not None:
        removed += place.stacks.delete(place.image_stack_name, report=report)
    logs = place.session.client("logs")
    if drop_log_group(logs, place.group):
        removed.append(f"log group {place.group}, written to after the stack was gone")
    if not removed:
        raise place.missing()
    for told in upload_buckets(stack.template) if stack is not None and stack.template else ():
        report(still_tells(told, STAGE))
    return Receipt(name=place.name, stage=place.stage, removed=tuple(removed), left=_left(place, bucket))


def _artifact_bucket(place: Place, stack: Stack | None) -> str:
    if (bucket := artifact_bucket(stack)) is not None:
        return bucket
    account = place.session.account()
    return default_bucket(account.id, account.region)


def _left(place: Place, bucket: str) -> tuple[str, ...]:
    """Return what is still there, asked of AWS again."""
    stacks = (place.stack(), place.image_stack())
    left = [f"stack {stack.name} ({stack.status})" for stack in stacks if stack is not None]
    client = place.session.client("s3")
    with translated(f"s3://{bucket}/{place.folder} cannot be listed"):
        left += [f"s3://{bucket}/{key}" for key, _ in first_objects(client, bucket, place.folder)]
    return tuple(left)
