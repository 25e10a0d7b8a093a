"""Names that mean the same for every provider on AWS. Pure."""

import hashlib
import re

NAME_TAG, STAGE_TAG = "preheat:name", "preheat:stage"


def default_bucket(account: str, region: str) -> str:
    """Return the bucket for archives that `preheat bootstrap` makes."""
    return f"preheat-{account}-{region}"


def object_prefix(name: str, stage: str) -> str:
    """Return what the keys of all objects begin with that a deploy puts into the artifact bucket."""
    return f"preheat/{name}/{stage}/"


def stack_tags(name: str, stage: str) -> dict[str, str]:
    """Return the tags by which a stack is known as that of a function."""
    return {NAME_TAG: name, STAGE_TAG: stage}


def logical_id(kind: str, trigger: str) -> str:
    """Return the logical id of a trigger's resource: `UploadQueueNewScans` for the trigger `new-scans`.

    Two triggers never share one: a dash that is followed by no letter would be lost, so that such
    names get a mark.
    """
    words = "".join(word[:1].upper() + word[1:] for word in trigger.split("-"))
    lost = re.search(r"-(?![a-z])", trigger)
    return kind + words + (mark(trigger) if lost else "")


def secret_parameter(variable: str) -> str:
    """Return the parameter of the stack that holds the secret `variable`."""
    return f"Secret{re.sub('[^A-Za-z0-9]', '', variable)}{mark(variable)}"


def repository_name(name: str, stage: str) -> str:
    """Return where images lie in ECR, whose names take one dash in a row and none at an end."""
    return f"preheat/{_single(name)}/{_single(stage)}"


def mark(text: str) -> str:
    """Return eight characters that stand for `text`."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _single(name: str) -> str:
    return "-".join(part for part in name.split("-") if part)
