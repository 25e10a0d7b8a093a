"""What things are called on AWS. Pure; every other part of this provider takes its names from here."""

import hashlib
import re
from typing import NamedTuple

from preheat_providers.aws_lambda.settings import ALIAS as ALIAS

FUNCTION_NAME_CHARACTERS = 64
"""https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html, read on 2026-11-21."""

SCHEDULE_NAME_CHARACTERS = 64
"""https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html, read on 2026-11-21."""

NAME_TAG, STAGE_TAG = "preheat:name", "preheat:stage"

DESCRIBED = re.compile(r"(sha256:[0-9a-f]+) (\S+)")


class Described(NamedTuple):
    """What a published version is: the digest of its bundle, and the S3 key of the function's archive."""

    digest: str
    key: str


def stack_name(name: str, stage: str) -> str:
    """Return what the stack and the function are called; `a-b` at `c` and `a` at `b-c` share it."""
    return f"preheat-{name}-{stage}"


def log_group(name: str, stage: str) -> str:
    """Return where the function's logs go."""
    return f"/preheat/{name}/{stage}"


def default_bucket(account: str, region: str) -> str:
    """Return the bucket for archives that `preheat bootstrap` makes."""
    return f"preheat-{account}-{region}"


def object_prefix(name: str, stage: str) -> str:
    """Return what the keys of all objects begin with that a deploy puts into the artifact bucket."""
    return f"preheat/{name}/{stage}/"


def stack_tags(name: str, stage: str) -> dict[str, str]:
    """Return the tags by which a stack is known as that of a function."""
    return {NAME_TAG: name, STAGE_TAG: stage}


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
    room = SCHEDULE_NAME_CHARACTERS - len(f"-{_mark(function)}.{trigger}")
    cut = f"{function[:room]}-{_mark(function)}.{trigger}"
    return whole if len(whole) <= SCHEDULE_NAME_CHARACTERS else cut


def logical_id(kind: str, trigger: str) -> str:
    """Return the logical id of a trigger's resource: `UploadQueueNewScans` for the trigger `new-scans`.

    Two triggers never share one: a dash that is followed by no letter would be lost, so that such
    names get a mark.
    """
    words = "".join(word[:1].upper() + word[1:] for word in trigger.split("-"))
    lost = re.search(r"-(?![a-z])", trigger)
    return kind + words + (_mark(trigger) if lost else "")


def secret_parameter(variable: str) -> str:
    """Return the parameter of the stack that holds the secret `variable`."""
    return f"Secret{re.sub('[^A-Za-z0-9]', '', variable)}{_mark(variable)}"


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
