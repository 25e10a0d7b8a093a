"""Removes an endpoint, whole. Records go last, so that a killed destroy can be repeated."""

from dataclasses import dataclass
from functools import partial

from preheat.progress import Report, Step
from preheat.provider.protocol import Receipt
from preheat_providers._aws.buckets import still_tells
from preheat_providers._aws.removing import delete_with_bucket, drop_log_group, emptied, first_objects
from preheat_providers._aws.stacks import Stack
from preheat_providers._aws.stacks.model import INVALID
from preheat_providers._aws.templates.anatomy import upload_buckets
from preheat_providers.sagemaker.deploying.recording import remove_release
from preheat_providers.sagemaker.operating.traffic import settle
from preheat_providers.sagemaker.place import Place
from preheat_providers.sagemaker.template.names import front_log_group, log_group

STAGE = "destroy"
ROOMS = ("inputs/", "outputs/", "failures/", "records/")


@dataclass(frozen=True, slots=True)
class Jobs:
    """Where jobs lie. The prefix is empty in the stack's own bucket."""

    bucket: str
    prefix: str


def destroy(place: Place, report: Report) -> Receipt:
    """Remove everything that deploy made. Raises NotDeployed, or ProviderError with what would not go."""
    stack, images = place.stack(), place.image_stack()
    bucket = place.artifact_bucket(stack)
    s3, logs = place.session.client("s3"), place.session.client("logs")
    releases = place.book(stack).releases()
    removed: list[str] = []
    if stack is not None and not stack.in_progress:
        settle(place, tell=lambda text: report(Step(STAGE, text)))
    jobs = _jobs_of(place, stack)
    if jobs is not None:
        report(Step(STAGE, f"emptying s3://{jobs.bucket}"))
        removed += _jobs_removed(place, jobs, report)
    if stack is not None:
        removed += _stack_removed(place, jobs, report)
    if jobs is not None and jobs.prefix:
        removed += _jobs_removed(place, jobs, report)  # what instances wrote until they ended
    for release in releases:
        removed += remove_release(place.session.client("sagemaker"), release)
    if images is not None:
        removed += place.stacks.delete(place.image_stack_name, report=report)
    removed += emptied(s3, bucket, place.folder, "archives, weights and records", report)
    for group in _groups(place):
        if drop_log_group(logs, group):
            removed.append(f"log group {group}, written to after the stack was gone")
    if not removed:
        raise place.missing()
    for told in _told(stack):
        report(still_tells(told, STAGE))
    return Receipt(name=place.name, stage=place.stage, removed=tuple(removed), left=_left(place, bucket))


def _jobs_of(place: Place, stack: Stack | None) -> Jobs | None:
    bucket = stack.outputs.get("JobsBucket") if stack is not None else None
    return Jobs(bucket, place.job_prefix(stack)) if stack is not None and bucket is not None else None


def _stack_removed(place: Place, jobs: Jobs | None, report: Report) -> tuple[str, ...]:
    """Remove the stack, and what instances wrote to its bucket until they ended."""
    if jobs is None:
        return place.stacks.delete(place.stack_name, report=report)
    clear = partial(_jobs_removed, place, jobs, report)
    return delete_with_bucket(place.stacks, place.stack_name, clear, report)


def _jobs_removed(place: Place, jobs: Jobs, report: Report) -> list[str]:
    """Remove what jobs have left: all of the stack's own bucket, and our folders in one of somebody else."""
    folders = [f"{jobs.prefix}{room}" for room in ROOMS] if jobs.prefix else [""]
    s3 = place.session.client("s3")
    return [line for folder in folders for line in emptied(s3, jobs.bucket, folder, "jobs", report)]


def _groups(place: Place) -> tuple[str, ...]:
    functions = ("jobs", "requests", "uploads")
    fronts = (front_log_group(place.name, place.stage, each) for each in functions)
    return (log_group(place.name, place.stage), *fronts)


def _told(stack: Stack | None) -> tuple[str, ...]:
    """Return the buckets of others that a deploy has switched on."""
    if stack is None or stack.status in INVALID:
        return ()
    own = stack.outputs.get("JobsBucket")
    return tuple(each for each in upload_buckets(stack.template) if each != own)


def _left(place: Place, bucket: str) -> tuple[str, ...]:
    """Return what is still there, asked of AWS again."""
    stacks = (place.stack(), place.image_stack())
    left = [f"stack {stack.name} ({stack.status})" for stack in stacks if stack is not None]
    if place.describe() is not None:
        left.append(f"endpoint {place.endpoint}")
    objects = first_objects(place.session.client("s3"), bucket, place.folder)
    return (*left, *(f"s3://{bucket}/{key}" for key, _ in objects))
