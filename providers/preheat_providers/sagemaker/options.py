"""The table `[provider.sagemaker]` of preheat.toml: its JSON Schema, and the same as frozen data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from preheat_providers._aws.hours import ScheduledHours, hours_schema
from preheat_providers._aws.retention import RETENTION_DAYS

Mode = Literal["async", "realtime", "serverless"]
Ami = Literal[
    "al2-ami-sagemaker-inference-gpu-2",
    "al2-ami-sagemaker-inference-gpu-2-1",
    "al2-ami-sagemaker-inference-gpu-3-1",
    "al2-ami-sagemaker-inference-neuron-2",
    "al2023-ami-sagemaker-inference-gpu-4-1",
]
"""As botocore 1.44.5 lists them, ProductionVariantInferenceAmiVersion."""

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "region": {
            "type": "string",
            "pattern": "^[a-z]{2}(-[a-z]+)+-[0-9]$",
            "description": "The region to deploy to. Without it, that of the environment or of the profile.",
        },
        "base_image": {
            "type": "string",
            "pattern": r"^\S+$",
            "description": "The image to build on, `REGISTRY/REPOSITORY:TAG`, with a Python, and with CUDA "
            "where no package brings it. Without it, `python:VERSION-slim`.",
        },
        "mode": {
            "enum": ["async", "realtime", "serverless"],
            "default": "async",
            "description": "A queue before instances that scale to zero; instances that always answer; or "
            "no instances of one's own, on CPU.",
        },
        "instance_type": {
            "type": "string",
            "pattern": r"^ml\.[a-z0-9-]+\.[a-z0-9]+$",
            "description": "The machine, also one whose size and price preheat lacks. Without it, the "
            "cheapest that holds what [resources] asks for.",
        },
        "ami": {
            "enum": list(get_args(Ami)),
            "description": "The image of the machine, which decides its GPU driver. Without it, one for the "
            "CUDA that packages bring, or SageMaker's choice.",
        },
        "max_concurrent": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1000,
            "description": "How many requests an instance takes at once. Without it, what the handler's "
            "batching takes.",
        },
        "backlog": {
            "type": "integer",
            "minimum": 1,
            "default": 5,
            "description": "How many requests may wait for each instance before another one starts (async).",
        },
        "invocations": {
            "type": "integer",
            "minimum": 1,
            "default": 70,
            "description": "How many requests a minute each instance should take before another one starts "
            "(realtime).",
        },
        "schedule": hours_schema(
            "From when on how many instances run, at least and at most: "
            '`[{cron = "0 8 * * 1-5", timezone = "Europe/Berlin", min = 1, max = 5}]`.'
        ),
        "serverless_concurrency": {
            "type": "integer",
            "minimum": 1,
            "maximum": 200,
            "default": 5,
            "description": "How many requests run at once at most (serverless).",
        },
        "output_bucket": {
            "type": "string",
            "pattern": "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
            "description": "The bucket for inputs and results of jobs, in the same region, which sends its "
            "events to EventBridge. Without it the deploy makes one that keeps them for a week.",
        },
        "artifact_bucket": {
            "type": "string",
            "pattern": "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
            "description": 'The bucket for the front and for weights = "s3", in the same region. Without it, '
            "the one of `preheat bootstrap`.",
        },
        "weights": {
            "enum": ["image", "s3"],
            "default": "image",
            "description": "Where the weights lie: in the image, or in the artifact bucket, from which "
            "SageMaker puts them on each instance before the start.",
        },
        "notify": {
            "type": "boolean",
            "default": False,
            "description": "Make two topics of SNS that are told of each result and of each failure (async).",
        },
        "startup_timeout_s": {
            "type": "integer",
            "minimum": 60,
            "maximum": 3600,
            "default": 600,
            "description": "How long an instance may take to be ready, and before that to fetch the weights.",
        },
        "canary_percent": {
            "type": "integer",
            "minimum": 1,
            "maximum": 50,
            "description": "The share of the instances that always run which takes requests first after an "
            "update. Without it all requests move at once.",
        },
        "canary_minutes": {
            "type": "integer",
            "minimum": 1,
            "maximum": 60,
            "default": 5,
            "description": "How long an update is watched before the old instances go.",
        },
        "rollback": {
            "type": "boolean",
            "default": True,
            "description": "Undo an update while which requests fail. Turn it off to replace a release that "
            "fails already.",
        },
        "auth": {
            "enum": ["iam"],
            "description": "Let only whom IAM allows call the HTTPS front, in place of `auth` of the http "
            "trigger.",
        },
        "kms_key": {
            "type": "string",
            "pattern": "^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$",
            "description": "The ARN of the key that encrypts images, inputs, results and disks.",
        },
        "keep_releases": {
            "type": "integer",
            "minimum": 2,
            "default": 10,
            "description": "How many releases stay to roll back to.",
        },
        "alarm_topic": {
            "type": "string",
            "pattern": "^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$",
            "description": "The ARN of the SNS topic that is told when an alarm fires.",
        },
        "log_days": {
            "enum": list(RETENTION_DAYS),
            "default": 30,
            "description": "How long logs are kept.",
        },
        "permissions_boundary": {
            "type": "string",
            "pattern": "^arn:aws[a-z-]*:iam::[0-9]{12}:policy/",
            "description": "The ARN of the policy that bounds every role.",
        },
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`[provider.sagemaker]`. What is None is found elsewhere or absent, as the schema says of each."""

    region: str | None = None
    base_image: str | None = None
    mode: Mode = "async"
    instance_type: str | None = None
    ami: Ami | None = None
    max_concurrent: int | None = None
    backlog: int = 5
    invocations: int = 70
    schedule: tuple[ScheduledHours, ...] = ()
    serverless_concurrency: int = 5
    output_bucket: str | None = None
    artifact_bucket: str | None = None
    weights: Literal["image", "s3"] = "image"
    notify: bool = False
    startup_timeout_s: int = 600
    canary_percent: int | None = None
    canary_minutes: int = 5
    rollback: bool = True
    auth: Literal["iam"] | None = None
    kms_key: str | None = None
    keep_releases: int = 10
    alarm_topic: str | None = None
    log_days: int = 30
    permissions_boundary: str | None = None

    def document(self) -> dict[str, Any]:
        """Return the options as JSON values."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return values | {"schedule": [asdict(each) for each in self.schedule]}


def read_options(table: Mapping[str, Any]) -> Options:
    """Return `table`, which has been validated against `SCHEMA`, as data."""
    hours = tuple(ScheduledHours(**each) for each in table.get("schedule", ()))
    return Options(**{**table, "schedule": hours})
