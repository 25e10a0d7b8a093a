"""The table `[provider.aws_lambda]` of preheat.toml: its JSON Schema, and the same as frozen data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from preheat_providers._aws.hours import ScheduledHours, hours_schema
from preheat_providers._aws.retention import RETENTION_DAYS

KEPT_RELEASES, KEPT_SNAPSHOTS = 10, 2
"""How many published versions stay; one with a snapshot is paid for as long as it does."""

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "region": {
            "type": "string",
            "pattern": "^[a-z]{2}(-[a-z]+)+-[0-9]$",
            "description": "The region to deploy to. Without it, that of the environment or of the profile.",
        },
        "architecture": {
            "enum": ["x86_64", "arm64"],
            "default": "x86_64",
            "description": "The processor. arm64 costs less, but only an arm64 machine can try the bundle.",
        },
        "package": {
            "enum": ["zip", "image"],
            "default": "zip",
            "description": "What the function is sent as: archives, 250 MB unpacked in all, or a container "
            "image of 10 GB. A function cannot change from one to the other.",
        },
        "base_image": {
            "type": "string",
            "pattern": r"^\S+$",
            "description": 'The image to build on with package = "image", which has the Python: '
            "`REGISTRY/REPOSITORY:TAG`. Without it, `python:VERSION-slim` of Docker Hub.",
        },
        "artifact_bucket": {
            "type": "string",
            "pattern": "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
            "description": "The bucket for archives and weights, in the same region. Without it, the one of "
            "`preheat bootstrap`.",
        },
        "weights": {
            "enum": ["package", "s3"],
            "default": "package",
            "description": "Where the weights lie: in the package, or in the artifact bucket, from which "
            "the function fetches them when it starts. Those do not count for a package's 250 MB.",
        },
        "weights_into": {
            "enum": ["tmp", "memory"],
            "default": "tmp",
            "description": "Where weights from S3 go: to /tmp (resources.tmp_mb), or into memory "
            "(resources.memory_mb), where onnxruntime reads no external data.",
        },
        "endpoint": {
            "enum": ["url", "http-api"],
            "default": "url",
            "description": "What answers HTTPS: a Function URL, or an HTTP API of API Gateway, which ends "
            "requests after 30 seconds.",
        },
        "auth": {
            "enum": ["iam", "jwt"],
            "description": "Who may call the endpoint, in place of `auth` of the http trigger: whom IAM "
            "allows (Function URL), or the holder of a JWT (HTTP API).",
        },
        "jwt_issuer": {
            "type": "string",
            "pattern": "^https://",
            "description": "The issuer whose tokens the HTTP API takes.",
        },
        "jwt_audience": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "minItems": 1,
            "description": "The audiences that it takes.",
        },
        "warm": {
            "enum": ["none", "snapstart", "provisioned", "schedule"],
            "default": "none",
            "description": "How cold starts are shortened: a snapshot taken after `setup`, environments "
            "that are kept ready (paid by the hour), or a call every few minutes.",
        },
        "provisioned": {
            "type": "integer",
            "minimum": 1,
            "default": 1,
            "description": 'How many environments are kept ready with warm = "provisioned".',
        },
        "provisioned_max": {
            "type": "integer",
            "minimum": 1,
            "description": "Up to how many, following their use. Without it the number is fixed.",
        },
        "provisioned_use": {
            "type": "number",
            "minimum": 0.1,
            "maximum": 0.9,
            "default": 0.7,
            "description": "The share of them that should be busy, with provisioned_max.",
        },
        "schedule_minutes": {
            "type": "integer",
            "minimum": 1,
            "maximum": 15,
            "default": 5,
            "description": 'How often the function is called with warm = "schedule".',
        },
        "provisioned_schedule": hours_schema(
            "From when on how many environments are kept ready, at least and at most: "
            '`[{cron = "0 8 * * 1-5", timezone = "Europe/Berlin", min = 2, max = 5}]`.'
        ),
        "reserved_concurrency": {
            "type": "integer",
            "minimum": 1,
            "description": "How many environments run at most, taken off what the account's other functions "
            "have. Without it the function shares with them.",
        },
        "jobs": {
            "type": "boolean",
            "default": False,
            "description": "Offer POST /jobs: asynchronous calls whose answers a bucket keeps for a week.",
        },
        "keep_releases": {
            "type": "integer",
            "minimum": 2,
            "description": "How many releases stay to roll back to. Without it 10, or 2 with "
            'warm = "snapstart", where each costs.',
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
        "tracing": {
            "type": "boolean",
            "default": False,
            "description": "Send traces to X-Ray.",
        },
        "permissions_boundary": {
            "type": "string",
            "pattern": "^arn:aws[a-z-]*:iam::[0-9]{12}:policy/",
            "description": "The ARN of the policy that bounds the function's role.",
        },
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`[provider.aws_lambda]`. What is None is found elsewhere or absent, as the schema says of each."""

    region: str | None = None
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    package: Literal["zip", "image"] = "zip"
    base_image: str | None = None
    artifact_bucket: str | None = None
    weights: Literal["package", "s3"] = "package"
    weights_into: Literal["tmp", "memory"] = "tmp"
    endpoint: Literal["url", "http-api"] = "url"
    auth: Literal["iam", "jwt"] | None = None
    jwt_issuer: str | None = None
    jwt_audience: tuple[str, ...] = ()
    warm: Literal["none", "snapstart", "provisioned", "schedule"] = "none"
    provisioned: int = 1
    provisioned_max: int | None = None
    provisioned_use: float = 0.7
    schedule_minutes: int = 5
    provisioned_schedule: tuple[ScheduledHours, ...] = ()
    reserved_concurrency: int | None = None
    jobs: bool = False
    keep_releases: int | None = None
    alarm_topic: str | None = None
    log_days: int = 30
    tracing: bool = False
    permissions_boundary: str | None = None

    @property
    def is_image(self) -> bool:
        """Whether the function is a container image."""
        return self.package == "image"

    @property
    def scales_provisioned(self) -> bool:
        """Whether the number of environments that are kept ready changes."""
        changes = self.provisioned_max is not None or bool(self.provisioned_schedule)
        return self.warm == "provisioned" and changes

    @property
    def kept_releases(self) -> int:
        """How many published versions stay."""
        if self.keep_releases is not None:
            return self.keep_releases
        return KEPT_SNAPSHOTS if self.warm == "snapstart" else KEPT_RELEASES

    def document(self) -> dict[str, Any]:
        """Return the options as JSON values."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        hours = [asdict(each) for each in self.provisioned_schedule]
        return values | {"jwt_audience": list(self.jwt_audience), "provisioned_schedule": hours}


def read_options(table: Mapping[str, Any]) -> Options:
    """Return `table`, which has been validated against `SCHEMA`, as data."""
    hours = tuple(ScheduledHours(**each) for each in table.get("provisioned_schedule", ()))
    audience = tuple(table.get("jwt_audience", ()))
    return Options(**{**table, "jwt_audience": audience, "provisioned_schedule": hours})
