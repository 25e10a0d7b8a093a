"""What things are called on AWS. Pure; every other part of this provider takes its names from here."""

from preheat_providers._aws.templates.names import NAME_TAG as NAME_TAG
from preheat_providers._aws.templates.names import STAGE_TAG as STAGE_TAG
from preheat_providers._aws.templates.names import default_bucket as default_bucket
from preheat_providers._aws.templates.names import logical_id as logical_id
from preheat_providers._aws.templates.names import repository_name as repository_name
from preheat_providers._aws.templates.names import secret_parameter as secret_parameter
from preheat_providers._aws.templates.names import stack_tags as stack_tags

ENDPOINT_NAME_CHARACTERS = 63
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html, read on 2026-11-21."""

DIGEST_TAG = "preheat:digest"
"""On each model and endpoint config: the digest of the bundle that it runs."""

VARIANT = "main"
"""The only variant. Updates that shift traffic want one name before and after:
https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html"""

INPUTS, OUTPUTS, FAILURES, RECORDS = "inputs/", "outputs/", "failures/", "records/"
"""What the bucket of jobs holds, below `job_prefix`: what jobs were sent, what came out of them, what failed,
and what the front remembers of them."""


def object_prefix(name: str, stage: str) -> str:
    """Return what the keys of all objects of an endpoint begin with: never in the folder of Lambda's.

    A destroy there empties that folder. No name has a dot.
    """
    return f"preheat/{name}/{stage}.endpoint/"


def endpoint_name(name: str, stage: str) -> str:
    """Return what the endpoint is called; `a-b` at `c` and `a` at `b-c` share it."""
    return f"preheat-{name}-{stage}"


def stack_name(name: str, stage: str) -> str:
    """Return what the stack is called, which is not what the same function's stack on Lambda is called."""
    return f"{endpoint_name(name, stage)}-endpoint"


def image_stack_name(name: str, stage: str) -> str:
    """Return what the stack of the image repository is called."""
    return f"{endpoint_name(name, stage)}-images"


def log_group(name: str, stage: str) -> str:
    """Return where SageMaker puts what the container writes."""
    return f"/aws/sagemaker/Endpoints/{endpoint_name(name, stage)}"


def front_log_group(name: str, stage: str, function: str) -> str:
    """Return where one of the small functions before the endpoint logs."""
    return f"/preheat/{name}/{stage}/{function}"


def job_prefix(name: str, stage: str, *, own_bucket: bool) -> str:
    """Return what the keys of a job's objects begin with: nothing in a bucket that the stack owns."""
    return "" if own_bucket else object_prefix(name, stage)


def weights_prefix(name: str, stage: str, digest: str) -> str:
    """Return where in the artifact bucket the weights of one bundle lie; `digest` is that of its layer."""
    return f"{object_prefix(name, stage)}weights/{digest.removeprefix('sha256:')}/"
