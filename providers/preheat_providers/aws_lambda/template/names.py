"""What things are called on AWS. Pure; every other part of this provider takes its names from here."""

import re
from typing import NamedTuple

from preheat.project.model import DEFAULT_STAGE
from preheat_providers._aws.templates.intrinsics import Json, local_arn
from preheat_providers._aws.templates.names import NAME_TAG as NAME_TAG
from preheat_providers._aws.templates.names import STAGE_TAG as STAGE_TAG
from preheat_providers._aws.templates.names import default_bucket as default_bucket
from preheat_providers._aws.templates.names import logical_id as logical_id
from preheat_providers._aws.templates.names import mark
from preheat_providers._aws.templates.names import object_prefix as object_prefix
from preheat_providers._aws.templates.names import repository_name as repository_of
from preheat_providers._aws.templates.names import secret_parameter as secret_parameter
from preheat_providers._aws.templates.names import stack_tags as stack_tags
from preheat_providers.aws_lambda.shipped.settings import ALIAS as ALIAS

FUNCTION_NAME_CHARACTERS = 64
"""https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html, read on 2026-11-21."""

SCHEDULE_NAME_CHARACTERS = 64
"""https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html, read on 2026-11-21."""

DESCRIBED = re.compile(r"(sha256:[0-9a-f]+) (\S+)")


class Described(NamedTuple):
    """What a published version is: the digest of its bundle, and where its code lies.

    That is the S3 key of the function's archive, or its image as `REPOSITORY@DIGEST`.
    """

    digest: str
    key: str


def stack_name(name: str, stage: str) -> str:
    """Return what the stack and the function are called; `a-b` at `c` and `a` at `b-c` share it."""
    return f"preheat-{name}-{stage}"


def image_stack_name(name: str, stage: str) -> str:
    """Return what the stack of the image repository is called, which is not SageMaker's of the same name."""
    return f"{stack_name(name, stage)}-function-images"


def repository_name(name: str, stage: str) -> str:
    """Return where the images lie in ECR, which is not where SageMaker's of the same name lie."""
    return f"{repository_of(name, stage)}/function"


def flags(stage: str) -> str:
    """Return the options by which a command finds a function at `stage`."""
    return "--provider lambda" + ("" if stage == DEFAULT_STAGE else f" --stage {stage}")


def log_group(name: str, stage: str) -> str:
    """Return where the function's logs go."""
    return f"/preheat/{name}/{stage}"


def describe(digest: str, key: str) -> str:
    """Return the Description of a published version; at most 256 characters."""
    return f"{digest} {key}"


def described(text: str) -> Described | None:
    """Return what `describe` wrote, or None for a text of anybody else."""
    match = DESCRIBED.fullmatch(text)
    return Described(*match.groups()) if match else None


def schedule_name(function: str, trigger: str) -> str:
    """Return what the schedule of `trigger` is called: `FUNCTION.TRIGGER`, the function cut where too long.

    By what follows the only dot, which no trigger has in its name, the function knows the schedule.
    """
    whole = f"{function}.{trigger}"
    room = SCHEDULE_NAME_CHARACTERS - len(f"-{mark(function)}.{trigger}")
    cut = f"{function[:room]}-{mark(function)}.{trigger}"
    return whole if len(whole) <= SCHEDULE_NAME_CHARACTERS else cut


def alias_arn(function: str) -> Json:
    """Return the ARN of the function's alias, without waiting for it as a Ref would."""
    return local_arn("lambda", f"function:{function}:{ALIAS}")
